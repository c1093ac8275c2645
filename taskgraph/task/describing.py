"""What a task was made of, as plain data."""

from __future__ import annotations

import time
from typing import Any

from taskgraph.tasks.task import Task
from taskgraph.tasks.tasklet import Tasklet

_DEEP, _MANY = 50, 1000
"""So deep, and so many tasks in all, are described one inside the other."""


def describe(t: Any) -> Any:
    """Return what a task is made of, as dicts and lists, down to its first inputs.

    Parameters
    ----------
    t : object
        A task, a tasklet, or what has such in lists, tuples and dicts; anything else
        stays as it is.

    Returns
    -------
    object
        Of each task a dict with its ``name`` and, if there are any, ``args``,
        ``kwargs`` and ``meta``: what the store knows of its result. If it was made of
        very much, or in very many steps, what is far from it has only ``name`` and
        ``hash`` in its place, and is described by its hash in ``tasks``, once.

    Examples
    --------
    >>> small = Task(divmod, 7, 2)
    >>> describe(Task(divmod, small[0], 2))["args"]
    [{'name': 'tasklet', 'operation': 'getitem', 'base':
      {'name': 'builtins.divmod', 'args': [7, 2]}}, 2]

    >>> task = Task(abs, 0)
    >>> for _ in range(3000):
    ...     task = Task(abs, task)
    >>> len(describe(task)["tasks"])
    2950
    """
    return _Describing().of(t, 0)


class _Describing:
    """Describes what one task is made of, as far as it is not too much.

    Attributes
    ----------
    later : dict
        The tasks that are described apart.
    """

    def __init__(self) -> None:
        self.later: dict[Task, None] = {}
        self._left = _MANY

    def of(self, t: Any, depth: int) -> Any:
        """Return what describes a value that is so many tasks away from the first."""
        if isinstance(t, Task):
            return self._of_task(t, depth) if depth else _with_all_else(t)
        if isinstance(t, Tasklet):
            operation = getattr(t.f, "__name__", repr(t.f))
            base = self.of(t.base, depth)
            return {"name": "tasklet", "operation": operation, "base": base}
        if hasattr(t, "dependencies"):  # a sequence of items of several tasks
            bases = [self.of(task, depth) for task in t.dependencies()]
            return {"name": type(t).__name__.lower(), "base": bases}
        if isinstance(t, dict):
            return {_name(key): self.of(entry, depth) for key, entry in t.items()}
        if type(t) in (list, tuple):
            return type(t)(self.of(entry, depth) for entry in t)
        return t

    def _of_task(self, task: Task, depth: int) -> dict[str, Any]:
        if depth > _DEEP or self._left <= 0:
            self.later[task] = None
            return {"name": task.name, "hash": task.key.hex()}
        self._left -= 1
        return self.made_of(task, depth)

    def made_of(self, task: Task, depth: int) -> dict[str, Any]:
        """Return what describes a task."""
        about: dict[str, Any] = {"name": task.name}
        if task.args:
            about["args"] = [self.of(arg, depth + 1) for arg in task.args]
        if task.kwargs:
            kwargs = task.kwargs.items()
            about["kwargs"] = {name: self.of(arg, depth + 1) for name, arg in kwargs}
        meta = _meta(task)
        return {**about, "meta": meta} if meta else about


def _with_all_else(task: Task) -> dict[str, Any]:
    """Return what describes a task, with what is far from it described apart."""
    near = _Describing()
    about = near.made_of(task, 0)
    apart: dict[str, Any] = {}
    left = list(near.later)
    while left:
        far = left.pop()
        if far.key.hex() not in apart:
            one = _Describing()
            apart[far.key.hex()] = one.made_of(far, _DEEP)
            left += one.later
    return {**about, "tasks": apart} if apart else about


def _name(key: Any) -> Any:
    """Return the key of a dict as JSON can have it."""
    return key if isinstance(key, str | int | float | None) else repr(key)


def _meta(task: Task) -> dict[str, Any]:
    """Return what the store knows of a result."""
    results = task.recording.context().results
    record = None if results is None else results.record(task.key)
    if record is None or record.failure is not None:
        return {}
    return {"computed": True, "completed": time.ctime(record.end)}
