"""Tell foreground from background by grey value, without learning.

Thresholds of the whole image (`threshold`, `multi_otsu`, `try_all`), and with two
levels (`hysteresis`). All functions take an image of any number of axes and any real
dtype, and return a new boolean mask, or the numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks
from segkit.names import known_as
from segkit.thresholding import whole_image
from segkit.tiling.reaches import declare_reach, unlimited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from segkit.arrays import Mask

Method: TypeAlias = Literal[
    "otsu", "li", "mean", "triangle", "rc", "isodata", "minimum", "yen"
]

_MOST_LEVELS = 1 << 14


@known_as("segkit")
def threshold(
    image: ArrayLike, method: Method = "otsu", *, workers: int | None = None
) -> float:
    """Return the grey value that separates foreground from background.

    ``image > threshold(image)`` is the mask of bright objects.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    method : {"otsu", "li", "mean", "triangle", "rc", "isodata", "minimum", "yen"}
        Greatest variance between classes; least cross-entropy; mean grey value;
        furthest from the histogram's hypotenuse; lowest value halfway between the
        class means (Ridler & Calvard); the same from the histogram's bins; minimum
        between two peaks; Yen's correlation criterion. By scikit-image, but for "mean"
        and "rc" (as mahotas defines it).
    workers : int, optional
        Number of threads (see `segkit.tiling.threads`), in which integers are counted.

    Returns
    -------
    float
        In grey values. A flat image's own value, so that nothing is above it.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey, finite and non-empty, the method is unknown or
        finds no threshold ("minimum" without two peaks).

    Notes
    -----
    Histograms have one bin for each value of integers that span at most 65,536
    values, wherever these lie, else 256. The result is rounded to float64, which
    tells integers apart up to 2**53. It depends on the whole image: on tiles, compute
    it first and compare then.

    References
    ----------
    .. [1] Sezgin, M. and Sankur, B. "Survey over image thresholding techniques",
       Journal of Electronic Imaging 13(1):146-165, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([10, 11, 12, 11, 90, 92], np.uint8)
    >>> threshold(image, "rc")
    51.0
    >>> (image > threshold(image)).astype(int)
    array([0, 0, 0, 0, 1, 1])
    """
    array = checks.as_image(image)
    checks.one_of(method, get_args(Method), name="method")
    return whole_image.compute(whole_image.levels_of(array, workers), method)


@known_as("segkit")
def multi_otsu(
    image: ArrayLike, classes: int = 3, *, workers: int | None = None
) -> tuple[float, ...]:
    """Return the ``classes - 1`` thresholds with the greatest variance between classes.

    ``numpy.digitize(image, thresholds, right=True)`` gives the classes.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite, of at least `classes` different values. Floats
        are counted in 256 bins, integers one by one if they span at most 16,384 values.
    classes : int
        Number of classes, at least 2; the work grows steeply with it, and with the
        square of the values that integers span.
    workers : int, optional
        As for `threshold`.

    References
    ----------
    .. [1] Liao, P.-S., Chen, T.-S. and Chung, P.-C. "A fast algorithm for multilevel
       thresholding", Journal of Information Science and Engineering 17:713-727, 2001.

    Examples
    --------
    >>> [round(t) for t in multi_otsu([1, 1, 2, 50, 51, 51, 90, 91], 3)]
    [2, 51]
    """
    from skimage.filters import threshold_multiotsu

    array = checks.as_image(image)
    classes = checks.as_integer(classes, name="classes", least=2)
    levels = whole_image.levels_of(array, workers)
    counts = levels.counts
    values = np.unique(array if counts is None else levels.values[counts > 0])
    if values.size < classes:
        raise ValueError(
            f"image has {values.size} different values, too few for {classes} classes"
        )
    if values.size == classes:
        base = 0 if counts is None else levels.base
        return tuple(base + float(v) for v in values[:-1])
    # scikit-image's functions are not typed, here and below.
    if counts is None:
        found = threshold_multiotsu(levels.values, classes)  # type: ignore[no-untyped-call]
    else:
        if counts.size > _MOST_LEVELS:
            raise ValueError(
                f"image spans {counts.size} grey values, multi_otsu takes time and "
                f"memory by their square, at most {_MOST_LEVELS}; give it fewer, as "
                f"in multi_otsu(image // {-(-counts.size // 1024)})"
            )
        hist = counts / counts.sum(), levels.values
        found = threshold_multiotsu(classes=classes, hist=hist)  # type: ignore[no-untyped-call]
    return tuple(levels.base + float(t) for t in found)


@known_as("segkit")
@declare_reach(unlimited)
def hysteresis(image: ArrayLike, low: float, high: float) -> Mask:
    """Return the voxels above `low` that are connected to one above `high`.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    low, high : float
        Grey values, ``low <= high``. Voxels are connected through faces, by voxels
        above `low`.

    Examples
    --------
    >>> hysteresis([1, 3, 5, 3, 1, 3, 1], 2, 4).astype(int)
    array([0, 1, 1, 1, 0, 0, 0])
    """
    from skimage.filters import apply_hysteresis_threshold

    array = checks.as_image(image)
    if not low <= high:
        raise ValueError(
            f"low is {low} and high {high}, but low must not be above high"
        )
    found = apply_hysteresis_threshold(array, low, high)  # type: ignore[no-untyped-call]
    mask: Mask = found.astype(np.bool_)
    return mask


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class Trial:
    """What a method of `threshold` makes of an image.

    `threshold` in grey values, NaN if the method found none; `fraction` of voxels
    above it; `objects`, the number of connected components (through faces); `mask`.
    """

    threshold: float
    fraction: float
    objects: int
    mask: Mask


@known_as("segkit")
def try_all(
    image: ArrayLike,
    methods: Sequence[Method] = get_args(Method),
    *,
    workers: int | None = None,
) -> dict[str, Trial]:
    """Try methods of `threshold` on one image, to choose by numbers and pictures.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    methods : sequence of str
        What to try.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    dict of str to Trial
        By method, in the order of `methods`; `segkit.contact_sheet` makes a picture
        of it.

    Examples
    --------
    >>> for method, trial in try_all([1, 1, 2, 9, 9, 2], ["otsu", "mean"]).items():
    ...     print(method, trial.threshold, round(trial.fraction, 2), trial.objects)
    otsu 2.0 0.33 1
    mean 4.0 0.33 1
    """
    from scipy import ndimage

    array = checks.as_image(image)
    levels = whole_image.levels_of(array, workers)
    trials: dict[str, Trial] = {}
    for method in methods:
        checks.one_of(method, get_args(Method), name="method")
        try:
            level = whole_image.compute(levels, method)
        except ValueError:  # this method finds none; the others may
            level = math.nan
        mask: Mask = array > level
        trials[method] = Trial(
            level, float(mask.mean()), int(ndimage.label(mask)[1]), mask
        )
    return trials
