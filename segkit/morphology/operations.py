"""Flat morphology of masks and grey images, of any number of axes, exact on tiles.

Outside the image there is nothing: erosion and dilation take the minimum and maximum
over that part of the footprint that lies inside the image, so that an object that
touches the border is not eaten from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import PerAxis  # noqa: TC001 - steps check them
from segkit.morphology.flat import Shape, difference, flat
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask


def _once(ndim: int, *, radius: Any, **_: Any) -> tuple[int, ...]:
    return checks.per_axis(radius, ndim, name="radius", least=0)


def _twice(ndim: int, *, radius: Any, **_: Any) -> tuple[int, ...]:
    return tuple(2 * r for r in _once(ndim, radius=radius))


@known_as("segkit")
@declare_reach(_once)
def erosion(image: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball") -> Array:
    """Return the smallest value within the footprint around each voxel.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Mask or grey image: bool, integer or float, finite.
    radius : int or sequence of int
        Radius of the footprint along each axis in voxels.
    shape : {"ball", "box", "diamond"}
        Its shape, see `footprint`.

    Returns
    -------
    ndarray, dtype and shape of `image`

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey, finite and non-empty, or `radius` is negative.

    Examples
    --------
    >>> erosion([5, 5, 1, 5, 5])
    array([5, 1, 1, 1, 5])
    """
    return flat(checks.as_image(image), radius, shape, np.minimum)


@known_as("segkit")
@declare_reach(_once)
def dilation(image: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball") -> Array:
    """Return the largest value within the footprint; parameters as `erosion`.

    Examples
    --------
    >>> dilation([False, False, True, False, False])
    array([False,  True,  True,  True, False])
    """
    return flat(checks.as_image(image), radius, shape, np.maximum)


@known_as("segkit")
@declare_reach(_twice)
def opening(image: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball") -> Array:
    """Remove what is bright and smaller than the footprint: dilate the erosion.

    Parameters as `erosion`; the reach is twice the radius.

    Examples
    --------
    >>> opening([0, 9, 0, 7, 8, 9, 0])
    array([0, 0, 0, 7, 7, 7, 0])
    """
    return flat(checks.as_image(image), radius, shape, np.minimum, np.maximum)


@known_as("segkit")
@declare_reach(_twice)
def closing(image: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball") -> Array:
    """Fill what is dark and smaller than the footprint: erode the dilation.

    Parameters as `erosion`; the reach is twice the radius.

    Examples
    --------
    >>> closing([9, 0, 9, 9, 0, 0, 0, 9])
    array([9, 9, 9, 9, 0, 0, 0, 9])
    """
    return flat(checks.as_image(image), radius, shape, np.maximum, np.minimum)


@known_as("segkit")
@declare_reach(_twice)
def white_tophat(
    image: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball"
) -> Array:
    """Return what `opening` removes: the image minus its opening, in its dtype.

    Raises
    ------
    ValueError
        As `erosion`, and if the dtype does not hold a difference: that of -128 and
        127 is too large for int8. Convert the image to a wider dtype first.

    Examples
    --------
    >>> white_tophat([3, 9, 3, 7, 8, 9, 3])
    array([0, 6, 0, 0, 1, 2, 0])
    """
    array = checks.as_image(image)
    return difference(array, opening(array, radius, shape=shape))


@known_as("segkit")
@declare_reach(_twice)
def black_tophat(
    image: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball"
) -> Array:
    """Return what `closing` fills: the closing minus the image; as `white_tophat`.

    Examples
    --------
    >>> black_tophat([9, 0, 9, 9, 0, 0, 0, 9])
    array([0, 9, 0, 0, 0, 0, 0, 0])
    """
    array = checks.as_image(image)
    return difference(closing(array, radius, shape=shape), array)


@known_as("segkit")
@declare_reach(_once)
def binary_erosion(
    mask: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball"
) -> Mask:
    """Return `erosion` of a mask in which all but zero is foreground.

    Examples
    --------
    >>> binary_erosion([0, 255, 255, 255, 0]).astype(int)
    array([0, 0, 1, 0, 0])
    """
    return erosion(checks.as_mask(mask), radius, shape=shape)


@known_as("segkit")
@declare_reach(_once)
def binary_dilation(
    mask: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball"
) -> Mask:
    """Return `dilation` of a mask in which all but zero is foreground.

    Examples
    --------
    >>> binary_dilation([0, 0, 255, 0]).astype(int)
    array([0, 1, 1, 1])
    """
    return dilation(checks.as_mask(mask), radius, shape=shape)


@known_as("segkit")
@declare_reach(_twice)
def binary_opening(
    mask: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball"
) -> Mask:
    """Return `opening` of a mask in which all but zero is foreground.

    Examples
    --------
    >>> binary_opening([0, 1, 0, 1, 1, 1]).astype(int)
    array([0, 0, 0, 1, 1, 1])
    """
    return opening(checks.as_mask(mask), radius, shape=shape)


@known_as("segkit")
@declare_reach(_twice)
def binary_closing(
    mask: ArrayLike, radius: PerAxis = 1, *, shape: Shape = "ball"
) -> Mask:
    """Return `closing` of a mask in which all but zero is foreground.

    Examples
    --------
    >>> binary_closing([1, 0, 1, 0, 0, 0]).astype(int)
    array([1, 1, 1, 0, 0, 0])
    """
    return closing(checks.as_mask(mask), radius, shape=shape)
