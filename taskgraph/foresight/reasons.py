"""Why tasks have no result: what became of it, or in what they are new; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from taskgraph.calls.differences import What, differences, is_plain, skeleton
from taskgraph.calls.kept import Signature, arguments_of, call_of
from taskgraph.upkeep.invalidation import CLEANUP, INVALIDATION, RETRY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence, Set
    from typing import Any

    from backends.interface import Discarded
    from taskgraph.upkeep.snapshot import Snapshot


class Reason(StrEnum):
    """Why a task has no result."""

    NEW = "never run"
    INPUT = "its input changed"
    FILE = "a file changed"
    INVALIDATED = "invalidated"
    FAILED = "failed before"
    DAMAGED = "was damaged"
    CLEANED = "cleaned up"
    FORGOTTEN = "forgotten"


_BY_WORD = {
    INVALIDATION: Reason.INVALIDATED,
    "gone": Reason.FILE,
    "damaged": Reason.DAMAGED,
    CLEANUP: Reason.CLEANED,
    RETRY: Reason.FAILED,
}
"""What the first word of the reason of a discard means."""


def reasons(
    snapshot: Snapshot,
    missing: Set[bytes],
    earlier: Iterable[tuple[bytes, str, Any]],
    *,
    forgotten: Mapping[bytes, Reason],
    failed: Collection[bytes] = (),
    gone: Collection[bytes] = (),
) -> dict[bytes, Reason]:
    """Return why tasks are to be run.

    Parameters
    ----------
    snapshot : Snapshot
        The graph, with the calls.
    missing : set of bytes
        The keys that are asked for.
    earlier : iterable of (bytes, str, object)
        Key, function and arguments of calls that have a result or had one, as
        `Snapshot.rows` yields them.
    forgotten : mapping
        See `forgotten_by`.
    failed : collection of bytes
        Keys that failed and are tried again.
    gone : collection of bytes
        Keys of tasks whose files are gone or changed, or that were made of these.
    """
    found = dict.fromkeys(missing, Reason.NEW)
    past = [row for row in earlier if not is_plain(row[2])]
    if past:
        found |= _new(snapshot, missing, past)
    for known in (forgotten, dict.fromkeys(gone, Reason.FILE)):
        found |= {key: known[key] for key in known.keys() & missing}
    if forgotten or gone:
        _pass_on(snapshot, found)
    return found | dict.fromkeys(set(failed).intersection(missing), Reason.FAILED)


def _new(
    snapshot: Snapshot,
    missing: Set[bytes],
    earlier: Sequence[tuple[bytes, str, Any]],
) -> dict[bytes, Reason]:
    """Return which calls are new because of a task or a file that they are given."""
    known = {(name, skeleton(raw)): raw for _, name, raw in earlier}
    same = {(name, skeleton(raw, exact=True)) for _, name, raw in earlier}
    found = {}
    for key, name, raw in snapshot.rows():
        if key in missing and not is_plain(raw):
            like = known.get((name, skeleton(raw)))
            if like is not None and (name, skeleton(raw, exact=True)) not in same:
                found[key] = _changed(like, raw)
    return found


def _changed(before: Any, after: Any) -> Reason:
    none = Signature()
    one, other = (arguments_of(call_of(raw), none) for raw in (before, after))
    kinds = {one.what for one in differences(one, other)}
    return Reason.FILE if What.FILE in kinds else Reason.INPUT


def _pass_on(snapshot: Snapshot, found: dict[bytes, Reason]) -> None:
    """Let what was forgotten because of what it was made of say so."""
    keys = snapshot.split()
    because = {Reason.INVALIDATED, Reason.FILE, Reason.DAMAGED}
    roots = dict(found)
    for key, needs in zip(keys, snapshot.needs_of(), strict=True):
        if roots.get(key) in because and any(
            roots.get(keys[need]) == roots[key] for need in needs
        ):
            found[key] = Reason.INPUT


def forgotten_by(
    discards: Iterable[Discarded], final: Iterable[bytes] = ()
) -> dict[bytes, Reason]:
    """Return why results were forgotten, by key, as the last one says that took them.

    Parameters
    ----------
    discards : iterable of Discarded
        The oldest first.
    final : iterable of bytes
        Keys of invalidations that cannot be undone any more.
    """
    found = dict.fromkeys(final, Reason.INVALIDATED)
    for one in discards:
        word = one.reason.partition(" ")[0].rstrip(":")
        found |= dict.fromkeys(one.keys, _BY_WORD.get(word, Reason.FORGOTTEN))
    return found
