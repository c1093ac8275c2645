"""A value as a task: known by its key wherever it is used."""

from __future__ import annotations

from typing import Any

from taskgraph.tasks.task import TaskGenerator
from taskgraph.tasks.tasklet import Tasklet


def identity(x: Any) -> Any:
    """Return a task whose result is `x`; what is a task or tasklet already as it is.

    A large value that many tasks get is looked at once, and not for each of them.

    Examples
    --------
    >>> from taskgraph import Task
    >>> task = identity(list(range(1000)))
    >>> identity(task) is task, Task(sum, task).needs == (task,)
    (True, True)
    """
    task = isinstance(x, Tasklet) or hasattr(type(x), "__taskgraph_task__")
    return x if task else _identity(x)


@TaskGenerator(name="taskgraph.utils.identity")
def _identity(x: Any) -> Any:
    return x
