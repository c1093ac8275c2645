"""Commands of the system as tasks."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from taskgraph.tasks.task import TaskGenerator

if TYPE_CHECKING:
    from collections.abc import Sequence


@TaskGenerator(name="taskgraph.utils.jug_execute")
def jug_execute(
    args: Sequence[str],
    check_exit: bool = True,
    run_after: Any = None,  # noqa: ARG001 - to be waited for
    return_value: Any = None,
) -> Any:
    """Return a task that runs a command; what it prints is kept with the task's record.

    Parameters
    ----------
    args : sequence of str
        The program and its arguments; no shell reads them.
    check_exit : bool, optional
        Whether the task fails if the command does.
    run_after : object, optional
        Tasks to be waited for.
    return_value : object, optional
        The result of the task: mostly the name of the file that the command writes, so
        that whoever gets it comes after.

    Raises
    ------
    SystemError
        In the task: the command failed. It says the command and its exit code.

    Examples
    --------
    >>> from taskgraph import run, value
    >>> made = jug_execute(["touch", "/dev/null"], return_value="/dev/null")
    >>> _ = run(made, store=(store := __import__("taskgraph").open_store("memory://")))
    >>> store.load(made.key)
    '/dev/null'
    """
    code = subprocess.call(args)
    if check_exit and code != 0:
        raise SystemError(f"command {args!r} failed with exit code {code}")
    return return_value
