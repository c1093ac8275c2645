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

import msgpack
from xxhash import xxh3_64_intdigest

from backends.errors import DamagedError
from backends.interface import KEY_SIZE, Bytes, Kind, Segment

_HEADER = struct.Struct("<4sIQQQ")
_CHECK = struct.Struct("<Q")
HEADER_SIZE = _HEADER.size + _CHECK.size
_ANY_TEXT = "surrogatepass"
"""People's reasons may name files, and these need not be UTF-8."""
MAGIC = b"TGS1"


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
    header = _HEADER.pack(
        MAGIC,
        len(head),
        len(body),
        xxh3_64_intdigest(head),
        xxh3_64_intdigest(body),
    )
    return [header + _CHECK.pack(xxh3_64_intdigest(header)) + head, body]


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
        A checksum or a length is wrong.

    Examples
    --------
    >>> frame = b"".join(encode_frame(Segment(Kind.CLAIM, "w", 0.0, b"k" * 20)))
    >>> decode_head(frame, "segment 1").split()
    [b'kkkkkkkkkkkkkkkkkkkk']
    >>> decode_head(frame[:-1], "segment 1")
    Traceback (most recent call last):
    backends.errors.DamagedError: segment 1 is damaged (cut short); ...
    """
    head_size, _, head_check, _ = _lengths(frame, what)
    head = bytes(frame[HEADER_SIZE : HEADER_SIZE + head_size])
    if len(head) != head_size:
        raise DamagedError(what, "cut short")
    if xxh3_64_intdigest(head) != head_check:
        raise DamagedError(what, "its head has another checksum")
    kind, worker, time, keys, rows, about, number = msgpack.unpackb(
        head, unicode_errors=_ANY_TEXT
    )
    if len(keys) % KEY_SIZE:
        raise DamagedError(what, "its keys are of another size")
    return Segment(Kind(kind), worker, time, keys, rows, about, number)


def decode_frame(frame: Bytes, what: str) -> Segment:
    """Return the whole segment of a frame; see `decode_head`."""
    segment = decode_head(frame, what)
    head_size, body_size, _, body_check = _lengths(frame, what)
    start = HEADER_SIZE + head_size
    body = bytes(memoryview(frame)[start : start + body_size])
    if len(body) != body_size:
        raise DamagedError(what, "cut short")
    if xxh3_64_intdigest(body) != body_check:
        raise DamagedError(what, "its body has another checksum")
    return replace(segment, body=body)


def frame_size(frame: Bytes, what: str) -> int:
    """Return how many bytes the frame that starts here has."""
    head_size, body_size, _, _ = _lengths(frame, what)
    return HEADER_SIZE + head_size + body_size


def _lengths(frame: Bytes, what: str) -> tuple[int, int, int, int]:
    if len(frame) < HEADER_SIZE:
        raise DamagedError(what, "empty" if not len(frame) else "cut short")
    header = bytes(frame[: _HEADER.size])
    magic, head_size, body_size, head_check, body_check = _HEADER.unpack(header)
    (check,) = _CHECK.unpack(bytes(frame[_HEADER.size : HEADER_SIZE]))
    if magic != MAGIC or check != xxh3_64_intdigest(header):
        raise DamagedError(what, "its header has another checksum")
    return head_size, body_size, head_check, body_check
