"""The chunks of a Zarr array on a filesystem, read by box; a missing one is an error.

In Zarr a chunk that was never written is not an error: it reads as the fill value,
and so does one whose writer died or whose file was lost. A picture with silent black
boxes is worse than none, so a missing chunk is an error here unless the caller says
``missing='fill'``.
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    NotAnImageError,
    parsing,
)
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.options import Missing


@known_as("segkit.names")
class ZarrChunks:
    """The voxels of a Zarr array on a filesystem, opened once per process.

    An array that is replaced meanwhile is refused: chunks of both would be mixed.
    """

    def __init__(
        self,
        path: Path,
        missing: Missing,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        stamp: tuple[int, int],
    ) -> None:
        self.path = path
        self.missing = missing
        self.shape = shape
        self.dtype = dtype
        self.stamp = stamp
        self._local = threading.local()

    @classmethod
    def of(cls, path: Path, missing: Missing) -> ZarrChunks:
        """Return the array at a path, which is opened anew in each process."""
        if missing not in ("error", "fill"):
            raise ImageRequestError(
                path, f"missing={missing!r} must be 'error' or 'fill'"
            )
        stamp = _stamp(path)
        array = open_array(path, "r")
        if array.dtype.kind not in "biufc":
            raise NotAnImageError(path, f"holds {array.dtype}, not numbers")
        shape = tuple(int(n) for n in array.shape)
        return cls(path, missing, shape, np.dtype(array.dtype), stamp)

    def __reduce__(self) -> tuple[Any, ...]:
        known = (self.path, self.missing, self.shape, self.dtype, self.stamp)
        return type(self), known

    def _array(self) -> Any:
        if not hasattr(self._local, "array"):
            self._local.array = open_array(self.path, "r")
        return self._local.array

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box."""
        if _stamp(self.path) != self.stamp:
            raise DamagedImageError(
                self.path, "is another array since it was opened; open it again"
            )
        array = self._array()
        if self.missing == "error":
            absent = next(missing_chunks(array, self.path, box), None)
            if absent is not None:
                raise DamagedImageError(
                    self.path,
                    f"chunk {absent!r} is missing; write it again, or say"
                    " missing='fill' if chunks of the fill value were left out"
                    " on purpose",
                )
        with parsing(self.path, f"a chunk of {_text(box)}"):
            return np.asarray(array[box])


def _stamp(path: Path) -> tuple[int, int]:
    """Return what tells the metadata of an array from those of a later one.

    Other formats are mapped or held open, and keep the voxels of before.
    """
    for name in ("zarr.json", ".zarray"):
        try:
            found = (path / name).stat()
        except FileNotFoundError:
            continue
        return found.st_ino, found.st_mtime_ns
    return 0, 0


def _text(box: tuple[slice, ...]) -> str:
    return "[" + ", ".join(f"{part.start}:{part.stop}" for part in box) + "]"


def open_array(path: Path, mode: Literal["r", "r+"]) -> Any:
    """Return a zarr array; in writing, chunks of the fill value are stored too.

    Raises
    ------
    MissingExtraError
        If zarr is not installed.
    DamagedImageError
        If the metadata cannot be understood.
    """
    with parsing(path, "its Zarr metadata"):
        import zarr

        array = zarr.open_array(path, mode=mode)
    if mode == "r":
        return array
    return array.with_config({"write_empty_chunks": True})


def stored_unit(array: Any) -> tuple[int, ...]:
    """Return the shape of what one file of a Zarr array holds: a chunk or a shard."""
    return tuple(int(n) for n in (getattr(array, "shards", None) or array.chunks))


def missing_chunks(array: Any, path: Path, box: tuple[slice, ...]) -> Iterator[str]:
    """Yield the names of the files that `box` needs and that do not exist.

    Within a shard, chunks that were left out cannot be told from lost ones.
    """
    if any(part.stop <= part.start for part in box):
        return
    ranges = [
        range(part.start // size, -(-part.stop // size))
        for part, size in zip(box, stored_unit(array), strict=True)
    ]
    for position in itertools.product(*ranges):
        name = array.metadata.encode_chunk_key(position)
        if not (path / name).is_file():
            yield name
