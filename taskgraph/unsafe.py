"""Arguments that do not count, which is as safe as whoever says so is right."""

from __future__ import annotations

from typing import Any

from taskgraph.names import known_as
from taskgraph.tasks.values import value

__all__ = ["NoHash"]


@known_as("taskgraph.unsafe")
class NoHash:
    """An argument, or a part of one, that is handed over and is no part of the key.

    A task in it is waited for all the same. For a whole argument of one's own function,
    ``@TaskGenerator(ignore=("threads",))`` says it once.

    Attributes
    ----------
    obj : object
        What the function gets.

    Examples
    --------
    >>> from taskgraph import Task
    >>> Task(max, [3, NoHash(4)]).key == Task(max, [3, NoHash(5)]).key
    True
    >>> value([3, NoHash(4)])
    [3, 4]
    """

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __taskgraph_hash__(self) -> object:
        """Return what stands for it in a key: the same for all."""
        return None

    def __taskgraph_brief__(self) -> str:
        """Return it as a few letters, for an argument list: the same for all."""
        return "NoHash"

    def __taskgraph_value__(self) -> Any:
        """Return what the function gets."""
        return value(self.obj)

    def __jug_dependencies__(self) -> list[Any]:
        """Return what may hold tasks."""
        return [self.obj]
