"""Containers: what is in one, and how one of its kind is made with other contents.

Keys, dependencies and values all go by this table: what stands in a container's key
is what is looked through for tasks, and what it is made of again once they have
results. So a task that is found is replaced.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from enum import EnumType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MADE_BY_CLASS = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: the type was made by a class statement."""


@dataclass(frozen=True, slots=True)
class Container:
    """How the containers of one kind are taken apart and made.

    Attributes
    ----------
    contents : callable
        Returns all that is in one, as plain data.
    made : callable
        Takes a type and such contents, and returns one. It may be a class that extends
        the kind: no ``__init__`` or ``__new__`` of its own runs, for these may take
        something else than what they keep.
    is_attributes : bool
        Whether its contents are its attributes, as a dict.
    """

    contents: Callable[[Any], Any]
    made: Callable[[type, Any], Any]
    is_attributes: bool = False


def container_of(item: Any) -> Container | None:
    """Return how an object is taken apart and made; None for what is no container.

    What says by itself what stands for it in keys is none: nobody looks into it.

    The plain ones (list, tuple, dict, set, frozenset) are left out: whoever asks knows
    them by heart, for speed.

    Examples
    --------
    >>> queue = deque([1, 2], maxlen=2)
    >>> how = container_of(queue)
    >>> how.contents(queue)
    ([1, 2], 2)
    >>> how.made(deque, ([3], 2))
    deque([3], maxlen=2)
    >>> container_of("text") is None
    True
    """
    kind = type(item)
    how = _CONTAINERS.get(kind)
    if how is not None:
        return how
    if hash_hook(kind) is not None:
        return None
    if issubclass(kind, tuple):
        return _NAMED_TUPLE if hasattr(kind, "_fields") else None
    if hasattr(kind, "__dataclass_fields__") and not isinstance(kind, EnumType):
        return _DATACLASS if _is_object(kind) else None
    if kind.__module__ == "numpy":
        numpy = sys.modules["numpy"]
        if kind is numpy.ndarray and item.dtype == object:
            return _OBJECT_ARRAY
    return None


def hash_hook(kind: type) -> Callable[[Any], Any] | None:
    """Return the method by which objects of a type say what stands for them in keys.

    It is called ``__taskgraph_hash__``, or as jug calls it.
    """
    hook: Callable[[Any], Any] | None
    hook = getattr(kind, "__taskgraph_hash__", None)
    return getattr(kind, "__jug_hash__", None) if hook is None else hook


def value_hook(kind: type) -> Callable[[Any], Any] | None:
    """Return the method by which objects of a type say what takes their place in calls.

    It is called ``__taskgraph_value__``, or as jug calls it.
    """
    hook: Callable[[Any], Any] | None
    hook = getattr(kind, "__taskgraph_value__", None)
    return getattr(kind, "__jug_value__", None) if hook is None else hook


def needed_by(item: Any) -> list[Any]:
    """Return what an object says by jug's ``__jug_dependencies__`` that it needs."""
    hook = getattr(type(item), "__jug_dependencies__", None)
    return [] if hook is None else list(hook(item))


def remade(item: Any, how: Container, contents: Any) -> Any:
    """Return a container like one that is there, with other contents."""
    new = how.made(type(item), contents)
    if not how.is_attributes and (attributes := getattr(item, "__dict__", None)):
        vars(new).update(attributes)
    return new


def _ordered(kind: type, pairs: list[tuple[Any, Any]]) -> Any:
    new: Any = OrderedDict.__new__(kind)
    for key, entry in pairs:
        OrderedDict.__setitem__(new, key, entry)
    return new


def _counter(kind: type, counts: dict[Any, Any]) -> Any:
    new: Any = dict.__new__(kind)
    dict.update(new, counts)  # as they are: Counter.update would add them up
    return new


def _defaultdict(kind: type, contents: Any) -> Any:
    new: Any = defaultdict.__new__(kind)
    defaultdict.__init__(new, *contents)
    return new


def _deque(kind: type, contents: Any) -> Any:
    new: Any = deque.__new__(kind)
    deque.__init__(new, *contents)
    return new


def _namespace(kind: type, attributes: dict[str, Any]) -> Any:
    new: Any = types.SimpleNamespace.__new__(kind)
    vars(new).update(attributes)
    return new


def _partial_contents(item: functools.partial[Any]) -> Any:
    return item.func, item.args, item.keywords


def _partial(kind: type, contents: Any) -> Any:
    f, args, keywords = contents
    return functools.partial.__new__(kind, f, *args, **keywords)


def _attributes(item: Any) -> dict[str, Any]:
    """Return what a dataclass has: its fields, and whatever else was set."""
    fields = item.__dataclass_fields__
    known = {name: getattr(item, name) for name in fields if hasattr(item, name)}
    return known | getattr(item, "__dict__", {})


def _dataclass(kind: type, attributes: dict[str, Any]) -> Any:
    new: Any = object.__new__(kind)
    for name, entry in attributes.items():
        object.__setattr__(new, name, entry)
    return new


def _is_object(kind: type) -> bool:
    """Return whether instances are no more than their attributes: no list, no text."""
    base: type | None = kind
    while base is not None and base.__flags__ & _MADE_BY_CLASS:
        base = base.__base__
    return base is object


def _elements(array: Any) -> Any:
    return array.shape, array.ravel().tolist()


def _array(_: type, contents: Any) -> Any:
    shape, elements = contents
    new = sys.modules["numpy"].empty(len(elements), object)
    for place, element in enumerate(elements):
        new[place] = element
    return new.reshape(shape)


_NAMED_TUPLE = Container(lambda x: tuple.__getitem__(x, slice(None)), tuple.__new__)
_DATACLASS = Container(_attributes, _dataclass, is_attributes=True)
_OBJECT_ARRAY = Container(_elements, _array)
_CONTAINERS: dict[type, Container] = {
    OrderedDict: Container(lambda x: list(x.items()), _ordered),
    Counter: Container(dict, _counter),
    defaultdict: Container(lambda x: (x.default_factory, dict(x)), _defaultdict),
    deque: Container(lambda x: (list(x), x.maxlen), _deque),
    types.SimpleNamespace: Container(
        lambda x: dict(vars(x)), _namespace, is_attributes=True
    ),
    functools.partial: Container(_partial_contents, _partial),
    slice: Container(
        lambda x: (x.start, x.stop, x.step), lambda _, contents: slice(*contents)
    ),
}
