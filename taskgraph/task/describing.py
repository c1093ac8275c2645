"""What a task was made of, as plain data."""

from __future__ import annotations

import time
from typing import Any

from taskgraph.tasks.task import Task
from taskgraph.tasks.tasklet import Tasklet


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
        ``kwargs`` and ``meta``: what the store knows of its result.

    Examples
    --------
    >>> small = Task(divmod, 7, 2)
    >>> describe(Task(divmod, small[0], 2))["args"]
    [{'name': 'tasklet', 'operation': 'getitem', 'base':
      {'name': 'builtins.divmod', 'args': [7, 2]}}, 2]
    """
    if isinstance(t, Task):
        return _of_task(t)
    if isinstance(t, Tasklet):
        operation = getattr(t.f, "__name__", repr(t.f))
        return {"name": "tasklet", "operation": operation, "base": describe(t.base)}
    if hasattr(t, "dependencies"):  # a sequence of items of several tasks
        bases = [describe(task) for task in t.dependencies()]
        return {"name": type(t).__name__.lower(), "base": bases}
    if isinstance(t, dict):
        return {_name(key): describe(entry) for key, entry in t.items()}
    if type(t) in (list, tuple):
        return type(t)(describe(entry) for entry in t)
    return t


def _name(key: Any) -> Any:
    """Return the key of a dict as JSON can have it."""
    return key if isinstance(key, str | int | float | None) else repr(key)


def _of_task(task: Task) -> dict[str, Any]:
    about: dict[str, Any] = {"name": task.name}
    if task.args:
        about["args"] = [describe(arg) for arg in task.args]
    if task.kwargs:
        about["kwargs"] = {name: describe(arg) for name, arg in task.kwargs.items()}
    meta = _meta(task)
    return {**about, "meta": meta} if meta else about


def _meta(task: Task) -> dict[str, Any]:
    """Return what the store knows of a result."""
    results = task.recording.context().results
    record = None if results is None else results.record(task.key)
    if record is None or record.failure is not None:
        return {}
    return {"computed": True, "completed": time.ctime(record.end)}
