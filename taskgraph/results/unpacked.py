"""Compressed blobs as they were, kept for who needs one again soon."""

from __future__ import annotations

import mmap
import os
import sys
from typing import TYPE_CHECKING
from weakref import WeakSet, finalize

from xxhash import xxh3_64, xxh3_64_intdigest

from taskgraph.results.compressed import PIECE, pieces, size_unpacked, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from taskgraph.results.blobs import BlobRef

_MOST_BYTES = 1 << 28
_MOST = 32
_MOST_MAPPED = 64
"""Mappings of files at a time: each keeps a descriptor."""


class Unpacked:
    """What a process unpacked lately, up to 256 MB, for who needs one again.

    Who is first gets the memory that it was unpacked into: most are needed once. It is
    lent again when nobody has it any more, if it is as it was. Else a file in memory is
    made, and everybody gets a copy on write. So nobody sees what others change, as with
    blobs that are not compressed.
    """

    def __init__(self) -> None:
        self._kept: dict[BlobRef, _Lent | _File] = {}
        self._mapped: WeakSet[mmap.mmap] = WeakSet()

    def __call__(self, ref: BlobRef, stored: memoryview) -> memoryview:
        """Return what was compressed."""
        if size_unpacked(stored) > _MOST_BYTES:
            return unpack(stored)
        kept = self._kept.pop(ref, None)  # no other thread lends it meanwhile
        if kept is None:
            kept = _Lent(unpack(stored))
        elif isinstance(kept, _Lent) and not kept.is_as_it_was():
            try:
                kept = self._file(kept, stored)
            except OSError:  # no descriptor or no room is left
                return unpack(stored)
        try:
            return kept.lend()
        except OSError:  # no descriptor or no mapping is left
            return unpack(stored)
        finally:
            self._keep(ref, kept)

    def _file(self, lent: _Lent, stored: memoryview) -> _File:
        """Return a file with what was compressed, copied from memory if that has it."""
        file = _File(self._mapped)
        if file.fill(lent.pieces()) != lent.check:  # who has it may change it just now
            file.fill(pieces(stored))
        return file

    def _keep(self, ref: BlobRef, kept: _Lent | _File) -> None:
        self._kept[ref] = kept
        there = list(self._kept.items())  # in one step: other threads keep some, too
        size = sum(kept.size for _, kept in there)
        while size > _MOST_BYTES or len(there) > _MOST:
            oldest, kept = there.pop(0)
            self._kept.pop(oldest, None)
            size -= kept.size


class _Lent:
    """Memory that one has at a time."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory.obj
        self.size = len(memory)
        self.check = xxh3_64_intdigest(memory)
        self._free = 0

    def lend(self) -> memoryview:
        self._free = self._references()  # nobody has it yet
        return memoryview(self._memory)

    def is_as_it_was(self) -> bool:
        """Return whether nobody has it, and nobody who had it has changed it."""
        if self._references() != self._free:
            return False
        return xxh3_64_intdigest(self._memory) == self.check

    def pieces(self) -> Iterator[bytes]:
        """Yield what is in it now."""
        view = memoryview(self._memory)
        return (bytes(view[at : at + PIECE]) for at in range(0, self.size, PIECE))

    def _references(self) -> int:
        """Return how many refer to the memory; each view of it does."""
        return sys.getrefcount(self._memory)


class _File:
    """A file in memory; everybody gets a copy on write."""

    def __init__(self, mapped: WeakSet[mmap.mmap]) -> None:
        self._descriptor = _nameless()
        finalize(self, os.close, self._descriptor)
        self._mapped = mapped
        self.size = 0

    def fill(self, data: Iterable[bytes]) -> int:
        """Write what the file is to have; return the checksum of it."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        digest, self.size = xxh3_64(), 0
        for piece in data:
            digest.update(piece)
            self.size += len(piece)
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]
        return digest.intdigest()

    def lend(self) -> memoryview:
        if len(self._mapped) >= _MOST_MAPPED:
            raise OSError("as many are mapped as may be")
        mapped = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_COPY)
        self._mapped.add(mapped)
        return memoryview(mapped)


def _nameless() -> int:
    """Return a file in memory where there are such, else one that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("unpacked")
    import tempfile  # costs time at every start

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
