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


def _filling_reach(ndim: int, *, max_size: Any = None, **_: Any) -> Any:
    if max_size is None:
        return None
    # A hole that reached further would hold more voxels: one for each step.
    return (checks.as_integer(max_size, name="max_size", least=0),) * ndim


@known_as("segkit")
@declare_reach(_filling_reach)
def fill_holes(
    mask: ArrayLike, max_size: int | None = None, *, connectivity: int = 1
) -> Mask:
    """Make background foreground that is not connected to the image's border.

    Parameters
    ----------
    mask : array_like, shape (..., z, y, x)
        Zero is background.
    max_size : int, optional
        Holes of more voxels stay; by default none does.
    connectivity : int
        Along how many axes at once two background voxels may differ and be
        neighbours: 1 for faces only, up to the number of axes.

    Returns
    -------
    ndarray of bool, shape of `mask`
        Without `max_size`, as by `scipy.ndimage.binary_fill_holes`.

    See Also
    --------
    remove_small_holes : fills small background at the border, too.

    Notes
    -----
    The reach is `max_size`. Without it a hole may be of any size, so that the reach is
    not finite: on tiles, label the background with `segkit.label`, which is exact over
    tiles, and keep what touches the border.

    Examples
    --------
    >>> fill_holes([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0]]).astype(int)
    array([[1, 1, 1, 0],
           [1, 1, 1, 0],
           [1, 1, 1, 0]])
    >>> fill_holes([1, 0, 1, 0, 0, 1, 0], max_size=1).astype(int)
    array([1, 1, 1, 0, 0, 1, 0])
    """
    labels, sizes = _background(mask, connectivity)
    stays = np.zeros(sizes.size, np.bool_)
    if max_size is not None:
        most = checks.as_integer(max_size, name="max_size", least=0)
        stays |= sizes > most
    for axis in range(labels.ndim):
        stays[labels.take([0, -1], axis).ravel()] = True
    stays[0] = False
    filled: Mask = ~stays[labels]
    return filled


def _removing_reach(ndim: int, *, min_size: Any, **_: Any) -> tuple[int, ...]:
    size = checks.as_integer(min_size, name="min_size", least=0)
    return (max(size - 1, 0),) * ndim


@known_as("segkit")
@declare_reach(_removing_reach)
def remove_small_holes(
    mask: ArrayLike, min_size: int, *, connectivity: int = 1
) -> Mask:
    """Make background foreground whose components have fewer than `min_size` voxels.

    As `skimage.morphology.remove_small_holes`, and unlike `fill_holes`, also where a
    component touches the image's border. The reach is ``min_size - 1``.

    Examples
    --------
    >>> remove_small_holes([0, 1, 0, 0, 1], 2).astype(int)
    array([1, 1, 0, 0, 1])
    """
    least = checks.as_integer(min_size, name="min_size", least=0)
    labels, sizes = _background(mask, connectivity)
    stays = sizes >= least
    stays[0] = False
    filled: Mask = ~stays[labels]
    return filled


def _background(mask: ArrayLike, connectivity: int) -> tuple[Array, Array]:
    """Return the components of the background, and the size of each."""
    array = checks.as_mask(mask)
    if connectivity not in range(1, array.ndim + 1):
        raise ValueError(
            f"connectivity is {connectivity}, but must be from 1 to {array.ndim}"
        )
    labels, count = _components(~array, connectivity)
    return labels, np.bincount(labels.ravel(), minlength=count + 1)


def _components(mask: Mask, connectivity: int) -> tuple[Array, int]:
    """Return labels, numbered in any order, and their count: by cc3d, if installed."""
    neighbours = {2: (4, 8), 3: (6, 18, 26)}.get(mask.ndim)
    if neighbours is not None:
        try:
            from cc3d import connected_components
        except ImportError:
            pass
        else:
            # It makes room for one label in 2 x 2 x 2 voxels: too little for odd sides.
            odd = [(0, length % 2) for length in mask.shape]
            even = np.pad(mask, odd) if np.any(odd) else mask
            number: Any = neighbours[connectivity - 1]
            found: Array = connected_components(even, connectivity=number)
            found = found[tuple(map(slice, mask.shape))]
            return found, int(found.max())
    from scipy import ndimage

    near = ndimage.generate_binary_structure(mask.ndim, connectivity)
    labels, count = ndimage.label(mask, near)
    return labels, int(count)


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
