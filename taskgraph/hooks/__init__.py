"""Functions that workers call at certain points, by the names of jug's module.

What is registered is of the process that reads the jugfile: each worker has its own.
"""

from taskgraph.hooks import workers as workers
from taskgraph.hooks.register import (
    jug_hook,
    register_hook,
    register_hook_once,
    reset_all_hooks,
)

__all__ = ["jug_hook", "register_hook", "register_hook_once", "reset_all_hooks"]
