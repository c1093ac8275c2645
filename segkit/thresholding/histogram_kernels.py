"""Compiled kernels over values of integers, and over how often each occurs."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel


@kernel
def count_values(values, counts):
    """Add to `counts`, by value, how often each of the unsigned `values` occurs."""
    for i in range(values.size):
        counts[values[i]] += 1


@kernel
def smooth_to_two_peaks(smooth, rough, peaks, most):
    """Smooth a histogram until it has as few peaks as there is room for.

    `smooth` holds the counts and in the end the smooth ones, `rough` is scratch,
    `peaks` receives the first peaks, -1 where there are none, and is to have one left;
    at most `most` times.

    The running sum of three and its rounding are those of
    `scipy.ndimage.uniform_filter1d` in float32, peaks those of
    `skimage.filters.threshold_minimum`: the last place of a rise or of level ground
    before a fall.
    """
    for _ in range(most):
        _smooth(smooth, rough)
        if _find_peaks(rough, smooth, peaks) < peaks.size:
            return


@kernel
def _smooth(counts, out):
    """Write the mean of each count and its neighbours, mirrored at the ends."""
    last = counts.size - 1
    total = 0.0 + counts[0] + counts[0] + counts[1]
    out[0] = total / 3.0
    leaves = 0.0 + counts[0]
    for i in range(1, last):
        total += (0.0 + counts[i + 1]) - leaves
        leaves = 0.0 + counts[i - 1]
        out[i] = total / 3.0
    total += (0.0 + counts[last]) - leaves
    out[last] = total / 3.0


@kernel
def _find_peaks(counts, copy, peaks):
    """Copy counts; note the first peaks and return how many there are of these."""
    peaks[:] = -1
    found = 0
    rises = True
    copy[0] = counts[0]
    for i in range(1, counts.size):
        copy[i] = counts[i]
        if rises:
            if counts[i] < counts[i - 1]:
                rises = False
                if found < peaks.size:
                    peaks[found] = i - 1
                    found += 1
        elif counts[i] > counts[i - 1]:
            rises = True
    return found
