"""The strips and tiles of a page: which of them a box touches, read and decoded."""

from __future__ import annotations

import math
import os
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segkit.extents import memory_limit
from segkit.io.errors import DamagedImageError, ImageRequestError, missing_extra
from segkit.io.mapped import require_length
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DECODING_ERRORS = (ValueError, RuntimeError, OSError, struct.error, zlib.error)
"""What tifffile and its codecs raise on damaged bytes."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class TiffSegments:
    """The strips or tiles of one page that a box touches."""

    keyframe: Any
    page: Any
    box: tuple[slice, slice, slice, slice]  # separate samples, y, x, joint samples
    extents: list[tuple[int, int, int]]  # number, offset, bytes (0: it was left out)

    @classmethod
    def of(cls, page: Any, within: Sequence[slice]) -> TiffSegments:
        """Return the segments of a page that hold voxels of a box.

        The box leaves out axes of length 1.
        """
        keyframe = page.keyframe
        _, _, height, width, _ = keyframe.shaped
        box = _full_box(keyframe, within)
        listed = min(len(page.dataoffsets), len(page.databytecounts))
        extents = []
        for number in _touched(keyframe, box, (height, width)):
            if number >= listed:
                raise DamagedImageError(
                    page.parent.filehandle.path,
                    f"lists {listed} strips or tiles of a page of {height} x {width}"
                    f" pixels, and not number {number}; copy or write it again",
                )
            place = page.dataoffsets[number], page.databytecounts[number]
            extents.append((number, int(place[0]), int(place[1])))
        _require_memory(page)
        return cls(keyframe, page, box, extents)

    def paste(self, path: str | Path, descriptor: int, plane: NDArray[Any]) -> None:
        """Decode each segment into `plane`, as many voxels as the box has."""
        target = plane.reshape([part.stop - part.start for part in self.box])
        if not all(count for _, _, count in self.extents):
            # Segments that a sparse file leaves out stand for its no-data value.
            target[...] = self.keyframe.nodata
        for number, offset, count in self.extents:
            if count == 0:
                continue
            data = os.pread(descriptor, count, offset)
            if len(data) < count:
                require_length(path, offset + count)
            _paste(target, self.box, *self._decode(path, data, number))

    def _decode(
        self, path: str | Path, data: bytes, number: int
    ) -> tuple[Any, Any, Any]:
        options = {}
        if self.keyframe.jpegtables is not None:
            options["jpegtables"] = self.keyframe.jpegtables
        try:
            decoded = self.keyframe.decode(data, number, **options)
        except DECODING_ERRORS as error:
            if "imagecodecs" in str(error):
                raise missing_extra(path, "imagecodecs") from error
            raise DamagedImageError(
                path, f"segment {number} cannot be decoded: {error}"
            ) from error
        return decoded  # type: ignore[no-any-return]


def _require_memory(page: Any) -> None:
    """Raise unless a strip or tile, which is decoded whole, fits into memory."""
    shape = page.keyframe.chunks
    size = math.prod(shape) * page.keyframe.dtype.itemsize
    if size > memory_limit():
        raise ImageRequestError(
            page.parent.filehandle.path,
            f"has strips or tiles of {' x '.join(map(str, shape))} values,"
            f" {size / 1e9:.3g} GB each, which are decoded whole and do not fit into"
            " memory; write it in smaller ones",
        )


def _full_box(
    keyframe: Any, within: Sequence[slice]
) -> tuple[slice, slice, slice, slice]:
    """Return the box over (samples, y, x, joint samples), axes of length 1 included."""
    parts = iter(within)
    samples, _, height, width, joint = (
        slice(0, 1) if length == 1 else next(parts) for length in keyframe.shaped
    )
    return samples, height, width, joint


def _touched(
    keyframe: Any,
    box: tuple[slice, slice, slice, slice],
    size: tuple[int, int],
) -> Iterator[int]:
    """Yield the numbers of the segments that the box touches."""
    if keyframe.is_tiled:
        high, wide = keyframe.tilelength, keyframe.tilewidth
    else:
        high, wide = keyframe.rowsperstrip, size[1]
        high = min(high, size[0])
    rows, columns = -(-size[0] // high), -(-size[1] // wide)
    if any(part.stop <= part.start for part in box):
        return
    for sample in range(box[0].start, box[0].stop):
        for row in range(box[1].start // high, -(-box[1].stop // high)):
            for column in range(box[2].start // wide, -(-box[2].stop // wide)):
                yield (sample * rows + row) * columns + column


def _paste(
    target: NDArray[Any],
    box: tuple[slice, slice, slice, slice],
    segment: NDArray[Any],
    index: tuple[int, ...],
    shape: tuple[int, ...],
) -> None:
    """Copy what of a decoded (1, y, x, samples) segment lies in the box."""
    sample, _, row, column, _ = index
    rows = slice(max(row, box[1].start), min(row + shape[1], box[1].stop))
    columns = slice(max(column, box[2].start), min(column + shape[2], box[2].stop))
    target[
        sample - box[0].start,
        rows.start - box[1].start : rows.stop - box[1].start,
        columns.start - box[2].start : columns.stop - box[2].start,
    ] = segment[
        0,
        rows.start - row : rows.stop - row,
        columns.start - column : columns.stop - column,
        box[3],
    ]
