"""What is told beside the numbers: sentences, as `tg status` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.live.tasks import BLOCKED, FAILED, READY

if TYPE_CHECKING:
    from taskgraph.live.following import Following


def notes_of(follows: Following) -> list[str]:
    """Return what a reader of the numbers has to know; commands are not complete yet.

    Parameters
    ----------
    follows : Following
        With a graph.
    """
    tasks = follows.tasks
    assert tasks is not None
    snapshot, jugfile = tasks.snapshot, follows.jugfile
    notes = []
    if not len(tasks) and snapshot.complete:
        notes.append(f"{jugfile} has no tasks")
    if not snapshot.complete:
        awaited = snapshot.awaited()
        places = [tasks.place[key] for key in awaited if key in tasks.place]
        stuck = any(tasks.states[place] in (FAILED, BLOCKED) for place in places)
        after = _counted(len(awaited), "task")
        notes.append(
            f"the jugfile stops at a barrier: more tasks may appear after {after}"
            + (", of which some failed or are blocked" if stuck else "")
        )
    left = sum(lock.worker in follows.dead for lock in follows.locks)
    if left:
        notes.append(
            f"{_counted(left, 'task')} locked by workers that seem dead; the next "
            "worker takes over, see `tg locks`"
        )
    alive = [one for one in follows.members if one.worker not in follows.dead]
    if not alive and any(row[READY] for row in tasks.counts):
        notes.append("no worker is at work; start some with `tg execute`")
    if snapshot.edited(jugfile):
        notes.append(
            f"{jugfile} has changed since its tasks were listed; `tg execute` takes "
            "that in"
        )
    if follows.told:
        notes.append(follows.told)
    return notes


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
