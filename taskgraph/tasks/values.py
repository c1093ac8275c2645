"""Values with tasks in them: replaced by their results, copied, walked through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@known_as("taskgraph")
def value(item: Any) -> Any:
    """Return `item` with every task in it replaced by its result.

    Looks into lists, tuples and dicts, and asks objects that have a
    ``__taskgraph_value__`` method.

    Examples
    --------
    >>> value([1, {"a": (2,)}])
    [1, {'a': (2,)}]
    """
    kind = type(item)
    hook = getattr(kind, "__taskgraph_value__", None)
    if hook is not None:
        return hook(item)
    if kind is list:
        return [value(entry) for entry in item]
    if kind is dict:
        return {value(key): value(entry) for key, entry in item.items()}
    if isinstance(item, tuple):
        entries = [value(entry) for entry in item]
        return tuple(entries) if kind is tuple else kind(*entries)
    if kind is set or kind is frozenset:
        return kind(value(entry) for entry in item)
    return _dataclass_value(item)


def private(item: Any) -> Any:
    """Return `item` with every list, dict, set and bytearray in it copied.

    What else can change, an array for example, may be large: it is shared.

    Examples
    --------
    >>> shared = [1, [2]]
    >>> private(shared)[1].append(3)
    >>> shared
    [1, [2]]
    """
    kind = type(item)
    if kind is list:
        return [private(entry) for entry in item]
    if kind is dict:
        return {key: private(entry) for key, entry in item.items()}
    if kind is tuple:
        return tuple([private(entry) for entry in item])
    return kind(item) if kind is set or kind is bytearray else item


def parts(item: Any) -> Iterator[Any]:
    """Yield `item` and all that is in it, in lists, tuples, dicts, dataclasses."""
    yield item
    if isinstance(item, dict):
        inside: Iterable[Any] = item.values()
    elif isinstance(item, list | tuple):
        inside = item
    elif hasattr(item, "__dataclass_fields__") and not isinstance(item, type):
        inside = [getattr(item, name) for name in item.__dataclass_fields__]
    else:
        inside = ()
    for entry in inside:
        yield from parts(entry)


def _dataclass_value(item: Any) -> Any:
    """Return a dataclass with its tasks replaced; itself if it holds none."""
    fields = getattr(type(item), "__dataclass_fields__", None)
    if fields is None or isinstance(item, type):
        return item
    import copy

    new = {name: value(getattr(item, name)) for name in fields}
    if all(new[name] is getattr(item, name) for name in fields):
        return item
    copied = copy.copy(item)
    for name, entry in new.items():
        object.__setattr__(copied, name, entry)
    return copied
