"""Thresholds of a whole image, by method (see `segkit.threshold`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from segkit.arrays import Array


_BINS = 256
_MOST_LEVELS = 2**16


def by_method() -> dict[str, Callable[[Array], float]]:
    """Return the function that computes a threshold, for each method."""
    from skimage import filters

    return {
        "otsu": filters.threshold_otsu,
        "li": _li,
        "mean": lambda image: float(image.mean(dtype=np.float64)),
        "triangle": _triangle,
        "rc": ridler_calvard,
        "isodata": filters.threshold_isodata,
        "minimum": filters.threshold_minimum,
        "yen": filters.threshold_yen,
    }


def _triangle(image: Array) -> float:
    from skimage.filters import threshold_triangle

    low, high = image.min(), image.max()
    if ((image == low) | (image == high)).all():  # a triangle without a middle
        return float(low)
    return float(threshold_triangle(image))  # type: ignore[no-untyped-call]


def _li(image: Array) -> float:
    from skimage.filters import threshold_li

    # In float64, because means of many float32 are off; scikit-image is not typed.
    return float(threshold_li(image.astype(np.float64)))  # type: ignore[no-untyped-call]


def compute(image: Array, method: str) -> float:
    """Return the threshold of a finite, non-empty image."""
    low, high = image.min().item(), image.max().item()
    if low == high:  # no method says anything about a flat image
        return float(low)
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            levels, lowest = levelled(image, low, high)
            return lowest + float(by_method()[method](levels))
    except RuntimeError as error:
        raise ValueError(
            f"method {method!r} finds no threshold ({error}); use another method, or "
            "smooth the image first"
        ) from error


def levelled(image: Array, low: float, high: float) -> tuple[Array, float]:
    """Return the image in a dtype for histograms, and what was subtracted from it.

    Histograms have a bin for each value of integers, from 0 on, and 256 bins for
    floats. Integers that need more than 65,536 bins become floats, and lose no more
    than rounding, since they are counted from their lowest.
    """
    kind, size = image.dtype.kind, image.dtype.itemsize
    if kind == "b":
        return image.view(np.uint8), 0
    if kind == "f":
        return image.astype(np.float32 if size < 4 else image.dtype), 0
    if kind == "u" and size <= 2:
        return image, 0
    # Where the difference is too large for the dtype it wraps, to the right unsigned.
    above = np.subtract(image, image.dtype.type(low)).view(f"u{size}")
    return above.astype(np.uint16 if high - low < _MOST_LEVELS else np.float64), low


def ridler_calvard(image: Array) -> float:
    """Return the lowest value halfway between the means of the classes it makes."""
    values, counts = grey_levels(image)
    below = np.cumsum(counts)[:-1]
    weighted = np.cumsum(counts * values)
    above = counts.sum() - below
    halfway = (weighted[:-1] / below + (weighted[-1] - weighted[:-1]) / above) / 2
    # The threshold that follows from cutting above a level holds if the next level
    # is already beyond it.
    return float(halfway[np.argmax(values[1:] >= halfway)])


def grey_levels(image: Array) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the grey values that occur, rising, and how often each does."""
    if image.dtype.kind == "f":
        counts, edges = np.histogram(image, _BINS)
        values = (edges[:-1] + edges[1:]) / 2
    else:
        counts = np.bincount(image.ravel())
        values = np.arange(counts.size, dtype=np.float64)
    found = counts > 0
    return values[found], counts[found]
