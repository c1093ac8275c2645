"""What a page shows all the time, as plain data. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from backends.liveness import seems_dead
from taskgraph.foresight.time_left import time_left
from taskgraph.live.tasks import DONE, READY, RUNNING, WAITING
from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backends.interface import Lock, Member
    from taskgraph.live.tasks import Tasks
    from taskgraph.live.timeline import Timeline

_SHOWN_LOCKS = 3
_WORKERS = 200
_STILL_OUT, _LONG, _LONGER = 3, 30, 300
"""Seconds for which records may wait, and of which a rate is told."""
_ENOUGH = 20


def counts_of(tasks: Tasks) -> list[dict[str, Any]]:
    """Return name and counts by state of each function, in the order of the graph."""
    return [
        {"name": name, **dict(zip(STATES, row, strict=True))}
        for name, row in zip(tasks.snapshot.names, tasks.counts, strict=True)
    ]


def rate_of(timeline: Timeline, now: float) -> float:
    """Return how many tasks end in a second, as of some seconds ago.

    Examples
    --------
    >>> from taskgraph.live.timeline import Timeline
    >>> timeline = Timeline()
    >>> timeline.add([("f", 1000 + n / 10, 0.1) for n in range(300)])
    >>> rate_of(timeline, 1033)
    10.0
    """
    end = math.floor(now) - _STILL_OUT
    start = max(end - _LONG, timeline.first_end)
    count = timeline.between(start, end)
    if count < _ENOUGH:
        start = max(end - _LONGER, timeline.first_end)
        count = timeline.between(start, end)
    return count / max(1.0, end - start) if count else 0.0


def left_of(
    tasks: Tasks, timeline: Timeline, workers: int
) -> dict[str, float | int] | None:
    """Return how long the rest takes, in seconds with an interval; None if unknown."""
    counts: Counter[str] = Counter()
    for name, row in zip(tasks.snapshot.names, tasks.counts, strict=True):
        counts[name] += row[WAITING] + row[READY] + row[RUNNING]
    wanted = {name: count for name, count in counts.items() if count}
    if not wanted:
        return None
    found = time_left(wanted, timeline.times(), workers=max(1, workers))
    if not found.expected:
        return None
    return {
        "low": found.low,
        "expected": found.expected,
        "high": found.high,
        "unknown": sum(found.unknown.values()),
    }


def workers_of(
    members: Iterable[Member],
    locks: Iterable[Lock],
    calls: Mapping[bytes, str],
) -> list[dict[str, Any]]:
    """Return who is at work, alive ones first, with what each has locked.

    Parameters
    ----------
    members, locks : iterable
        As the store has them.
    calls : mapping
        Calls as text, by key, as far as they are known.
    """
    held: dict[str, list[Lock]] = defaultdict(list)
    for lock in locks:
        held[lock.worker].append(lock)
    known = {member.worker: member for member in members}
    rows = [
        _worker(worker, known.get(worker), held.get(worker, []), calls)
        for worker in sorted(known.keys() | held.keys())
    ]
    rows.sort(key=lambda row: not row["alive"])
    return rows[:_WORKERS]


def shown_locks(locks: Iterable[Lock]) -> list[bytes]:
    """Return the keys of those locks that `workers_of` shows."""
    of: dict[str, list[Lock]] = defaultdict(list)
    for lock in locks:
        of[lock.worker].append(lock)
    return [lock.key for own in of.values() for lock in own[:_SHOWN_LOCKS]]


def _worker(
    worker: str, member: Member | None, locks: list[Lock], calls: Mapping[bytes, str]
) -> dict[str, Any]:
    about = {} if member is None else member.identity
    age = None if member is None or math.isnan(member.age) else round(member.age)
    return {
        "worker": worker,
        "host": str(about.get("host") or ""),
        "pid": about.get("pid"),
        "alive": not seems_dead(member),
        "beat": age,
        "since": min((lock.since for lock in locks), default=None),
        "locked": len(locks),
        "tasks": [
            {"key": lock.key.hex(), "call": calls.get(lock.key, "")}
            for lock in locks[:_SHOWN_LOCKS]
        ],
    }


def is_finished(tasks: Tasks) -> bool:
    """Return whether all is done, and nothing more can appear."""
    done = sum(row[DONE] for row in tasks.counts)
    return tasks.snapshot.complete and done == len(tasks)
