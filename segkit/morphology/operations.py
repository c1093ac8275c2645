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
from segkit.tiling.reaches import declare_reach, unlimited

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
    return dilation(erosion(image, radius, shape=shape), radius, shape=shape)


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
    return erosion(dilation(image, radius, shape=shape), radius, shape=shape)


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


@known_as("segkit")
@declare_reach(unlimited)
def h_maxima(image: ArrayLike, h: float) -> Mask:
    """Return the maxima that stand out from their surroundings by at least `h`.

    A regional maximum of height `v` is kept if every path from it to a higher voxel
    goes down to `v - h` or lower [1]_. In an image whose values span less than `h`
    nothing stands out.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Integer or float, finite; compared as float64.
    h : float
        Prominence in grey values, positive.

    Returns
    -------
    ndarray of bool, shape of `image`

    References
    ----------
    .. [1] Soille, P. "Morphological Image Analysis", 2nd ed., section 6.3.4, 2003.

    Examples
    --------
    >>> h_maxima([0, 5, 4, 6, 0, 2, 0], 2).astype(int)
    array([0, 0, 0, 1, 0, 1, 0])
    """
    from skimage.morphology import reconstruction

    array = checks.as_image(image).astype(np.float64)
    if not h > 0:
        raise ValueError(f"h is {h}, but must be positive")
    with np.errstate(over="ignore"):
        if array.max() - array.min() < h:
            return np.zeros(array.shape, np.bool_)
        lowered = array - h
        rounded = (lowered + h != array) | (lowered == array)
    if rounded.any():  # values may have become equal: tell them apart
        array, lowered = _ranks(array, h)
    # What is lowered by h and not raised again by its surroundings stands out.
    raised = reconstruction(lowered, array)  # type: ignore[no-untyped-call]  # no types
    tops: Mask = raised == lowered
    return tops


def _ranks(image: Array, h: float) -> tuple[Array, Array]:
    """Return ranks of values, and of these lowered by `h` between which they lie.

    What is lowered from a higher value stays higher, if only by a fraction.
    """
    values, ranks = np.unique(image, return_inverse=True)
    order = np.arange(values.size)
    with np.errstate(over="ignore"):
        reached = np.searchsorted(values, values - h, side="right")
    lowered = np.minimum(reached, order) - 1 + (order + 1) / (values.size + 1)
    ranks = ranks.reshape(image.shape)
    return ranks.astype(np.float64), lowered[ranks]
