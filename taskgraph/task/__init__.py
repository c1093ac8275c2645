"""Tasks, by the names of jug's module ``task``.

`alltasks` is the list of those that the jugfile which is being read has written down.
"""

from typing import Any

from taskgraph.context import CachedFunction
from taskgraph.task.describing import describe
from taskgraph.task.walking import recursive_dependencies, topological_sort
from taskgraph.tasks.recording import current_recording
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.tasks.tasklet import Tasklet
from taskgraph.tasks.unpacking import iteratetask, return_tuple
from taskgraph.tasks.values import value

__all__ = [
    "CachedFunction",
    "Task",
    "TaskGenerator",
    "Tasklet",
    "describe",
    "iteratetask",
    "recursive_dependencies",
    "return_tuple",
    "topological_sort",
    "value",
]


def __getattr__(name: str) -> Any:
    """Return the tasks so far as `alltasks`."""
    if name != "alltasks":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    recording = current_recording()
    return [] if recording is None else recording.tasks
