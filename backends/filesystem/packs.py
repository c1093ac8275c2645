"""Merged blocks: one file that holds many segments.

::

    magic "TGP1" | count u64 | xxh3 of the table u64 | table | frames, one after another

The table has for each frame its position and its size (u64 each), in ascending order.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from backends.errors import DamagedError
from backends.filesystem.posix import read_exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_HEAD = struct.Struct("<4sQQ")
_ENTRY = struct.Struct("<QQ")
_MAGIC = b"TGP1"


def encode_pack(
    sizes: Mapping[int, int], frame: Callable[[int], bytes]
) -> Iterator[bytes]:
    """Yield the chunks of a pack: one frame after another is asked for.

    Parameters
    ----------
    sizes : mapping
        The sizes of the frames by their positions.
    frame : callable
        Returns the frame of a position.

    Examples
    --------
    >>> frames = {3: b"abc", 1: b"a"}
    >>> sizes = {1: 1, 3: 3}
    >>> chunks = list(encode_pack(sizes, frames.get))
    >>> [len(chunk) for chunk in chunks], pack_size(sizes)
    ([20, 32, 1, 3], 56)
    """
    positions = sorted(sizes)
    table = b"".join(_ENTRY.pack(p, sizes[p]) for p in positions)
    yield _HEAD.pack(_MAGIC, len(positions), xxh3_64_intdigest(table))
    yield table
    for position in positions:
        yield frame(position)


def pack_size(sizes: Mapping[int, int]) -> int:
    """Return the bytes of a pack of frames of these sizes."""
    return _HEAD.size + len(sizes) * _ENTRY.size + sum(sizes.values())


class Pack:
    """Where the frames of a pack are, for as long as the file stays the same."""

    def __init__(self, descriptor: int, path: str) -> None:
        self.identity = file_identity(descriptor)
        head = read_exactly(descriptor, _HEAD.size)
        if len(head) < _HEAD.size:
            raise DamagedError(path, "cut short")
        magic, count, check = _HEAD.unpack(head)
        size = min(count * _ENTRY.size, self.identity[2])
        table = read_exactly(descriptor, size)
        if magic != _MAGIC or xxh3_64_intdigest(table) != check:
            raise DamagedError(path, "its table has another checksum")
        self._places: dict[int, tuple[int, int]] = {}
        offset = _HEAD.size + size
        for position, length in _ENTRY.iter_unpack(table):
            self._places[position] = offset, length
            offset += length

    def read(
        self, descriptor: int, position: int, limit: int | None
    ) -> tuple[bytes, int] | None:
        """Return the start of a frame and its size; None if it is not kept."""
        place = self._places.get(position)
        if place is None:
            return None
        offset, size = place
        os.lseek(descriptor, offset, os.SEEK_SET)
        return read_exactly(
            descriptor, size if limit is None else min(size, limit)
        ), size


def file_identity(descriptor: int) -> tuple[int, int, int]:
    """Return what tells a pack from one that took its place."""
    stat = os.fstat(descriptor)
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
