"""What the runs of a box are found in: its rows in bits, or the image itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.tiling.boxes import Box


class Source(NamedTuple):
    """What the runs of a box are found in; `source_of` makes it."""

    image: Array
    """The whole image, flat; 0 is background."""
    bits: NDArray[np.uint64]
    """The rows of the box in bits, the first voxel the lowest; empty if the image is
    read, for not all foreground voxels that follow one another are a run."""
    joined: bool
    """Whether voxels that follow one another in a row touch."""
    by_value: bool
    """Whether only voxels of equal values do."""
    starts: NDArray[np.int64]
    """Where each row of the box starts in the flat image, in raster order."""

    @property
    def compiled(self) -> tuple[Any, ...]:
        """What kernels take for the source."""
        return self[:-1]


def source_of(image: Array, box: Box, *, joined: bool, by_value: bool) -> Source:
    """Return what the runs of `image[box]` are found in; the image is C-contiguous."""
    bits = np.empty((0, 0), np.uint64)
    if joined and not by_value:
        rows, width = math.prod(box.shape[:-1]), box.shape[-1]
        octets = np.packbits(image[box.slices], axis=-1, bitorder="little")
        padded = np.zeros((rows, -(-width // 64) * 8), np.uint8)
        padded[:, : octets.shape[-1]] = octets.reshape(rows, -1)
        bits = padded.view("<u8").astype(np.uint64, copy=False)
    starts = row_starts(box, image.shape)
    return Source(image.reshape(-1), bits, joined, by_value, starts)


def row_starts(box: Box, shape: tuple[int, ...]) -> Array:
    """Return where each row of a box starts in the flat array, in raster order."""
    if len(shape) > 1 and not any(box.start[1:-1]) and box.stop[1:-1] == shape[1:-1]:
        each = math.prod(shape[1:-1])  # rows equally far apart, whatever axes they have
        first, number = box.start[0] * each, (box.stop[0] - box.start[0]) * each
        begin, step = first * shape[-1] + box.start[-1], shape[-1]
        return np.arange(begin, begin + number * step, step)
    starts = np.zeros((), np.int64)
    step = 1
    steps = []
    for length in reversed(shape):
        steps.append(step)
        step *= length
    for start, stop, size in zip(
        box.start[:-1], box.stop[:-1], steps[:0:-1], strict=True
    ):
        starts = starts[..., None] + np.arange(start, stop) * size
    flat: Array = starts.ravel() + box.start[-1]
    return flat
