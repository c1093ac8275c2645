"""Compiled kernels over values of integers, and over how often each occurs."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel

LAG = 2
"""Values between one smoothing and the next, of those that run together."""


@kernel
def count_values(values, counts):
    """Add to `counts`, by value, how often each of the unsigned `values` occurs."""
    for i in range(values.size):
        counts[values[i]] += 1


@kernel
def smooth_to_two_peaks(smooth, rows, totals, turns, peaks, most):
    """Smooth a histogram until it has as few peaks as there is room for.

    The running sum of three and its rounding are those of
    `scipy.ndimage.uniform_filter1d` in float32, peaks those of
    `skimage.filters.threshold_minimum`: the last place of a rise or of level ground
    before a fall.

    Parameters
    ----------
    smooth
        The counts, and in the end the smooth ones.
    rows, totals
        Scratch of `_smooth_often`.
    turns
        Scratch, for each peak but one more the fall after it and the rise after that,
        but for the last rise: as long as these are there, there are too many peaks.
    peaks
        Receives the first peaks, -1 where there are none; is to have one left.
    most
        How often it is smoothed at most.
    """
    turns[:] = 1
    for start in range(0, most, totals.size):
        _smooth_often(smooth, rows, totals)
        last = min(totals.size, most - start)
        for time in range(1, 1 + last):
            first = LAG * time + 1
            counts = rows[first : first + smooth.size, time]
            few = not _turns(counts, turns) and not _find_turns(counts, turns)
            if few or time == last:
                _find_peaks(counts, smooth, peaks)
            if few:
                return


@kernel
def _smooth_often(counts, rows, totals):
    """Write counts, and what they are smoothed once, twice, ..., into columns of rows.

    One smoothing would wait for each sum of its own, and for each division. So each
    follows the one before it, `LAG` places behind: value i of column k is in row
    ``i + LAG * k + 1``, and those of a row are computed together. Before the first
    value and after the last one, these are repeated, which mirrors them.
    """
    last, times = counts.size - 1, totals.size
    rows[0, 0], rows[last + 2, 0] = counts[0], counts[last]
    for i in range(counts.size):
        rows[i + 1, 0] = counts[i]
    for step in range(last + LAG * (times - 1) + 1):
        enter, leave, out = rows[step + 2], rows[step - 1], rows[step + LAG + 1, 1:]
        if LAG * (times - 1) < step < last:
            _add_and_divide(enter, leave, totals, out)
            continue
        first = max(0, (step - last + LAG - 1) // LAG)
        stop = min(times, (step + LAG - 1) // LAG)
        _add_and_divide(enter[first:], leave[first:], totals[first:stop], out[first:])
        if step % LAG == 0 and step // LAG < times:
            k = step // LAG
            here = np.float64(rows[step + 1, k])
            totals[k] = here + here + np.float64(enter[k])
            out[k] = totals[k] / 3.0
            rows[step + LAG, k + 1] = out[k]
        if step >= last and (step - last) % LAG == 0:
            rows[step + LAG + 2, first + 1] = out[first]


@kernel
def _add_and_divide(enter, leave, totals, out):
    """Move running sums of three on by one value each, and write the means."""
    for k in range(totals.size):
        total = totals[k] + (np.float64(enter[k]) - np.float64(leave[k]))
        totals[k] = total
        out[k] = total / 3.0


@kernel
def _turns(counts, turns):
    """Return whether counts fall and rise by turns at some places, in this order."""
    for k in range(turns.size):
        before, here = counts[turns[k] - 1], counts[turns[k]]
        if not (here > before if k % 2 else here < before):
            return False
    return True


@kernel
def _find_turns(counts, turns):
    """Find places at which counts fall and rise by turns; return whether all are."""
    found = 0
    for i in range(1, counts.size):
        rises = found % 2 == 1
        if counts[i] > counts[i - 1] if rises else counts[i] < counts[i - 1]:
            turns[found] = i
            found += 1
            if found == turns.size:
                return True
    return False


@kernel
def _find_peaks(counts, copy, peaks):
    """Copy counts, and note the first peaks."""
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
