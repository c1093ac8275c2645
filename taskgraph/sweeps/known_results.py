"""What is known of many tasks: their states, and their results segment by segment."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError
from backends.liveness import left_behind
from taskgraph.errors import NoResultError
from taskgraph.tasks.frontier import Frontier
from taskgraph.tasks.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backends.interface import Backend
    from taskgraph.results.results import Results
    from taskgraph.tasks.task import Task

DAMAGED = "damaged"
_PLACE = itemgetter(0)


def states_of_tasks(tasks: Sequence[Task], results: Results | None) -> list[str]:
    """Return the state of each task.

    Returns
    -------
    list of str
        ``done`` (and the files that it names are as they were written), ``failed``,
        ``running`` (locked by a living worker), ``blocked`` (it needs one that failed)
        or ``waiting``.
    """
    if results is None:
        return ["waiting"] * len(tasks)
    backend, graph = results.backend, Graph(tasks)
    known, failures = results.keys() - _gone(graph, results), backend.failures()
    states = [_state(task.key, known, failures) for task in tasks]
    if "waiting" not in states:
        return states
    held = _held(backend)
    blocked: Iterable[bytes] = ()
    if failures:
        blocked = Frontier(graph, known, failures).blocked()
    others = dict.fromkeys(blocked, "blocked") | dict.fromkeys(held, "running")
    return [
        others.get(task.key, state) if state == "waiting" else state
        for task, state in zip(tasks, states, strict=True)
    ]


def _state(key: bytes, known: Any, failures: Any) -> str:
    if key not in known:
        return "waiting"
    return "failed" if key in failures else "done"


def _gone(graph: Graph, results: Results) -> set[bytes]:
    """Return the keys of tasks whose files are gone, and of what was made of them."""
    if not any(generator.files for generator in graph.generators):
        return set()
    from taskgraph.upkeep.gone_files import gone_at_a_glance

    writers = [task.key for task in graph.tasks if task.generator.files]
    return gone_at_a_glance(results, writers)[0]


def _held(backend: Backend) -> set[bytes]:
    """Return the keys that living workers have locked."""
    if not backend.holders():
        return set()
    dead = left_behind(backend)
    return {lock.key for lock in backend.locks() if lock.worker not in dead}


class Read:
    """What is stored of some tasks.

    Each segment is read once. Arrays in files are not: an `Outline` takes their place.

    Attributes
    ----------
    values : list
        The results; None of those that have none.
    errors : list of str or None
        Why there is none, of those that failed or cannot be read.
    damaged : set of int
        The places of those whose bytes are not what was stored.
    """

    def __init__(self, keys: Sequence[bytes], results: Results | None) -> None:
        self.values: list[Any] = [None] * len(keys)
        self.errors: list[str | None] = [None] * len(keys)
        self.damaged: set[int] = set()
        if results is not None:
            self._results = results
            self._read(keys)

    def _read(self, keys: Sequence[bytes]) -> None:
        find, known = self._results.backend.find, self._results.keys()
        stored, others = [], []
        for place, key in enumerate(keys):
            where = find(key)
            if where is not None:
                stored.append((where.position, place, key, where))
            elif key in known:
                others.append((place, key))
        stored.sort(key=_PLACE)
        for position, group in groupby(stored, _PLACE):
            try:
                self._results.body(position)
            except DamagedError as error:  # all of it, and it is read no more
                for _, place, _, _ in group:
                    self._damage(place, error)
                continue
            for _, place, key, where in group:
                self._take(place, key, where)
        for place, key in others:  # not stored yet, or in another store
            self._take(place, key, None)

    def _take(self, place: int, key: bytes, where: Any) -> None:
        results = self._results
        try:
            if where is None:
                self.values[place] = results.outline(results.payload(key), key)
                return
            body = results.body_of(key, where)
            if where.failure:
                failure = body.failure(where.row)
                self.errors[place] = f"{failure.error}: {failure.message}"
                return
            self.values[place] = results.outline(body.payload(where.row), key)
        except DamagedError as error:
            self._damage(place, error)
        except NoResultError as error:
            self.errors[place] = str(error)

    def _damage(self, place: int, error: DamagedError) -> None:
        self.damaged.add(place)
        self.errors[place] = str(error)
