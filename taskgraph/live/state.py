"""What a page shows all the time, as plain data. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from taskgraph.foresight.time_left import time_left
from taskgraph.live.tasks import BLOCKED, DONE, FAILED, READY, RUNNING, WAITING
from taskgraph.upkeep.status import STATES
from taskgraph.watching.notes import notes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from taskgraph.live.following import Following
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
        "tasks": found.tasks,
        "unknown": found.tasks - found.known,
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


def is_finished(tasks: Tasks) -> bool:
    """Return whether all is done, and nothing more can appear."""
    done = sum(row[DONE] for row in tasks.counts)
    return tasks.snapshot.complete and done == len(tasks)


def told_of(follows: Following) -> list[str]:
    """Return what a reader of a graph's numbers has to know, if there is one.

    The commands in it are not complete yet.
    """
    tasks = follows.tasks
    assert tasks is not None
    snapshot, states = tasks.snapshot, tasks.states
    awaited = tasks.places(snapshot.awaited())
    stuck = any(states[one] in (FAILED, BLOCKED) for one in awaited)
    left = sum(lock.worker in follows.dead for lock in follows.locks)
    notes = notes_of(snapshot, follows.jugfile, stuck=stuck, left=left)
    if not follows.alive and any(row[READY] for row in tasks.counts):
        notes.append("no worker is at work; start some with `tg execute`")
    return [*notes, follows.told] if follows.told else notes
