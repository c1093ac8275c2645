"""Who is at work, on what, and when it was last heard of; pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from taskgraph.watching.view import WorkerRow

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from backends.interface import Key, Lock, Member


def worker_rows(
    members: Iterable[Member],
    locks: Iterable[Lock],
    dead: Container[str],
    calls: Mapping[Key, str],
    later: float = 0.0,
) -> list[WorkerRow]:
    """Return what each worker of a store does: the living first, by host and process.

    Parameters
    ----------
    members : iterable of Member
        Those that have a heartbeat.
    locks : iterable of Lock
        What is locked, by these or by others.
    dead : container of str
        The workers that seem dead.
    calls : mapping
        What is locked as text, as far as it is known.
    later : float
        Seconds since the heartbeats were looked at.

    Examples
    --------
    >>> from backends.interface import Lock, Member
    >>> one = Member("w1", {"host": "a", "pid": 7}, beat=1.0, age=0.5)
    >>> locks = [Lock(b"k", "w1", 3.0, 1), Lock(b"l", "w1", 4.0, 1)]
    >>> (row,) = worker_rows([one], locks, (), {b"k": "f(1)"})
    >>> row.host, row.pid, row.tasks, row.call, row.since, row.age
    ('a', 7, 2, 'f(1)', 3.0, 0.5)
    """
    held: dict[str, list[Lock]] = defaultdict(list)
    for lock in locks:
        held[lock.worker].append(lock)
    known = {member.worker: member for member in members}
    rows = [
        _row(
            worker,
            known.get(worker),
            held.get(worker, ()),
            calls,
            later,
            alive=worker not in dead,
        )
        for worker in held.keys() | known.keys()
    ]
    return sorted(rows, key=lambda row: (not row.alive, row.host, row.pid, row.worker))


def _row(
    worker: str,
    member: Member | None,
    locks: Sequence[Lock],
    calls: Mapping[Key, str],
    later: float,
    *,
    alive: bool,
) -> WorkerRow:
    about = member.identity if member is not None else {}
    host, pid = about.get("host"), about.get("pid")
    first = first_locked(locks).get(worker)
    return WorkerRow(
        worker=worker,
        host=host if isinstance(host, str) else "",
        pid=pid if isinstance(pid, int) else 0,
        alive=alive and member is not None,
        age=member.age + later if member is not None else None,
        since=first.since if first is not None else 0.0,
        tasks=len(locks),
        call=calls.get(first.key, first.key.hex()[:12]) if first is not None else "",
    )


def first_locked(locks: Iterable[Lock]) -> dict[str, Lock]:
    """Return of each worker the first of its locks, in the order of their tasks' turn.

    A worker runs what it has locked in the order in which it was locked: by the tokens
    of its locks, as clocks differ, and in one token by their order.
    """
    found: dict[str, Lock] = {}
    for lock in locks:
        if lock.worker not in found or lock.token < found[lock.worker].token:
            found[lock.worker] = lock
    return found
