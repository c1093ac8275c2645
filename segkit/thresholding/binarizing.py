"""Masks by thresholds: which voxels are above a level of the whole or nearby.

`segkit.thresholding` computes the levels; these make masks, as steps of a pipeline do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from segkit import checks
from segkit.names import known_as
from segkit.thresholding import methods, nearby
from segkit.tiling.reaches import declare_reach, reach, unlimited
from segkit.windows.rule import Polarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from segkit.arrays import Mask


@known_as("segkit")
@declare_reach(unlimited)
def binarize(
    image: ArrayLike,
    method: methods.Method = "otsu",
    *,
    polarity: Polarity = "bright",
    workers: int | None = None,
) -> Mask:
    """Return the voxels on one side of a threshold of the whole image.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    method : str
        As for `segkit.threshold`.
    polarity : {"bright", "dark"}
        Whether objects are above the threshold, or at most at it.
    workers : int, optional
        As for `segkit.threshold`.

    Returns
    -------
    ndarray of bool, shape of `image`

    Examples
    --------
    >>> binarize([1, 2, 1, 9, 8, 9, 1], "mean").astype(int)
    array([0, 0, 0, 1, 1, 1, 0])
    >>> binarize([1, 2, 1, 9, 8, 9, 1], "mean", polarity="dark").astype(int)
    array([1, 1, 1, 0, 0, 0, 1])
    """
    array = checks.as_image(image)
    return _on_side(array, methods.threshold(array, method, workers=workers), polarity)


def _local_reach(
    ndim: int, *, shape: Any, method: Any, **_: Any
) -> tuple[int, ...] | None:
    return reach(nearby.local_threshold, ndim, shape=shape, method=method)


@known_as("segkit")
@declare_reach(_local_reach)
def binarize_local(
    image: ArrayLike,
    shape: int | Sequence[int],
    *,
    method: Literal["mean", "gaussian", "median"] = "gaussian",
    offset: float = 0.0,
    polarity: Polarity = "bright",
    workers: int | None = None,
) -> Mask:
    """Return the voxels on one side of an average of their neighbourhood.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    shape, method, offset
        As for `segkit.local_threshold`.
    polarity : {"bright", "dark"}
        Whether objects are above the threshold, or at most at it.
    workers : int, optional
        As for `segkit.local_threshold`.

    Returns
    -------
    ndarray of bool, shape of `image`

    Examples
    --------
    >>> image = [1, 1, 5, 1, 1, 11, 11, 15, 11, 11]
    >>> binarize_local(image, 5, method="median").astype(int)
    array([0, 0, 1, 0, 0, 0, 0, 1, 0, 0])
    """
    array = checks.as_image(image)
    levels = nearby.local_threshold(
        array, shape, method=method, offset=offset, workers=workers
    )
    return _on_side(array, levels, polarity)


def _on_side(array: NDArray[Any], level: Any, polarity: Polarity) -> Mask:
    checks.one_of(polarity, get_args(Polarity), name="polarity")
    mask: Mask = array > level if polarity == "bright" else array <= level
    return mask
