"""Results in the place of the tasks that they come from."""

from __future__ import annotations

from typing import Any


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
