"""What the runs of a box are found in: its rows in bits, or the image itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from segkit.labelling.box import row_starts

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
