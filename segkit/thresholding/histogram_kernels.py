"""Compiled kernels over values of integers, and over how often each occurs."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel

TOGETHER = 64
"""Smoothings that run together: as many as keep vectors busy."""
LAG = 8
"""Values between one of these and the next: four steps do not wait for each other."""
WIDTH = TOGETHER + 1
"""Numbers in a row of scratch: what is smoothed, and what that leads to."""
_THIRD, _TWO_THIRDS = 1.0 / 3.0, 2.0 / 3.0


@kernel
def count_values(values, counts):
    """Add to `counts`, by value, how often each of the unsigned `values` occurs."""
    for i in range(values.size):
        counts[values[i]] += 1


@kernel
def count_words(words, counts):
    """Count the four values of 16 bits in each word: it is fetched only once."""
    low = np.uint64(2**16 - 1)
    for i in range(words.size):
        word = words[i]
        counts[word & low] += 1
        counts[word >> np.uint64(16) & low] += 1
        counts[word >> np.uint64(32) & low] += 1
        counts[word >> np.uint64(48)] += 1


@kernel
def smooth_to_two_peaks(smooth, rows, sums, turns, peaks, most):
    """Smooth a histogram until it has as few peaks as there is room for.

    The running sum of three and its rounding are those of
    `scipy.ndimage.uniform_filter1d` in float32, peaks those of
    `skimage.filters.threshold_minimum`: the last place of a rise or of level ground
    before a fall.

    Parameters
    ----------
    smooth
        The counts, and in the end the smooth ones.
    rows, sums
        Scratch of `_smooth_often`, flat: ``size + LAG * TOGETHER + 5`` rows of WIDTH,
        and four of TOGETHER.
    turns
        Scratch, for each peak but one more the fall after it and the rise after that,
        but for the last rise: as long as these are there, there are too many peaks.
    peaks
        Receives the first peaks, -1 where there are none; is to have one left.
    most
        How often it is smoothed at most.
    """
    turns[:] = 1
    for start in range(0, most, TOGETHER):
        _smooth_often(smooth, rows, sums)
        last = min(TOGETHER, most - start)
        for time in range(1, 1 + last):
            first = _place(0, time)
            counts = rows[first : first + smooth.size * WIDTH : WIDTH]
            few = not _turns(counts, turns) and not _find_turns(counts, turns)
            if few or time == last:
                _find_peaks(counts, smooth, peaks)
            if few:
                return


@kernel
def _place(i, k):
    """Return where in the scratch value `i` is that has been smoothed `k` times."""
    return (i + LAG * k + 2) * WIDTH + k


@kernel
def _smooth_often(counts, rows, sums):
    """Write counts, and what they are smoothed once, twice, ..., into columns of rows.

    One smoothing would wait for each sum of its own, and for each division. So each
    follows the one before it, `LAG` places behind, and those of a row are computed
    together; before its first value and after its last one, a column holds what
    nobody reads. Before the first value and after the last one, these are repeated,
    which mirrors them.
    """
    last = counts.size - 1
    for i in range(min(LAG, counts.size)):
        rows[_place(i, 0)] = counts[i]
    for step in range(0, last + LAG * (TOGETHER - 1) + 1, 4):
        for i in range(step + LAG, min(step + LAG + 4, last + 1)):
            rows[_place(i, 0)] = counts[i]  # only now, when it is in the cache
        if step % LAG == 0 and step // LAG < TOGETHER:
            k = step // LAG
            here = np.float64(rows[_place(0, k)])
            sums[k], sums[TOGETHER + k] = here + here, 0.0
            sums[2 * TOGETHER + k], sums[3 * TOGETHER + k] = here, here
        for ends in range(max(step, last), step + 4):
            if (ends - last) % LAG == 0 and (ends - last) // LAG < TOGETHER:
                k = (ends - last) // LAG
                rows[_place(last + 1, k)] = rows[_place(last, k)]
        _four_steps(rows[step * WIDTH :], sums)


@kernel
def _four_steps(rows, sums):
    """Move running sums of three on by four values each, and write the means.

    The last three values stay beside the sums. Half of the sums are divided, half of
    them multiplied, because a processor does both at once.
    """
    for k in range(TOGETHER):
        first, second = np.float64(rows[3 * WIDTH + k]), np.float64(rows[4 * WIDTH + k])
        third, fourth = np.float64(rows[5 * WIDTH + k]), np.float64(rows[6 * WIDTH + k])
        total = sums[k] + (first - sums[TOGETHER + k])
        rows[(LAG + 2) * WIDTH + 1 + k] = total / 3.0
        total += second - sums[2 * TOGETHER + k]
        rows[(LAG + 3) * WIDTH + 1 + k] = _third(total)
        total += third - sums[3 * TOGETHER + k]
        rows[(LAG + 4) * WIDTH + 1 + k] = total / 3.0
        total += fourth - first
        rows[(LAG + 5) * WIDTH + 1 + k] = _third(total)
        sums[k], sums[TOGETHER + k] = total, second
        sums[2 * TOGETHER + k], sums[3 * TOGETHER + k] = third, fourth


@kernel
def _third(total):
    """Return ``total / 3.0`` without dividing, to the same bit (but for minus zero).

    The product is next to the quotient, so what it leaves of the total is exact
    (Sterbenz' lemma, twice), and a third of that leads to the quotient. It is rounded
    to the right side, since thirds do not come near the middle between two numbers.
    """
    near = total * _THIRD
    rest = (total - total * _TWO_THIRDS) - near  # twice and once
    return near + rest * _THIRD


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
