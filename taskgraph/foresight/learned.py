"""How long the tasks of each function took, and what memory, as records say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from math import sqrt
from typing import TYPE_CHECKING

from backends.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from backends.interface import Backend, Where
    from taskgraph.results.results import Results
    from taskgraph.tasks.graph import Graph

_RUNS, _RUN = 5, 50
"""How many tasks of a function are looked at: so many runs of so many in a row."""
_FUNCTIONS, _FEW = 16, 50
"""Of how many functions it is looked up how long they take, and in how many tasks."""
_LONG, _TIMES = 0.1, 2
"""From how many seconds that matters, and how often the shortest one in the longest."""
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Times:
    """What tasks of a function took.

    Attributes
    ----------
    count : int
        How many were looked at, the latest ones.
    mean, deviation : float
        Of their times, in seconds; the deviation is that of single tasks.
    memory : int
        The largest resident set of a worker until one of them had ended, in bytes.
    """

    count: int
    mean: float
    deviation: float
    memory: int

    @classmethod
    def of(cls, seconds: Collection[float], memory: int) -> Times:
        """Return what some times have in common.

        Examples
        --------
        >>> Times.of([1.0, 3.0], 0)
        Times(count=2, mean=2.0, deviation=1.4142135623730951, memory=0)
        """
        count, mean = len(seconds), sum(seconds) / len(seconds)
        squares = sum([(one - mean) ** 2 for one in seconds])
        return cls(count, mean, sqrt(squares / max(1, count - 1)), memory)


def learned(results: Results, calls: Iterable[tuple[bytes, str]]) -> dict[str, Times]:
    """Return what tasks took, by their functions' names.

    Parameters
    ----------
    results : Results
        Of the store, as of its last look.
    calls : iterable of (bytes, str)
        Keys of tasks, some of which have a result, and the names of their functions.
        Of each function some hundred are looked at, from everywhere in the row. What
        was forgotten and can come back counts for functions without other results.
    """
    keys: dict[str, list[bytes]] = defaultdict(list)
    forgotten: dict[str, list[bytes]] = defaultdict(list)
    backend = results.backend
    known, taken = backend.keys(), _taken(backend)
    for key, name in calls:
        if key in known:
            keys[name].append(key)
        elif key in taken:
            forgotten[name].append(key)
    found = {}
    for find, group in ((taken.get, forgotten), (backend.find, keys)):
        for name, some in group.items():
            times = _of_some(results, map(find, _spread(some)))
            if times is not None:
                found[name] = times
    return found


def _taken(backend: Backend) -> dict[bytes, Where]:
    """Return where records are of results that were forgotten, and can come back."""
    found: dict[bytes, Where] = {}
    for one in backend.discards():
        found |= backend.taken(one.position)
    return found


def lengths(results: Results, graph: Graph) -> dict[str, float]:
    """Return the seconds of tasks by function, if that makes an order of them.

    Of each function some tasks of the graph are looked at that lie in one segment, so
    that at most as many segments are read as there are functions. Empty if fewer than
    two of the functions are known, if none takes a tenth of a second (a worker takes
    many of these at once, in whatever order), or if all take about as long.

    Parameters
    ----------
    results : Results
        Of the store, as of its last look.
    graph : Graph
        What is to be run, some of which has results.
    """
    keys, known = list(graph), results.backend.keys()
    names = {each.name for each in islice(graph.generators, _FUNCTIONS)}
    some: dict[str, list[bytes]] = {name: [] for name in names}
    for generator, places in graph.runs():
        if generator.name in names:
            enough = some[generator.name]
            with_result = filter(known.__contains__, map(keys.__getitem__, places))
            enough += islice(with_result, _FEW - len(enough))
            if len(enough) == _FEW:
                names.discard(generator.name)
                if not names:
                    break
    find = results.backend.find
    times = {name: _of_some(results, map(find, each), 1) for name, each in some.items()}
    means = {name: one.mean for name, one in times.items() if one is not None}
    longest = max(means.values(), default=0.0)
    differ = longest >= max(_LONG, _TIMES * min(means.values(), default=0.0))
    return means if len(means) > 1 and differ else {}


def _spread(keys: list[bytes]) -> list[bytes]:
    """Return some of many: neighbours mostly lie together, and are read at once."""
    if len(keys) <= _RUNS * _RUN:
        return keys
    step = (len(keys) - _RUN) // (_RUNS - 1)
    return [key for n in range(_RUNS) for key in keys[n * step : n * step + _RUN]]


def _of_some(
    results: Results, found: Iterable[Where | None], segments: int | None = None
) -> Times | None:
    """Return what tasks took, by the first segments that their records lie in."""
    places: dict[int, list[int]] = defaultdict(list)
    for where in found:
        if where is not None and not where.failure:
            places[where.position].append(where.row)
    seconds: list[float] = []
    memory = 0
    for position, rows in islice(places.items(), segments):
        try:
            body = results.body(position)
            walls, peaks = body.column("wall"), body.column("rss")
        except DamagedError:  # told when somebody needs it
            continue
        # No time is kept of what was adopted: of files, and of results of jug.
        seconds += [walls[row] for row in rows if walls[row]]
        # The column is given as if it were of microseconds; it is of KiB.
        memory = max(memory, *[round(peaks[row] * 1e6) * _KIB for row in rows])
    return Times.of(seconds, memory) if seconds else None
