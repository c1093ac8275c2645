"""A memoized task graph, run by independent workers that share only a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskgraph.api import Report as Report
    from taskgraph.api import run as run
    from taskgraph.errors import BarrierError as BarrierError
    from taskgraph.errors import TaskgraphError as TaskgraphError
    from taskgraph.jugfile import CachedFunction as CachedFunction
    from taskgraph.jugfile import barrier as barrier
    from taskgraph.jugfile import bvalue as bvalue
    from taskgraph.jugfile import init as init
    from taskgraph.jugfile import is_jug_running as is_jug_running
    from taskgraph.jugfile import set_jugdir as set_jugdir
    from taskgraph.plan import Options as Options
    from taskgraph.task import Task as Task
    from taskgraph.task import TaskGenerator as TaskGenerator
    from taskgraph.task import Tasklet as Tasklet
    from taskgraph.unpacking import iteratetask as iteratetask
    from taskgraph.unpacking import return_tuple as return_tuple
    from taskgraph.values import value as value

__version__ = "0.1.0"

_HOMES = {
    "taskgraph.api": ("Report", "run"),
    "taskgraph.errors": ("BarrierError", "TaskgraphError"),
    "taskgraph.jugfile": (
        "CachedFunction",
        "barrier",
        "bvalue",
        "init",
        "is_jug_running",
        "set_jugdir",
    ),
    "taskgraph.task": (
        "Task",
        "TaskGenerator",
        "Tasklet",
    ),
    "taskgraph.unpacking": ("iteratetask", "return_tuple"),
    "taskgraph.values": ("value",),
    "taskgraph.plan": ("Options",),
}
__all__ = [name for names in _HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: start-up stays short."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            found = getattr(import_module(home), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'taskgraph' has no attribute {name!r}")
