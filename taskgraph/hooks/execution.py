"""Times of tasks, printed at the end by each worker."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from taskgraph.description import printable
from taskgraph.hooks import register

if TYPE_CHECKING:
    from taskgraph.tasks.task import Task

_CODE = "register_time_tasks"
_WIDEST = 200


class TimeTasks:
    """How long tasks took, by the names of their functions.

    Examples
    --------
    >>> from taskgraph import Task
    >>> times = TimeTasks()
    >>> times.start(task := Task(abs, -1))
    >>> times.stop(task)
    >>> list(times.times)
    ['builtins.abs']
    """

    def __init__(self) -> None:
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self._began = 0.0

    def start(self, _task: Task) -> None:
        """Note that a task begins."""
        self._began = time.monotonic()

    def stop(self, task: Task) -> None:
        """Note that it has run."""
        self.times[task.name].append(time.monotonic() - self._began)

    def print_summary(self) -> None:
        """Print the mean time of each function."""
        lines = ["TIMES", "-----", ""]
        for name, times in self.times.items():
            mean = sum(times) / len(times)
            shown = printable(name, _WIDEST)
            lines.append(f"{shown:20} {mean:.2f}s ({len(times)} tasks)")
        print(*lines, sep="\n")  # noqa: T201 - the jugfile asked for it


def register_time_tasks() -> None:
    """Let each worker print at its end how long its tasks took.

    ``tg show`` tells it of each task, whoever ran it.
    """
    times = TimeTasks()
    register.register_hook_once(register.BEFORE, _CODE, times.start)
    register.register_hook_once(register.AFTER, _CODE, times.stop)
    register.register_hook_once(register.FINISHED[1], _CODE, times.print_summary)
