"""Types of the standard library: what plain data says everything about their values.

They are found by their names, so that none has to be imported here, and have names of
their own in keys: where Python keeps a class differs between its versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.errors import UnhashableError
from taskgraph.identity.naming import found_at

if TYPE_CHECKING:
    from collections.abc import Callable

    State = Callable[[Any, Any], object]


def _reads(*names: str) -> State:
    """Return what reads attributes as the type has them, whatever a subclass says."""

    def read(kind: Any, value: Any) -> object:
        return tuple([getattr(kind, name).__get__(value) for name in names])

    return read


_MOMENT = ("hour", "minute", "second", "microsecond", "fold", "tzinfo")


def _default_dict(kind: Any, value: Any) -> object:
    return kind.default_factory.__get__(value), dict(kind.items(value))


def _deque(kind: Any, value: Any) -> object:
    return list(kind.__iter__(value)), kind.maxlen.__get__(value)


def _alias(_kind: Any, value: Any) -> object:
    unpacked = (True,) if value.__unpacked__ else ()  # as *tuple[int]
    return value.__origin__, value.__args__, *unpacked


def _zone(kind: Any, value: Any) -> object:
    """Return what a `zoneinfo.ZoneInfo` was made of, if that was its name alone."""
    import pickle

    try:
        value.__reduce__()
    except pickle.PicklingError:
        why = "a time zone from a file of one's own has no stable hash; pass its offset"
        raise UnhashableError("", why) from None
    return kind.key.__get__(value)


def _made_by(_: Any, value: Any) -> object:
    """Return how an `itemgetter` or one of its like is made."""
    maker, arguments = value.__reduce__()
    return getattr(maker, "keywords", {}), getattr(maker, "args", ()), arguments


def _slices(kind: Any, value: Any) -> object:
    return kind.__getitem__(value, slice(None))


def _path(kind: Any, value: Any) -> object:
    return kind.__str__(value)


_FOUND: tuple[tuple[str, str, State], ...] = (
    # What others extend; itself it is encoded without this.
    ("builtins", "int", lambda t, x: t.__pos__(x)),
    ("builtins", "float", lambda t, x: t.__pos__(x)),
    ("builtins", "complex", lambda t, x: complex(t.real.__get__(x), t.imag.__get__(x))),
    ("builtins", "str", _slices),
    ("builtins", "bytes", _slices),
    ("builtins", "bytearray", lambda t, x: t(t.__getitem__(x, slice(None)))),
    ("builtins", "tuple", _slices),
    ("builtins", "list", _slices),
    ("builtins", "set", lambda t, x: t(t.__iter__(x))),
    ("builtins", "frozenset", lambda t, x: t(t.__iter__(x))),
    ("builtins", "dict", lambda t, x: dict(t.items(x))),
    # What is encoded with this.
    ("builtins", "range", _reads("start", "stop", "step")),
    ("builtins", "slice", _reads("start", "stop", "step")),
    ("datetime", "date", _reads("year", "month", "day")),
    ("datetime", "time", _reads(*_MOMENT)),
    ("datetime", "datetime", _reads("year", "month", "day", *_MOMENT)),
    ("datetime", "timedelta", _reads("days", "seconds", "microseconds")),
    ("datetime", "timezone", lambda _, x: x.__getinitargs__()),
    ("datetime", "tzinfo", lambda _t, _x: None),
    ("zoneinfo", "ZoneInfo", _zone),
    ("decimal", "Decimal", lambda t, x: tuple(t.as_tuple(x))),
    ("fractions", "Fraction", _reads("numerator", "denominator")),
    ("uuid", "UUID", lambda t, x: (t.int.__get__(x), t.is_safe.__get__(x).name)),
    ("re", "Pattern", _reads("pattern", "flags")),
    ("functools", "partial", _reads("func", "args", "keywords")),
    ("operator", "itemgetter", _made_by),
    ("operator", "attrgetter", _made_by),
    ("operator", "methodcaller", _made_by),
    ("types", "SimpleNamespace", lambda _t, _x: None),
    ("types", "GenericAlias", _alias),
    ("typing", "_GenericAlias", lambda _, x: (x.__origin__, x.__args__)),
    ("collections", "OrderedDict", lambda t, x: list(t.items(x))),
    ("collections", "Counter", lambda t, x: dict(t.items(x))),
    ("collections", "defaultdict", _default_dict),
    ("collections", "deque", _deque),
    ("array", "array", lambda t, x: (x.typecode, t.tolist(x))),
    ("pathlib", "PurePosixPath", _path),
    ("pathlib", "PureWindowsPath", _path),
    ("pathlib", "PosixPath", _path),
    ("pathlib", "WindowsPath", _path),
)

STATES: dict[str, tuple[str, str, State]] = {
    f"{module}.{name}": (module, name, state) for module, name, state in _FOUND
}
"""By where a type is found: its name in keys, and what returns the state of a value.

The function gets the type and a value of it or of a subclass.
"""

STATES |= {  # where Python 3.13 has them
    f"pathlib._local.{name}": known
    for full, known in STATES.items()
    for module, _, name in [full.partition(".")]
    if module == "pathlib"
}


def known_type(kind: type) -> bool:
    """Return whether the whole value of a type is known here.

    Examples
    --------
    >>> import datetime, threading
    >>> known_type(datetime.date), known_type(threading.Thread)
    (True, False)
    """
    where = f"{kind.__module__}.{kind.__qualname__}"
    return where in STATES and found_at(kind.__module__, kind.__qualname__) is kind


def rule_of(kind: type) -> tuple[str, str, State]:
    """Return module and name of a known type in keys, and what returns a state.

    That takes the type, and a value of it or of a class that extends it.
    """
    return STATES[f"{kind.__module__}.{kind.__qualname__}"]


def is_named_tuple(kind: Any) -> bool:
    """Return whether a class is a named tuple, and no more than that.

    Then its fields say what it is, wherever it was made: pandas makes one for the rows
    of each table.

    Examples
    --------
    >>> from collections import namedtuple
    >>> is_named_tuple(namedtuple("Point", "x y")), is_named_tuple(tuple)
    (True, False)
    """
    if kind.__bases__ != (tuple,) or not isinstance(vars(kind).get("_fields"), tuple):
        return False
    made = kind.__new__
    if (
        getattr(made, "__globals__", {}).get("__name__")
        != f"namedtuple_{kind.__name__}"
    ):
        return False
    return not vars(kind).keys() - _OF_NAMED_TUPLES - set(kind._fields)


def named_tuple_class(kind: Any) -> tuple[object, ...]:
    """Return what tells one class of named tuples from another."""
    return kind.__module__, kind.__qualname__, kind._fields, kind._field_defaults


_OF_NAMED_TUPLES = {
    *("__module__", "__qualname__", "__doc__", "__slots__", "__new__", "__repr__"),
    *("_fields", "_field_defaults", "_make", "_replace", "_asdict", "__replace__"),
    *("__getnewargs__", "__match_args__", "__annotations__", "__orig_bases__"),
    *("__static_attributes__", "__firstlineno__", "__annotations_cache__"),
    *("__annotate__", "__annotate_func__", "__slotnames__"),
}
