"""Grey values as people see them: stretched between percentiles, in 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.compiled.fallback import falls_back_on
from segkit.thresholding.histogram import histogram
from segkit.tiling.threads import cut, in_threads, thread_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.thresholding.histogram import Histogram

_ENDS = (0.2, 99.8)
"""Percentiles that are drawn black and white."""
_INNER = (0.004, 0.996)
"""Quantiles of a sample, beyond which those percentiles are."""
_SAMPLE = 2**16
"""Values in a sample, about."""
_MANY = 2**18
"""Values that are worth it."""


def stretched(plane: Array, workers: int | None) -> NDArray[np.uint8]:
    """Return a plane of real numbers in 8 bits; NaN is black."""
    counted = histogram(plane, workers)
    if counted is not None:
        threads = thread_count(workers, plane.size // 8)
        return _stretched_by_value(plane, counted, threads)
    threads = thread_count(workers, plane.size)
    out = np.empty(plane.shape, np.uint8)
    low, high = _ends(plane, threads)

    def run(rows: slice) -> None:
        out[rows] = _drawn(plane[rows].astype(np.float64), low, high)

    pieces = max(threads, plane.size // 2**18)  # which stay in the cache
    in_threads(run, cut(len(plane), pieces), threads)
    return out


def _stretched_by_value(
    plane: Array, counted: Histogram, threads: int
) -> NDArray[np.uint8]:
    """Draw each value once, and look the voxels up."""
    span = np.arange(counted.counts.size, dtype=np.float64)
    values = counted.lowest + span
    low, high = (_at(values, counted.counts, q / 100) for q in _ENDS)
    if low == high:  # few pixels differ
        low, high = values[0], values[-1]
    lookup = _drawn(values, low, high)
    out = np.empty(plane.shape, np.uint8)
    plane = plane.view(np.uint8) if plane.dtype.kind == "b" else checks.native(plane)
    size, first = plane.dtype.itemsize, plane.dtype.type(counted.lowest)
    as_they_are = plane.dtype.kind == "u" and size <= 2
    if as_they_are:
        lookup = np.concatenate([np.zeros(counted.lowest, np.uint8), lookup])

    def run(rows: slice) -> None:
        values = np.ascontiguousarray(plane[rows])
        if not as_they_are:  # differences wrap, to the right ones unsigned
            values = np.subtract(values, first).view(f"u{size}").astype(np.uint16)
        _look_up(values, lookup, out[rows])

    in_threads(run, cut(len(plane), max(threads, plane.size // 2**18)), threads)
    return out


def _look_up_by_numpy(
    values: NDArray[Any], lookup: NDArray[np.uint8], out: NDArray[np.uint8]
) -> None:
    out[...] = lookup[values]


@falls_back_on(_look_up_by_numpy)
def _look_up(
    values: NDArray[Any], lookup: NDArray[np.uint8], out: NDArray[np.uint8]
) -> None:
    from segkit.pictures import painting_kernels

    painting_kernels.look_up(values.reshape(-1), lookup, out.reshape(-1))


def _ends(plane: Array, threads: int) -> tuple[np.float64, np.float64]:
    """Return the values that are drawn black and white; NaN if none is finite."""
    found = _ends_by_sample(plane, threads) if plane.size >= _MANY else None
    if found is not None:
        return found
    finite = plane.ravel()
    if plane.dtype.kind == "f" and not np.isfinite([plane.min(), plane.max()]).all():
        finite = plane[np.isfinite(plane)]
    finite = finite.astype(np.float64)
    if finite.size == 0:
        return np.float64(np.nan), np.float64(np.nan)
    low, high = np.percentile(finite, _ENDS, overwrite_input=True)
    if low == high:  # few pixels differ
        low, high = finite.min(), finite.max()
    return low, high


def _ends_by_sample(plane: Array, threads: int) -> tuple[np.float64, np.float64] | None:
    """Return both ends if they differ, from what a sample tells to lie beyond them.

    Only that has to be put in order. None if the sample was too far off.
    """
    sample = plane.ravel()[:: plane.size // _SAMPLE | 1]  # odd: rows seldom are
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return None
    inner = np.quantile(sample, _INNER, method="nearest")

    def run(rows: slice) -> tuple[Array, Array, NDArray[np.int64]]:
        part = plane[rows]
        beyond = [part[part < inner[0]], part[part > inner[1]]]
        dark, bright = (few[np.isfinite(few)] for few in beyond)
        finite = np.count_nonzero(np.isfinite(part)) - dark.size - bright.size
        equal = [np.count_nonzero(part == end) for end in inner]
        return dark, bright, np.array([equal[0], finite - sum(equal), equal[1]])

    pieces = cut(len(plane), max(threads, plane.size // 2**18))
    darks, brights, sizes = zip(*in_threads(run, pieces, threads), strict=True)
    dark, bright = (np.sort(np.concatenate(few)) for few in (darks, brights))
    values = np.concatenate([dark, [inner[0], np.nan, inner[1]], bright])
    ones = [np.ones(few.size, np.int64) for few in (dark, bright)]
    counts = np.concatenate([ones[0], np.sum(sizes, axis=0), ones[1]])
    low, high = (_at(values.astype(np.float64), counts, q / 100) for q in _ENDS)
    return (low, high) if low < high and inner[0] < inner[1] else None


def _at(
    values: NDArray[np.float64], counts: NDArray[np.int64], fraction: float
) -> np.float64:
    """Return what `numpy.quantile` does of values that occur so often."""
    until = np.cumsum(counts)
    place = (until[-1] - 1) * np.float64(fraction)
    before = np.floor(place)
    share = place - before
    ranks = [before, min(before + 1, until[-1] - 1)]
    first, second = values[np.searchsorted(until, ranks, side="right")]
    apart = second - first
    if share >= 0.5:
        return np.float64(second - apart * (1 - share))
    return np.float64(first + apart * share)


def _drawn(
    grey: NDArray[np.float64], low: np.float64, high: np.float64
) -> NDArray[np.uint8]:
    if low == high:  # no pixel differs
        part = np.where(np.isnan(grey), 0.0, np.float64(low > 0))
    else:
        part = np.clip(np.nan_to_num((grey - low) / (high - low)), 0, 1)
    # The square root shows dim objects beside bright ones.
    return (np.sqrt(part) * 255).astype(np.uint8)
