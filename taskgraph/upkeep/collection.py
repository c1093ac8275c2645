"""What nobody needs any more: results of no task, and blobs of no result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import KEY_SIZE
from taskgraph.results.codec import blob_refs
from taskgraph.upkeep.invalidation import remember_invalidated

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from backends.interface import Discarded, Key
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Unneeded:
    """The result of a look for what can go.

    Attributes
    ----------
    keys : list of bytes
        Whose records no task needs.
    spared : int
        How many records only other graphs need.
    """

    keys: list[Key]
    spared: int


def unneeded(
    known: Iterable[Key], current: Snapshot, others: Iterable[Snapshot]
) -> Unneeded:
    """Return the keys that neither the current graph nor any of the others has."""
    surplus = set(known) - set(current.split())
    elsewhere: set[Key] = set()
    for snapshot in others:
        elsewhere.update(snapshot.split())
    left = surplus - elsewhere
    return Unneeded(sorted(left), len(surplus) - len(left))


def expired(discards: Iterable[Discarded], older_than: float) -> list[Discarded]:
    """Return the discards made before `older_than`."""
    return [discarded for discarded in discards if discarded.time <= older_than]


def empty(results: Results, discards: Sequence[Discarded]) -> tuple[int, int]:
    """Remove the records of some discards for good; return blobs and bytes freed.

    What was invalidated is remembered, so that it is not taken from other stores. Then
    they are made final in the journal; so whatever happens in the middle, no
    record without its blobs comes back.
    """
    backend, discards = results.backend, list(discards)
    remember_invalidated(backend, discards)
    final = set(backend.make_final(found.position for found in discards))
    dead = {key for found in discards if found.position in final for key in found.keys}
    blobs = orphans(results, among=dead) if dead else []
    for name, _ in blobs:
        backend.blobs.trash(name)
    return len(blobs), backend.upkeep.compact()


def orphans(
    results: Results, *, among: Container[Key] | None = None
) -> list[tuple[str, int]]:
    """Return the blobs that no record needs, with their sizes in bytes.

    A blob bears the key of the task that made it. It is needed if the record of the
    key refers to it; if that may come back by `tg undo`; or if the task is locked: its
    record is yet to be published.

    Parameters
    ----------
    results : Results
        Of the store.
    among : container of bytes, optional
        Look only at the blobs of these keys.
    """
    backend = results.backend
    blobs = list(backend.blobs.all())  # before the locks: who held one then shows below
    backend.poll()
    spared = {lock.key for lock in backend.locks()}
    for found in backend.discards():
        spared.update(found.keys)
    lost = []
    for name, size in blobs:
        key = key_of_blob(name)
        if key is None or key in spared or (among is not None and key not in among):
            continue
        if name not in _referred(results, key):
            lost.append((name, size))
    return lost


def key_of_blob(name: str) -> Key | None:
    """Return the key in the name of a blob, None if it has none.

    Examples
    --------
    >>> key_of_blob("ab/" + "ab" * 20 + "-0badcafe-0.npy") == bytes([0xAB] * 20)
    True
    """
    digits = name.rpartition("/")[2].partition("-")[0]
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        return None
    return key if len(key) == KEY_SIZE else None


def _referred(results: Results, key: Key) -> set[str]:
    """Return the names of the blobs that the record of a key refers to."""
    where = results.backend.find(key)
    if where is None or where.failure:
        return set()
    try:
        payload = results.body_of(key, where).payload(where.row)
    except DamagedError:
        return set()
    return {ref.name for ref in blob_refs(payload)}
