"""Arguments that are known by what a function says of them."""

from __future__ import annotations

import os
from copy import copy
from typing import TYPE_CHECKING, Any

from taskgraph.hash import hash_one
from taskgraph.names import known_as
from taskgraph.tasks.values import value

if TYPE_CHECKING:
    from collections.abc import Callable

_ITERATORS: tuple[type, ...] = type(iter([])), type(iter(()))


@known_as("taskgraph.utils")
class CustomHash:
    """An argument that a function of yours says the key of.

    The called function gets `obj`, with results in the place of tasks. If that is an
    iterator of a list or tuple, it gets one of its own, and tasks as they are.

    Parameters
    ----------
    obj : object
        The argument.
    hash_function : callable
        Takes it and returns bytes (or other plain data). Equal ones mean equal
        arguments: `taskgraph.hash.hash_one` is of help.

    Examples
    --------
    >>> from taskgraph import Task
    >>> def rounded(x):
    ...     return b"%d" % x
    >>> one, other = CustomHash(3.2, rounded), CustomHash(3.4, rounded)
    >>> Task(abs, one).key == Task(abs, other).key
    True
    >>> value(CustomHash(3.2, rounded))
    3.2
    """

    def __init__(self, obj: Any, hash_function: Callable[[Any], Any]) -> None:
        self.obj = obj
        self.hash_function = hash_function

    def __taskgraph_hash__(self) -> Any:
        """Return what stands for it in a key."""
        return self.hash_function(self.obj)

    def __taskgraph_value__(self) -> Any:
        """Return what the function gets."""
        obj = self.obj
        return copy(obj) if type(obj) in _ITERATORS else value(obj)

    def __jug_dependencies__(self) -> list[Any]:
        """Return what may hold tasks."""
        obj = self.obj
        return list(copy(obj)) if type(obj) in _ITERATORS else [obj]


def timed_path(path: str) -> CustomHash:
    """Return a path as an argument that is known by its name, time and size.

    A file that is written again, or touched, is another argument then. `File(path)`
    goes by content: what is touched, copied or checked out anew stays what it was.

    Raises
    ------
    FileNotFoundError
        There is no such file when the call is written down.

    Examples
    --------
    >>> import tempfile
    >>> from taskgraph import Task
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     before = Task(len, timed_path(file.name))
    ...     os.utime(file.name, (1, 1))
    ...     before.key == Task(len, timed_path(file.name)).key
    False
    """
    return CustomHash(path, hash_with_mtime_size)


def hash_with_mtime_size(path: str) -> bytes:
    """Return a digest of a path, the time of its last change, and its size."""
    about = os.stat(path)  # noqa: PTH116 - a name may be bytes, too
    return hash_one((path, about.st_mtime_ns, about.st_size))
