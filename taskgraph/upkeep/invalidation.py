"""What an invalidation takes along, and what it costs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.interface import KEY_SIZE
from taskgraph.results.lineage import made_of
from taskgraph.tasks.graph import closure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set

    from backends.interface import Backend, Discarded, Key, Where
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

INVALIDATION = "invalidate"
RETRY = "retry"
CLEANUP = "cleanup"
_DOCUMENT = "invalidated"
"""Keys of invalidations that are final, one after the other."""


@dataclass(slots=True)
class Loss:
    """What is lost with the records of one function; times are in seconds."""

    name: str
    results: int = 0
    failures: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    size: int = 0


def matching(snapshot: Snapshot, matches: Callable[[str], bool]) -> list[Key]:
    """Return the keys of the tasks whose function's name matches."""
    wanted = [matches(name) for name in snapshot.names]
    keys = snapshot.split()
    return [
        key
        for key, number in zip(keys, snapshot.functions, strict=True)
        if wanted[number]
    ]


def with_dependants(keys: Iterable[Key], snapshots: Iterable[Snapshot]) -> set[Key]:
    """Return keys and all that depends on them, by any of some graphs."""
    found = set(keys)
    known = [snapshot.dependants() for snapshot in snapshots]
    size = -1
    while len(found) != size:  # one graph's dependant may have some in another graph
        size = len(found)
        for dependants in known:
            found = closure_of(found, dependants)
        if len(known) == 1:
            break
    return found


def forget(
    results: Results, keys: Iterable[Key], graphs: Iterable[Snapshot], *, reason: str
) -> int | None:
    """Discard records and all that was made of them; return where, None if no-op.

    Parameters
    ----------
    results : Results
        Of the store.
    keys : iterable of bytes
        What to forget, with what depends on it by the graphs.
    graphs : iterable of Snapshot
        Of these it is known what depends on what. Of records of other graphs, and of
        those that come meanwhile, it is read from the records, when it is decided.
    reason : str
        For `tg undo --list`.
    """
    backend = results.backend
    chosen = sorted(keys)
    known: set[Key] = set()
    for graph in graphs:
        known.update(graph.split())

    def more() -> set[Key]:
        strange = backend.keys() - known
        return made_of(results, chosen, strange) if strange else set()

    return backend.discard(chosen, reason=reason, more=more)


def invalidated(backend: Backend) -> set[Key]:
    """Return the keys that were invalidated in a store, also if that is final.

    Raises
    ------
    DamagedError
        It cannot be read.
    """
    data = backend.documents.get(_DOCUMENT) or b""
    keys = {data[at : at + KEY_SIZE] for at in range(0, len(data), KEY_SIZE)}
    return keys.union(*map(_invalidated_by, backend.discards()))


def remember_invalidated(backend: Backend, discards: Iterable[Discarded]) -> None:
    """Remember what discards invalidated that are about to be forgotten.

    Raises
    ------
    DamagedError
        What was remembered before cannot be read.
    """
    keys = set().union(*map(_invalidated_by, discards))
    if keys:
        keys |= invalidated(backend)
        backend.documents.put(_DOCUMENT, b"".join(sorted(keys)))


def _invalidated_by(discarded: Discarded) -> Set[Key]:
    return set(discarded.keys) if discarded.reason.startswith(INVALIDATION) else set()


def losses(results: Results, keys: Iterable[Key], *, sizes: bool = False) -> list[Loss]:
    """Return what the records of some keys cost, by function; most time first.

    Parameters
    ----------
    results : Results
        Where the records are. Keys without one cost nothing.
    keys : iterable of bytes
        Whose.
    sizes : bool
        Whether to add up the bytes as well.
    """
    from backends.errors import DamagedError
    from taskgraph.results.codec import stored_size

    by_name: dict[str, Loss] = {}
    for places in _by_segment(results.backend, keys):
        try:
            body, *_ = [results.body_of(key, where) for key, where in places]
        except DamagedError:
            loss = by_name.setdefault("(damaged)", Loss("(damaged)"))
            loss.results += len(places)
            continue
        names, cpu = body.column("function"), body.column("cpu")
        wall = body.column("wall")
        for _, where in places:
            name, row = names[where.row], where.row
            loss = by_name.setdefault(name, Loss(name))
            loss.failures += where.failure
            loss.results += not where.failure
            loss.cpu += cpu[row]
            loss.wall += wall[row]
            if sizes and not where.failure:
                loss.size += stored_size(body.payload(row))
    return sorted(by_name.values(), key=lambda loss: (-loss.cpu, loss.name))


def _by_segment(backend: Backend, keys: Iterable[Key]) -> list[list[tuple[Key, Where]]]:
    places: dict[int, list[tuple[Key, Where]]] = defaultdict(list)
    for key in keys:
        where = backend.find(key)
        if where is not None:
            places[where.position].append((key, where))
    return [places[position] for position in sorted(places)]
