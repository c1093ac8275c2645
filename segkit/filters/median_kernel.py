"""Compiled kernels of `segkit.median`: networks for small boxes, counts for large ones.

Both take the image flat, with its border repeated around it, and know a box by its
first voxel: its columns (lines along the last axis) begin at the same distances from
there, wherever it is.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel

# Values that are counted together.
TOGETHER = 256


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
