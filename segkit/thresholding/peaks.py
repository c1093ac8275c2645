"""The lowest place between the two peaks of a histogram that is smoothed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.compiled.fallback import falls_back_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 9_999  # times that a histogram is smoothed
_LINE = 64  # bytes
_PEAKS = 3  # of fewer, all are known


def _minimum_by_skimage(
    counts: NDArray[np.int64], values: NDArray[np.int64]
) -> np.int64:
    from skimage.filters import threshold_minimum

    found: np.int64 = threshold_minimum(hist=(counts, values))  # type: ignore[no-untyped-call]
    return found


@falls_back_on(_minimum_by_skimage)
def minimum(counts: NDArray[np.int64], values: NDArray[np.int64]) -> np.int64:
    """Return what `skimage.filters.threshold_minimum` does.

    Raises
    ------
    RuntimeError
        If there are not two peaks.
    """
    smooth, peaks = smoothed(counts, _MOST)
    if peaks[1] < 0 or peaks[2] >= 0:
        raise RuntimeError("Unable to find two maxima in histogram")
    lowest: np.int64 = values[peaks[0] + np.argmin(smooth[peaks[0] : peaks[1] + 1])]
    return lowest


def smoothed(
    counts: NDArray[np.int64], most: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return a histogram smoothed until it has at most two peaks, and the first three.

    It is smoothed at most so often, and at least once; -1 stands for no peak.
    """
    from segkit.thresholding import smoothing_kernels as kernels

    smooth = counts.astype(np.float32)
    length = kernels.CHUNK + kernels.LAG + 2
    rows = _zeros(length * kernels.WIDTH, np.float32)
    sums = _zeros(4 * kernels.TOGETHER, np.float64)
    places, turns = (np.empty(n, np.int64) for n in (kernels.PLACES, kernels.WIDTH))
    peaks = np.empty(_PEAKS, np.int64)
    short = np.empty_like(smooth)
    starts = np.empty(-(-smooth.size // kernels.TOGETHER), np.int64)
    kernels.smooth_to_two_peaks(
        smooth, short, starts, rows, sums, places, turns, peaks, most
    )
    return smooth, peaks


def _zeros(number: int, dtype: type[np.floating]) -> NDArray[Any]:
    """Return zeros that begin with a line of the cache, so that no vector spans two."""
    found = np.zeros(number * np.dtype(dtype).itemsize + _LINE, np.uint8)
    first = -found.ctypes.data % _LINE
    return found[first : first - _LINE].view(dtype)
