"""Segments as bytes: a frame with a header, a head and a body.

::

    magic "TGS2" | head length u32 | body length u64 | xxh3 of head | xxh3 of body
    | check: xxh3 of the 32 bytes before | after u64 | xxh3 of check and after
    | head | body

Integers are little-endian, checksums are xxh3-64. The head is a msgpack array
``[kind, worker, time, keys, rows, about, number]``; the body is the engine's. The two
checksums let a reader take in who did what to which key without reading results.

`after` is the check of the segment before, as its writer knew it: written last, when
the frame's place is known, so that a frame that found its place taken need not be
written anew. Cut short by a power cut it reads as 0, which says nothing.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import msgpack
from xxhash import xxh3_64_intdigest

from backends.errors import DamagedError
from backends.interface import KEY_SIZE, Bytes, Cause, Kind, Row, Segment
from backends.names import is_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = struct.Struct("<4sIQQQ")
_CHECKED = struct.Struct("<4sIQQQQ")
"""A header together with its own check."""
_CHECK = struct.Struct("<Q")
_LINK = struct.Struct("<QQ")
CHECK_AT = _HEADER.size
"""Where in a frame stands what tells it from all others, up to `LINK_AT`."""
LINK_AT = CHECK_AT + _CHECK.size
"""Where in a frame it says after which other one it comes."""
HEADER_SIZE = LINK_AT + _LINK.size
_ANY_TEXT = "surrogatepass"
"""People's reasons may name files, and these need not be UTF-8."""
MAGIC = b"TGS2"
_ROWS = bytes(Row)
_KINDS = {int(kind): kind for kind in Kind}
_NONSENSE = (ValueError, TypeError, OverflowError, msgpack.UnpackException)
_LATEST = 1e11
"""Seconds since the epoch, some 3,000 years, after which no calendar goes on."""


class Header(NamedTuple):
    """What a frame begins with: sizes in bytes and checksums of what follows."""

    head_size: int
    body_size: int
    head_check: int
    body_check: int

    @property
    def frame_size(self) -> int:
        """How many bytes the frame has, its body and this included."""
        return HEADER_SIZE + self.head_size + self.body_size

    def encode(self, after: int = 0) -> bytes:
        """Return the first `HEADER_SIZE` bytes of the frame."""
        head_size, body_size, *checks = self
        header = _HEADER.pack(MAGIC, head_size, body_size, *checks)
        check = _CHECK.pack(xxh3_64_intdigest(header))
        return header + check + encode_link(check, after)


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
    return [header.encode(segment.after) + head, body]


def encode_link(check: bytes, after: int) -> bytes:
    """Return the part of a frame that says after which other one it comes.

    Parameters
    ----------
    check : bytes
        The frame's own, as in its header.
    after : int
        That of the other one, 0 if it is not known.
    """
    return _LINK.pack(after, xxh3_64_intdigest(check + _CHECK.pack(after)))


def check_of(frame: Bytes) -> int:
    """Return what tells a frame from all others, of its start."""
    return int(_CHECK.unpack_from(frame, _HEADER.size)[0])


def refused(segment: Segment) -> Segment:
    """Return what stands in for a segment that its writer put upon lost ones.

    What comes after it says so: it names neither this one, as its own writer would, nor
    the one before.
    """
    return Segment(Kind.VOID, "", 0.0, check=segment.check and segment.check ^ 1)


def link_of(frame: Bytes, after: int) -> bytes:
    """Return what `encode_link` does, of the start of a frame."""
    return encode_link(bytes(frame[_HEADER.size : LINK_AT]), after)


def decode_head(frame: Bytes, what: str, header: Header | None = None) -> Segment:
    """Return the segment of a frame, its body left out.

    Parameters
    ----------
    frame : bytes
        At least the header and the head of a frame.
    what : str
        What is being read, for the error.
    header : Header, optional
        What it begins with, if that is known.

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
    if header is None:
        header = decode_header(frame, what)
    head = bytes(frame[HEADER_SIZE : HEADER_SIZE + header.head_size])
    segment = unpack_head(head, header, what, after_of(frame), check_of(frame))
    if segment.kind is Kind.VOID:
        return replace(segment, after=0, check=segment.number)
    return segment


def unpack_head(
    head: bytes, header: Header, what: str, after: int = 0, check: int = 0
) -> Segment:
    """Return the segment of a head, its body left out; see `decode_head`."""
    if len(head) != header.head_size:
        raise DamagedError(what, "cut short")
    if xxh3_64_intdigest(head) != header.head_check:
        raise DamagedError(what, "its head has another checksum")
    try:
        fields = msgpack.unpackb(head, unicode_errors=_ANY_TEXT)
        return _segment(*fields, after=after, check=check)
    except _NONSENSE as error:
        raise DamagedError(what, f"its head makes no sense: {error}") from None


def unpack_heads(heads: Bytes, what: str) -> Iterator[Segment]:
    """Yield the segments of heads that stand one after another, bodies left out.

    Their checksums are the caller's to compare.

    Raises
    ------
    DamagedError
        The next one is not what `encode_frame` writes.
    """
    unpacker = msgpack.Unpacker(max_buffer_size=0, unicode_errors=_ANY_TEXT)
    unpacker.feed(heads)
    try:
        for fields in unpacker:
            yield _segment(*fields)
    except _NONSENSE as error:
        raise DamagedError(what, f"its head makes no sense: {error}") from None


def _segment(
    kind: int,
    worker: str,
    time: float,
    keys: bytes,
    rows: bytes,
    about: str,
    number: int,
    *,
    after: int = 0,
    check: int = 0,
) -> Segment:
    if kind not in _KINDS:
        raise ValueError(f"{kind} is no kind of segment")
    segment = Segment(
        _KINDS[kind], worker, time, keys, rows, about, number, b"", after, check
    )
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
    named = is_name(segment.worker)
    if segment.kind is Kind.EXPEL:
        Cause(segment.number)
        named = named and is_name(segment.about)
    if not named:
        return "it names a worker as no worker is called"
    if not -_LATEST < segment.time < _LATEST:
        return "its time is none"
    has_rows = segment.kind is Kind.PUBLISH or segment.kind is Kind.RESTORE
    rows = len(segment.keys) // KEY_SIZE if has_rows else 0
    if len(segment.rows) != rows or segment.rows.translate(None, _ROWS):
        return "its rows are not those of its keys"
    return ""


def decode_frame(frame: Bytes, what: str) -> Segment:
    """Return the whole segment of a frame; see `decode_head`."""
    header = decode_header(frame, what)
    segment = decode_head(frame, what, header)
    start = HEADER_SIZE + header.head_size
    body = bytes(memoryview(frame)[start : start + header.body_size])
    if len(body) != header.body_size:
        raise DamagedError(what, "cut short")
    if xxh3_64_intdigest(body) != header.body_check:
        raise DamagedError(what, "its body has another checksum")
    return replace(segment, body=body)


def decode_header(frame: Bytes, what: str) -> Header:
    """Return what a frame begins with; see `decode_head`."""
    if len(frame) < HEADER_SIZE:
        raise DamagedError(what, "empty" if not len(frame) else "cut short")
    magic, head, body, head_check, body_check, check = _CHECKED.unpack_from(frame)
    if magic != MAGIC or check != xxh3_64_intdigest(frame[: _HEADER.size]):
        raise DamagedError(what, "its header has another checksum")
    return Header(head, body, head_check, body_check)


def after_of(frame: Bytes) -> int:
    """Return the check of the segment before a frame, 0 if it does not say."""
    if len(frame) < HEADER_SIZE:
        return 0
    after, check = _LINK.unpack_from(frame, LINK_AT)
    end = LINK_AT + _CHECK.size
    return int(after) if check == xxh3_64_intdigest(frame[_HEADER.size : end]) else 0


def linked(frame: Bytes, after: int) -> bytes:
    """Return a frame, or the start of one, that says after which other one it comes."""
    return b"".join([frame[:LINK_AT], link_of(frame, after), frame[HEADER_SIZE:]])


def void_frame(check: int = 0) -> bytes:
    """Return a frame that does nothing.

    With the check of what is `refused`, it stands in the place of that: who came after
    it, and who had read another there, can still be told.
    """
    return b"".join(encode_frame(Segment(Kind.VOID, "", 0.0, number=check)))


VOID_FRAME = void_frame()
