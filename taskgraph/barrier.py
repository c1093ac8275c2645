"""`barrier` and what belongs to it, by the name of jug's module.

The package has a function of the same name. So the module can be called, too: what it
does then is what the function does, and ``import taskgraph.barrier`` takes nothing
away.

Examples
--------
>>> import taskgraph
>>> import taskgraph.barrier
>>> callable(taskgraph.barrier), taskgraph.barrier.BarrierError.__name__
(True, 'BarrierError')
"""

from __future__ import annotations

import sys
from types import ModuleType

from taskgraph.errors import BarrierError
from taskgraph.tasks.barriers import barrier, bvalue

__all__ = ["BarrierError", "barrier", "bvalue"]


class _Callable(ModuleType):
    """A module that is called like the function of its name."""

    def __call__(self) -> None:
        barrier()


sys.modules[__name__].__class__ = _Callable
