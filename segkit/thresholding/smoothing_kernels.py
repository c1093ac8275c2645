"""Compiled kernels that smooth a histogram until it has two peaks."""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel

TOGETHER = 64
"""Smoothings that run together: as many as keep vectors busy."""
LAG = 8
"""Values between one of these and the next: four steps do not wait for each other."""
WIDTH = TOGETHER + 16
"""Numbers in a row: what is smoothed, what that leads to, and up to a line of cache."""
CHUNK = 128
"""Rows that are computed before what is wanted of them is taken, and others follow."""
PLACES = 64
"""Of falls and rises by turns, at which it is seen that there are too many peaks."""
_THIRD, _TWO_THIRDS = 1.0 / 3.0, 2.0 / 3.0


@kernel
def smooth_to_two_peaks(smooth, short, starts, rows, sums, places, turns, peaks, most):
    """Smooth a histogram until it has as few peaks as there is room for.

    The running sum of three and its rounding are those of
    `scipy.ndimage.uniform_filter1d` in float32, peaks those of
    `skimage.filters.threshold_minimum`: the last place of a rise or of level ground
    before a fall. As long as the histogram falls and rises by turns at enough of some
    places, it has too many, and nobody looks elsewhere; else it is smoothed again up
    to there, and looked at. Of long level ground, only what the next smoothings may
    change is smoothed at all.

    Parameters
    ----------
    smooth
        The counts, and in the end the smooth ones.
    short, starts
        Scratch: as many values, and a number for each TOGETHER of them, or fewer.
    rows, sums
        Scratch: ``CHUNK + LAG + 2`` flat rows of WIDTH, and four of TOGETHER.
    places
        Scratch, for where it falls and rises by turns.
    turns
        Scratch, of WIDTH: at how many of these places it still does, for each time.
    peaks
        Receives the first peaks, -1 where there are none; is to have one left.
    most
        How often it is smoothed at most.
    """
    many = 2 * peaks.size - 1  # falls, and rises between them
    found = _find_turns(smooth, places)
    times = 0
    while times < most:
        ahead = min(TOGETHER, most - times)
        size = _shorten(smooth, short, starts)
        _smooth_often(short[:size], ahead, rows, sums, places[:found], starts, turns)
        time = 1
        while time < ahead and turns[time] >= many:
            time += 1
        if time < ahead:
            size = _shorten(smooth, short, starts)
            _smooth_often(short[:size], time, rows, sums, places[:found], starts, turns)
        _lengthen(short, starts, smooth)
        times += time
        if turns[time] >= many:
            continue
        found = _find_turns(smooth, places)
        if found < many:
            break
        if found == many:
            found = _widen(places, found, smooth.size - 1)
    _find_peaks(smooth, peaks)


@kernel
def _shorten(counts, short, starts):
    """Copy counts without the middle of long level ground; return how many are left.

    There, running sums do not change, so each smoothing leaves one value for all of it
    but for one place at each end. What is left of it, two blocks of TOGETHER values
    and one, is level in its second block even when it has been smoothed TOGETHER times.

    Parameters
    ----------
    counts, short
        What to copy, and what receives it.
    starts
        Receives where each block is in the copy, -1 if it is left out.
    """
    size, level = 0, 0
    follows = _is_level(counts, 0)
    for block in range(starts.size):
        first = block * TOGETHER
        level = level + 1 if follows else 0
        follows = _is_level(counts, first + TOGETHER)
        starts[block] = -1
        if level < 3 or not follows:
            starts[block] = size
            size += _copy_block(counts[first:], short[size:])
    return size


@kernel
def _copy_block(values, copy):
    """Copy a block, or what there is room for; return how many values that is."""
    size = min(TOGETHER, values.size, copy.size)
    for i in range(size):  # numba's own way asks the interpreter for an error
        copy[i] = values[i]
    return size


@kernel
def _is_level(counts, first):
    """Return whether there is a block, all of it as high as the value before."""
    if first >= counts.size:
        return False
    block, height = counts[first : first + TOGETHER], counts[max(first - 1, 0)]
    if block[0] != height:
        return False
    others = 0
    for i in range(block.size):  # to the end, as vectors do not stop
        others += block[i] != height
    return others == 0


@kernel
def _lengthen(short, starts, counts):
    """Copy back what has been smoothed, and fill in what `_shorten` left out."""
    for block in range(starts.size):
        first = block * TOGETHER
        if starts[block] >= 0:
            _copy_block(short[starts[block] :], counts[first:])
        else:
            height = counts[first - 1]
            for i in range(first, first + TOGETHER):
                counts[i] = height


@kernel
def _place(i, k):
    """Return where in rows from the first on value `i` is, smoothed `k` times."""
    return (i + LAG * k + 2) * WIDTH + k


@kernel
def _smooth_often(counts, times, rows, sums, places, starts, turns):
    """Smooth counts so many times, and count at which places they turn each time.

    One smoothing would wait for each sum of its own, and for each division. So each
    is a column of rows that follows the one before it, `LAG` places behind, and all
    of a row are computed together; before its first value and after its last one, a
    column holds what nobody reads. There are as many rows as the nearest cache holds,
    which are used again and again.
    """
    turns[:] = 0
    for i in range(min(LAG, counts.size)):
        rows[_place(i, 0)] = counts[i]
    stop = counts.size + LAG * (times - 1)
    for start in range(0, stop, CHUNK):
        for i in range(start + LAG, min(start + LAG + CHUNK, counts.size)):
            rows[_place(i - start, 0)] = counts[i]
        if start >= LAG * TOGETHER and start + CHUNK < counts.size:
            _steps(rows, sums, CHUNK)
        else:  # columns begin or end
            for step in range(start, min(start + CHUNK, stop), 4):
                here = rows[(step - start) * WIDTH :]
                _mirror(step, counts.size - 1, here, sums)
                _steps(here, sums, 4)
        first = start + LAG - LAG * times
        for i in range(max(first, 0), min(first + CHUNK, counts.size)):
            counts[i] = rows[_place(i - start, times)]
        _count_turns(rows, start, times, places, starts, turns)
        for i in range((LAG + 2) * WIDTH):
            rows[i] = rows[CHUNK * WIDTH + i]


@kernel
def _mirror(step, last, rows, sums):
    """Repeat the first value, and the last one, of what begins or ends now."""
    begins = step // LAG
    if begins < TOGETHER and begins * LAG == step:
        here = np.float64(rows[_place(-step, begins)])
        sums[begins], sums[TOGETHER + begins] = here + here, 0.0
        sums[2 * TOGETHER + begins] = sums[3 * TOGETHER + begins] = here
    ends = (step + 3 - last) // LAG
    if 0 <= ends < TOGETHER and last + ends * LAG >= step:
        place = _place(last - step, ends)
        rows[place + WIDTH] = rows[place]


@kernel
def _count_turns(rows, start, times, places, starts, turns):
    """Go on counting at which places columns fall and rise by turns, in this order."""
    for far in places:
        block = starts[far // TOGETHER]
        if block < 0:  # it is level there
            continue
        place = block + far % TOGETHER
        first = max((start + LAG - place + LAG - 1) // LAG, 1)
        beyond = min((start + LAG + CHUNK - place + LAG - 1) // LAG, times + 1)
        for k in range(first, beyond):
            here = _place(place - start, k)
            change = rows[here] - rows[here - WIDTH]
            if change > 0 if turns[k] % 2 else change < 0:
                turns[k] += 1


@kernel
def _steps(rows, sums, number):
    """Move running sums of three on by a number of rows, and write the means.

    Four rows are a step. The last three values stay beside the sums. One of four sums
    is divided, the others are multiplied, because a processor does both at once.
    """
    for step in range(0, number, 4):
        here = rows[step * WIDTH :]
        for k in range(TOGETHER):
            first = np.float64(here[3 * WIDTH + k])
            second = np.float64(here[4 * WIDTH + k])
            third = np.float64(here[5 * WIDTH + k])
            fourth = np.float64(here[6 * WIDTH + k])
            total = sums[k] + (first - sums[TOGETHER + k])
            here[(LAG + 2) * WIDTH + 1 + k] = total / 3.0
            total += second - sums[2 * TOGETHER + k]
            here[(LAG + 3) * WIDTH + 1 + k] = _third(total)
            total += third - sums[3 * TOGETHER + k]
            here[(LAG + 4) * WIDTH + 1 + k] = _third(total)
            total += fourth - first
            here[(LAG + 5) * WIDTH + 1 + k] = _third(total)
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
def _find_turns(counts, places):
    """Find the steepest places of falls and rises by turns; return how many.

    There they last longest.
    """
    found, steepest = 0, 0.0
    for i in range(1, counts.size):
        change = counts[i] - counts[i - 1]
        if change > 0 if found % 2 else change < 0:
            if found == places.size:
                break
            places[found], steepest = i, abs(change)
            found += 1
        elif found > 0 and abs(change) > steepest:
            places[found - 1], steepest = i, abs(change)
    return found


@kernel
def _widen(places, found, last):
    """Put places beside each of those found, in order; return how many there are.

    Where it falls or rises moves as it is smoothed; none may be lost if few are left.
    """
    reach = (places.size // found - 1) // 2
    for turn in range(found - 1, -1, -1):
        place = places[turn]
        first = (places[turn - 1] + place) // 2 + 1 if turn > 0 else 1
        for k in range(-reach, reach + 1):
            near = min(max(place + k, first), last)
            places[turn * (2 * reach + 1) + reach + k] = near
        last = first - 1
    return found * (2 * reach + 1)


@kernel
def _find_peaks(counts, peaks):
    """Note the first peaks."""
    peaks[:] = -1
    found = 0
    rises = True
    for i in range(1, counts.size):
        if rises:
            if counts[i] < counts[i - 1]:
                rises = False
                if found < peaks.size:
                    peaks[found] = i - 1
                    found += 1
        elif counts[i] > counts[i - 1]:
            rises = True
