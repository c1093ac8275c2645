"""What came right before a segment, once more behind it: for who reads on.

A service has no request for several objects. Where many machines append, each reads
what all others appended, one request for each. So whoever appends puts the small ones
of the block before his own behind it: who then reads the last one has all, and knows by
the marks in a listing that they are what is there. They say nothing that the segments
do not say, and may be missing or damaged.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgpack
from xxhash import xxh3_64_intdigest

from backends.bucket.client import Get
from backends.errors import DamagedError
from backends.segment import decode_header

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"before\0\1"
_CHECK = struct.Struct("<Q")
OVERHEAD = 64
"""Bytes of a trailer and of each segment in it, at most, beside the segment's own."""


def trailer_of(before: Mapping[int, Get]) -> bytes:
    """Return what is put behind a frame: whole segments, by their places in the block.

    Examples
    --------
    >>> behind = trailer_of({3: Get(b"frame", 5, "mark")})
    >>> read_trailer(behind)
    {3: Get(data=b'frame', size=5, mark='mark')}
    >>> read_trailer(behind[:-1]), read_trailer(b""), trailer_of({})
    ({}, {}, b'')
    """
    if not before:
        return b""
    said = msgpack.packb([(at, one.mark, one.data) for at, one in before.items()])
    return b"".join([_MAGIC, _CHECK.pack(xxh3_64_intdigest(said)), said])


def read_trailer(behind: bytes) -> dict[int, Get]:
    """Return what stands behind a frame; nothing if that is no trailer, or damaged."""
    start = len(_MAGIC) + _CHECK.size
    if len(behind) < start or not behind.startswith(_MAGIC):
        return {}
    (check,) = _CHECK.unpack_from(behind, len(_MAGIC))
    if check != xxh3_64_intdigest(behind[start:]):
        return {}
    try:
        said = msgpack.unpackb(behind[start:])
        return {int(at): Get(bytes(x), len(x), str(mark)) for at, mark, x in said}
    except (ValueError, TypeError):
        return {}


def parted(found: Get) -> tuple[Get, dict[int, Get]]:
    """Return the frame that an object begins with, and what stands behind it.

    One that is cut short, or no frame, is as it is.
    """
    try:
        size = decode_header(found.data, "a segment").frame_size
    except DamagedError:
        return found, {}
    if found.size <= size:
        return found, {}
    behind = found.data[size:] if found.size == len(found.data) else b""
    return Get(found.data[:size], size, found.mark), read_trailer(behind)
