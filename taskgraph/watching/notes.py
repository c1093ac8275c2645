"""What a reader of the numbers has to know besides, in sentences.

`tg status` and the live page tell the same; whoever shows them completes the commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.displays.numbers import counted, moment_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from taskgraph.upkeep.snapshot import Snapshot


def not_run_note(jugfile: Path, arguments: Sequence[str] = ()) -> str:
    """Return that a jugfile has no graph yet, and what to do.

    Examples
    --------
    >>> from pathlib import Path
    >>> not_run_note(Path("work.py"), ["a"])
    'work.py has not run with a yet; start it with `tg execute`'
    """
    given = f" with {' '.join(arguments)}" if arguments else ""
    return f"{jugfile} has not run{given} yet; start it with `tg execute`"


def notes_of(snapshot: Snapshot, jugfile: Path, *, stuck: bool, left: int) -> list[str]:
    """Return what to tell of a graph beside its counts.

    Parameters
    ----------
    snapshot : Snapshot
        The graph.
    jugfile : Path
        Where its jugfile is now, which is looked at.
    stuck : bool
        Whether a barrier waits for a task that failed or is blocked.
    left : int
        How many tasks are locked by workers that seem dead.
    """
    notes = []
    if not len(snapshot) and snapshot.complete:
        notes.append(f"{jugfile} has no tasks")
    if not snapshot.complete:
        after = counted(len(snapshot.awaited()), "task")
        notes.append(
            f"the jugfile stops at a barrier: more tasks may appear after {after}"
            + (", of which some failed or are blocked" if stuck else "")
        )
    if left:
        notes.append(
            f"{counted(left, 'task')} locked by workers that seem dead; the next "
            "worker takes over, see `tg locks`"
        )
    if snapshot.edited(jugfile):
        notes.append(
            f"{jugfile} has changed since its tasks were listed "
            f"({moment_text(snapshot.time)}); `tg execute` takes that in"
        )
    return notes
