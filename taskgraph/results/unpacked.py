"""Compressed blobs as they were, kept for who needs one again soon."""

from __future__ import annotations

import mmap
import os
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet, finalize

from taskgraph.results.blobs import pieces, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgraph.results.blobs import BlobRef

_MOST_BYTES = 1 << 28
_MOST_FILES = 32
_MOST_MAPPED = 64
"""Mappings at a time: each keeps a descriptor."""


class Unpacked:
    """What a process unpacked lately, up to 256 MB; everybody gets a copy on write.

    Who changes one changes nobody else's, as with blobs that are not compressed.
    """

    def __init__(self) -> None:
        self._files: OrderedDict[BlobRef, tuple[int, int]] = OrderedDict()
        self._mapped: WeakSet[mmap.mmap] = WeakSet()
        self._too_large: set[BlobRef] = set()
        finalize(self, _close_all, self._files)

    def __call__(self, ref: BlobRef, stored: memoryview) -> memoryview:
        """Return what was compressed."""
        if len(self._mapped) < _MOST_MAPPED:
            with suppress(OSError):  # no descriptor, no room or no mapping is left
                descriptor = self._file(ref, stored)
                if descriptor is not None:
                    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
                    self._mapped.add(mapped)
                    return memoryview(mapped)
        return unpacked(ref, stored)

    def _file(self, ref: BlobRef, stored: memoryview) -> int | None:
        """Return a file with what was compressed, None if that is too much to keep."""
        if ref in self._too_large:
            return None
        if ref not in self._files:
            descriptor = _nameless()
            size = 0
            try:
                size = _fill(descriptor, pieces(stored))
            finally:
                if not 0 < size <= _MOST_BYTES:
                    os.close(descriptor)
            if size > _MOST_BYTES:
                self._too_large.add(ref)
                return None
            self._files[ref] = descriptor, size
        self._files.move_to_end(ref)
        while self._is_too_much():
            os.close(self._files.popitem(last=False)[1][0])
        return self._files[ref][0]

    def _is_too_much(self) -> bool:
        size = sum(size for _, size in self._files.values())
        return size > _MOST_BYTES or len(self._files) > _MOST_FILES


def _close_all(files: OrderedDict[BlobRef, tuple[int, int]]) -> None:
    for descriptor, _ in files.values():
        os.close(descriptor)


def _nameless() -> int:
    """Return a file in memory where there are such, else one that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("unpacked")
    import tempfile  # costs time at every start

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _fill(descriptor: int, data: Iterable[bytes]) -> int:
    """Write no more than may be kept; return how much there is, or that it is more."""
    size = 0
    for piece in data:
        size += len(piece)
        if size > _MOST_BYTES:
            break
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]
    return size
