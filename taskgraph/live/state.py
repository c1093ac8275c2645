"""What a page shows all the time, as plain data. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from taskgraph.foresight.time_left import time_left
from taskgraph.live.tasks import DONE, FAILED, READY, RUNNING, WAITING
from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backends.interface import Lock
    from taskgraph.live.tasks import Tasks
    from taskgraph.live.timeline import Timeline
    from taskgraph.watching.view import WorkerRow

_WORKERS = 200


def counts_of(tasks: Tasks) -> list[dict[str, Any]]:
    """Return name and counts by state of each function, in the order of the graph."""
    return [
        {"name": name, **dict(zip(STATES, row, strict=True))}
        for name, row in zip(tasks.snapshot.names, tasks.counts, strict=True)
    ]


def ended_of(tasks: Tasks) -> dict[str, int]:
    """Return how many tasks of each function have ended, well or not."""
    return {
        name: row[DONE] + row[FAILED]
        for name, row in zip(tasks.snapshot.names, tasks.counts, strict=True)
    }


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
    rows: Iterable[WorkerRow], first: Mapping[str, bytes]
) -> list[dict[str, Any]]:
    """Return who is at work, with the key of the first task that each has locked."""
    return [
        {
            **asdict(row),
            "age": None if row.age is None else round(row.age),
            "key": first[row.worker].hex() if row.worker in first else None,
        }
        for row in islice(rows, _WORKERS)
    ]


def first_locked(locks: Iterable[Lock]) -> dict[str, bytes]:
    """Return the key that each worker locked first, of those that it has locked."""
    found: dict[str, Lock] = {}
    for lock in locks:
        if lock.worker not in found or lock.since < found[lock.worker].since:
            found[lock.worker] = lock
    return {worker: lock.key for worker, lock in found.items()}


def is_finished(tasks: Tasks) -> bool:
    """Return whether all is done, and nothing more can appear."""
    done = sum(row[DONE] for row in tasks.counts)
    return tasks.snapshot.complete and done == len(tasks)
