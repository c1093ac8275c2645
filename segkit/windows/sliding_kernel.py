"""Compiled kernels of `segkit.ndnt`: window sums and comparison in one pass.

The sums over a window that slides along z and y are kept up to date by adding the
plane (row) that enters and subtracting the one that leaves; along x they are
differences of a running sum. Integers are exact, because the caller chooses
accumulators that hold the largest window sum; intermediate values may wrap around,
their differences are right modulo the accumulator's range.

This is bound by arithmetic, not by memory.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel


@kernel
def _compare(pixels, sums, counts, scale, factors, mode, out):
    """Write the mask of one row; `factors` multiply negative and other sums."""
    low, high = factors
    for x in range(pixels.size):
        value = np.float64(pixels[x]) * (scale * counts[x])
        total = np.float64(sums[x])
        bound = total * (low if total < 0 else high)
        if mode == 0:
            out[x] = value < bound
        elif mode == 1:
            out[x] = value <= bound
        else:
            out[x] = value > bound


@kernel
def _covered(y, before, after, height):
    """Return how many rows of the window around `y` lie inside the image."""
    return min(y + after, height - 1) - max(y - before, 0) + 1


@kernel
def _add(row, values):
    for x in range(row.size):
        row[x] += values[x]


@kernel
def _subtract(row, values):
    for x in range(row.size):
        row[x] -= values[x]


@kernel
def _replace(row, enters, leaves):
    for x in range(row.size):
        row[x] += row.dtype.type(enters[x]) - row.dtype.type(leaves[x])


@kernel
def _running_sums(row, prefix, before):
    """Write the sums of all before each voxel and the window before it."""
    total = row.dtype.type(0)
    running = prefix[before + 1 :]
    # Four at a time: each addition to the total waits for the one before it.
    fours = row.size - row.size % 4
    for x in range(0, fours, 4):
        two = row[x] + row[x + 1]
        three = two + row[x + 2]
        four = three + row[x + 3]
        running[x] = total + row[x]
        running[x + 1] = total + two
        running[x + 2] = total + three
        running[x + 3] = total + four
        total += four
    for x in range(fours, row.size):
        total += row[x]
        running[x] = total
    for x in range(row.size, running.size):
        running[x] = total


@kernel
def _sums_along_row(row, prefix, before, length, sums):
    _running_sums(row, prefix, before)
    ahead = prefix[length:]
    for x in range(row.size):
        # The store narrows the difference to the accumulator: numba computes it with
        # 64 bits, which is wrong wherever the running sum has wrapped around.
        sums[x] = ahead[x] - prefix[x]


@kernel
def sliding_rows(source, pixels, first, before, after, counts, rule, scratch, out):
    """Threshold rows of a plane by sliding sums.

    Parameters
    ----------
    source
        Plane (y, x) of sums along z, or the image itself in 2-D.
    pixels
        Plane (y, x) of the image.
    first
        Row of `source` and `pixels` that is row 0 of `out`.
    before, after
        Extent of the window along y and x before and after its voxel.
    counts
        Number of columns of the window around each x that lie inside the image.
    rule
        Factor of negative sums, factor of other sums, mode, and number of planes that
        were summed along z.
    scratch
        Zeros of the accumulator's dtype, three times the length of x and the window's.
    out
        Rows of the mask, as 0 and 1.
    """
    height, width = source.shape
    length = before[1] + after[1] + 1
    row, sums = scratch[:width], scratch[width : 2 * width]
    prefix = scratch[2 * width : 3 * width + length]
    row[:] = 0
    for y in range(max(first - before[0], 0), min(first + after[0], height)):
        _add(row, source[y])
    for k in range(out.shape[0]):
        y = first + k
        if y + after[0] < height:
            _add(row, source[y + after[0]])
        if k > 0 and y - before[0] - 1 >= 0:
            _subtract(row, source[y - before[0] - 1])
        _sums_along_row(row, prefix, before[1], length, sums)
        scale = rule[3] * _covered(y, before[0], after[0], height)
        _compare(pixels[y], sums, counts, scale, rule[:2], rule[2], out[k])


@kernel
def sliding_planes(image, box, before, after, counts, rule, plane, scratch, out):
    """Threshold a part of a volume (z, y, x) by sliding sums, as `sliding_rows`.

    `image` and `out` are whole; `box` are first plane and the one after the last, the
    same of rows, and of the rows that the windows reach. `plane` is scratch for the
    sums along z, of the shape of what they reach of a plane.
    """
    depth = image.shape[0]
    first, last = box[0]
    start, stop = box[1]
    low, high = box[2]
    plane[:] = 0
    for z in range(max(first - before[0], 0), min(first + after[0], depth)):
        for y in range(low, high):
            _add(plane[y - low], image[z, y])
    for z in range(first, last):
        enters = z + after[0]
        leaves = z - before[0] - 1 if z > first else -1
        for y in range(low, high):
            sums = plane[y - low]
            if enters < depth and leaves >= 0:
                _replace(sums, image[enters, y], image[leaves, y])
            elif enters < depth:
                _add(sums, image[enters, y])
            elif leaves >= 0:
                _subtract(sums, image[leaves, y])
        here = (rule[0], rule[1], rule[2], _covered(z, before[0], after[0], depth))
        sliding_rows(
            plane,
            image[z, low:high],
            start - low,
            before[1:],
            after[1:],
            counts,
            here,
            scratch,
            out[z, start:stop],
        )
