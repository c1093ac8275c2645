"""Tell foreground from background by grey value, without learning.

Thresholds of the whole image (`threshold`, `multi_otsu`, `try_all`), of each voxel's
neighbourhood (`ndnt`, `local_threshold`), and with two levels (`hysteresis`). All
functions take an image of any number of axes and any real dtype, and return a new
boolean mask, or the numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segkit import _compiled, _ndnt, checks
from segkit.reach import declare_reach

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[Any]
Mask: TypeAlias = NDArray[np.bool_]
Polarity: TypeAlias = Literal["dark", "bright"]
Window: TypeAlias = Literal["centred", "florin"]
Method: TypeAlias = Literal[
    "otsu", "li", "mean", "triangle", "rc", "isodata", "minimum", "yen"
]


def _ndnt_reach(
    ndim: int, *, shape: Any, window: Window, **_: Any
) -> tuple[int, ...] | None:
    if shape is None:
        raise ValueError(
            "with shape=None the window of ndnt depends on the size of the image; give "
            "its shape in voxels to run it on tiles"
        )
    before, after = _extent(shape, (2**62,) * ndim, window)
    return tuple(map(max, before, after))


@declare_reach(_ndnt_reach)
def ndnt(
    image: ArrayLike,
    shape: int | Sequence[int] | None = None,
    threshold: float = 0.25,
    *,
    percent: float | None = None,
    polarity: Polarity = "dark",
    window: Window = "centred",
    threads: int = 1,
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
    threads : int
        Number of threads; the result does not depend on it.

    Returns
    -------
    ndarray of bool, shape of `image`
        The mask. Extra memory: the mask, and scratch of a few rows (2-D), one plane
        (integers, 3-D) or at most 0.15 bytes a voxel or 8 MiB (floats, 3-D).

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
    the whole image. ``v * n`` and the right-hand side are computed in float64.
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
    _one_of(polarity, Polarity, "polarity")
    fraction = _fraction(threshold, percent)
    (threads,) = checks.per_axis(threads, 1, name="threads", least=1)
    resolved = _default_shape(array, window) if shape is None else shape
    if np.ndim(resolved) == 0:
        checks.require_grey(array)
    before, after = _extent(resolved, array.shape, window)
    rule = _ndnt.Rule(before, after, *_factors(fraction, polarity, window))
    return _mask(_native(array), rule, threads)


def _one_of(value: Any, choices: Any, name: str) -> None:
    allowed = get_args(choices)
    if value not in allowed:
        raise ValueError(f"unknown {name} {value!r}; use one of {', '.join(allowed)}")


def _fraction(threshold: float, percent: float | None) -> float:
    if percent is None:
        return checks.require_fraction(threshold)
    if threshold != 0.25:
        raise ValueError("give threshold (a fraction) or percent, not both")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent is {percent}, but must be from 0 to 100")
    return percent / 100


def _default_shape(image: Array, window: Window) -> tuple[int, ...]:
    if window == "florin":
        return tuple(max(2, round(n / 8)) for n in image.shape)
    return tuple(max(3, n // 8) for n in image.shape)


def _extent(
    shape: Any, lengths: tuple[int, ...], window: Window
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the voxels before and after the centre, no more than the image has."""
    _one_of(window, Window, "window")
    florin = window == "florin"
    sizes = checks.per_axis(shape, len(lengths), name="shape", least=2 if florin else 1)
    halves = [round(n / 2) for n in sizes] if florin else [n // 2 for n in sizes]
    before = [h - 1 if florin else h for h in halves]
    after = halves if florin else [(n - 1) // 2 for n in sizes]
    most = [n - 1 for n in lengths]
    return tuple(map(min, before, most)), tuple(map(min, after, most))


def _factors(
    fraction: float, polarity: Polarity, window: Window
) -> tuple[float, float, int]:
    """Return the factors of negative and other sums, and the comparison."""
    if polarity == "bright":
        return 1 - fraction, 1 + fraction, _ndnt.ABOVE
    if window == "florin":
        return 1 - fraction, 1 - fraction, _ndnt.NOT_ABOVE
    return 1 + fraction, 1 - fraction, _ndnt.BELOW


def _native(image: Array) -> Array:
    """Return an array of a dtype that kernels know: bool and float16 have none."""
    if image.dtype.kind == "b":
        return image.view(np.uint8)
    if image.dtype.kind == "f" and image.dtype.itemsize not in (4, 8):
        narrow = image.dtype.itemsize < 4
        return image.astype(np.float32 if narrow else np.float64)
    return image.astype(image.dtype.newbyteorder("="), copy=False)


def _mask(image: Array, rule: _ndnt.Rule, threads: int) -> Mask:
    """Choose the way: compiled over the last two or three axes, or numpy."""
    largest = _ndnt.largest_magnitude(image)
    checks.require_finite_number(largest)
    sums = _ndnt.accumulator(image, largest, math.prod(rule.lengths))
    if not _compiled.can_compile():
        return _ndnt.numpy_mask(image, rule)
    if image.ndim == 1:
        row = _ndnt.Rule(
            (0, *rule.before), (0, *rule.after), rule.low, rule.high, rule.mode
        )
        mask: Mask = _ndnt.compiled_mask(image[None], row, sums, threads)[0]
        return mask
    if image.ndim > 3:
        return _ndnt.numpy_mask(image, rule)
    return _ndnt.compiled_mask(image, rule, sums, threads)
