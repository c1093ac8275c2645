"""Names that last: what classes and functions are known by in keys and in stores.

The key of a task holds the names of all classes and functions among its arguments, and
a stored result those of the classes in it. So a name must stay when a file moves: what
is public is known as ``taskgraph.<its name>``, and what is stored without being public
as a name in this module, whatever file it lies in. This is the list of the latter. To
rename what is in it is to break stores; to move it is to change the right side.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LASTING_PACKAGES = ("segkit", "taskgraph")
"""Packages whose classes stand in stored results without pickle, as their fields."""

HOMES = {
    "function_at": "taskgraph.identity.functions",
    "item_of": "taskgraph.tasks.unpacking",
    "set_state": "taskgraph.results.attributes",
}
"""Where that is which is stored without being public."""


def known_as(package: str) -> Callable[[T], T]:
    """Return a decorator that lets a class or function be known by a package.

    Parameters
    ----------
    package : str
        Where its users find it; this module's name for what is not public.

    Examples
    --------
    >>> from taskgraph.tasks.task import Task
    >>> Task.__module__
    'taskgraph'
    """

    def name(thing: T) -> T:
        thing.__module__ = package
        return thing

    return name


def __getattr__(name: str) -> Any:
    """Return what is in the list: so it is found when a stored result needs it."""
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
