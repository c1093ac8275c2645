"""What tasks need, and what that needs, and an order in which each comes after it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from taskgraph.tasks.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgraph.tasks.task import Task
    from taskgraph.tasks.tasklet import Tasklet


def recursive_dependencies(
    t: Task | Tasklet, max_level: int | None = -1
) -> Iterator[Task]:
    """Yield the tasks that one needs, and what these need; each once, near ones first.

    Parameters
    ----------
    t : Task or Tasklet
        It is not among them.
    max_level : int, optional
        How many steps away they may be; no limit if it is below 0 or None.

    Examples
    --------
    >>> from taskgraph import Task
    >>> one = Task(divmod, 7, 2)
    >>> two = Task(sum, one)
    >>> three = Task(abs, two)
    >>> [task.name for task in recursive_dependencies(three)]
    ['builtins.sum', 'builtins.divmod']
    >>> [task.name for task in recursive_dependencies(three, 1)]
    ['builtins.sum']
    """
    most = float("inf") if max_level is None or max_level < 0 else max_level
    seen: set[Task] = set()
    left: deque[tuple[Task | Tasklet, int]] = deque([(t, 0)])
    while left:
        task, level = left.popleft()
        if level >= most:
            continue
        for need in task.dependencies():
            if need not in seen:
                seen.add(need)
                yield need
                left.append((need, level + 1))


def topological_sort(tasks: list[Task]) -> None:
    """Sort a list of tasks in place: each comes after those that it needs.

    Also if it needs them by way of tasks that are not in the list.

    Examples
    --------
    >>> from taskgraph import Task
    >>> one = Task(divmod, 7, 2)
    >>> tasks = [Task(abs, Task(sum, one)), one]
    >>> topological_sort(tasks)
    >>> [task.name for task in tasks]
    ['builtins.divmod', 'builtins.abs']
    """
    places = {key: place for place, key in enumerate(Graph(_needs_first(tasks)))}
    tasks.sort(key=lambda task: places[task.key])


def _needs_first(tasks: list[Task]) -> list[Task]:
    """Return tasks with all that they need; what is needed most deeply comes first."""
    whole = list(tasks)
    for task in tasks:
        whole += recursive_dependencies(task)
    return whole[::-1]
