"""Where boxes are written, and whether the values fit."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from segkit.io import npy
from segkit.io.errors import ImageRequestError
from segkit.io.ome_zarr import reading as zarr_reading
from segkit.io.tiff import reading as tiff_reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.image import Image


class Target(Protocol):
    """Where boxes are written."""

    chunks: tuple[int, ...] | None

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write an array of the image's dtype and of the box's shape."""


def open_target(partial: Path) -> tuple[Image, Target]:
    """Return what is known of an image under construction, and where it takes boxes."""
    if partial.is_dir():
        return zarr_reading.open_zarr(partial, missing="fill"), ZarrTarget(
            partial / "0"
        )
    with partial.open("rb") as file:
        start = file.read(8)
    image = (
        npy.open_npy(partial)
        if start.startswith(npy.MAGIC)
        else tiff_reading.open_tiff(partial)
    )
    return image, MappedTarget(image)


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


class ZarrTarget:
    """Chunks of a Zarr array."""

    def __init__(self, path: Path) -> None:
        self._array = zarr_reading.open_array(path, "r+")
        self.chunks: tuple[int, ...] | None = zarr_reading.stored_unit(self._array)

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:
        """Write whole chunks, one after the other.

        All at once, zarr would go on with the others when one has failed, after its
        error was raised: into a folder that its owner has removed by then.
        """
        unit = self.chunks or self._array.shape
        for part in _pieces(box, unit):
            inside = tuple(
                slice(p.start - whole.start, p.stop - whole.start)
                for p, whole in zip(part, box, strict=True)
            )
            self._array[part] = array[inside]


def _pieces(
    box: tuple[slice, ...], unit: tuple[int, ...]
) -> Iterator[tuple[slice, ...]]:
    """Cut a box that begins at a chunk into its chunks."""
    spans = [
        [slice(k, min(k + size, part.stop)) for k in range(part.start, part.stop, size)]
        for part, size in zip(box, unit, strict=True)
    ]
    return itertools.product(*spans)


class Closed:
    """The target of a writer that is done."""

    chunks: tuple[int, ...] | None = None

    def write(self, box: tuple[slice, ...], array: NDArray[Any]) -> None:  # noqa: ARG002 (the protocol's)
        """Refuse."""
        raise ValueError("the image is finished or abandoned; nothing more to write")


def fitted(path: str, array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the array as `dtype`; refuse values that would change.

    Raises
    ------
    ImageRequestError
        If a value does not fit, such as label 70,000 into uint16, or 0.5 into integers.

    Examples
    --------
    >>> import numpy as np
    >>> fitted("a.tif", np.array([1, 255]), np.dtype(np.uint8)).dtype
    dtype('uint8')
    >>> fitted("a.tif", np.array([1, 256]), np.dtype(np.uint8))
    Traceback (most recent call last):
    segkit.io.ImageRequestError: a.tif: values 1 to 256 of type int64 do not
    fit uint8; use a larger dtype
    """
    if np.can_cast(array.dtype, dtype, "safe") or array.size == 0:
        return array.astype(dtype, copy=False)
    if array.dtype.kind == "f" and dtype.kind == "f":
        with np.errstate(over="ignore"):
            converted = array.astype(dtype)
        exact = bool(np.isfinite(converted[np.isfinite(array)]).all())
    elif array.dtype.kind in "iub" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        exact = limits.min <= int(array.min()) and int(array.max()) <= limits.max
        converted = array.astype(dtype)
    else:
        with np.errstate(invalid="ignore"):
            converted = array.astype(dtype)
        exact = bool((converted == array).all())
    if not exact:
        raise ImageRequestError(
            path,
            f"values {array.min()} to {array.max()} of type {array.dtype} do not fit"
            f" {dtype}; use a larger dtype",
        )
    return converted
