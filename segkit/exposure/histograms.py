"""The histogram of a whole image, and what makes it even."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, extents
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach, unlimited

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Array, PerAxis


@known_as("segkit")
def histogram(image: ArrayLike, bins: int = 256) -> tuple[NDArray[np.int64], Array]:
    """Return how often grey values occur.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    bins : int
        Of floats: how many equal parts the range of the image is cut into. Each whole
        number from the lowest to the highest has a bin of its own.

    Returns
    -------
    counts : ndarray of int64, shape (bins,)
    values : ndarray, shape (bins,)
        The centre of each bin. By `skimage.exposure.histogram`.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or `bins` no number from 1 on.

    Examples
    --------
    >>> histogram([3, 5, 5])
    (array([1, 0, 2]), array([3, 4, 5]))
    """
    exposure: Any = import_module("skimage.exposure")

    array = _grey(image)
    number = _bins(bins)
    counts, values = exposure.histogram(array, number)
    return counts.astype(np.int64), values


@known_as("segkit")
def cumulative_distribution(
    image: ArrayLike, bins: int = 256
) -> tuple[NDArray[np.float64], Array]:
    """Return which share of an image is at most as bright as each grey value.

    Parameters
    ----------
    image, bins
        As in `histogram`.

    Returns
    -------
    shares : ndarray of float64, shape (bins,)
        Rising to 1.
    values : ndarray, shape (bins,)
        The centre of each bin.

    Examples
    --------
    >>> shares, values = cumulative_distribution([3, 5, 5, 5])
    >>> shares.tolist(), values.tolist()
    ([0.25, 0.25, 1.0], [3, 4, 5])
    """
    counts, values = histogram(image, bins)
    total = counts.cumsum()
    return total / total[-1], values


@known_as("segkit")
@declare_reach(unlimited)
def equalize_hist(image: ArrayLike, *, bins: int = 256) -> NDArray[np.float64]:
    """Replace each grey value by the share of the image that is not brighter.

    It takes the histogram of the whole image: a pipeline runs the step on the whole.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    bins : int
        Of the histogram, see `histogram`.

    Returns
    -------
    ndarray of float64, shape of `image`
        From 0 to 1 (float32 of floats of up to 32 bits). By
        `skimage.exposure.equalize_hist`.

    Examples
    --------
    >>> equalize_hist([3, 5, 5, 6])
    array([0.25, 0.75, 0.75, 1.  ])
    """
    exposure: Any = import_module("skimage.exposure")

    number = _bins(bins)
    found: NDArray[np.float64] = exposure.equalize_hist(_grey(image), number)
    return found


@known_as("segkit")
@declare_reach(unlimited)
def equalize_adapthist(
    image: ArrayLike,
    *,
    kernel_size: PerAxis | None = None,
    clip_limit: float = 0.01,
    bins: int = 256,
) -> Array:
    """Even out the contrast of each neighbourhood, within a limit (CLAHE [1]_).

    Grey values are first stretched by the lowest and highest of the whole image, and
    neighbourhoods are laid out from its corner: a pipeline runs the step on the whole.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    kernel_size : int or sequence of int, optional
        Length of a neighbourhood along each axis, in voxels; by default an eighth of
        the image.
    clip_limit : float
        From 0 to 1: higher ones give more contrast.
    bins : int
        Grey values that are told apart.

    Returns
    -------
    ndarray of float64, shape of `image`
        From 0 to 1 (float32 of floats of up to 32 bits). By
        `skimage.exposure.equalize_adapthist`.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or an argument not as said.

    References
    ----------
    .. [1] Zuiderveld, K. "Contrast limited adaptive histogram equalization", Graphics
       Gems IV, 474-485, 1994.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(16.0), (16, 1))
    >>> equalize_adapthist(ramp, kernel_size=8).max()
    np.float64(1.0)
    """
    exposure: Any = import_module("skimage.exposure")

    array = _grey(image)
    limit = checks.require_fraction(clip_limit, name="clip_limit")
    number = _bins(bins)
    size: Any = None
    if kernel_size is not None:
        size = checks.per_axis(kernel_size, array.ndim, name="kernel_size", least=1)
        extents.require_room(size, name="kernel_size")
    if array.min() == array.max():
        dtype = np.float32 if array.dtype == np.float32 else np.float64
        return np.zeros(array.shape, dtype)  # nothing to stretch
    floats = array if array.dtype == np.float32 else array.astype(np.float64)
    # Stretched here, for scikit-image takes floats from -1 to 1 only.
    low, high = floats.min(), floats.max()
    stretched = (floats - low) / (high - low)
    found: Array = exposure.equalize_adapthist(stretched, size, limit, number)
    return found


def _bins(bins: int) -> int:
    number = checks.as_integer(bins, name="bins", least=1)
    extents.require_room([number], name="bins", most=2.0**24)
    return number


def _grey(image: ArrayLike) -> Array:
    array = checks.native(checks.as_image(image))
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    return array.astype(np.float32) if array.dtype == np.float16 else array
