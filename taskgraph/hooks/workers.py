"""What a worker calls of the functions that its jugfile has registered.

Each returns whether the worker may go on. It may not if one of them raised: without a
word if that is SystemExit, which is how a hook ends a worker.
"""

from __future__ import annotations

import signal
import traceback
from typing import TYPE_CHECKING, Any

from taskgraph.hooks import register

if TYPE_CHECKING:
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task


def before(task: Task) -> bool:
    """Tell that a task is about to run.

    Examples
    --------
    >>> from taskgraph import Task
    >>> from taskgraph.hooks.exit_checks import exit_if_file_exists
    >>> exit_if_file_exists("/")
    >>> before(Task(abs, -1)), after(Task(abs, -1))
    (False, True)
    >>> register.reset_all_hooks()
    """
    return _called(register.BEFORE, task)


def after(task: Task) -> bool:
    """Tell that a task has run, and has a result."""
    return _called(register.AFTER, task)


def begin(loaded: Loaded) -> None:
    """Tell of each task that has a result when a worker begins."""
    if register.registered(register.LOADABLE):
        for task in loaded.graph.tasks:
            if loaded.results.has(task.key):
                _called(register.LOADABLE, task)


def end() -> None:
    """Tell that a worker has nothing left to do."""
    for name in register.FINISHED:
        _called(name)


def _called(name: str, *args: Any) -> bool:
    try:
        register.jug_hook(name, args)
    except SystemExit:
        return False
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and _ctrl_c_raises():
            raise
        traceback.print_exc()
        return False
    return True


def _ctrl_c_raises() -> bool:
    """Return whether it is Python that answers Ctrl-C here: not in forked workers."""
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler
