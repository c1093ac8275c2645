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


def _moment(value: Any) -> tuple[int, ...]:
    return value.hour, value.minute, value.second, value.microsecond, value.fold


def _zone(_: Any, value: Any) -> object:
    """Return what a `zoneinfo.ZoneInfo` was made of, if that was its name alone."""
    import pickle

    try:
        value.__reduce__()
    except pickle.PicklingError:
        why = "a time zone from a file of one's own has no stable hash; pass its offset"
        raise UnhashableError("", why) from None
    return value.key


def _made_by(_: Any, value: Any) -> object:
    """Return how an `itemgetter` or one of its like is made."""
    maker, arguments = value.__reduce__()
    return getattr(maker, "keywords", {}), getattr(maker, "args", ()), arguments


def _slices(kind: Any, value: Any) -> object:
    return kind.__getitem__(value, slice(None))


def _path(kind: Any, value: Any) -> object:
    return kind.__str__(value)


def _interval(_: Any, value: Any) -> object:
    return value.start, value.stop, value.step


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
    ("builtins", "range", _interval),
    ("builtins", "slice", _interval),
    ("datetime", "date", lambda _, x: (x.year, x.month, x.day)),
    ("datetime", "time", lambda _, x: (*_moment(x), x.tzinfo)),
    (
        "datetime",
        "datetime",
        lambda _, x: (x.year, x.month, x.day, *_moment(x), x.tzinfo),
    ),
    ("datetime", "timedelta", lambda _, x: (x.days, x.seconds, x.microseconds)),
    ("datetime", "timezone", lambda _, x: x.__getinitargs__()),
    ("datetime", "tzinfo", lambda _t, _x: None),
    ("zoneinfo", "ZoneInfo", _zone),
    ("decimal", "Decimal", lambda t, x: tuple(t.as_tuple(x))),
    ("fractions", "Fraction", lambda _, x: (x.numerator, x.denominator)),
    ("uuid", "UUID", lambda _, x: (x.int, x.is_safe.name)),
    ("re", "Pattern", lambda _, x: (x.pattern, x.flags)),
    ("functools", "partial", lambda _, x: (x.func, x.args, x.keywords)),
    ("operator", "itemgetter", _made_by),
    ("operator", "attrgetter", _made_by),
    ("operator", "methodcaller", _made_by),
    ("types", "SimpleNamespace", lambda _t, _x: None),
    ("types", "GenericAlias", lambda _, x: (x.__origin__, x.__args__)),
    ("typing", "_GenericAlias", lambda _, x: (x.__origin__, x.__args__)),
    ("collections", "OrderedDict", lambda t, x: list(t.items(x))),
    ("collections", "Counter", lambda t, x: dict(t.items(x))),
    (
        "collections",
        "defaultdict",
        lambda t, x: (x.default_factory, dict(t.items(x))),
    ),
    ("collections", "deque", lambda t, x: (list(t.__iter__(x)), x.maxlen)),
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
    *("__annotate__", "__annotate_func__"),
}
