"""Markers grown by flooding: what `segkit.watershed` does with an image or a tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.compiled.fallback import falls_back_on

if TYPE_CHECKING:
    from segkit.arrays import Array

_MOST_LEVELS = 2**20
"""Integers that span fewer are levels as they are, others ranks."""
_EXACT = 2**53
"""Integers up to which all differ as floats, in which scikit-image compares."""
_LARGEST = 2**31


def _flooded_by_skimage(
    image: Array, markers: Array, mask: Array | None, structure: Array
) -> Array:
    from skimage.segmentation import watershed

    grown: Array = watershed(  # type: ignore[no-untyped-call] # skimage has no types
        image, markers, connectivity=structure, mask=mask
    )
    return grown


@falls_back_on(_flooded_by_skimage)
def flooded(
    image: Array, markers: Array, mask: Array | None, structure: Array
) -> Array:
    """Return what `skimage.segmentation.watershed` does, faster.

    Parameters
    ----------
    image, markers, mask
        Real numbers, integers from 0 on, and bool or None, of one shape.
    structure
        Which voxels touch, three along each axis.
    """
    from segkit.regions.watershed_kernel import flood

    levels, count = _levels(image)
    shape = tuple(length + 2 for length in image.shape)
    if np.prod(shape, dtype=np.float64) >= _LARGEST or markers.max() >= _LARGEST:
        return _flooded_by_skimage(image, markers, mask, structure)
    inner = (slice(1, -1),) * image.ndim
    ground, labels = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    free = np.zeros(shape, np.uint8)
    ground[inner] = levels
    free[inner] = 1 if mask is None else mask
    labels[inner] = markers
    labels *= free
    free[labels > 0] = 0
    flood(
        ground.reshape(-1),
        np.flatnonzero(labels),
        _offsets(structure, shape),
        free.reshape(-1),
        labels.reshape(-1),
        np.empty(image.size, np.int64),
        np.empty(image.size, np.int32),
        np.empty(ground.size, np.int32),
        np.full((count, 2), -1, np.int32),
        np.zeros(count, np.int32),
    )
    return labels[inner].copy()


def _levels(image: Array) -> tuple[Array, int]:
    """Return numbers from 0 on in the order of grey values, and how many there are."""
    if image.dtype.kind in "biu":
        low, high = int(image.min()), int(image.max())
        if high - low < _MOST_LEVELS and max(-low, high) <= _EXACT:
            if image.dtype.itemsize > 2:
                image = (image - image.dtype.type(low)).astype(np.int32)
                return image, high - low + 1
            return image.astype(np.int32) - low, high - low + 1
    if image.dtype != np.float32:  # else all are told apart as in float64
        image = image.astype(np.float64)
    values, ranks = np.unique(image, return_inverse=True)
    return ranks.reshape(image.shape), values.size


def _offsets(structure: Array, shape: tuple[int, ...]) -> Array:
    """Return offsets to the neighbours in a flat array, the nearest first."""
    moves = np.argwhere(structure) - 1
    steps = np.cumprod([1, *shape[:0:-1]])[::-1]
    order = np.argsort(np.sqrt((moves**2).sum(axis=1)), kind="stable")
    offsets: Array = (moves @ steps)[order][1:]  # without the centre
    return offsets.astype(np.int64)
