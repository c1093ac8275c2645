"""Thresholds of a whole image, by method (see `segkit.threshold`).

Of integers, each method needs no more than how often each value occurs; of floats, and
of integers that span too much, most make a histogram of 256 bins.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.thresholding import peaks
from segkit.thresholding.histogram import histogram

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from segkit.arrays import Array

    Counts: TypeAlias = NDArray[np.int64]
    Values: TypeAlias = NDArray[np.int64]

_BINS = 256
_CLOSE = 0.5  # grey values of integers between which "li" need not tell


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Grey values as the methods count with them, from a base on.

    Attributes
    ----------
    base : int or float
        What was subtracted. Sums of products of large values would lose digits.
    values : ndarray
        Floats: the voxels. Integers: all values from the lowest to the highest.
    counts : ndarray of int64, or None
        How often each of these integers occurs.
    """

    base: float
    values: Array
    counts: Counts | None = None


def levels_of(image: Array, workers: int | None = None) -> Levels:
    """Return the grey values of a finite, non-empty image."""
    found = histogram(image, workers)
    kind, size = image.dtype.kind, image.dtype.itemsize
    if found is not None:
        base = 0 if kind in "bu" and size <= 2 else found.lowest
        first = found.lowest - base
        return Levels(base, np.arange(first, first + found.counts.size), found.counts)
    if kind == "f":
        return Levels(0, image.astype(np.float32 if size < 4 else image.dtype))
    low = image.min()
    # Where the difference is too large for the dtype it wraps, to the right unsigned.
    above = np.subtract(image, low).view(f"u{size}").astype(np.float64)
    return Levels(int(low), above)


def compute(levels: Levels, method: str) -> float:
    """Return the threshold of an image by its `levels_of`.

    Raises
    ------
    ValueError
        If the method finds none.
    """
    values, base = levels.values, levels.base
    low, high = (
        (values[0], values[-1])
        if levels.counts is not None
        else (values.min(), values.max())
    )
    if low == high:  # no method says anything about a flat image
        return base + float(low)
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            if levels.counts is None:
                return base + float(_by_voxels()[method](levels.values))
            return base + float(_by_counts()[method](levels.counts, levels.values))
    except RuntimeError as error:
        raise ValueError(
            f"method {method!r} finds no threshold ({error}); use another method, or "
            "smooth the image first"
        ) from error


def _by_counts() -> dict[str, Callable[[Counts, Values], Any]]:
    """Return the function that computes a threshold of counts and their values."""
    return {
        "otsu": _otsu,
        "li": _li,
        "mean": lambda counts, values: int(counts @ values) / int(counts.sum()),
        "triangle": _triangle,
        "rc": lambda counts, values: ridler_calvard(*_occurring(counts, values)),
        "isodata": _by_skimage("isodata"),
        "minimum": peaks.minimum,
        "yen": _by_skimage("yen"),
    }


def _by_skimage(method: str) -> Callable[[Counts, Values], Any]:
    """Return scikit-image's method, to be imported when it is called."""

    def find(counts: Counts, values: Values) -> Any:
        filters: Any = importlib.import_module("skimage.filters")
        return getattr(filters, f"threshold_{method}")(hist=(counts, values))

    return find


def _by_voxels() -> dict[str, Callable[[Array], Any]]:
    """Return the function that computes a threshold of floats, for each method."""
    filters: Any = importlib.import_module("skimage.filters")

    return {
        "otsu": filters.threshold_otsu,
        # In float64, because means of many float32 are off.
        "li": lambda image: filters.threshold_li(image.astype(np.float64)),
        "mean": lambda image: image.mean(dtype=np.float64),
        "triangle": _triangle_of_voxels,
        "rc": lambda image: ridler_calvard(*_binned(image)),
        "isodata": filters.threshold_isodata,
        "minimum": filters.threshold_minimum,
        "yen": filters.threshold_yen,
    }


@falls_back_on(_by_skimage("otsu"))
def _otsu(counts: Counts, values: Values) -> int:
    """Return what `skimage.filters.threshold_otsu` does."""
    from segkit.thresholding.histogram_kernels import most_between

    weights, means = np.empty(counts.size, np.float32), np.empty(counts.size)
    found: int = most_between(counts, int(values[0]), weights, means)
    return found


def _li(counts: Counts, values: Values) -> float:
    """Return what `skimage.filters.threshold_li` does for integers, by exact sums."""
    above = values - values[0]
    number, weight = np.cumsum(counts), np.cumsum(counts * above)
    following: float = weight[-1] / number[-1]
    threshold = -2 * _CLOSE
    while abs(following - threshold) > _CLOSE:
        threshold = following
        last = int(threshold)  # the values up to it are background
        back = weight[last] / number[last]
        if back == 0:  # of which there is no logarithm
            break
        fore = (weight[-1] - weight[last]) / (number[-1] - number[last])
        following = (back - fore) / (np.log(back) - np.log(fore))
    return following + float(values[0])


def _triangle_by_numpy(counts: Counts, values: Values) -> float:
    if np.count_nonzero(counts) == 2:  # a triangle without a middle
        return float(values[0])
    peak = int(np.argmax(counts))
    turned = peak < counts.size - 1 - peak
    if turned:
        counts, peak = counts[::-1], counts.size - 1 - peak
    height, width = counts[peak], peak
    norm = np.sqrt(height**2 + width**2)
    length = height / norm * np.arange(width) - width / norm * counts[:width]
    level = int(np.argmax(length))
    return float(values[counts.size - 1 - level if turned else level])


@falls_back_on(_triangle_by_numpy)
def _triangle(counts: Counts, values: Values) -> float:
    """Return what `skimage.filters.threshold_triangle` does."""
    from segkit.thresholding.histogram_kernels import furthest_from_line

    return float(values[furthest_from_line(counts)])


def _triangle_of_voxels(image: Array) -> float:
    from skimage.filters import threshold_triangle

    low, high = image.min(), image.max()
    if ((image == low) | (image == high)).all():  # a triangle without a middle
        return float(low)
    return float(threshold_triangle(image))  # type: ignore[no-untyped-call]


def ridler_calvard(values: NDArray[np.float64], counts: Counts) -> float:
    """Return the lowest value halfway between the means of the classes it makes."""
    below = np.cumsum(counts)[:-1]
    weighted = np.cumsum(counts * values)
    above = counts.sum() - below
    halfway = (weighted[:-1] / below + (weighted[-1] - weighted[:-1]) / above) / 2
    # The threshold that follows from cutting above a level holds if the next level
    # is already beyond it.
    return float(halfway[np.argmax(values[1:] >= halfway)])


def _occurring(
    counts: Counts, values: Values
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the grey values that occur, rising, and how often each does."""
    found = counts > 0
    return values[found].astype(np.float64), counts[found]


def _binned(image: Array) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the middles of the bins that hold values, and how many each holds."""
    counts, edges = np.histogram(image, _BINS)
    values = (edges[:-1] + edges[1:]) / 2
    found = counts > 0
    return values[found], counts[found]
