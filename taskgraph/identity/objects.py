"""What objects of classes written in Python consist of, all of it.

An object is known by its class and its complete state: the value of the known type that
the class extends (``int``, ``dict``, an array; mostly none), its ``__dict__`` and its
slots. That is all only if no class in between is compiled: such a class may hold what
nobody can see. A class that pickles or copies its objects in a way of its own says that
there is more to them than these, or less.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from backends.interface.frozen import frozen
from taskgraph.errors import UnhashableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFUSED = (
    "{} has no stable hash; pass plain data, an array, or a task that returns it, or "
    "define __taskgraph_hash__(), or leave the argument out of the key with ignore="
)
_WORD = 8
_MANAGED_WEAKREF, _MANAGED_DICT, _ON_HEAP = 1 << 3, 1 << 4, 1 << 9
_OWN_WAYS = (
    *("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__"),
    *("__copy__", "__deepcopy__", "__del__"),
)
# Whose methods of these names are no more than what makes a class like others.
_WRITTEN_BY = ("dataclasses", "attr._make", "collections", "sklearn.base")
# What may be between a class and `object`; of other modules of Python nobody knows.
_OPEN_MODULES = (
    *("abc", "argparse", "collections", "collections.abc", "contextlib"),
    *("dataclasses", "numbers"),
)
# Libraries whose objects hold what cannot be seen, or refer to what can change.
_CLOSED = {
    "pandas": "pass a DataFrame, a Series, an Index or one of their arrays",
    "polars": "pass a DataFrame or a Series, which frame.collect() returns",
    "xarray": "pass a DataArray, a Dataset, or values and coordinates by themselves",
    "pyarrow": "pass table.to_pandas(), or a dict of arrays",
    "zarr": "pass its path, or an array read from it",
    "h5py": "pass its path, or an array read from it",
    "dask": "pass what it computes",
    "PIL": "pass image.copy(), numpy.asarray(image), or its path",
    "torch": "pass tensor.numpy()",
    "scipy": "pass a sparse array in csr, csc, coo, bsr or dia format, or its parts",
}


@frozen
class Anatomy:
    """What objects of a class consist of.

    Attributes
    ----------
    base : type
        The known type whose value they extend; `object` if there is none.
    slots : tuple of (str, descriptor)
        Where they keep attributes besides their ``__dict__``.
    has_dict : bool
        Whether they have a ``__dict__``.
    guarded : tuple of str
        Attributes that an object of the class keeps, wherever it likes.
    """

    base: type
    slots: tuple[tuple[str, Any], ...]
    has_dict: bool
    guarded: tuple[str, ...] = ()


def describe_kind(kind: type) -> str:
    """Return a type as messages name it."""
    return f"an object of type {kind.__module__}.{kind.__qualname__}"


def anatomy_of(kind: type, is_known: Callable[[type], bool]) -> Anatomy:
    """Return what objects of a class consist of.

    Parameters
    ----------
    kind : type
        The class.
    is_known : callable
        Whether the whole value of a type is known.

    Raises
    ------
    UnhashableError
        There may be more to them than can be seen.

    Examples
    --------
    >>> class Length(float):
    ...     __slots__ = ("unit",)
    >>> found = anatomy_of(Length, lambda kind: kind is float)
    >>> found.base, [name for name, _ in found.slots], found.has_dict
    (<class 'float'>, ['unit'], False)
    """
    base = next((c for c in kind.__mro__[:-1] if is_known(c)), object)
    own = [c for c in kind.__mro__ if c not in base.__mro__]
    slots = tuple(pair for c in own for pair in _slots_of(c))
    if not own and base is object:
        raise UnhashableError("", REFUSED.format(describe_kind(kind)))
    for c in own:
        _refuse_compiled(c, kind)
    if own:
        _refuse_hidden(kind, base, len(slots))
        _refuse_own_ways(kind, own)
    guarded = tuple(name for c in own for name in _guarded_by(c))
    return Anatomy(base, slots, bool(kind.__dictoffset__), guarded)


def attributes(value: Any, anatomy: Anatomy) -> dict[Any, Any]:
    """Return the attributes of an object, those in slots included.

    Raises
    ------
    UnhashableError
        An attribute is in a slot and in the ``__dict__`` too, or in neither.
    """
    found: dict[Any, Any] = {}
    for name, slot in anatomy.slots:
        try:
            held = slot.__get__(value)
        except AttributeError:
            continue  # not set
        if name in found:
            raise UnhashableError(f".{name}", "is in two slots of one name; rename one")
        found[name] = held
    if anatomy.has_dict:
        kept = object.__getattribute__(value, "__dict__")
        if twice := found.keys() & kept.keys():
            why = "is in a slot and in __dict__ too; remove one"
            raise UnhashableError(f".{min(twice)}", why)
        found.update(kept)
    for name in anatomy.guarded:
        _refuse_elsewhere(value, name, found)
    return found


def _refuse_elsewhere(value: Any, name: str, held: dict[Any, Any]) -> None:
    """Refuse an attribute that a descriptor does not keep in the object."""
    try:
        shown = getattr(value, name)
    except AttributeError:
        return  # not set
    if shown is not None and not any(one is shown for one in held.values()):
        why = "is kept outside of the object by its class; define __taskgraph_hash__()"
        raise UnhashableError(f".{name}", why)


def _guarded_by(kind: type) -> Iterator[str]:
    """Yield the attributes that an object of one's own class sets and gets."""
    for name, held in vars(kind).items():
        descriptor = type(held)
        sets = hasattr(descriptor, "__set__") and hasattr(descriptor, "__get__")
        top = str(descriptor.__module__).partition(".")[0]
        if sets and top not in sys.stdlib_module_names:  # those keep nothing
            yield name


def _slots_of(kind: type) -> Iterator[tuple[str, Any]]:
    for name, held in vars(kind).items():
        if isinstance(held, types.MemberDescriptorType) and held.__objclass__ is kind:
            yield name, held


def _refuse_compiled(own: type, kind: type) -> None:
    """Refuse a class that is not written in Python, or of a closed library."""
    slots = getattr(own, "__slots__", ())
    names = {
        "__dict__",
        "__weakref__",
        *([slots] if isinstance(slots, str) else slots),
    }
    names |= {f"_{own.__name__.lstrip('_')}{n}" for n in names if n.startswith("__")}
    compiled = [
        name
        for name, held in vars(own).items()
        if getattr(held, "__objclass__", None) is own and name not in names
    ]
    dictionary = vars(own).get("__dict__")
    if dictionary is not None and type(dictionary) is not types.GetSetDescriptorType:
        compiled.append("__dict__")
    if own.__module__ == "typing":
        return  # Generic and Protocol hold nothing; compiled or not, as Python likes
    top = str(own.__module__).partition(".")[0]
    what = describe_kind(kind)
    if own is not kind:
        what += f" (because of its base {own.__qualname__})"
    if top in _CLOSED:
        raise UnhashableError("", f"{what} has no stable hash; {_CLOSED[top]}")
    closed = top in sys.stdlib_module_names and own.__module__ not in _OPEN_MODULES
    if compiled or closed or not own.__flags__ & _ON_HEAP:
        raise UnhashableError("", REFUSED.format(what))


def _refuse_hidden(kind: type, base: type, slots: int) -> None:
    """Refuse objects that are larger than what can be seen of them."""
    seen = -(-base.__basicsize__ // _WORD) + slots
    if kind.__dictoffset__ and not base.__dictoffset__:
        seen += not kind.__flags__ & _MANAGED_DICT
    if kind.__weakrefoffset__ and not base.__weakrefoffset__:
        seen += not kind.__flags__ & _MANAGED_WEAKREF
    if kind.__basicsize__ > seen * _WORD or kind.__itemsize__ != base.__itemsize__:
        raise UnhashableError("", REFUSED.format(describe_kind(kind)))


def _refuse_own_ways(kind: type, own: list[type]) -> None:
    """Refuse a class that pickles, copies or ends its objects in a way of its own."""
    for name in _OWN_WAYS:
        method = next((vars(c)[name] for c in own if name in vars(c)), None)
        where = getattr(method, "__globals__", {}).get("__name__")
        if method is not None and where not in _WRITTEN_BY:
            what = f"{describe_kind(kind)} (its class has a {name} of its own)"
            raise UnhashableError("", REFUSED.format(what))
