"""What must hold at the end of any run, whatever was done to its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.results.lineage import place_of
from taskgraph.upkeep.checking import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backends.interface import Key
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

_PASSING = frozenset({"orphan", "leftover", "dead"})
"""Kinds of faults that whoever is killed leaves, and that harm nobody."""


def audit(results: Results, graph: Snapshot) -> Iterator[str]:
    """Yield what is wrong with the results of a graph after all its runs have ended.

    Each task has a result, or a failure of its own function; each record was made of
    those results that are stored; nothing is locked; nothing is damaged.

    Parameters
    ----------
    results : Results
        Of the store; nobody is at work there.
    graph : Snapshot
        All its tasks.

    Examples
    --------
    >>> from backends.opening import open_backend
    >>> from taskgraph.chaos.audit import audit
    >>> from taskgraph.results.results import Results
    >>> from taskgraph.tasks.graph import Graph
    >>> from taskgraph.upkeep.growing import take
    >>> from pathlib import Path
    >>> results = Results(open_backend("memory://"))
    >>> list(audit(results, take(Graph([]), Path("jugfile.py"))))
    []
    """
    backend = results.backend
    backend.poll()
    for lock in backend.locks():
        yield f"{_named(graph, lock.key)} is still locked by {lock.worker}"
    for key in graph:
        if backend.find(key) is None and not _is_blocked(results, graph, key):
            yield f"{_named(graph, key)} has no result"
    for key in sorted(backend.keys()):
        yield from _audit_record(results, graph, key)
    for fault in check(results):
        if fault.kind not in _PASSING:
            yield f"{fault.what} is {fault.kind}: {fault.why}"


def _is_blocked(results: Results, graph: Snapshot, key: Key) -> bool:
    """Return whether a task needs one that failed, or is blocked itself."""
    failures = results.backend.failures()
    left, seen = list(graph.needs_of_key(key)), set[bytes]()
    while left:
        need = left.pop()
        if need in failures:
            return True
        if need not in seen:
            seen.add(need)
            left += graph.needs_of_key(need)
    return False


def _audit_record(results: Results, graph: Snapshot, key: Key) -> Iterator[str]:
    backend = results.backend
    where = backend.find(key)
    if where is None:
        return
    name = _named(graph, key)
    try:
        if where.failure:
            failure = results.body_of(key, where).failure(where.row)
            if failure.cause in ("killed", "lost"):
                yield f"{name} failed, and only its workers were killed"
        for place in results.inputs(key, where):
            need = results.key_at(*place)
            stored = backend.find(need)
            if stored is None or place_of(stored) != place:
                made_of = _named(graph, need)
                yield f"{name} was made of another {made_of} than is stored"
    except DamagedError as error:
        yield f"{name}: {error}"


def _named(graph: Snapshot, key: Key) -> str:
    return f"{graph.name_of(key) or 'a task'} ({key.hex()[:12]})"
