"""Values with tasks in them: replaced by their results, copied, walked through."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError
from taskgraph.identity.containers import (
    container_of,
    parts,
    remade,
    value_hook,
)
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LEAVES = frozenset({int, float, complex, bool, str, bytes, type(None)})


@known_as("taskgraph")
def value(item: Any) -> Any:
    """Return `item` with every task in it replaced by its result.

    Looks into whatever may hold tasks as an argument: lists, tuples (named ones too),
    dicts and sets, those of `collections`, dataclasses, namespaces, partials, slices,
    arrays of objects. Containers are made anew. Objects that have a method
    ``__taskgraph_value__`` (or jug's ``__jug_value__``) are asked for it.

    Raises
    ------
    NoResultError
        A task has no result.
    TaskInsideTaskError
        A running task asks for a result of its store that it does not need, so that
        nothing would know what its own was made of: it is to be given the task.
    UsageError
        Two tasks that are keys of a dict, or in a set, have equal results, so that an
        entry would be lost.

    Examples
    --------
    >>> value([1, {"a": (2,)}])
    [1, {'a': (2,)}]
    """
    kind = type(item)
    if kind in _LEAVES:
        return item
    if kind is list or kind is tuple:
        entries = _values_of(item)
        return entries if kind is list else tuple(entries)
    if kind is dict:
        return _whole({value(key): value(entry) for key, entry in item.items()}, item)
    if kind is set or kind is frozenset:
        return _whole(kind(value(entry) for entry in item), item)
    hook = value_hook(kind)
    if hook is not None:
        return hook(item)
    how = container_of(item)
    if how is not None:
        return _whole(remade(item, how, value(how.contents(item))), item)
    return bytearray(item) if kind is bytearray else item


def _values_of(items: Sequence[Any]) -> list[Any]:
    """Return what takes the place of each; that of many tasks is asked for at once."""
    together = getattr(type(items[0]), "__taskgraph_values__", None) if items else None
    found: list[Any] | None = together and together(items)
    if found is not None:
        return found
    return [x if type(x) in _LEAVES else value(x) for x in items]


def _whole(new: Any, old: Any) -> Any:
    """Return a container that was made anew if it has as many entries as before."""
    if isinstance(new, dict | AbstractSet) and len(new) != len(old):
        raise UsageError(
            f"two tasks in a {type(old).__name__}, or that are its keys, have equal "
            "results: an entry would be lost. Use a list (of pairs)"
        )
    return new


def tasks_in(item: Any) -> Iterator[Any]:
    """Yield the tasks in a value, as often as they are there."""
    return (part for part in parts(item) if hasattr(type(part), "__taskgraph_task__"))
