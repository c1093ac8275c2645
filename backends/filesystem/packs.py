"""Merged blocks: one file that holds many segments, and all their heads together.

::

    start | entries | heads | bodies, one after another | entries | start

    start: magic "TGP3" | count u64 | size of all heads u64 | xxh3 of all heads u64
           | xxh3 of the 28 bytes before and of the entries u64
    entry: position u64 | size of head u32 | size of body u64
           | xxh3 of head u64 | xxh3 of body u64

An entry of a segment that is left out has no head and no body, and in the place of the
head's checksum what told the segment from all others: who had read it there, or another
one, can still tell.

Entries, heads and bodies ascend by position. Whoever joins reads start, entries and
heads, most often with one system call. The second copy is for damage: a bit that flips
in the first one costs nothing, and one in the heads costs one segment. A pack has at
least one entry, which says of which block it is.
"""

from __future__ import annotations

import errno
import os
import struct
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from backends.errors import DamagedError
from backends.filesystem.posix import open_anew, read_at
from backends.segment import (
    HEADER_SIZE,
    Header,
    decode_header,
    unpack_head,
    unpack_heads,
    void_frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from backends.interface import Bytes, Segment

_START = struct.Struct("<4sQQQ")
_CHECK = struct.Struct("<Q")
_START_SIZE = _START.size + _CHECK.size
_ENTRY = struct.Struct("<QIQQQ")
_MAGIC = b"TGP3"
_SHELF = b"TGH1"
"""What a shelf begins with instead, so that no pack passes for one."""
_NOWHERE = 0, 0, Header(0, 0, 0, 0)
_FIRST_READ = 1 << 20
"""Bytes that are read of a pack at once: the heads of many small segments."""


class NewPack:
    """A pack to be written.

    Parameters
    ----------
    positions : iterable of int
        Which frames it holds.
    frame : callable
        Returns the frame of a position. It is asked twice for each, and no more than
        one frame at a time is kept, but for all heads.
    gone : mapping, optional
        What told the segments that are left out from all others, by position.

    Raises
    ------
    DamagedError
        The header of a frame has another checksum; or what `frame` raises.

    Examples
    --------
    >>> from backends.interface import Kind, Segment
    >>> from backends.segment import encode_frame
    >>> segment = Segment(Kind.PUBLISH, "anna", 0.0, b"k" * 20, b"r", body=b"four")
    >>> pack = NewPack([7], lambda position: b"".join(encode_frame(segment)))
    >>> chunks = list(pack.chunks())
    >>> [len(chunk) for chunk in chunks], pack.size
    ([36, 36, 43, 4, 36, 36], 191)
    """

    def __init__(
        self,
        positions: Iterable[int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self._positions = sorted(positions)
        self._frame = frame
        entries = [_ENTRY.pack(at, 0, 0, check, 0) for at, check in gone.items()]
        heads = []
        self.size = 0
        for position in self._positions:
            data = frame(position)
            header = decode_header(data, f"segment {position}")
            entries.append(_ENTRY.pack(position, *header))
            heads.append(data[HEADER_SIZE : HEADER_SIZE + header.head_size])
            self.size += header.body_size
        entries.sort(key=_position)
        self._entries, self._heads = b"".join(entries), b"".join(heads)
        self._start = _start(self._entries, self._heads)
        self.size += 2 * (_START_SIZE + len(self._entries)) + len(self._heads)

    def front(self) -> list[bytes]:
        """Return the chunks of what `read_front` reads: all heads, and no bodies."""
        return [_start(self._entries, self._heads, _SHELF), self._entries, self._heads]

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the file, piece by piece."""
        yield self._start
        yield self._entries
        yield self._heads
        for position in self._positions:
            frame = self._frame(position)
            header = decode_header(frame, f"segment {position}")
            yield frame[HEADER_SIZE + header.head_size :]
        yield self._entries
        yield self._start


class Pack:
    """Where the segments of a pack are, for as long as the file stays the same."""

    def __init__(self, seen: bytes, start: bytes, entries: bytes) -> None:
        self._seen = seen
        self.entries = entries
        about = _START.unpack(start[: _START.size])
        _, self.count, self.heads_size, self._heads_check = about
        self.heads_at = _START_SIZE + len(entries)
        self._places: dict[int, tuple[int, int, Header]] = {}

    def is_still(self, descriptor: int) -> bool:
        """Return whether this is what an open file holds."""
        return read_at(descriptor, _START_SIZE, 0) == self._seen

    def ends_with(self, position: int) -> bool:
        """Return whether there is a segment at a position, and none after it."""
        last, head_size, *_ = _ENTRY.unpack(self.entries[-_ENTRY.size :])
        return bool(last == position and head_size)

    def is_whole(self, heads: Bytes) -> bool:
        """Return whether heads are those that were written."""
        return bool(xxh3_64_intdigest(heads) == self._heads_check)

    def segments(
        self, heads: Bytes, name: Callable[[int], str]
    ) -> Iterator[tuple[int, Segment | DamagedError]]:
        """Yield each position with its segment, the body left out, or its damage.

        Parameters
        ----------
        heads : bytes
            As `open_pack` returned them.
        name : callable
            Returns how the segment of a position is called in errors.
        """
        entries = [entry for entry in _ENTRY.iter_unpack(self.entries) if entry[1]]
        told = 0
        if self.is_whole(heads):
            with suppress(DamagedError):
                for entry, segment in zip(
                    entries, unpack_heads(heads, ""), strict=False
                ):
                    yield entry[0], segment
                    told += 1
        at = sum(entry[1] for entry in entries[:told])
        for position, *numbers in entries[told:]:
            header = Header(*numbers)
            head = bytes(heads[at : at + header.head_size])
            at += header.head_size
            try:
                yield position, unpack_head(head, header, name(position))
            except DamagedError as error:
                yield position, error

    def read(
        self, descriptor: int, position: int, limit: int | None
    ) -> tuple[bytes, int]:
        """Return the start of a frame and its size: of a VOID one if it is not kept."""
        if not self._places:
            self._places = dict(self._find())
        head_at, body_at, header = self._places.get(position, _NOWHERE)
        head_size, body_size, check, _ = header
        if not head_size:
            frame = void_frame(check)
            return frame[:limit], len(frame)
        size = HEADER_SIZE + head_size + body_size
        start = header.encode() + read_at(descriptor, head_size, head_at)
        wanted = (size if limit is None else min(size, limit)) - len(start)
        if wanted > 0 and len(start) == HEADER_SIZE + head_size:
            start += read_at(descriptor, wanted, body_at)
        return start[:limit], size

    def _find(self) -> Iterator[tuple[int, tuple[int, int, Header]]]:
        head_at, body_at = self.heads_at, self.heads_at + self.heads_size
        for position, *numbers in _ENTRY.iter_unpack(self.entries):
            header = Header(*numbers)
            yield position, (head_at, body_at, header)
            head_at += header.head_size
            body_at += header.body_size


def open_pack(descriptor: int, path: str, block: range) -> tuple[Pack, Bytes]:
    """Return a pack and its heads.

    Parameters
    ----------
    descriptor : int
        The file, open for reading, at its beginning.
    path : str
        Its name, for errors.
    block : range
        The positions that it may hold.

    Raises
    ------
    DamagedError
        Neither copy of its entries is whole, or they are of another block, or there are
        none, so that nothing says of which block it is.
    """
    data = os.read(descriptor, _FIRST_READ)
    try:
        start, entries = _first_copy(descriptor, data)
    except ValueError as error:
        start, entries = _second_copy(descriptor, path, str(error))
    return _front(descriptor, data, start, entries, path, block)


def open_shelf(descriptor: int, path: str, positions: range) -> tuple[Pack, Bytes]:
    """Return what `encode_heads` made, as `open_pack` does; it is read whole.

    Raises
    ------
    DamagedError
        It has another checksum, or is of other positions.
    """
    data = os.read(descriptor, os.fstat(descriptor).st_size)
    return read_front(data, path, positions)


def read_front(data: bytes, path: str, positions: range) -> tuple[Pack, Bytes]:
    """Return a pack without bodies that is in memory, and its heads.

    Raises
    ------
    DamagedError
        Its table has another checksum, or is of other positions.
    """
    try:
        size = _entries_size(data[:_START_SIZE], most=len(data), kind=_SHELF)
        end = _START_SIZE + size
        start, entries = _checked(data[:_START_SIZE], data[_START_SIZE:end])
    except ValueError as error:
        raise DamagedError(path, str(error)) from None
    pack = _pack(data[:_START_SIZE], start, entries, path, positions)
    return pack, memoryview(data)[pack.heads_at : pack.heads_at + pack.heads_size]


def _front(
    descriptor: int, data: bytes, start: bytes, entries: bytes, path: str, block: range
) -> tuple[Pack, Bytes]:
    """Return a pack and its heads, of which `data` is the beginning."""
    pack = _pack(data[:_START_SIZE], start, entries, path, block)
    heads = memoryview(data)[pack.heads_at : pack.heads_at + pack.heads_size]
    if len(heads) == pack.heads_size:
        return pack, heads
    left = pack.heads_size - len(heads)
    return pack, bytes(heads) + read_at(descriptor, left, pack.heads_at + len(heads))


def _pack(seen: bytes, start: bytes, entries: bytes, path: str, block: range) -> Pack:
    """Return a pack of certain positions."""
    found = [position for position, *_ in _ENTRY.iter_unpack(entries)]
    if not found or any(position not in block for position in found):
        raise DamagedError(path, "it holds another block")
    return Pack(seen, start, entries)


def worn_table(descriptor: int) -> str:
    """Return why one copy of a pack's entries is not like the other.

    Empty if both are whole, or neither is.
    """
    first = second = None
    with suppress(ValueError):
        first = _first_copy(descriptor, read_at(descriptor, _START_SIZE, 0))
    with suppress(DamagedError):
        second = _second_copy(descriptor, "", "")
    if first == second:
        return ""
    if first is not None and second is not None:
        return "its two tables differ"
    which = "first" if first is None else "second"
    return f"the {which} of its two tables has another checksum"


def is_worn(path: str) -> bool:
    """Return whether one copy of a pack's entries is not like the other."""
    with suppress(FileNotFoundError), opened(path) as descriptor:
        return bool(worn_table(descriptor))
    return False


def encode_heads(fronts: Iterable[tuple[Pack, Bytes]]) -> list[bytes]:
    """Return the chunks of what is as one pack without bodies, once.

    Parameters
    ----------
    fronts : iterable of (Pack, bytes)
        As `open_pack` returned them, in ascending order.

    Raises
    ------
    DamagedError
        Heads are.
    """
    listed = list(fronts)
    if not all(pack.is_whole(heads) for pack, heads in listed):
        raise DamagedError("a pack", "its heads have another checksum")
    entries = b"".join(pack.entries for pack, _ in listed)
    heads = b"".join(heads for _, heads in listed)
    return [_start(entries, heads, _SHELF), entries, heads]


@contextmanager
def opened(path: str) -> Iterator[int]:
    """Open a pack to read from; one that is a folder is damaged."""
    descriptor = open_anew(path)
    try:
        yield descriptor
    except OSError as error:
        if error.errno != errno.EISDIR:
            raise
        raise DamagedError(path, os.strerror(errno.EISDIR)) from error
    finally:
        os.close(descriptor)


def _position(entry: bytes) -> int:
    return int(_ENTRY.unpack(entry)[0])


def _start(entries: bytes, heads: bytes, kind: bytes = _MAGIC) -> bytes:
    count = len(entries) // _ENTRY.size
    about = _START.pack(kind, count, len(heads), xxh3_64_intdigest(heads))
    return about + _CHECK.pack(xxh3_64_intdigest(about + entries))


def _entries_size(start: bytes, most: int, kind: bytes = _MAGIC) -> int:
    """Return the size of the entries that a start announces; ValueError if it lies."""
    if len(start) < _START_SIZE:
        raise ValueError("cut short")
    magic, count, _, _ = _START.unpack(start[: _START.size])
    if magic != kind or count * _ENTRY.size > most:
        raise ValueError("its table has another checksum")
    return int(count * _ENTRY.size)


def _checked(start: bytes, entries: bytes) -> tuple[bytes, bytes]:
    about, check = start[: _START.size], start[_START.size :]
    if _CHECK.pack(xxh3_64_intdigest(about + entries)) != check:
        raise ValueError("its table has another checksum")
    return start, entries


def _first_copy(descriptor: int, data: bytes) -> tuple[bytes, bytes]:
    start = data[:_START_SIZE]
    size = _entries_size(start, most=1 << 40)
    entries = data[_START_SIZE : _START_SIZE + size]
    if len(entries) < size:
        have = _START_SIZE + len(entries)
        entries += read_at(descriptor, size - len(entries), have)
    return _checked(start, entries)


def _second_copy(descriptor: int, path: str, why: str) -> tuple[bytes, bytes]:
    end = os.fstat(descriptor).st_size - _START_SIZE
    try:
        start = read_at(descriptor, _START_SIZE, max(0, end))
        size = _entries_size(start, most=end)
        return _checked(start, read_at(descriptor, size, end - size))
    except ValueError:
        raise DamagedError(path, why) from None
