"""Containers: what is in one, and how one of its kind is made with other contents.

Keys, dependencies and values all go by this: what stands in a container's key is what
is looked through for tasks, and what it is made of again once they have results. So a
task that is found is replaced. Objects of classes written in Python are containers of
their attributes; no constructor runs when one is made again.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any

from backends.interface.frozen import frozen
from taskgraph.errors import UnhashableError
from taskgraph.identity.bases import anatomy, base_state
from taskgraph.identity.naming import names_itself
from taskgraph.identity.objects import Anatomy, attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_COPIED = ("numpy", "pandas", "scipy")
"""Libraries whose arrays and tables an object has for itself: they are copied too."""


@frozen
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
    """

    contents: Callable[[Any], Any]
    made: Callable[[type, Any], Any]


def container_of(item: Any) -> Container | None:
    """Return how an object is taken apart and made; None for what is no container.

    What says by itself what stands for it in keys is none: nobody looks into it. Nor is
    an object without attributes: there is nothing in it, and it may be known by
    identity.

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
    kind: Any = type(item)
    if kind in _LEAVES or _speaks_for_itself(kind) or names_itself(item):
        return None
    if kind.__module__ == "numpy":
        numpy = sys.modules["numpy"]
        whole = kind is numpy.ndarray and item.dtype == object
        return _OBJECT_ARRAY if whole else None
    try:
        consists = anatomy(kind)
        held = attributes(item, consists)
    except UnhashableError:
        return None
    if consists.base not in _MADE or (consists.base is object and not held):
        return None
    return _extending(consists) if held else _plain(consists.base)


def has_parts(base: type) -> bool:
    """Return whether what extends a type is a container: tasks in it are replaced."""
    return base in _MADE


def _speaks_for_itself(kind: type) -> bool:
    return hasattr(kind, "__taskgraph_encode__") or hash_hook(kind) is not None


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


def parts(item: Any) -> Iterator[Any]:
    """Yield `item` and all that is in it, as far as its key and `value` look."""
    yield item
    kind = type(item)
    if kind in _LEAVES:
        return
    inside: Iterable[Any] = ()
    if kind is dict:
        inside = [*item, *item.values()]
    elif kind in (list, tuple, set, frozenset):
        inside = item
    elif (own := getattr(kind, "__taskgraph_parts__", None)) is not None:
        inside = own(item)
    elif (hook := hash_hook(kind)) is not None:
        inside = [hook(item), *needed_by(item)]
    elif (how := container_of(item)) is not None:
        inside = [how.contents(item)]
    for entry in inside:
        yield from parts(entry)


def speak_for_themselves(item: Any) -> Iterator[Any]:
    """Yield what is in a value and says by itself what it is known by, as tasks do.

    Whatever else is in it, with a key or without, is passed over.
    """
    return (part for part in parts(item) if _speaks_for_itself(type(part)))


def remade(item: Any, how: Container, contents: Any) -> Any:
    """Return a container like one that is there, with other contents."""
    return how.made(type(item), contents)


def _plain(base: type) -> Container:
    """Return how a value of a known type is taken apart and made."""
    return Container(
        lambda item: base_state(item, base),
        lambda kind, contents: _MADE[base](kind, base, contents),
    )


def _extending(consists: Anatomy) -> Container:
    """Return how objects with attributes are taken apart and made."""
    base, slots = consists.base, dict(consists.slots)

    def made(kind: Any, contents: Any) -> Any:
        state, held = contents
        new = _MADE[base](kind, base, state)
        for name, part in held.items():
            own = _owned(part) if base is object else part
            if name in slots:
                slots[name].__set__(new, own)
            else:
                object.__getattribute__(new, "__dict__")[name] = own
        return new

    return Container(
        lambda item: (base_state(item, base), attributes(item, consists)), made
    )


def _owned(part: Any) -> Any:
    """Return what an object has, to be changed by whoever has the object."""
    kind = type(part)
    if kind is list or kind is tuple:
        return kind([_owned(entry) for entry in part])
    if kind is dict:
        return {key: _owned(entry) for key, entry in part.items()}
    home = str(kind.__module__).partition(".")[0]
    if home in _COPIED and hasattr(kind, "copy") and kind.__name__ != "memmap":
        return part.copy()
    return part


def _ordered(kind: Any, base: Any, pairs: Any) -> Any:
    new = base.__new__(kind)
    for key, entry in pairs.items() if isinstance(pairs, dict) else pairs:
        base.__setitem__(new, key, entry)
    return new


def _counter(kind: Any, base: Any, counts: Any) -> Any:
    new = base.__new__(kind)
    dict.update(new, counts)  # as they are: Counter.update would add them up
    return new


def _begun(kind: Any, base: Any, contents: Any) -> Any:
    new = base.__new__(kind)
    base.__init__(new, contents)
    return new


def _begun_with(kind: Any, base: Any, contents: Any) -> Any:
    new = base.__new__(kind)
    base.__init__(new, *contents)
    return new


def _partial(kind: Any, base: Any, contents: Any) -> Any:
    f, args, keywords = contents
    return base.__new__(kind, f, *args, **keywords)


def _elements(array: Any) -> Any:
    return array.shape, array.ravel().tolist()


def _array(_: type, contents: Any) -> Any:
    shape, elements = contents
    new = sys.modules["numpy"].empty(len(elements), object)
    for place, element in enumerate(elements):
        new[place] = element
    return new.reshape(shape)


_OBJECT_ARRAY = Container(_elements, _array)
_SCALARS = (int, float, complex, str, bytes)
_LEAVES = frozenset({*_SCALARS, bool, type(None), bytearray, types.FunctionType, type})
_MADE: dict[type, Callable[[Any, Any, Any], Any]] = {
    **dict.fromkeys(
        (object, types.SimpleNamespace), lambda kind, base, _: base.__new__(kind)
    ),
    **dict.fromkeys(
        (*_SCALARS, tuple, frozenset), lambda kind, base, x: base.__new__(kind, x)
    ),
    **dict.fromkeys((list, set, bytearray, dict), _begun),
    **dict.fromkeys((deque, defaultdict), _begun_with),
    OrderedDict: _ordered,
    Counter: _counter,
    functools.partial: _partial,
    slice: lambda kind, _, contents: kind(*contents),
}
