"""What functions cost, for people: time that is left, bytes that results take."""

from __future__ import annotations

import time as clock
from typing import TYPE_CHECKING, Any

from taskgraph.cli.printing import counted, seconds_text, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backends.interface import Backend
    from taskgraph.foresight.time_left import TimeLeft

_FEW = 5
"""Tasks that were measured: if fewer were, that is said."""
_LONG = 5.0
"""Seconds from which on it says something that a task runs for so long."""


def time_left_of(
    left: Mapping[str, int], backend: Backend, calls: Iterable[tuple[bytes, str]]
) -> tuple[TimeLeft, int]:
    """Return how long tasks take, and for how many workers: those that hold some now.

    Parameters
    ----------
    left : mapping
        How many tasks there are to run, by function.
    backend : Backend
        With records of earlier ones.
    calls : iterable of (bytes, str)
        Keys and functions of tasks of which some have a record.
    """
    from taskgraph.foresight.learned import learned
    from taskgraph.foresight.time_left import time_left
    from taskgraph.results.results import Results

    workers = max(1, len(set(backend.holders().values())))
    wanted = {name: count for name, count in left.items() if count}
    times = learned(Results(backend), (one for one in calls if one[1] in wanted))
    return time_left(wanted, times, workers=workers), workers


def rest_text(
    left: Mapping[str, int], backend: Backend, calls: Iterable[tuple[bytes, str]]
) -> str:
    """Return how long tasks take, by `time_left_of`; empty if nothing is known.

    If what runs now runs for longer than all of that, it says so.
    """
    found, workers = time_left_of(left, backend, calls)
    begun = [lock.since for lock in backend.locks()]
    runs = clock.time() - max(begun) if begun else 0.0
    if found.unknown or not found.expected or runs < max(found.high, _LONG):
        return time_text(found, workers)
    usual = _rough(found.high)
    return f"more than tasks before took ({usual}): what runs has taken longer"


def time_text(time: TimeLeft, workers: int) -> str:
    """Return how long it takes, with the interval if that says something.

    Of tasks of which no time is known, it says how many they are.

    Examples
    --------
    >>> from taskgraph.foresight.time_left import TimeLeft
    >>> time_text(TimeLeft(80, 90, 100, 9, {}), 2)
    'about 1 min 30 s (1 min 20 s to 1 min 40 s) with 2 workers'
    >>> time_text(TimeLeft(3, 3, 3, 1, {"f": 15}), 1)
    'more than 3 s with 1 worker: of 15 of 16 tasks no time is known yet'
    >>> time_text(TimeLeft(3e-4, 3e-4, 3e-4, 9, {}), 1)
    'less than 1 s with 1 worker'
    >>> time_text(TimeLeft(0, 0, 0, 0, {"f": 1}), 2)
    ''
    >>> time_text(TimeLeft(80, 80, 80, 9, {}, measured=1), 2)
    'about 1 min 20 s with 2 workers, by 1 task so far'
    """
    if not time.expected:
        return ""
    who = counted(workers, "worker")
    if 0 < time.measured < min(_FEW, time.known):
        who += f", by {counted(time.measured, 'task')} so far"
    if time.unknown:
        unknown = time.tasks - time.known
        return (
            f"{short_time_text(time)} with {who}: of {unknown} of "
            f"{counted(time.tasks, 'task')} no time is known yet"
        )
    low, high = _rough(time.low), _rough(time.high)
    between = f" ({low} to {high})" if low != high else ""
    if between and time.low < 1:
        between = f" ({high} at most)"
    return f"{short_time_text(time)}{between} with {who}"


def short_time_text(time: TimeLeft) -> str:
    """Return how long it takes, in three words; empty if nothing is known.

    Examples
    --------
    >>> from taskgraph.foresight.time_left import TimeLeft
    >>> short_time_text(TimeLeft(3, 3, 3, 1, {"f": 15}))
    'more than 3 s'
    >>> short_time_text(TimeLeft(3e-4, 3e-4, 3e-4, 1, {"f": 15}))
    'an unknown time'
    """
    if not time.expected:
        return ""
    if time.expected < 1:  # of digits below that none is known
        return "an unknown time" if time.unknown else _rough(time.expected)
    about = "more than" if time.unknown else "about"
    return f"{about} {seconds_text(time.expected)}"


def _rough(seconds: float) -> str:
    return seconds_text(seconds) if seconds >= 1 else "less than 1 s"


def costs(backend: Backend) -> list[dict[str, Any]]:
    """Return what the results of each function take, most bytes first."""
    from taskgraph.foresight.learned import learned
    from taskgraph.results.results import Results
    from taskgraph.upkeep.shrinking import weights

    results = Results(backend)
    every = weights(results, backend.keys())
    times = learned(results, ((one.key, one.name) for one in every))
    found: dict[str, dict[str, Any]] = {}
    for one in every:
        row = found.setdefault(one.name, {"results": 0, "size": 0, "seconds": 0.0})
        row["results"] += 1
        row["size"] += one.size
        row["seconds"] += one.seconds
    rows = [
        {"name": name, **row, "peak_rss": times[name].memory}
        for name, row in found.items()
    ]
    return sorted(rows, key=lambda row: (-row["size"], row["name"]))


def cost_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a row of `costs` as people read it."""
    return (
        row["name"],
        row["results"],
        size_text(row["size"]),
        seconds_text(row["seconds"]),
        size_text(row["peak_rss"]),
    )
