"""What a supervisor tells: how a worker died, and what workers differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskgraph.execution.processes.child import Child

_HINTS = {
    "SIGBUS": " (a file that it had mapped was cut short or cannot be read; "
    "`tg fsck` looks for one in the store)",
    "SIGKILL": " (somebody killed it, or the memory is full)",
}


STOPPING = "stopping after the tasks that run now; press Ctrl-C again to abandon them"


def two_stores(one: str, other: str) -> str:
    """Return the sentence about workers that have chosen two stores."""
    return (
        f"workers chose two stores, {one} and {other}; let the jugfile "
        "choose one that is the same each time that it is read"
    )


def difference(functions: str) -> str:
    """Return the sentence about workers that have read other tasks of functions."""
    return (
        f"workers read different tasks of {functions} from one jugfile: each runs "
        "its own, and only those of one are counted; call with the same "
        "arguments each time that it is read: no times, no random numbers"
    )


def death(child: Child, how: str, ran: str, cut: str) -> str:
    """Return the sentence about a worker that died, in whose place another one comes.

    Parameters
    ----------
    child : Child
        The worker.
    how : str
        The name of a signal, or its exit code.
    ran : str
        The task that it ran, empty for none.
    cut : str
        What was wrong with a file that it had mapped, empty if nothing was.
    """
    what = "between two tasks" if child.read else "while it read the jugfile"
    what = f"while it ran {ran}" if ran else what
    if child.overdue:
        return f"a worker was killed at its timeout {what}"
    why = f": {cut}" if cut else _HINTS.get(how, "")
    return f"a worker died of {how} {what}{why}; starting another one"
