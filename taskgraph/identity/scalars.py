"""Numbers and texts as bytes: the letters of the encoding that hold nothing else."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NAN = bytes.fromhex("7ff8000000000000")
_double = struct.Struct(">d")


def encode_bool(value: bool) -> bytes:
    """Return the bytes of a bool: a letter."""
    return b"T" if value else b"F"


def encode_int(value: int) -> bytes:
    """Return the bytes of an int of any size."""
    try:
        return b"i%d;" % value
    except ValueError:  # beyond the interpreter's limit for decimal digits
        return b"i0x%x;" % value


def encode_float(value: float) -> bytes:
    """Return the bytes of a float; every NaN is the same one."""
    if value != value:
        return b"f" + _NAN
    return b"f" + _double.pack(value)


def encode_complex(value: complex) -> bytes:
    """Return the bytes of a complex number as two floats."""
    return b"c" + encode_float(value.real)[1:] + encode_float(value.imag)[1:]


def encode_str(value: str) -> bytes:
    """Return the bytes of a text, lone surrogates too."""
    raw = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(raw), raw)


SCALARS: dict[type, Callable[[Any], bytes]] = {
    bool: encode_bool,
    int: encode_int,
    float: encode_float,
    complex: encode_complex,
    str: encode_str,
}
"""What encodes values of which nothing can change, be a task, or be refused."""
