"""Maxima: of a box around a voxel, and of regions of equal values."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import lowest
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach, unlimited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask, PerAxis


@known_as("segkit")
@declare_reach(
    lambda ndim, *, radius, **_: checks.per_axis(radius, ndim, name="radius")
)
def peaks(
    image: ArrayLike, radius: PerAxis = 1, *, threshold: float = -math.inf
) -> Mask:
    """Return the voxels that are the highest of the box around them.

    Of equal ones in a box, only the first in raster order is a peak, so that no two
    peaks lie in one box. To find maxima that stand out from their surroundings, however
    wide, use `h_maxima`.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    radius : int or sequence of int
        Half the length of the box along each axis, without the centre, in voxels: peaks
        are further apart along at least one axis.
    threshold : float
        Peaks are above it. By default, all are that are above the lowest value of the
        dtype.

    Returns
    -------
    ndarray of bool, shape of `image`
        Where no values are equal, those of `skimage.feature.peak_local_max` with
        ``min_distance=radius, exclude_border=False``, which in ties chooses by the
        order of the whole image.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, a radius is negative or no integer,
        or `threshold` no number.

    Examples
    --------
    >>> import numpy as np
    >>> peaks(np.array([0, 5, 5, 0, 7, 9, 1])).astype(int)
    array([0, 1, 0, 0, 0, 1, 0])
    """
    array = checks.native(checks.as_image(image))
    radii = checks.per_axis(radius, array.ndim, name="radius", least=0)
    level = checks.as_number(threshold, name="threshold")
    if math.isnan(level):
        raise ValueError("threshold is NaN, but must be a number")
    within = [min(radius, n) for radius, n in zip(radii, array.shape, strict=True)]
    found = first_maxima(array, within)
    return found if level == -math.inf else found & (array > level)


def first_maxima(image: Array, radii: Sequence[int]) -> Mask:
    """Return voxels above all that come earlier in their box, and not below any."""
    from scipy import ndimage

    array = image.view(np.uint8) if image.dtype.kind == "b" else image
    if array.dtype == np.float16:  # which SciPy does not take
        array = array.astype(np.float32)
    bottom = lowest(array.dtype)
    maxima: Mask = array > bottom
    around = array
    for axis in reversed(range(array.ndim)):
        radius = radii[axis]
        if not radius:
            continue
        # Of what comes earlier in the box: the same along earlier axes, less on this.
        before = _along([(radius, 0)], axis, array.ndim)
        padded = np.pad(around, before, constant_values=bottom)
        behind = ndimage.maximum_filter1d(padded, radius, axis, mode="nearest")
        part = [slice(None)] * array.ndim
        part[axis] = slice(radius // 2, radius // 2 + array.shape[axis])
        maxima &= array > behind[tuple(part)]
        around = ndimage.maximum_filter1d(around, 2 * radius + 1, axis, mode="nearest")
    maxima &= array >= around
    return maxima


def _along(width: list[tuple[int, int]], axis: int, ndim: int) -> list[tuple[int, int]]:
    return [(0, 0)] * axis + width + [(0, 0)] * (ndim - axis - 1)


@known_as("segkit")
@declare_reach(unlimited)
def local_maxima(image: ArrayLike, *, connectivity: int | None = None) -> Mask:
    """Return the regions of equal values that have only lower neighbours.

    Such a region may be of any size, so that no halo is large enough: a pipeline runs
    the step on the whole image. `peaks` has a reach.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    connectivity : int, optional
        Along how many axes at once neighbours may differ; by default all.

    Returns
    -------
    ndarray of bool, shape of `image`
        By `skimage.morphology.local_maxima`; an image of one value has none.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or `connectivity` not from 1 to the
        number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> local_maxima(np.array([0, 5, 5, 0, 7, 9, 1])).astype(int)
    array([0, 1, 1, 0, 0, 1, 0])
    """
    morphology: Any = import_module("skimage.morphology")

    array = checks.native(checks.as_image(image))
    near = as_connectivity(connectivity, array.ndim)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    found: Any = morphology.local_maxima(array, connectivity=near)
    return np.asarray(found, np.bool_)


def as_connectivity(connectivity: int | None, ndim: int) -> int:
    """Return a connectivity, by default the largest; raise unless 1 to `ndim`.

    Examples
    --------
    >>> as_connectivity(None, 3)
    3
    """
    if connectivity is None:
        return ndim
    near = checks.as_integer(connectivity, name="connectivity", least=1)
    if near > ndim:
        raise ValueError(
            f"connectivity is {near}, but the image has {ndim} axes; give 1 to {ndim}"
        )
    return near
