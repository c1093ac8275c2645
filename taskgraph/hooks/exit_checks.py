"""When workers end before all is done, as a jugfile says.

A worker that ends so leaves its store in order. If work is left, the exit code of the
run is 5: jug has 0 there. ``tg execute`` has options for the same, which need no line
in the jugfile: ``--max-tasks``, ``--max-time``, and ``tg stop``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from taskgraph.errors import UsageError
from taskgraph.hooks import register

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from taskgraph.tasks.task import Task


def _exit() -> NoReturn:
    raise SystemExit(0)


def exit_if_file_exists(fname: str) -> None:
    """End before the next task if there is a file of a name; what runs goes on."""
    path = Path(fname).absolute()  # tasks may change the working directory

    def look(_task: Task) -> None:
        if path.exists():
            _exit()

    code = ("exit_if_file_exists", fname)
    register.register_hook_once(register.BEFORE, code, look)


def exit_when_true(f: Callable[..., Any], function_takes_Task: bool = False) -> None:  # noqa: N803 - jug's name
    """End after a task if a function then returns something true.

    Parameters
    ----------
    f : callable
        It is called after each task.
    function_takes_Task : bool, optional
        Whether with the task.
    """

    def ask(task: Task) -> None:
        if f(task) if function_takes_Task else f():
            _exit()

    code = getattr(f, "__code__", f), function_takes_Task
    register.register_hook_once(register.AFTER, ("exit_when_true", *code), ask)


def exit_after_n_tasks(n: int) -> None:
    """End after so many tasks; each worker counts its own.

    Examples
    --------
    >>> from taskgraph import Task
    >>> exit_after_n_tasks(1)
    >>> try:
    ...     register.jug_hook("execute.task-executed1", (Task(abs, -1),))
    ... except SystemExit:
    ...     print("this is the end")
    this is the end
    >>> register.reset_all_hooks()
    """
    done = 0

    def count(_task: Task) -> None:
        nonlocal done
        done += 1
        if done >= n:
            _exit()

    register.register_hook_once(register.AFTER, ("exit_after_n_tasks", n), count)


def exit_after_time(hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
    """End after the first task that is over when so much time has passed since now."""
    end = time.monotonic() + seconds + 60 * minutes + 3600 * hours

    def look(_task: Task) -> None:
        if time.monotonic() >= end:
            _exit()

    code = ("exit_after_time", hours, minutes, seconds)
    register.register_hook_once(register.AFTER, code, look)


def exit_env_vars(environ: Mapping[str, str] | None = None) -> None:
    """End as environment variables say, if there are any.

    Parameters
    ----------
    environ : mapping, optional
        The variables; those of this process by default. ``JUG_MAX_TASKS``: as
        `exit_after_n_tasks`. ``JUG_MAX_HOURS``, ``JUG_MAX_MINUTES`` and
        ``JUG_MAX_SECONDS``, which add up: as `exit_after_time`.
        ``JUG_EXIT_IF_FILE_EXISTS``: as `exit_if_file_exists`.

    Raises
    ------
    UsageError
        One that should be a whole number is none.
    """
    given = os.environ if environ is None else environ
    if "JUG_MAX_TASKS" in given:
        exit_after_n_tasks(_number(given, "JUG_MAX_TASKS"))
    units = ("hours", "minutes", "seconds")
    times = {unit: _number(given, f"JUG_MAX_{unit.upper()}") for unit in units}
    if any(times.values()):
        exit_after_time(**times)
    if "JUG_EXIT_IF_FILE_EXISTS" in given:
        exit_if_file_exists(given["JUG_EXIT_IF_FILE_EXISTS"])


def _number(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "0")
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{name}={text}: write a whole number") from None
