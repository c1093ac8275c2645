"""Thresholds by what is near each voxel: `ndnt`, `local_threshold`.

Both take an image of any number of axes and any real dtype.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from segkit import checks
from segkit.names import known_as
from segkit.tiling.reaches import UnknownReachError, declare_reach
from segkit.tiling.threads import thread_count
from segkit.windows import rule as window_rule, sums as window_sums
from segkit.windows.rule import Polarity, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask


def _ndnt_reach(
    ndim: int, *, shape: Any, window: Window, **_: Any
) -> tuple[int, ...] | None:
    if shape is None:
        raise UnknownReachError(
            "with shape=None the window of ndnt depends on the size of the image; give "
            "its shape in voxels to run it on tiles"
        )
    before, after = window_rule.extent(shape, (2**62,) * ndim, window)
    return tuple(map(max, before, after))


@known_as("segkit")
@declare_reach(_ndnt_reach)
def ndnt(
    image: ArrayLike,
    shape: int | Sequence[int] | None = None,
    threshold: float = 0.25,
    *,
    percent: float | None = None,
    polarity: Polarity = "dark",
    window: Window = "centred",
    workers: int | None = None,
) -> Mask:
    """Return the voxels that are darker (brighter) than their neighbourhood's mean.

    N-dimensional neighbourhood thresholding [1]_, the generalisation of Bradley's
    adaptive threshold [2]_: a voxel of value ``v`` is foreground if, with ``s`` the
    sum of the ``n`` voxels of its window that lie inside the image (itself included),

    - dark: ``v * n < s - threshold * abs(s)``,
    - bright: ``v * n > s + threshold * abs(s)``,

    that is, if it differs from the mean by more than a fraction of it. A flat
    neighbourhood, whatever its value, holds no foreground.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Any number of axes; bool, integer or float, finite.
    shape : int or sequence of int
        Length of the window along each axis in voxels. None is an eighth of the image
        along each axis (at least 3 voxels); on tiles, give numbers.
    threshold : float
        Fraction of the mean, from 0 to 1.
    percent : float
        The same as a percentage, from 0 to 100, instead of `threshold`.
    polarity : {"dark", "bright"}
        Which side of the mean is foreground.
    window : {"centred", "florin"}
        - "centred": of length n from ``n // 2`` voxels before to ``(n - 1) // 2``
          after the voxel, as `scipy.ndimage.uniform_filter` places it.
        - "florin": with ``h = round(n / 2)``, halves to even, from ``h - 1`` before to
          ``h`` after, and dark with ``<=`` and ``s * (1 - threshold)``: what FLoRIN
          computes, except that FLoRIN leaves index 0 of each axis out of all sums.
          Each length must be at least 2.
    workers : int, optional
        Number of threads; by default this process's share of the processors (see
        `segkit.tiling.threads`). The result does not depend on it.

    Returns
    -------
    ndarray of bool, shape of `image`
        The mask. Extra memory: the mask, and scratch of a few rows (2-D), one plane
        (3-D), for the few floats that need it 0.15 bytes a voxel or 8 MiB. Dtypes
        other than bool, uint8, uint16, int32, int64, float32 and float64 are copied
        to one of these first.

    Raises
    ------
    TypeError
        If the image is not numeric and real.
    ValueError
        If it is empty, looks like a colour picture, holds NaN or infinite values, or
        is so large that sums over the window overflow 64 bits; or if a parameter is
        outside its domain.

    Notes
    -----
    Sums of integers are exact. Floats are summed in float64 by doubling: the error is
    a few units in the last place whatever the window, and tiles give the same bits as
    the whole image. ``v * n`` and the right-hand side are computed in float64. Floats
    of very different magnitudes, or level ground with ``threshold=0``, take longer:
    whole numbers, which decide most other voxels at once, are too coarse for them.
    The reach is the longer side of the window; 2-D and 3-D images run in one compiled
    pass (the first call compiles), others in numpy, with the same results.

    References
    ----------
    .. [1] Shahbazi, A., Kinnison, J., et al. "Flexible learning-free segmentation and
       reconstruction of neural volumes", Scientific Reports 8:14247, 2018.
    .. [2] Bradley, D. and Roth, G. "Adaptive thresholding using the integral image",
       Journal of Graphics Tools 12(2):13-21, 2007.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([9, 9, 9, 2, 9, 9, 9], np.uint8)
    >>> ndnt(image, 3).astype(int)
    array([0, 0, 0, 1, 0, 0, 0])
    >>> ndnt(image, 3, 0.3, polarity="bright").astype(int)
    array([0, 0, 1, 0, 1, 0, 0])
    >>> bool(np.array_equal(ndnt(image, 3, percent=30), ndnt(image, 3, 0.3)))
    True
    >>> ndnt(np.zeros((4, 4)), 3).any()
    np.False_
    """
    array = checks.as_image(image, finite=False)
    checks.one_of(polarity, get_args(Polarity), name="polarity")
    fraction = window_rule.fraction_of(threshold, percent)
    threads = thread_count(workers, array.size // 4)  # a nanosecond each
    resolved = window_rule.default_shape(array, window) if shape is None else shape
    if np.ndim(resolved) == 0:
        checks.require_grey(array)
    before, after = window_rule.extent(resolved, array.shape, window)
    rule = window_rule.WindowRule(
        before, after, *window_rule.factors(fraction, polarity, window)
    )
    return window_sums.mask(array, rule, threads)


def _local_reach(ndim: int, *, shape: Any, method: str, **_: Any) -> tuple[int, ...]:
    sizes = checks.per_axis(shape, ndim, name="shape", least=1)
    if method == "gaussian":
        # The standard deviation at which six of them span the window.
        return tuple(int(4 * n / 6 + 0.5) for n in sizes)
    return tuple(n // 2 for n in sizes)


@known_as("segkit")
@declare_reach(_local_reach)
def local_threshold(
    image: ArrayLike,
    shape: int | Sequence[int],
    *,
    method: Literal["mean", "gaussian", "median"] = "gaussian",
    offset: float = 0.0,
    workers: int | None = None,
) -> Array:
    """Return a threshold for each voxel: an average of its neighbourhood.

    ``image > local_threshold(image, shape)`` is the mask of bright objects.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float, finite.
    shape : int or sequence of int
        Length of the neighbourhood along each axis in voxels; odd for "median". For
        "gaussian" the standard deviation is a sixth of it.
    method : {"mean", "gaussian", "median"}
        How to average. At the image's border the mean is that of the window's part
        inside, the median takes the nearest voxel for one beyond, and the Gaussian
        mirrors the image.
    offset : float
        Is subtracted from the average, in grey values.
    workers : int, optional
        Number of threads of "gaussian" and "median"; see `segkit.tiling.threads`.

    Returns
    -------
    ndarray of float32 or float64, shape of `image`

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([1, 1, 5, 1, 1, 11, 11, 15, 11, 11])
    >>> (image > local_threshold(image, 5, method="median")).astype(int)
    array([0, 0, 1, 0, 0, 0, 0, 1, 0, 0])
    """
    from segkit.filters import smoothing

    array = checks.as_image(image)
    sizes = checks.per_axis(shape, array.ndim, name="shape", least=1)
    if method == "gaussian":
        average = smoothing.gaussian(array, [n / 6 for n in sizes], workers=workers)
    elif method == "mean":
        average = smoothing.uniform(array, sizes)
    elif method == "median":
        if not all(n % 2 for n in sizes):
            raise ValueError(f"shape is {shape}, but must be odd for a median")
        radii = [n // 2 for n in sizes]
        average = smoothing.median(array, radii, workers=workers).astype(np.float64)
    else:
        raise ValueError(f"unknown method {method!r}; use mean, gaussian or median")
    local: Array = average - average.dtype.type(offset)
    return local
