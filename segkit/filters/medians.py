"""Medians over boxes: which of five ways is the fastest for a box.

Over 3 x 3 pixels of 8 or 16 bits a kernel of their own has them. All else goes slab by
slab: small boxes are medians by networks of comparisons, large ones by counts of values
that follow the box, both compiled; of planes, OpenCV has some faster, and uses them if
it is there. Without compiled code SciPy does it. The results are the same.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from segkit.arrays import of_common_dtype
from segkit.compiled.fallback import falls_back_on
from segkit.filters.median_network import median_network
from segkit.tiling.threads import in_threads, shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from segkit.arrays import Array

_SLAB_BYTES = 2**19
_ROW_BYTES = 2**11
# Voxels of a box up to which networks are faster than counts, by bytes of a voxel.
_LARGEST = {1: 500, 2: 600, 4: 600, 8: 220}


def beyond_float64(image: Array) -> bool:
    """Return whether an image holds integers that float64 may not tell apart."""
    if image.dtype.kind not in "iu" or image.dtype.itemsize < 8:
        return False
    return max(-int(image.min()), int(image.max())) > 2**53


def median_over_box(image: Array, radii: tuple[int, ...], threads: int) -> Array:
    """Return the median of the box around each voxel of a grey image.

    Raises
    ------
    MemoryError
        If the border of so large a box does not fit into memory.
    """
    try:
        return _compiled_medians(image, radii, threads)
    except MemoryError:
        box = " x ".join(str(2 * r + 1) for r in radii)
        raise MemoryError(
            f"the median over a box of {box} voxels takes more memory than there is; "
            "take a smaller radius, or shrink the image first"
        ) from None


def _by_scipy(image: Array, radii: tuple[int, ...], threads: int) -> Array:
    from scipy import ndimage

    if beyond_float64(image):  # in which SciPy compares, but for a single axis
        values, ranks = _ranked(image)
        middle: Array = values[_by_scipy(ranks, radii, threads)]
        return middle
    box = tuple(2 * r + 1 for r in radii)
    found: Array = ndimage.median_filter(_without_float16(image), box, mode="nearest")
    return found.astype(image.dtype, copy=False)


@falls_back_on(_by_scipy)
def _compiled_medians(image: Array, radii: tuple[int, ...], threads: int) -> Array:
    if _is_of_nine(image, radii):
        return _of_nine(image, threads)
    if _opencv_is_faster(image, radii):
        return _in_slabs(_by_opencv, image, radii, threads)
    known = of_common_dtype(_without_float16(image))
    if known.dtype.itemsize > 8:  # long doubles, which nothing compiled knows
        values, ranks = _ranked(known)
        middle: Array = values[_compiled_medians(ranks, radii, threads)]
        return middle
    size = prod(2 * r + 1 for r in radii)
    if size <= _LARGEST[known.dtype.itemsize]:
        found = _in_slabs(_by_network, known, radii, threads)
    elif known.dtype in (np.uint8, np.uint16):
        found = _in_slabs(_by_counts, known, radii, threads)
    else:
        values, ranks = _ranked(known)
        found = values[_in_slabs(_by_counts, ranks, radii, threads)]
    return found.astype(image.dtype, copy=False)


def _without_float16(image: Array) -> Array:
    """Return the image in this machine's order of bytes, float16 as float32."""
    if image.dtype.kind == "f" and image.dtype.itemsize < 4:
        return image.astype(np.float32)
    return image.astype(image.dtype.newbyteorder("="), copy=False)


def _ranked(image: Array) -> tuple[Array, Array]:
    """Return the values of an image in order, and their ranks in its place."""
    values, ranks = np.unique(image, return_inverse=True)
    dtype = np.uint16 if values.size <= 2**16 else np.uint32
    return values, ranks.reshape(image.shape).astype(dtype)


def _in_slabs(
    median_of: Callable[[Array, tuple[int, ...]], Array],
    image: Array,
    radii: tuple[int, ...],
    threads: int,
) -> Array:
    """Return medians slab by slab along the first axis that is more than one voxel.

    `median_of` gets a slab with the border of its boxes around it, and returns medians
    of what it is the border of.
    """
    axis = next((k for k, length in enumerate(image.shape) if length > 1), 0)
    length, radius = image.shape[axis], radii[axis]
    rows = -(-_SLAB_BYTES * length // image.nbytes)
    rows = min(max(rows, 2 * radius), -(-length // threads))
    out = np.empty(image.shape, image.dtype)

    def run(start: int) -> None:
        stop = min(start + rows, length)
        first, last = max(start - radius, 0), min(stop + radius, length)
        beyond = (radius - (start - first), radius - (last - stop))
        before = (slice(None),) * axis
        pads = [beyond if k == axis else (r, r) for k, r in enumerate(radii)]
        padded = np.pad(image[(*before, slice(first, last))], pads, mode="edge")
        slab = np.ascontiguousarray(padded)  # as flat as the kernels take it
        out[(*before, slice(start, stop))] = median_of(slab, radii)

    in_threads(run, range(0, length, rows), threads)
    return out


def _is_of_nine(image: Array, radii: tuple[int, ...]) -> bool:
    """Return whether the box is one of 3 x 3 pixels, in planes of 8 or 16 bits."""
    small = image.dtype in (np.uint8, np.uint16)
    return small and image.ndim > 1 and radii == (0,) * (image.ndim - 2) + (1, 1)


def _of_nine(image: Array, threads: int) -> Array:
    from segkit.filters.median_kernel import median_of_nine

    out = np.empty(image.shape, image.dtype)
    shape = (-1, *image.shape[-2:])
    planes, target = np.ascontiguousarray(image).reshape(shape), out.reshape(shape)

    def run(rows: slice) -> None:
        median_of_nine(planes, (rows.start, rows.stop), target)

    in_threads(run, shares(planes.shape[0] * planes.shape[1], threads), threads)
    return out


def _opencv_is_faster(image: Array, radii: tuple[int, ...]) -> bool:
    """Return whether OpenCV is there and has medians of such planes over such boxes."""
    if image.ndim != 2 or radii[0] != radii[1] or not 1 <= radii[0] <= 127:
        return False
    small = radii[0] <= 2 and image.dtype in (np.uint16, np.int16, np.float32)
    if image.dtype != np.uint8 and not small:
        return False
    try:
        import cv2  # noqa: F401 - whether it is there
    except ImportError:
        return False
    return True


def _by_opencv(slab: Array, radii: tuple[int, ...]) -> Array:
    import cv2

    found: Array = cv2.medianBlur(slab, 2 * radii[0] + 1)
    return found[tuple(slice(r, -r) for r in radii)]


def _columns(slab: Array, radii: tuple[int, ...]) -> Array:
    """Return where the columns of a box begin in a flat slab, from its first voxel."""
    steps = np.array(slab.strides[:-1], np.int64) // slab.itemsize
    places = np.ndindex(*(2 * r + 1 for r in radii[:-1]))
    return np.array([np.dot(place, steps) for place in places], np.int64).reshape(-1)


def _by_network(slab: Array, radii: tuple[int, ...]) -> Array:
    from segkit.filters.median_kernel import run_network

    network = median_network(tuple(2 * r + 1 for r in radii))
    width = int(network.steps[0, 6]) + _ROW_BYTES // slab.itemsize
    rows = np.empty((network.rows, width), slab.dtype)
    corners = np.empty_like(slab)
    columns = _columns(slab, radii)
    boxes = slab.size - int(columns[-1]) - 2 * radii[-1]
    flat, out = slab.reshape(-1), corners.reshape(-1)[:boxes]
    run_network(flat, columns, network.steps, network.result, rows, out)
    return corners[
        tuple(slice(n - 2 * r) for n, r in zip(slab.shape, radii, strict=True))
    ]


def _by_counts(slab: Array, radii: tuple[int, ...]) -> Array:
    from segkit.filters.median_kernel import TOGETHER, slide_counts

    whole = slab.astype(np.uint16, copy=False) if slab.itemsize == 1 else slab
    shape = tuple(n - 2 * r for n, r in zip(slab.shape, radii, strict=True))
    steps = np.array(slab.strides[:-1], np.int64) // slab.itemsize
    starts = np.tensordot(steps, np.indices(shape[:-1]), 1).astype(np.int64).reshape(-1)
    values = int(whole.max()) // TOGETHER + 1
    fine, coarse = np.zeros(values * TOGETHER, np.int32), np.zeros(values, np.int32)
    found = np.empty(shape, whole.dtype)
    lines = found.reshape(starts.size, shape[-1])
    columns, length = _columns(slab, radii), 2 * radii[-1] + 1
    slide_counts(whole.reshape(-1), starts, columns, length, fine, coarse, lines)
    return found
