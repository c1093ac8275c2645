"""Segments as bytes: a frame with a header, a head and a body.

::

    magic "TGS1" | head length u32 | body length u64 | xxh3 of head | xxh3 of body
    | xxh3 of the 32 bytes before | head | body

Integers are little-endian, checksums are xxh3-64. The head is a msgpack array
``[kind, worker, time, keys, rows, about, number]``; the body is the engine's. The two
checksums let a reader take in who did what to which key without reading results.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import NamedTuple

import msgpack
from xxhash import xxh3_64_intdigest

from backends.errors import DamagedError
from backends.interface import KEY_SIZE, Bytes, Cause, Kind, Row, Segment
from backends.names import is_name

_HEADER = struct.Struct("<4sIQQQ")
_CHECK = struct.Struct("<Q")
HEADER_SIZE = _HEADER.size + _CHECK.size
_ANY_TEXT = "surrogatepass"
"""People's reasons may name files, and these need not be UTF-8."""
MAGIC = b"TGS1"
_ROWS = bytes(Row)
_LATEST = 1e11
"""Seconds since the epoch, some 3,000 years, after which no calendar goes on."""


class Header(NamedTuple):
    """What a frame begins with: sizes in bytes and checksums of what follows."""

    head_size: int
    body_size: int
    head_check: int
    body_check: int

    def encode(self) -> bytes:
        """Return the first `HEADER_SIZE` bytes of the frame."""
        head_size, body_size, *checks = self
        header = _HEADER.pack(MAGIC, head_size, body_size, *checks)
        return header + _CHECK.pack(xxh3_64_intdigest(header))


def encode_frame(segment: Segment) -> list[Bytes]:
    """Return the chunks of a frame; the body is not copied."""
    head = msgpack.packb(
        (
            int(segment.kind),
            segment.worker,
            segment.time,
            segment.keys,
            segment.rows,
            segment.about,
            segment.number,
        ),
        unicode_errors=_ANY_TEXT,
    )
    body = segment.body
    header = Header(
        len(head), len(body), xxh3_64_intdigest(head), xxh3_64_intdigest(body)
    )
    return [header.encode() + head, body]


def decode_head(frame: Bytes, what: str) -> Segment:
    """Return the segment of a frame, its body left out.

    Parameters
    ----------
    frame : bytes
        At least the header and the head of a frame.
    what : str
        What is being read, for the error.

    Raises
    ------
    DamagedError
        A checksum or a length is wrong, or it says what no worker would write: names
        that lead elsewhere, times that no calendar has, rows without keys.

    Examples
    --------
    >>> frame = b"".join(encode_frame(Segment(Kind.CLAIM, "w", 0.0, b"k" * 20)))
    >>> decode_head(frame, "segment 1").split()
    [b'kkkkkkkkkkkkkkkkkkkk']
    >>> decode_head(frame[:-1], "segment 1")
    Traceback (most recent call last):
    backends.errors.DamagedError: segment 1 is damaged (cut short); ...
    """
    header = decode_header(frame, what)
    head = bytes(frame[HEADER_SIZE : HEADER_SIZE + header.head_size])
    return unpack_head(head, header, what)


def unpack_head(head: bytes, header: Header, what: str) -> Segment:
    """Return the segment of a head, its body left out; see `decode_head`."""
    if len(head) != header.head_size:
        raise DamagedError(what, "cut short")
    if xxh3_64_intdigest(head) != header.head_check:
        raise DamagedError(what, "its head has another checksum")
    (segment,) = unpack_heads(head, 1, what)
    return segment


def unpack_heads(heads: bytes, count: int, what: str) -> list[Segment]:
    """Return the segments of some heads that stand one after another, bodies left out.

    Their checksums are the caller's to compare.

    Raises
    ------
    DamagedError
        They are not what `encode_frame` writes.
    """
    unpacker = msgpack.Unpacker(max_buffer_size=0, unicode_errors=_ANY_TEXT)
    unpacker.feed(heads)
    try:
        segments = [_segment(*fields) for fields in unpacker]
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise DamagedError(what, f"its head makes no sense: {error}") from None
    if len(segments) != count:
        raise DamagedError(what, "its head makes no sense")
    return segments


def _segment(
    kind: int,
    worker: str,
    time: float,
    keys: bytes,
    rows: bytes,
    about: str,
    number: int,
) -> Segment:
    segment = Segment(Kind(kind), worker, time, keys, rows, about, number)
    why = _objection(segment)
    if why:
        raise ValueError(why)
    return segment


def _objection(segment: Segment) -> str:
    """Return why no worker wrote this segment; empty if one may have."""
    if len(segment.keys) % KEY_SIZE:
        return "its keys are of another size"
    if segment.kind is Kind.VOID:
        return ""
    named = [segment.worker]
    if segment.kind is Kind.EXPEL:
        Cause(segment.number)
        named.append(segment.about)
    if not all(map(is_name, named)):
        return "it names a worker as no worker is called"
    if not -_LATEST < segment.time < _LATEST:
        return "its time is none"
    rows = len(segment.keys) // KEY_SIZE if segment.kind is Kind.PUBLISH else 0
    if len(segment.rows) != rows or segment.rows.translate(None, _ROWS):
        return "its rows are not those of its keys"
    return ""


def decode_frame(frame: Bytes, what: str) -> Segment:
    """Return the whole segment of a frame; see `decode_head`."""
    segment = decode_head(frame, what)
    header = decode_header(frame, what)
    start = HEADER_SIZE + header.head_size
    body = bytes(memoryview(frame)[start : start + header.body_size])
    if len(body) != header.body_size:
        raise DamagedError(what, "cut short")
    if xxh3_64_intdigest(body) != header.body_check:
        raise DamagedError(what, "its body has another checksum")
    return replace(segment, body=body)


def frame_size(frame: Bytes, what: str) -> int:
    """Return how many bytes the frame that starts here has."""
    header = decode_header(frame, what)
    return HEADER_SIZE + header.head_size + header.body_size


def decode_header(frame: Bytes, what: str) -> Header:
    """Return what a frame begins with; see `decode_head`."""
    if len(frame) < HEADER_SIZE:
        raise DamagedError(what, "empty" if not len(frame) else "cut short")
    header = bytes(frame[: _HEADER.size])
    magic, *found = _HEADER.unpack(header)
    (check,) = _CHECK.unpack(bytes(frame[_HEADER.size : HEADER_SIZE]))
    if magic != MAGIC or check != xxh3_64_intdigest(header):
        raise DamagedError(what, "its header has another checksum")
    return Header(*found)
