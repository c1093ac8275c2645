"""Keys: a canonical encoding of a call, and its digest.

The encoding (version 1) is a prefix code: every value starts with a tag that says how
long it is, so no two different values, however nested, have the same bytes.

===========  ==================================================================
tag          what follows
===========  ==================================================================
``N T F .``  nothing: None, True, False, Ellipsis
``i``        int: decimal digits (beyond 4300 of them ``0x`` and hexadecimal), ``;``
``f``        float: 8 bytes, IEEE 754 big-endian; every NaN is 7ff8000000000000,
             and -0.0 differs from 0.0
``c``        complex: two floats, 16 bytes
``s b y``    str (UTF-8, lone surrogates kept), bytes, bytearray: size, ``:``, bytes
``( [``      tuple, list: count, ``:``, the items
``{ <``      set, frozenset: count, ``:``, the encoded items in byte order
``d``        dict: count, ``:``, key then value for each, in byte order of the keys
``a``        array: dtype (as str), shape (as tuple), BLAKE3 (32 bytes) of its
             elements in C order; object arrays have their items as a list instead
``n``        numpy scalar: dtype (as str), its bytes (as bytes)
``m``        class or function that can be imported: module, qualified name (as str)
``o``        object: type (as for ``m``), its state (any value)
``K``        task: its key, 20 bytes
``L``        tasklet: the encoded task or tasklet it is a view of, then what it takes
``_``        an argument that the decorator says to ignore
===========  ==================================================================

Sizes and counts are decimal digits. The key of a call is the first 20 bytes of the
BLAKE3 digest of ``taskgraph1`` NUL, function name, version label, the positional
arguments as a tuple (defaults filled in), and the keyword-only ones as a dict.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import re
import struct
import sys
import types
import uuid
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from taskgraph.errors import UnhashableError
from taskgraph.identity.array_digests import Digests, dtype_name
from taskgraph.identity.containers import (
    container_of,
    hash_hook,
    needed_by,
    value_hook,
)
from taskgraph.identity.functions import variant_of
from taskgraph.identity.pandas_state import pandas_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

KEY_SIZE = 20
PREFIX = b"taskgraph1\0"
_NAN = bytes.fromhex("7ff8000000000000")
_double = struct.Struct(">d")

_REFUSED = (
    "{} has no stable hash; pass plain data, an array, a task, or define "
    "__taskgraph_hash__()"
)
_KEPT = (
    "{} holds a task that its result would not replace; pass the task by itself, in a "
    "list or in a dict, or define __taskgraph_value__()"
)


class Encoder:
    """Turns values into canonical bytes, and notes what it meets on the way.

    One encoder serves one recording of tasks: it digests an array that it has seen
    before only once, and tells by a checksum if its contents changed since.

    Attributes
    ----------
    tasks : list
        The tasks that were met since the caller last emptied it.
    mutable : bool
        Whether something was met that could change later.

    Examples
    --------
    >>> encode = Encoder().encode
    >>> encode([1, "one", None])
    b'[3:i1;s3:oneN'
    >>> encode([[1], 2]) == encode([[1, 2]])
    False
    >>> encode({"a": 1, "b": 2}) == encode({"b": 2, "a": 1})
    True
    >>> encode(print) == encode(len)
    False
    >>> encode([{"f": lambda x: x}])
    Traceback (most recent call last):
    taskgraph.UnhashableError: value[0]['f']: a lambda or inner function ...
    """

    def __init__(self) -> None:
        self.tasks: list[Any] = []
        self.mutable = False
        self._digests = Digests()
        self._table: dict[type, Callable[[Any], bytes]] = {
            type(None): lambda _: b"N",
            type(...): lambda _: b".",
            bool: _encode_bool,
            int: _encode_int,
            float: _encode_float,
            complex: _encode_complex,
            str: _encode_str,
            bytes: lambda x: b"b%d:%b" % (len(x), x),
            bytearray: self._bytearray,
            tuple: self._tuple,
            list: self._list,
            set: self._set,
            frozenset: lambda x: b"<" + self._sorted(x),
            dict: self._dict,
        }

    def encode(self, value: object) -> bytes:
        """Return the canonical bytes of a value.

        Raises
        ------
        UnhashableError
            The value or something in it has no stable hash; names the place.
        """
        try:
            return self.item(value)
        except UnhashableError as error:
            raise UnhashableError(f"value{error.path}", error.why) from None

    def item(self, value: Any) -> bytes:
        """Return the canonical bytes of a value; an error's path starts here."""
        encode = self._table.get(type(value))
        return self._other(value) if encode is None else encode(value)

    def items(self, values: Iterable[Any]) -> list[bytes]:
        """Return the canonical bytes of each value."""
        table = self._table
        encoded: list[bytes] = []
        append = encoded.append
        value: Any = None
        try:
            for value in values:
                kind = type(value)
                append(table[kind](value) if kind in table else self._other(value))
        except UnhashableError as error:
            raise UnhashableError(f"[{len(encoded)}]{error.path}", error.why) from None
        except RecursionError:
            why = "nested too deeply, or inside itself; pass flatter data"
            raise UnhashableError(f"[{len(encoded)}]", why) from None
        return encoded

    # containers

    def _tuple(self, value: tuple[Any, ...]) -> bytes:
        return b"(%d:%b" % (len(value), b"".join(self.items(value)))

    def _list(self, value: list[Any]) -> bytes:
        self.mutable = True
        return b"[%d:%b" % (len(value), b"".join(self.items(value)))

    def _bytearray(self, value: bytearray) -> bytes:
        self.mutable = True
        return b"y%d:%b" % (len(value), bytes(value))

    def _set(self, value: set[Any]) -> bytes:
        self.mutable = True
        return b"{" + self._sorted(value)

    def _sorted(self, value: set[Any] | frozenset[Any]) -> bytes:
        return b"%d:%b" % (len(value), b"".join(sorted(self.items(value))))

    def _dict(self, value: Mapping[Any, Any]) -> bytes:
        self.mutable = True
        pairs = []
        for key, entry in value.items():
            try:
                pairs.append((self.item(key), self.item(entry)))
            except UnhashableError as error:
                path = f"[{key!r:.40}]{error.path}"
                raise UnhashableError(path, error.why) from None
        pairs.sort()
        return b"d%d:%b" % (len(value), b"".join(k + v for k, v in pairs))

    # everything else

    def _other(self, value: Any) -> bytes:
        """Encode what is not in the table, cheapest tests first."""
        kind = type(value)
        own = getattr(kind, "__taskgraph_encode__", None)
        if own is not None:  # tasks and their like; next time found in the table
            self._table[kind] = lambda item: own(item, self)
            return self._table[kind](value)
        hook = hash_hook(kind)
        if hook is not None:
            replaced = value_hook(kind) is not None
            encoded = self._object(kind, hook(value), replaced=replaced)
            self.items(needed_by(value))  # notes the tasks that it names
            return encoded
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
            return _encode_named(value)
        numpy = sys.modules.get("numpy")
        if numpy is not None and (found := self._of_numpy(value, numpy)) is not None:
            return found
        pandas = sys.modules.get("pandas")
        if pandas is not None and kind.__module__.startswith("pandas"):
            known = pandas_state(value, pandas)
            if known is not None:
                return self._object(*known)
        how = container_of(value)
        if how is None:
            return self._object(kind, self._state(value, kind))
        encode = self._attributes if how.is_attributes else self.item
        return self._object(kind, how.contents(value), encode, replaced=True)

    def _attributes(self, attributes: dict[str, Any]) -> bytes:
        """Encode what an object has, as a dict."""
        self.mutable = True
        pairs = []
        for name, entry in attributes.items():
            try:
                pairs.append(_encode_str(name) + self.item(entry))
            except UnhashableError as error:
                path = f".{name}{error.path}"
                raise UnhashableError(path, error.why) from None
        return b"d%d:%b" % (len(pairs), b"".join(sorted(pairs)))

    def _object(
        self,
        kind: type,
        state: Any,
        encode: Callable[[Any], bytes] | None = None,
        *,
        replaced: bool = False,
    ) -> bytes:
        """Encode an object by its state; refuse tasks that would stay tasks in it."""
        self.mutable = True
        met = len(self.tasks)
        try:
            encoded = b"o" + _encode_named(kind)[1:] + (encode or self.item)(state)
        except RecursionError:
            why = "nested too deeply, or inside itself; pass flatter data"
            raise UnhashableError("", why) from None
        if len(self.tasks) > met and not replaced:
            raise UnhashableError("", _KEPT.format(_describe(kind)))
        return encoded

    def _state(self, value: Any, kind: type) -> object:
        """Return plain data that says everything about a value of a known kind."""
        if isinstance(value, enum.Enum):
            return value.name
        for base, state in _STATES:
            if isinstance(value, base):
                plain = state(value)
                if base in _OPEN_TYPES or kind is base:
                    return plain
        raise UnhashableError("", _REFUSED.format(_describe(kind)))

    # numpy

    def _of_numpy(self, value: Any, numpy: Any) -> bytes | None:
        if isinstance(value, numpy.ndarray):
            return self._array(value, numpy)
        if isinstance(value, numpy.generic):
            return self._scalar(value, numpy)
        if isinstance(value, numpy.dtype):
            return self._object(numpy.dtype, dtype_name(value))
        if isinstance(value, numpy.ufunc):
            return b"m" + _encode_str("numpy") + _encode_str(value.__name__)
        return None

    def _array(self, array: Any, numpy: Any) -> bytes:
        kind = type(array)
        if isinstance(array, numpy.ma.MaskedArray):
            mask = numpy.ma.getmaskarray(array)
            return self._object(kind, (array.filled(), mask))
        if kind not in (numpy.ndarray, numpy.memmap):
            return self._object(kind, numpy.asarray(array))
        self.mutable = True
        head = b"a" + _encode_str(dtype_name(array.dtype)) + self._tuple(array.shape)
        if array.dtype.hasobject:
            met = len(self.tasks)
            encoded = head + self._list(array.ravel().tolist())
            if len(self.tasks) > met and array.dtype != object:
                raise UnhashableError("", _KEPT.format("an array of records"))
            return encoded
        if array.dtype.names is not None:  # padding between fields is not data
            fields = [self._array(array[name], numpy) for name in array.dtype.names]
            return head + blake3(b"".join(fields)).digest()
        return head + self._digests.of(array, numpy)

    def _scalar(self, value: Any, numpy: Any) -> bytes:
        if value.dtype.hasobject or value.dtype.names is not None:
            return b"n" + self._array(numpy.asarray(value), numpy)
        raw = value.tobytes()
        if value.dtype.kind == "f" and value != value:
            raw = value.dtype.type("nan").tobytes()
        return b"n%b%b" % (
            _encode_str(dtype_name(value.dtype)),
            b"b%d:%b" % (len(raw), raw),
        )


def _encode_bool(value: bool) -> bytes:
    return b"T" if value else b"F"


def _encode_int(value: int) -> bytes:
    try:
        return b"i%d;" % value
    except ValueError:  # beyond the interpreter's limit for decimal digits
        return b"i0x%x;" % value


def _encode_float(value: float) -> bytes:
    if value != value:
        return b"f" + _NAN
    return b"f" + _double.pack(value)


def _encode_complex(value: complex) -> bytes:
    return b"c" + _encode_float(value.real)[1:] + _encode_float(value.imag)[1:]


def _encode_str(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(raw), raw)


def _encode_named(value: Any) -> bytes:
    """Encode a class or function by its name, if it can be found by that name."""
    module = getattr(value, "__module__", None) or "builtins"
    name = value.__qualname__
    if "<" in name:
        why = "a lambda or inner function has no name to know it by; define it with def"
        raise UnhashableError("", f"{why} at the top level of a module")
    if getattr(value, "__self__", None) is not None and not isinstance(
        value.__self__, types.ModuleType
    ):
        raise UnhashableError("", _REFUSED.format(f"the bound method {name}"))
    if variant_of(value):
        why = f"a function made of {module}.{name} has its name; decorate that itself"
        raise UnhashableError("", why)
    return b"m" + _encode_str(module) + _encode_str(name)


def _describe(kind: type) -> str:
    return f"an object of type {kind.__module__}.{kind.__qualname__}"


def _datetime_state(value: datetime.datetime) -> object:
    return value.isoformat(), value.fold, str(value.tzinfo)


_STATES: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (pathlib.PurePath, str),
    (datetime.datetime, _datetime_state),
    (datetime.date, lambda x: x.isoformat()),
    (datetime.time, lambda x: (x.isoformat(), str(x.tzinfo))),
    (datetime.timedelta, lambda x: (x.days, x.seconds, x.microseconds)),
    (datetime.timezone, str),
    (decimal.Decimal, str),
    (fractions.Fraction, lambda x: (x.numerator, x.denominator)),
    (uuid.UUID, lambda x: x.int),
    (range, lambda x: (x.start, x.stop, x.step) if len(x) else (0, 0, 1)),
    (re.Pattern, lambda x: (x.pattern, x.flags)),
)

_OPEN_TYPES = (pathlib.PurePath,)


def digest(prefix: bytes, arguments: bytes) -> bytes:
    """Return the key of a call from its two encoded halves.

    Examples
    --------
    >>> len(digest(b"", b"")) == KEY_SIZE
    True
    """
    return blake3(prefix + arguments).digest(length=KEY_SIZE)
