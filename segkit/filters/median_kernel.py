"""Compiled kernels of `segkit.median`: networks for small boxes, counts for large ones.

The network of 3 x 3 pixels is written out, and takes planes as they are. The others
take the image flat, with its border repeated around it, and know a box by its first
voxel: its columns (lines along the last axis) begin at the same distances from there,
wherever it is.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel

# Values that are counted together.
TOGETHER = 256


@kernel
def median_of_nine(image, rows, out):
    """Write the medians of 3 x 3 pixels in some rows of planes (plane, y, x).

    Of three sorted columns, the median is the middle one of the highest low, the
    middle middle and the lowest high value (Smith, "Implementing median filters in
    XC4000E FPGAs", Xcell 23, 1996). What lies between stays in registers.
    """
    height, width = image.shape[1:]
    for row in range(rows[0], rows[1]):
        plane, y = image[row // height], row % height
        above, here, below = (
            plane[max(y - 1, 0)],
            plane[y],
            plane[min(y + 1, height - 1)],
        )
        line = out[row // height, y]
        for x in range(0, width, max(width - 1, 1)):  # both ends
            left, right = max(x - 1, 0), min(x + 1, width - 1)
            line[x] = _middle_of_nine(
                _sorted(above[left], here[left], below[left]),
                _sorted(above[x], here[x], below[x]),
                _sorted(above[right], here[right], below[right]),
            )
        above_1, here_1, below_1, inside = above[1:], here[1:], below[1:], line[1:]
        above_2, here_2, below_2 = above[2:], here[2:], below[2:]
        for x in range(width - 2):
            inside[x] = _middle_of_nine(
                _sorted(above[x], here[x], below[x]),
                _sorted(above_1[x], here_1[x], below_1[x]),
                _sorted(above_2[x], here_2[x], below_2[x]),
            )


@kernel
def _sorted(a, b, c):
    low, high = (b, a) if b < a else (a, b)
    middle, high = (c, high) if c < high else (high, c)
    return (middle, low, high) if middle < low else (low, middle, high)


@kernel
def _middle_of_nine(one, two, three):
    """Return the median of three sorted columns."""
    low = max(one[0], two[0], three[0])
    high = min(one[2], two[2], three[2])
    middle = _sorted(one[1], two[1], three[1])[1]
    return _sorted(low, middle, high)[1]


@kernel
def run_network(image, columns, steps, result, rows, out):
    """Write the median of each box by a network of comparisons.

    Parameters
    ----------
    image
        Flat; box i begins at its place i.
    columns
        Where each column begins in a box.
    steps, result
        Of `segkit.filters.median_network.Network`.
    rows
        Scratch, as many rows as the network needs, each longer than its span.
    out
        Receives the median of each box.
    """
    room = rows.shape[1] - steps[0, 6]
    for start in range(0, out.size, room):
        length = min(room, out.size - start)
        for k in range(steps.shape[0]):
            n = length + steps[k, 6]
            lower = rows[steps[k, 4]]
            if steps[k, 2] < 0:
                line = image[start + columns[steps[k, 0]] :]
                for x in range(n):
                    lower[x] = line[x]
                continue
            first = rows[steps[k, 0], steps[k, 1] :]
            second = rows[steps[k, 2], steps[k, 3] :]
            upper = rows[steps[k, 5]]
            for x in range(n):
                a, b = first[x], second[x]
                turned = b < a
                lower[x] = b if turned else a
                upper[x] = a if turned else b
        for x in range(length):
            out[start + x] = rows[result, x]


@kernel
def slide_counts(image, starts, columns, length, fine, coarse, out):
    """Write the medians along lines by counts that follow the box (Huang's method).

    Huang, Yang and Tang, "A fast two-dimensional median filtering algorithm", IEEE
    Trans. Acoust. 27(1), 1979; counts of many values together skip empty ones.

    Parameters
    ----------
    image
        Flat, whole numbers from 0 on.
    starts
        Where the first box of each line begins.
    columns, length
        Where each column begins in a box, and how long it is.
    fine, coarse
        How often each value is in the box, and each `TOGETHER` values; zeros before
        and after.
    out
        Receives the medians, shape (lines, boxes).
    """
    rank = columns.size * length // 2
    for line in range(starts.size):
        at = starts[line]
        median = below = 0  # how many voxels of the box are below the median
        for x in range(length - 1):
            below += _count(image, at + x, columns, 1, fine, coarse, median)
        for x in range(out.shape[1]):
            last = at + x + length - 1
            below += _count(image, last, columns, 1, fine, coarse, median)
            median, below = _ranked(rank, median, below, fine, coarse)
            out[line, x] = median
            below += _count(image, at + x, columns, -1, fine, coarse, median)
        for x in range(out.shape[1], out.shape[1] + length - 1):
            _count(image, at + x, columns, -1, fine, coarse, median)


@kernel
def _count(image, at, columns, one, fine, coarse, median):
    """Count one voxel more, or less, of each column; return how many below are more."""
    more = 0
    for c in range(columns.size):
        value = image[at + columns[c]]
        fine[value] += one
        coarse[value // TOGETHER] += one
        if value < median:
            more += one
    return more


@kernel
def _ranked(rank, median, below, fine, coarse):
    """Return the value of a rank, and how many are below it, from those of another."""
    while below > rank:
        many = coarse[median // TOGETHER - 1]
        if median % TOGETHER == 0 and below - many > rank:
            median -= TOGETHER
            below -= many
        else:
            median -= 1
            below -= fine[median]
    while below + fine[median] <= rank:
        many = coarse[median // TOGETHER]
        if median % TOGETHER == 0 and below + many <= rank:
            median += TOGETHER
            below += many
        else:
            below += fine[median]
            median += 1
    return median, below
