"""Attributes of objects that their classes, or what these extend, do not pickle.

numpy and pandas leave out what is set on arrays and tables, Pillow the alpha of a
palette, and many known types of Python what a class that extends them adds: counters,
numbers, dates and paths keep their own value only.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from itertools import chain
from operator import methodcaller
from typing import Any, TypeAlias

from taskgraph.errors import UnhashableError
from taskgraph.identity.bases import anatomy
from taskgraph.identity.library_state import of_picture
from taskgraph.identity.numpy_state import is_numpy_base, numpy_base_state
from taskgraph.identity.objects import attributes, describe_kind
from taskgraph.loaded import loaded
from taskgraph.names import known_as

Attributes: TypeAlias = dict[str, Any]

_WAYS = ("__reduce__", "__reduce_ex__", "__setstate__")
_ON_HEAP = 1 << 9
_KEEPING = ("__reduce__", "__reduce_ex__", "__getstate__")
"""What leaves nothing out if it is `object`'s own."""
_OF_MEMMAP = frozenset(("_mmap", "filename", "mode", "offset"))
"""Where memory is: what is loaded has it elsewhere."""
_OF_MASKED = frozenset(
    ("_fill_value", "_sharedmask", "_isfield", "_baseclass", "_basedict")
)
"""What masked arrays pickle, or say of another array."""


def that_drop_some() -> tuple[type, ...]:
    """Return the classes whose objects, and those that extend them, may lose some."""
    numpy, pandas = loaded("numpy"), loaded("pandas")
    arrays = () if numpy is None else (numpy.ndarray,)
    if pandas is None:
        return arrays
    return *arrays, pandas.DataFrame, pandas.Series, pandas.Index


def reduced(thing: Any) -> Any:
    """Return how an array or table is pickled with all of its attributes.

    Parameters
    ----------
    thing : object
        Of a class of `that_drop_some`, or of one that extends it.

    Returns
    -------
    tuple or NotImplemented
        As ``__reduce_ex__`` returns one; NotImplemented if what the class does is
        enough: it has a way of its own, or there is nothing to add.

    Examples
    --------
    >>> import numpy as np
    >>> masked = np.ma.array([1, 2], mask=[True, False])
    >>> reduced(masked), reduced(masked.harden_mask())[2][1]
    (NotImplemented, {'_hardmask': True})
    """
    kind, base = type(thing), _base_of(type(thing))
    own_way = any(getattr(kind, x, 0) is not getattr(base, x, 0) for x in _WAYS)
    if own_way and kind.__module__.partition(".")[0] != "pandas":
        return NotImplemented
    held, slots = _by_place(thing)
    held = _not_pickled(thing, base, held)
    if not (held or slots):
        return NotImplemented
    make, arguments, *own = thing.__reduce_ex__(5)[:3]
    state = own[0] if own else None, held, slots
    return make, arguments, state, None, None, set_state


@lru_cache(maxsize=1000)
def may_lose(kind: Any) -> bool:
    """Return whether pickle may leave out what an object of a class holds.

    That is known of classes that are known whole, and of those that extend, without a
    way of their own, what Python or numpy pickle; of others it is their own affair.

    Examples
    --------
    >>> from collections import Counter
    >>> may_lose(Counter), may_lose(dict), may_lose(type("Plain", (), {}))
    (True, False, False)
    >>> import random
    >>> may_lose(random.Random)
    True
    """
    image = getattr(loaded("PIL.Image"), "Image", None)
    if image is not None and issubclass(kind, image):
        return True
    try:
        consists = anatomy(kind)
    except UnhashableError:
        return _extends_foreign_way(kind)
    if is_numpy_base(consists.base):
        return kind is not consists.base
    if all(getattr(kind, way) is getattr(object, way) for way in _KEEPING):
        return False
    return consists.has_dict or not {n for n, _ in consists.slots} <= _fields(kind)


def whole(thing: Any) -> Any:
    """Return how an object is pickled with all that it holds.

    Parameters
    ----------
    thing : object
        Of a class that `may_lose` something.

    Returns
    -------
    tuple or NotImplemented
        As ``__reduce_ex__`` returns one; NotImplemented if what the class does is
        enough.

    Raises
    ------
    TypeError
        Nothing is known that makes one like it.

    Examples
    --------
    >>> from collections import Counter
    >>> counts = Counter("aab")
    >>> whole(counts)
    NotImplemented
    >>> counts.source = "x.txt"
    >>> whole(counts)[2][1]
    {'source': 'x.txt'}
    """
    kind: Any = type(thing)
    if hasattr(kind, "getpalette") and hasattr(kind, "putpalette"):
        return _with(thing.__reduce_ex__(5), of_picture(thing), {})
    try:
        consists = anatomy(kind)
    except UnhashableError:
        return _beside_twin(thing)
    try:
        held = attributes(thing, consists)
    except UnhashableError:
        return NotImplemented  # it is in two places of one name
    numpys = is_numpy_base(consists.base)
    made = _as_scalar(thing, consists.base) if numpys else thing.__reduce_ex__(5)
    if not isinstance(made, tuple):
        return NotImplemented
    state = made[2] if len(made) > 2 else None
    for name in _names_in(state) | _fields(kind):
        held.pop(name, None)
    slots = {name: held.pop(name) for name, _ in consists.slots if name in held}
    return _with(made, held, slots) if held or slots or numpys else NotImplemented


def _with(made: Any, held: Attributes, slots: Attributes) -> Any:
    """Return how an object is pickled with some attributes more."""
    if not (held or slots):
        return made
    own, items, pairs = ([*made[2:], None, None, None])[:3]
    return *made[:2], (own, held, slots), items, pairs, set_state


def _extends_foreign_way(kind: Any) -> bool:
    """Return whether Python or numpy says how the objects of a class are pickled.

    They say nothing then of what is set on these objects, or of a class that extends
    theirs.
    """
    way = next(c for c in kind.__mro__ if any(name in vars(c) for name in _KEEPING))
    if way is object or not (_is_foreign(way) and kind.__flags__ & _ON_HEAP):
        return False
    return bool(kind.__dictoffset__) or not _is_foreign(kind)


def _is_foreign(kind: type) -> bool:
    top = str(kind.__module__).partition(".")[0]
    return top == "numpy" or top in sys.stdlib_module_names


def _beside_twin(thing: Any) -> Any:
    """Return how an object is pickled with what its twin lacks, made as pickle does."""
    kind, made = type(thing), thing.__reduce_ex__(5)
    if not isinstance(made, tuple):
        return NotImplemented  # it is found by its name
    state = made[2] if len(made) > 2 else None
    mine, known = _by_place(thing), _names_in(state)
    if isinstance(thing, BaseException) and known.issuperset(chain(*mine)):
        return NotImplemented  # whether it comes back is tried
    twin = made[0](*made[1])
    if twin is thing:
        return NotImplemented
    if type(twin) is not kind:
        raise TypeError(f"nothing is known that makes {describe_kind(kind)} again")
    set_state(twin, (state, {}, {}))
    lacking = [
        {name: x for name, x in here.items() if its.get(name, its) is not x}
        for here, its in zip(mine, _by_place(twin), strict=True)
    ]
    return _with(made, *lacking) if any(lacking) else NotImplemented


def _by_place(thing: Any) -> tuple[Attributes, Attributes]:
    """Return the attributes of an object, and those that it has in slots."""
    state = object.__getstate__(thing)
    held, slots = state if isinstance(state, tuple) else (state, None)
    return held or {}, slots or {}


def _as_scalar(thing: Any, base: Any) -> Any:
    """Return how a number of a class that extends one of numpy's is made again."""
    kind, plain = type(thing), numpy_base_state(thing)
    make = methodcaller("__new__", kind, plain)
    if type(make(base)) is not kind:
        raise TypeError(f"nothing is known that makes {describe_kind(kind)} again")
    return make, (base,)


def _fields(kind: Any) -> set[str]:
    """Return the names of fields, which a class with slots pickles itself.

    Those of a dataclass, or of a class of attrs.
    """
    fields = getattr(kind, "__dataclass_fields__", {})
    return {*fields, *(field.name for field in getattr(kind, "__attrs_attrs__", ()))}


def _names_in(state: Any) -> set[str]:
    """Return the attributes that are pickled for sure."""
    parts = state if isinstance(state, tuple) else (state,)
    return {name for part in parts if isinstance(part, dict) for name in part}


def _base_of(kind: type) -> Any:
    """Return the class of a library that pickles the objects of this one."""
    masked = getattr(loaded("numpy.ma"), "MaskedArray", None)
    known = (masked,) if masked is not None else ()
    return next(base for base in (*known, *that_drop_some()) if issubclass(kind, base))


def _not_pickled(thing: Any, base: Any, held: Attributes) -> Attributes:
    """Return the attributes that the library leaves out."""
    if base.__module__.partition(".")[0] == "pandas":
        return _of_table(thing, held)
    if base.__name__ == "MaskedArray":
        return _of_masked(held)
    mapped = isinstance(thing, loaded("numpy").memmap)
    return {k: x for k, x in held.items() if not (mapped and k in _OF_MEMMAP)}


def _of_masked(held: Attributes) -> Attributes:
    """Return what a masked array does not pickle: that it has no mask, a hard one."""
    kept = {name: x for name, x in held.items() if name not in _OF_MASKED}
    if kept.get("_mask") is not loaded("numpy").ma.nomask:
        kept.pop("_mask", None)
    for name in ("_hardmask", "_optinfo"):
        if not kept.get(name):
            kept.pop(name, None)
    return kept


def _of_table(table: Any, held: Attributes) -> Attributes:
    """Return what is neither pandas's own nor what its class says to keep."""
    from taskgraph.identity.pandas_state import own_attributes

    kept = own_attributes(table)
    if "_name" in held:  # of a column whose class says what to keep, but not that
        kept["_name"] = held["_name"]
    pickled = getattr(type(table), "_metadata", ())
    return {name: x for name, x in kept.items() if name not in pickled}


@known_as("taskgraph.names")
def set_state(thing: Any, state: tuple[Any, Attributes, Attributes]) -> None:
    """Give what is unpickled its contents, and then its attributes."""
    own, held, slots = state
    if hasattr(thing, "__setstate__"):
        if own is not None:
            thing.__setstate__(own)
    else:
        for part in own if isinstance(own, tuple) else (own,):
            for name, value in (part or {}).items():
                object.__setattr__(thing, name, value)
    if held:
        thing.__dict__.update(held)
    for name, value in slots.items():
        object.__setattr__(thing, name, value)
