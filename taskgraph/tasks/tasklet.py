"""Tasklets: views of results, which are not stored."""

from __future__ import annotations

from operator import getitem
from typing import TYPE_CHECKING, Any

from taskgraph.description import brief
from taskgraph.identity.functions import refuse_lambda
from taskgraph.names import known_as
from taskgraph.tasks.refusals import NotItsResult, lacking
from taskgraph.tasks.values import tasks_in, value as value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.identity.hashing import Encoder


@known_as("taskgraph")
class Tasklet(NotItsResult):
    """A cheap view of a task's result, never stored.

    ``Tasklet(base, f)`` is ``f(result of base)``; ``task[i]`` is the common case. The
    base may also be a container of tasks.

    Attributes
    ----------
    base : Task, Tasklet or container of them
        What it is a view of.
    step : tuple
        The function, and its arguments after the result.
    """

    __slots__ = ("base", "step")

    def __init__(self, base: Any, f: Callable[..., Any], *args: Any) -> None:
        refuse_lambda(f)
        self.base = base
        self.step = (f, *args)

    @property
    def f(self) -> Callable[..., Any]:
        """The function."""
        f: Callable[..., Any] = self.step[0]
        return f

    if not TYPE_CHECKING:  # type checkers know what it has

        def __getattr__(self, name: str) -> Any:
            raise lacking(self, name)

    def value(self) -> Any:
        """Return what the view shows.

        Raises
        ------
        NoResultError
            The task has no result yet, or failed.
        """
        f, *args = value_of(self.step)
        return f(value_of(self.base), *args)

    __taskgraph_value__ = value

    def __taskgraph_encode__(self, encoder: Encoder) -> bytes:
        """Return what stands for it in a key."""
        return b"L" + encoder.item(self.base) + encoder.item(self.step)

    def __taskgraph_parts__(self) -> tuple[Any, ...]:
        """Return what it is made of."""
        return self.base, self.step

    def can_load(self) -> bool:
        """Return whether the results that it is a view of are known."""
        return all(task.can_load() for task in tasks_in(self))

    def dependencies(self) -> tuple[Any, ...]:
        """Return the tasks whose results it needs."""
        return tuple(dict.fromkeys(tasks_in(self)))

    def __getitem__(self, index: Any) -> Tasklet:
        """Return a view of a part of the view."""
        return Tasklet(self, getitem, index)

    def __taskgraph_brief__(self) -> str:
        """Return it as a few letters, for an argument list."""
        _, *index = self.step
        return f"{brief(self.base)}{index!r:.20}"

    def __repr__(self) -> str:
        return f"Tasklet({self.base!r}, {self.step!r})"
