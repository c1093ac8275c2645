"""Voxels in one uncompressed piece of a file: read, reserved, written by box."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from segkit.io.errors import DamagedImageError
from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.io.image import Image
    from segkit.io.options import Downscale


def require_length(path: str | Path, end: int) -> None:
    """Raise `DamagedImageError` if a file ends before its voxels do."""
    size = Path(path).stat().st_size
    if end > size:
        raise DamagedImageError(
            path,
            f"is cut short: its voxels end at byte {end}, the file at {size};"
            " copy or write it again",
        )


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class FileMark:
    """What tells a file from what it is after somebody has written into it.

    Attributes
    ----------
    file : tuple of int
        Device and number, which another file of its name has not.
    size, mtime_ns : int
        Bytes, and time of the last modification in nanoseconds.
    """

    file: tuple[int, int]
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str | Path) -> FileMark:
        """Return the mark that a file has now."""
        now = os.stat(path)  # noqa: PTH116 - at each read
        return cls((now.st_dev, now.st_ino), now.st_size, now.st_mtime_ns)

    def require_same(self, path: str | Path, *, held: bool) -> None:
        """Refuse a file that was written to: its header and its voxels may not fit.

        To read a mapped file beyond its new end would end the process (SIGBUS).

        Parameters
        ----------
        path : str or Path
            Of the file.
        held : bool
            Whether this process has it open; then one that was replaced or removed
            meanwhile has the voxels of before here.

        Raises
        ------
        DamagedImageError
            If it was written to.
        """
        try:
            now = FileMark.of(path)
        except FileNotFoundError:
            if held:
                return
            raise
        if held and now.file != self.file:
            return
        if (now.size, now.mtime_ns) != (self.size, self.mtime_ns):
            raise DamagedImageError(
                path, "was written to since it was opened; open it again"
            )


@known_as("segkit.names")
class Mapped:
    """Voxels in one uncompressed piece of a file, mapped once per process.

    A file that is replaced meanwhile (by rename) keeps its old voxels here; one that is
    written to is refused.
    """

    def __init__(
        self,
        path: Path,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        offset: int,
        order: str = "C",
        mark: FileMark | None = None,
    ) -> None:
        self.path = path
        self.dtype = dtype
        self.shape = shape
        self.offset = offset
        self._order: Any = order
        self._mark = FileMark.of(path) if mark is None else mark
        self._map: NDArray[Any] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        known = (self.path, self.dtype, self.shape, self.offset, self._order)
        return Mapped, (*known, self._mark)

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return a read-only view of the mapped file."""
        self._mark.require_same(self.path, held=self._map is not None)
        if self._map is None:
            self._map = self._mapped()
        return self._map[box]

    def _mapped(self) -> NDArray[Any]:
        if 0 in self.shape:  # an empty file cannot be mapped
            return np.empty(self.shape, self.dtype)
        mapped = np.memmap(
            self.path, self.dtype, "r", self.offset, self.shape, self._order
        )
        # A plain array: slices of a memmap cost ten times as much to make.
        return mapped.view(np.ndarray)


def reserve(file: BinaryIO, count: int) -> None:
    """Append `count` zero bytes; a full disk is an error now, not a crash later.

    A sparse file that is memory-mapped kills its writer (SIGBUS) when the disk fills.
    """
    end = file.tell() + count
    file.flush()
    file.truncate(end)
    if count == 0:
        return
    try:
        os.posix_fallocate(file.fileno(), 0, end)
    except OSError as error:
        # Filesystems without reservation keep the sparse file.
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise


class MappedTarget:
    """Voxels in one piece of a file, written through a memory map."""

    chunks: tuple[int, ...] | None = None

    def __init__(self, image: Image) -> None:
        self._source: Any = image.source
        self._map: NDArray[Any] | None = None

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write through the map, or at once where the box is one piece of the file."""
        source = self._source
        if array.size == 0:
            return
        if _is_one_piece(box, source.shape):
            first = tuple(part.start for part in box)
            start = np.ravel_multi_index(first, source.shape) * source.dtype.itemsize
            _write_at(source.path, source.offset + int(start), array, source.dtype)
            return
        if self._map is None:
            self._map = np.memmap(
                source.path, source.dtype, "r+", source.offset, source.shape
            )
        self._map[box] = array

    def finish(self, path: Path, levels: int, downscale: Downscale) -> None:  # noqa: ARG002 (the protocol's)
        """Let the map go; which boxes have not been written cannot be told."""
        self._map = None


def _is_one_piece(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    """Say whether the voxels of a box follow each other in C order."""
    lengths = [part.stop - part.start for part in box]
    partial = [axis for axis, n in enumerate(lengths) if n != shape[axis]]
    return not partial or all(n == 1 for n in lengths[: partial[-1]])


def _write_at(
    path: Path, offset: int, array: NDArray[Any], dtype: np.dtype[Any]
) -> None:
    data = np.ascontiguousarray(array, dtype).data.cast("B")
    with path.open("r+b", buffering=0) as file:
        while data:
            written = os.pwrite(file.fileno(), data, offset)
            data, offset = data[written:], offset + written
