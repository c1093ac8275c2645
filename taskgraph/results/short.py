"""Numbers and short text to bytes and back: as `plain` does, without looking further.

Results of tiny tasks are such, and so are their many arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack

from taskgraph.results import plain

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 1000
_NUMBERS = frozenset({type(None), bool, int, float})
_TEXTS = frozenset({str, bytes})
_pack: Callable[[Any], bytes] = msgpack.Packer(
    unicode_errors=plain.ANY_TEXT, buf_size=2 * _LONGEST
).pack
_HOLDING = frozenset(
    [*range(0x80, 0xA0), *range(0xC7, 0xCA), *range(0xD4, 0xD9), *range(0xDC, 0xE0)]
)
"""What mappings, arrays and extensions begin with: values in which others lie."""


def pack(value: Any) -> bytes | None:
    """Return the bytes of a number, None, or text that is not long; else None.

    Examples
    --------
    >>> unpack(pack(7)), pack([7]), pack(1 << 70)
    (7, None, None)
    """
    kind = type(value)
    if kind in _NUMBERS or (kind in _TEXTS and len(value) <= _LONGEST):
        try:
            return _pack(value)
        except OverflowError:  # an int beyond 64 bits
            pass
    return None


def unpack(data: bytes) -> Any:
    """Return the value of a plain structure around which there are no buffers.

    Raises
    ------
    ValueError, TypeError, AttributeError, ImportError
        As `plain.unpack`.
    """
    if data[0] in _HOLDING:
        return plain.unpack(data, ())
    return msgpack.unpackb(data, unicode_errors=plain.ANY_TEXT)
