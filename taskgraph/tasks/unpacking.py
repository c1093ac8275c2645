"""Tasks whose results are sequences: views of their items."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from taskgraph.errors import NoResultError, UsageError
from taskgraph.names import known_as
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.tasks.tasklet import Tasklet
from taskgraph.tasks.values import value

if TYPE_CHECKING:
    from collections.abc import Callable


@known_as("taskgraph")
class iteratetask:  # noqa: N801 - jug's name for it
    """The first `n` items of a task's result, as a sequence of tasklets.

    Nothing checks that there are no more than `n`. As in jug, an index below 0 counts
    from the end of the result; in slices it is refused.

    Examples
    --------
    >>> quotient, rest = iteratetask(Task(divmod, 7, 2), 2)
    >>> type(rest).__name__
    'Tasklet'
    """

    def __init__(self, base: Task | Tasklet, n: int) -> None:
        self.base = base
        self.n = n

    def __getitem__(self, index: Any) -> Any:
        """Return one tasklet, or a list of them for a slice."""
        if isinstance(index, slice):
            if min(index.start or 0, index.stop or 0) < 0:
                raise UsageError(f"{index} of an iteratetask: count from its beginning")
            return [self.base[i] for i in range(*index.indices(self.n))]
        if index >= self.n:
            raise IndexError(f"item {index} of an iteratetask of {self.n}")
        return self.base[index]

    def __len__(self) -> int:
        return self.n

    def __taskgraph_value__(self) -> list[Any]:
        """Return the items' values."""
        return [value(self[place]) for place in range(self.n)]

    def __taskgraph_hash__(self) -> object:
        """Return what stands for it in a key."""
        return [self[place] for place in range(self.n)]


@known_as("taskgraph")
class return_tuple:  # noqa: N801 - jug's name for it
    """Let a task generator return a tuple of `n` tasklets instead of one task.

    That the result has `n` items is checked when it is loaded. It may also stand above
    a function that is no task generator and returns a task.

    Examples
    --------
    >>> @return_tuple(2)
    ... @TaskGenerator
    ... def halves(x):
    ...     return x // 2, x - x // 2
    >>> small, large = halves(7)
    """

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, f: Callable[..., Any]) -> Callable[..., tuple[Tasklet, ...]]:
        """Return the decorated generator."""
        plain = f.f if isinstance(f, TaskGenerator) else f

        @functools.wraps(plain)
        def write_down(*args: Any, **kwargs: Any) -> tuple[Tasklet, ...]:
            task = f(*args, **kwargs)
            if not isinstance(task, Task | Tasklet):
                raise UsageError(
                    f"return_tuple({self.n}): {plain.__qualname__} returned "
                    f"{type(task).__name__}, no task; put @TaskGenerator below it"
                )
            return tuple(Tasklet(task, item_of, i, self.n) for i in range(self.n))

        write_down.f = plain  # type: ignore[attr-defined] # as a generator has it
        write_down.__taskgraph_generator__ = True  # type: ignore[attr-defined]
        return write_down


@known_as("taskgraph.names")
def item_of(items: Any, index: int, expected: int) -> Any:
    """Return an item of a result that has as many as were expected."""
    if len(items) != expected:
        raise NoResultError(
            f"return_tuple({expected}): the result has {len(items)} items"
        )
    return items[index]
