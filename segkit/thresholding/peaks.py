"""The lowest place between the two peaks of a histogram that is smoothed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.compiled.fallback import falls_back_on

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 9_999  # times that a histogram is smoothed
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
    from segkit.thresholding import histogram_kernels as kernels

    smooth = counts.astype(np.float32)
    length = smooth.size + kernels.LAG * kernels.TOGETHER + 5
    rows = np.zeros(length * kernels.WIDTH, np.float32)
    sums = np.zeros(4 * kernels.TOGETHER)
    turns, peaks = np.empty(2 * _PEAKS - 1, np.int64), np.empty(_PEAKS, np.int64)
    kernels.smooth_to_two_peaks(smooth, rows, sums, turns, peaks, most)
    return smooth, peaks
