"""Edges: how steep an image is, and where its steepest lines are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from segkit import checks, extents
from segkit.filters.derivatives import as_floats
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach, unlimited

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask

EdgeFilter: TypeAlias = Literal["sobel", "scharr", "prewitt", "roberts"]


@known_as("segkit")
@declare_reach(lambda ndim, **_: (1,) * ndim)
def edges(image: ArrayLike, method: EdgeFilter = "sobel") -> Array:
    """Return how steep an image is at each voxel, by differences of neighbours.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    method : {"sobel", "scharr", "prewitt", "roberts"}
        The weights of the neighbours; "roberts" is for planes.

    Returns
    -------
    ndarray of float32 or float64, shape of `image`
        The root mean square, over all axes, of the difference of both neighbours.
        float32 for float16 and float32. Those of the function of that name in
        `skimage.filters`, which divides integers by the largest of their dtype first.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, the method unknown, or "roberts" is
        asked for of other than planes.

    Examples
    --------
    >>> import numpy as np
    >>> edges(np.array([0, 0, 4, 4]))
    array([0., 4., 4., 0.])
    """
    filters: Any = import_module("skimage.filters")

    array = as_floats(image)
    checks.one_of(method, get_args(EdgeFilter), name="method")
    if method == "roberts" and array.ndim != 2:
        raise ValueError(
            f"method 'roberts' is for planes, not for {array.ndim} axes; use 'sobel'"
        )
    found: Array = getattr(filters, method)(array)
    return abs(found)  # of one axis it is the slope itself


@known_as("segkit")
@declare_reach(unlimited)
def canny(image: ArrayLike, low: float, high: float, *, sigma: float = 1.0) -> Mask:
    """Return thin lines along the steepest places of a plane, after Canny [1]_.

    Lines follow weak edges from strong ones on, however far, so that no halo is large
    enough: a pipeline runs the step on the whole image.

    Parameters
    ----------
    image : array_like, shape (y, x)
        Bool, integer or float, finite.
    low : float
        Of weak edges, which count where they touch strong ones: about 4 times the
        difference of both neighbours in the smoothed image (that is scikit-image's).
    high : float
        Of strong edges, by the same measure.
    sigma : float
        Standard deviation of the Gaussian that smooths the image first, in voxels.

    Returns
    -------
    ndarray of bool, shape of `image`
        By `skimage.feature.canny` of the image as floats.

    Raises
    ------
    TypeError, ValueError
        If the image is no real, grey, finite plane, `sigma` not positive, or `low` not
        from 0 to `high`.

    References
    ----------
    .. [1] Canny, J. "A computational approach to edge detection", IEEE Transactions on
       Pattern Analysis and Machine Intelligence 8:679-714, 1986.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((7, 7))
    >>> image[:, 4:] = 9
    >>> canny(image, 1, 2).astype(int)[3]
    array([0, 0, 0, 0, 1, 0, 0])
    """
    feature: Any = import_module("skimage.feature")

    array = as_floats(image)
    if array.ndim != 2:
        raise ValueError(
            f"canny is for planes, not for {array.ndim} axes; give one plane, or use"
            " edges() and hysteresis()"
        )
    weak = checks.as_finite(low, name="low", least=0)
    strong = checks.as_finite(high, name="high", least=0)
    if weak > strong:
        raise ValueError(f"low is {low}, above high, {high}; give the lower one first")
    width = checks.as_positive(sigma, name="sigma")
    extents.require_room([8 * width], name="sigma")
    options: dict[str, Any] = {"low_threshold": weak, "high_threshold": strong}
    lines: Mask = feature.canny(array, width, mode="reflect", **options)
    return lines
