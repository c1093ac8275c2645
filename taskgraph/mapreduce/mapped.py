"""A sequence whose items are in the results of tasks, several in each."""

from __future__ import annotations

from operator import index as as_index
from typing import TYPE_CHECKING, Any

from taskgraph.names import known_as
from taskgraph.tasks.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgraph.tasks.task import Task
    from taskgraph.tasks.tasklet import Tasklet


@known_as("taskgraph.mapreduce")
class Mapped:
    """The items of what many calls return, in order; a slice of it is one, too.

    A task that gets it gets the list of their values.

    Attributes
    ----------
    blocks : sequence of Task
        Each returns a list of `size` items, the last one perhaps of fewer.
    size : int
        How many items a block has.
    places : range
        Which items, counted through all blocks.
    base : Mapped or None
        All items, if this is a slice.

    Examples
    --------
    >>> from taskgraph import Task
    >>> mapped = Mapped([Task(list, (1, 2)), Task(list, (3,))], 2, range(3))
    >>> len(mapped), mapped[-1].base is mapped.blocks[1], len(mapped[1:])
    (3, True, 2)
    """

    __slots__ = ("base", "blocks", "places", "size")

    def __init__(
        self,
        blocks: Sequence[Task],
        size: int,
        places: range,
        base: Mapped | None = None,
    ) -> None:
        self.blocks = blocks
        self.size = size
        self.places = places
        self.base = base

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Any) -> Any:
        """Return one item as a tasklet, or a slice."""
        if isinstance(index, slice):
            return Mapped(self.blocks, self.size, self.places[index], self.base or self)
        block, place = divmod(self.places[as_index(index)], self.size)
        return self.blocks[block][place]

    def __iter__(self) -> Iterator[Tasklet]:
        return (self[place] for place in range(len(self)))

    def dependencies(self) -> tuple[Task, ...]:
        """Return the tasks whose results have the items."""
        return tuple(self.blocks[number] for number in self._used())

    def can_load(self) -> bool:
        """Return whether all items are known."""
        return all(task.can_load() for task in self.dependencies())

    def _used(self) -> list[int]:
        return sorted({place // self.size for place in self.places})

    def __taskgraph_hash__(self) -> object:
        """Return what stands for it in a key: its blocks, and which items of them."""
        used = self._used()
        where = {number: place for place, number in enumerate(used)}
        size = self.size
        items = [where[place // size] * size + place % size for place in self.places]
        if items == list(range(len(items))):
            return list(self.dependencies()), size, len(items)
        return list(self.dependencies()), size, items

    def __taskgraph_value__(self) -> list[Any]:
        """Return the list of the items' values."""
        used = self._used()
        found = dict(zip(used, value(list(self.dependencies())), strict=True))
        return [found[place // self.size][place % self.size] for place in self.places]

    def __repr__(self) -> str:
        return f"Mapped({len(self)} items in {len(self._used())} tasks)"
