"""Medians over boxes: by OpenCV, where it is installed and fits, else by SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from segkit.arrays import Array


def beyond_float64(image: Array) -> bool:
    """Return whether an image holds integers that float64 may not tell apart."""
    if image.dtype.kind not in "iu" or image.dtype.itemsize < 8:
        return False
    return max(-int(image.min()), int(image.max())) > 2**53


def median_over_box(array: Array, radii: tuple[int, ...]) -> Array:
    """Return the median of values that float64 can tell apart (see above)."""
    fast = _opencv_median(array, radii)
    if fast is not None:
        return fast
    from scipy import ndimage

    box = tuple(2 * r + 1 for r in radii)
    try:
        found: Array = ndimage.median_filter(_scipy_dtype(array), box, mode="nearest")
    except MemoryError:
        raise MemoryError(
            f"the median over a box of {' x '.join(map(str, box))} voxels takes more"
            " memory than there is; take a smaller radius, or shrink the image first"
        ) from None
    return found.astype(array.dtype, copy=False)


def _opencv_median(image: Array, radii: tuple[int, ...]) -> Array | None:
    """Return OpenCV's median filter, or None where it has none for this case."""
    if image.ndim != 2 or radii[0] != radii[1] or not 1 <= radii[0] <= 127:
        return None
    small = radii[0] <= 2 and image.dtype in (np.uint16, np.int16, np.float32)
    if image.dtype != np.uint8 and not small:
        return None
    try:
        import cv2
    except ImportError:
        return None
    found: Array = cv2.medianBlur(np.ascontiguousarray(image), 2 * radii[0] + 1)
    return found


def _scipy_dtype(image: Array) -> Array:
    """Return the image in a dtype that SciPy's filters know: float16 is none."""
    if image.dtype.kind == "f" and image.dtype.itemsize < 4:
        return image.astype(np.float32)
    return image.astype(image.dtype.newbyteorder("="), copy=False)
