"""Values without pickle: data that nobody can make run.

Most results are numbers, text, arrays and plain containers of them, or classes of ours
whose names last. These are written as msgpack, and read by code that makes nothing but
them: to load one runs no code that whoever wrote the store could choose. What else a
value may be goes by pickle: `pack` refuses it. So it does where a thing is met twice in
a value, which pickle keeps as one thing, and where a value holds itself.

Extension types of msgpack, each the packing of a list:

====== ===================================================
code   what
====== ===================================================
1      tuple
2      set
3      frozenset
4      int beyond 64 bits: its hexadecimal digits
5      complex: real and imaginary part
6      range: start, stop, step
7      array: dtype, shape, "C" or "F", bytes or number of the buffer
8      scalar of numpy: dtype, bytes
9      instance of a class: module, name, its fields by name (a mapping)
10     named tuple: module, name, its items
11     path of `pathlib`: name of its class, its text
12     long bytes: number of the buffer
====== ===================================================
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import TYPE_CHECKING, Any

import msgpack

from taskgraph.loaded import loaded
from taskgraph.names import LASTING_PACKAGES
from taskgraph.results.large_pages import bytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes})
_TEXTS = frozenset({str, bytes})
_LONG_TEXT = 1000
"""Text so long that it must not be written twice if it is met twice."""
ANY_TEXT = "surrogatepass"
_DEEPEST = 200
_KINDS = "biufcSUmM"
"""Of dtypes: numbers, text and times."""
_TUPLE, _SET, _FROZENSET, _INT, _COMPLEX, _RANGE, ARRAY, _SCALAR = range(1, 9)
INSTANCE, NAMED_TUPLE, _PATH, LONG_BYTES = 9, 10, 11, 12
_PATHS = frozenset({PurePosixPath, PureWindowsPath, PosixPath, WindowsPath})
_ONE_BY_ONE = frozenset({range, *_PATHS})
"""What holds nothing else, and may be written as often as it is met."""
_PACKING = {"strict_types": True, "unicode_errors": ANY_TEXT, "buf_size": 256}
"""How a packer is made; each container in a value has its own, so it begins small."""


class NotPlainError(Exception):
    """The value is none that can be written without pickle."""


def pack(value: object, keep: Callable[[Any], int | None]) -> bytes:
    """Return the bytes of a plain value.

    Parameters
    ----------
    value : object
        What to write.
    keep : callable
        Takes an array or bytes out of band and returns its number, or None to have it
        among the bytes.

    Raises
    ------
    NotPlainError
        It holds something else than plain data, or something twice.

    Examples
    --------
    >>> data = pack({"a": [1, (2, 3)]}, None)
    >>> unpack(data, [])
    {'a': [1, (2, 3)]}
    >>> pack([len], None)
    Traceback (most recent call last):
    taskgraph.results.plain.NotPlainError
    """
    packb = _Packing(keep).packb
    try:
        if type(value) in _ATOMS:
            has_bytes = type(value) is bytes
        else:
            has_bytes = _Scan().has_long_bytes(value)
        return packb(_with_bytes_kept(value, keep) if has_bytes else value)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise NotPlainError from error  # too deep, too large, or with strange classes


def unpack(data: Any, buffers: Sequence[Any]) -> Any:
    """Return the value of some bytes; arrays lie on the buffers that were kept.

    Raises
    ------
    ValueError, TypeError, AttributeError, ImportError
        No value has these bytes, or none of the classes as they are now.
    """
    return Unpacking(buffers).unpackb(data)


class _Packing:
    """How a value is written; functions in a ring would keep its arrays for longer."""

    def __init__(self, keep: Callable[[Any], int | None]) -> None:
        self._keep = keep

    def packb(self, thing: Any) -> bytes:
        packed: bytes = msgpack.packb(thing, default=self._write, **_PACKING)
        return packed

    def _write(self, thing: Any) -> Any:
        return _extension(thing, self.packb, self._keep)


class Unpacking:
    """How it is read."""

    def __init__(self, buffers: Sequence[Any]) -> None:
        self._buffers = buffers

    def unpackb(self, packed: Any) -> Any:
        """Return the value of some bytes."""
        return msgpack.unpackb(
            packed, ext_hook=self.read, strict_map_key=False, unicode_errors=ANY_TEXT
        )

    def read(self, code: int, packed: bytes) -> Any:
        """Return what an extension stands for."""
        return _READERS[code](self.unpackb(packed), self._buffers)


class _Scan:
    """Finds what is not plain, and what is met twice."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._long_bytes = False

    def has_long_bytes(self, value: Any) -> bool:
        """Return whether a plain value does; NotPlainError if it is none."""
        self._visit(value, 0)
        return self._long_bytes

    def _visit(self, value: Any, depth: int) -> None:
        kind = type(value)
        if kind in _ONE_BY_ONE or (kind is tuple and not value) or _is_scalar(value):
            return
        if depth > _DEEPEST or id(value) in self._met:
            raise NotPlainError
        self._met.add(id(value))
        if kind in (list, tuple, set, frozenset):
            self._visit_all(value, depth)
        elif kind is dict:
            self._visit_all(value, depth)
            self._visit_all(value.values(), depth)
        elif not _is_array(value):
            self._visit_all(_state(value), depth)

    def _visit_all(self, items: Iterable[Any], depth: int) -> None:
        kinds = set(map(type, items))
        if not kinds <= _ATOMS:
            for item in items:
                if type(item) not in _ATOMS:
                    self._visit(item, depth + 1)
        if kinds & _TEXTS:
            self._visit_texts(items)

    def _visit_texts(self, items: Iterable[Any]) -> None:
        for item in items:
            if type(item) in _TEXTS and len(item) > _LONG_TEXT:
                if id(item) in self._met:
                    raise NotPlainError
                self._met.add(id(item))
                self._long_bytes |= type(item) is bytes


class _Kept:
    """Bytes that were taken out of band."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def _with_bytes_kept(value: Any, keep: Callable[[Any], int | None]) -> Any:
    """Return a value with a number for each of the long bytes in its containers."""
    kind = type(value)
    if kind is bytes:
        number = keep(value) if len(value) > _LONG_TEXT else None
        return value if number is None else _Kept(number)
    if kind is list or kind is tuple:
        return kind(_with_bytes_kept(item, keep) for item in value)
    if kind is dict:
        return {key: _with_bytes_kept(item, keep) for key, item in value.items()}
    return value


def _is_array(value: Any) -> bool:
    """Return whether this is an array of a dtype that its text says all of."""
    numpy = loaded("numpy")
    if numpy is None or type(value) is not numpy.ndarray:
        return False
    return value.dtype.kind in _KINDS + "V" and _dtype_is_plain(value.dtype)


def _is_scalar(value: Any) -> bool:
    """Return whether this is a numpy scalar of a dtype that its text says all of."""
    numpy = loaded("numpy")
    if numpy is None or not isinstance(value, numpy.generic):
        return False
    dtype, kind = value.dtype, type(value)
    own = kind is dtype.type and kind.__module__ == "numpy"
    return own and dtype.kind in _KINDS and _dtype_is_plain(dtype)


def _dtype_is_plain(dtype: Any) -> bool:
    if dtype.hasobject or dtype.metadata is not None or not dtype.itemsize:
        return False
    return dtype.names is None and dtype.subdtype is None


def _state(value: Any) -> Sequence[Any]:
    """Return what an instance of a class with a name that lasts consists of."""
    cls: type = type(value)
    how = _how(cls) if _lasts(cls.__module__) else None
    if how is None:
        raise NotPlainError
    names, is_tuple = how
    if is_tuple:
        return tuple(value)
    if vars(value).keys() - set(names) if hasattr(value, "__dict__") else False:
        raise NotPlainError  # it has more than its fields
    try:
        return [getattr(value, name) for name in names]
    except AttributeError:
        raise NotPlainError from None


@cache
def _how(cls: type) -> tuple[tuple[str, ...], bool] | None:
    """Return the fields of a class, and whether it is a tuple; None if it is not ours.

    Its instances are nothing but their fields, and nothing of its own runs when one is
    made: neither ``__init__`` nor ``__setstate__``.
    """
    if "." in cls.__qualname__ or not _lasts(cls.__module__):
        return None
    if getattr(import_module(cls.__module__), cls.__name__, None) is not cls:
        return None
    if cls.__bases__ == (tuple,) and hasattr(cls, "_fields"):
        return tuple(cls._fields), True
    plain = cls.__reduce__ is object.__reduce__
    plain &= cls.__reduce_ex__ is object.__reduce_ex__
    own = cls.__getstate__
    plain &= own is object.__getstate__ or own.__name__ == "_dataclass_getstate"
    if not (is_dataclass(cls) and plain):
        return None
    return tuple(field.name for field in fields(cls)), False


def _lasts(module: object) -> bool:
    if not isinstance(module, str):
        return False
    first, *rest = module.split(".")
    return first in LASTING_PACKAGES and not any(x.startswith("_") for x in rest)


def _extension(
    thing: Any, packb: Callable[[Any], bytes], keep: Callable[[Any], int | None]
) -> Any:
    """Return what msgpack has no type for, as an extension."""
    kind: type = type(thing)
    if kind in _CONTAINERS:
        return msgpack.ExtType(_CONTAINERS[kind], packb(list(thing)))
    if kind is _Kept:
        return msgpack.ExtType(LONG_BYTES, packb([thing.number]))
    if kind is int:
        return msgpack.ExtType(_INT, packb(hex(thing)))
    if kind is complex:
        return msgpack.ExtType(_COMPLEX, packb([thing.real, thing.imag]))
    if kind is range:
        return msgpack.ExtType(_RANGE, packb([thing.start, thing.stop, thing.step]))
    if kind in _PATHS:
        return msgpack.ExtType(_PATH, packb([kind.__name__, str(thing)]))
    if _is_scalar(thing):
        parts: list[Any] = [thing.dtype.str, thing.tobytes()]
        return msgpack.ExtType(_SCALAR, packb(parts))
    if _is_array(thing):
        return msgpack.ExtType(ARRAY, packb(_array_parts(thing, keep)))
    names, is_tuple = _how(kind) or ((), False)
    state = _state(thing)
    about = [kind.__module__, kind.__name__]
    if is_tuple:
        return msgpack.ExtType(NAMED_TUPLE, packb([*about, list(state)]))
    by_name = dict(zip(names, state, strict=True))
    return msgpack.ExtType(INSTANCE, packb([*about, by_name]))


def _array_parts(array: Any, keep: Callable[[Any], int | None]) -> list[Any]:
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    order = "F" if fortran else "C"
    number = keep(array)
    data = array.tobytes(order=order) if number is None else number
    return [array.dtype.str, list(array.shape), order, data]


_CONTAINERS: dict[type, int] = {tuple: _TUPLE, set: _SET, frozenset: _FROZENSET}


def _read_array(parts: list[Any], buffers: Sequence[Any]) -> Any:
    import numpy

    name, shape, order, data = parts
    raw = bytearray(data) if isinstance(data, bytes) else buffers[data]
    dtype = numpy.dtype(_plain_name(name))
    flat = numpy.frombuffer(raw, dtype) if len(raw) else numpy.zeros(0, dtype)
    return flat.reshape(shape, order=order)


def _read_scalar(parts: list[Any], _: Sequence[Any]) -> Any:
    import numpy

    dtype, data = numpy.dtype(_plain_name(parts[0])), parts[1]
    if dtype.kind == "S":  # an array would drop zeros at the end
        return numpy.bytes_(data)
    if dtype.kind == "U":
        order = "utf-32-be" if dtype.str[0] == ">" else "utf-32-le"
        return numpy.str_(bytes(data).decode(order, "surrogatepass"))
    return numpy.frombuffer(data, dtype)[0]


def _plain_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"no plain array is of {name!r}")
    return name


def _class_of(module: object, name: object) -> tuple[type, tuple[str, ...]]:
    """Return a class and its fields; never anything but a class of ours."""
    if not (isinstance(module, str) and isinstance(name, str) and _lasts(module)):
        raise ValueError(f"{module}.{name} is no class that a result may hold")
    cls = getattr(import_module(module), name)
    how = _how(cls) if isinstance(cls, type) else None
    if how is None:
        raise ValueError(f"{module}.{name} is no class that a result may hold")
    return cls, how[0]


def _read_instance(parts: list[Any], _: Sequence[Any]) -> Any:
    module, name, by_name = parts
    cls, names = _class_of(module, name)
    if by_name.keys() != set(names):
        raise ValueError(f"{module}.{name} has other fields now")
    value: Any = object.__new__(cls)
    for each, part in by_name.items():
        object.__setattr__(value, each, part)
    return value


def _read_named_tuple(parts: list[Any], _: Sequence[Any]) -> Any:
    module, name, items = parts
    cls, names = _class_of(module, name)
    if len(items) != len(names):
        raise ValueError(f"{module}.{name} has other fields now")
    return tuple.__new__(cls, items)


def _read_path(parts: list[Any], _: Sequence[Any]) -> Any:
    name, text = parts
    return {kind.__name__: kind for kind in _PATHS}[name](text)


_READERS: dict[int, Callable[[Any, Sequence[Any]], Any]] = {
    _TUPLE: lambda parts, _: tuple(parts),
    _SET: lambda parts, _: set(parts),
    _FROZENSET: lambda parts, _: frozenset(parts),
    _INT: lambda parts, _: int(parts, 16),
    _COMPLEX: lambda parts, _: complex(*parts),
    _RANGE: lambda parts, _: range(*parts),
    ARRAY: _read_array,
    _SCALAR: _read_scalar,
    INSTANCE: _read_instance,
    NAMED_TUPLE: _read_named_tuple,
    _PATH: _read_path,
    LONG_BYTES: lambda parts, buffers: bytes_of(buffers[parts[0]]),
}
