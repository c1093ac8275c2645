"""Attributes of arrays and tables that numpy and pandas do not pickle."""

from __future__ import annotations

from typing import Any, TypeAlias

from taskgraph.loaded import loaded
from taskgraph.names import known_as

Attributes: TypeAlias = dict[str, Any]

_WAYS = ("__reduce__", "__reduce_ex__", "__setstate__")
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
    return arrays if pandas is None else (*arrays, pandas.DataFrame, pandas.Series)


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
    if any(getattr(kind, way) is not getattr(base, way) for way in _WAYS):
        return NotImplemented
    state = object.__getstate__(thing)
    held, slots = state if isinstance(state, tuple) else (state, None)
    held = _not_pickled(thing, base, held or {})
    if not (held or slots):
        return NotImplemented
    make, arguments, own = thing.__reduce_ex__(5)[:3]
    return make, arguments, (own, held, slots or {}), None, None, set_state


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
    pickled = type(table)._metadata  # noqa: SLF001 - that is where one says so
    return {name: x for name, x in kept.items() if name not in pickled}


@known_as("taskgraph.names")
def set_state(thing: Any, state: tuple[Any, Attributes, Attributes]) -> None:
    """Give what is unpickled its contents, and then its attributes."""
    own, held, slots = state
    thing.__setstate__(own)
    if held:
        thing.__dict__.update(held)
    for name, value in slots.items():
        object.__setattr__(thing, name, value)
