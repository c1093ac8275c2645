"""Compiled labelling of a box: runs of voxels, row by row, and a union-find.

A run (voxels in a row that belong together) takes the smallest label among the runs
that touch it in the rows before, or a new one. Labels are given in raster order and
the smallest of a set stays its root, so that the roots, in order, *are* the objects in
raster order of their first voxel, and nothing needs to be sorted.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit._compiled import kernel
from segkit._union_find import unite

# Background voxels looked at together.
_AT_ONCE = 16


@kernel
def label_rows(image, labels, starts, shape, near):
    """Write provisional labels from 1 on into a box of `labels`.

    Parameters
    ----------
    image, labels
        The whole arrays, flat.
    starts
        Where each row of the box starts in them, in raster order.
    shape
        Of the box.
    near
        Rows, spans and joined of `row_offsets`, and whether runs are of equal values.

    Returns
    -------
    parent, first
        For each provisional label its parent, and the raster index in the box of the
        voxel at which it was given; entry 0 is the background.
    """
    rows, spans, joined, by_value = near
    width = shape[-1]
    index = np.zeros(shape.size - 1, np.int64)
    lines = np.empty((rows.shape[0], 3), np.int64)
    parent = np.zeros(1024 + width, np.int32)
    first = np.zeros(1024 + width, np.int32)
    count = 0
    for row in range(starts.size):
        known = _lines(lines, index, shape, rows, spans, starts, row)
        if count + width >= parent.size:
            parent = _grown(parent, count)
            first = _grown(first, count)
        span = (starts[row], starts[row] + width, row * width - starts[row], known)
        rules = (joined, by_value)
        count = _label_row(image, labels, span, lines, rules, parent, first, count)
        _advance(index, shape)
    return parent[: count + 1].copy(), first[: count + 1].copy()


@kernel
def _lines(lines, index, shape, rows, spans, starts, row):
    """Write start, first and last offset of each neighbouring row; return how many."""
    count = 0
    for k in range(rows.shape[0]):
        other = 0
        inside = True
        for axis in range(rows.shape[1]):
            place = index[axis] + rows[k, axis]
            inside &= 0 <= place < shape[axis]
            other = other * shape[axis] + rows[k, axis]
        if inside:
            lines[count, 0] = starts[row + other]
            lines[count, 1] = spans[k, 0]
            lines[count, 2] = spans[k, 1]
            count += 1
    return count


@kernel
def _grown(array, count):
    grown = np.zeros(2 * array.size, np.int32)
    grown[: count + 1] = array[: count + 1]
    return grown


@kernel
def _advance(index, shape):
    for axis in range(index.size - 1, -1, -1):
        index[axis] += 1
        if index[axis] < shape[axis]:
            return
        index[axis] = 0


@kernel
def _run_start(image, x, end):
    """Return where the next foreground from x on is, or `end`."""
    while x + _AT_ONCE <= end:  # a fixed number, so that it takes but one comparison
        found = image[x]
        for k in range(1, _AT_ONCE):
            found |= image[x + k]
        if found != 0:
            break
        x += _AT_ONCE
    while x < end and image[x] == 0:
        x += 1
    return x


@kernel
def _run_end(image, x, end, joined, by_value):
    """Return where the run that starts at x ends."""
    value = image[x]
    x += 1
    if joined and by_value:
        while x < end and image[x] == value:
            x += 1
    elif joined:
        while x < end and image[x] != 0:
            x += 1
    return x


@kernel
def _label_row(image, labels, span, lines, rules, parent, first, count):
    """Label a row; return how many labels there are now."""
    base, end, ahead, known = span
    joined, by_value = rules
    labels[base:end] = 0
    x = base
    while True:
        x = _run_start(image, x, end)
        if x == end:
            return count
        start = x
        x = _run_end(image, x, end, joined, by_value)
        name = np.int32(0)
        for k in range(known):
            move = lines[k, 0] - base
            q = max(start + lines[k, 1], base) + move
            stop = min(x + lines[k, 2], end) + move
            last = np.int32(0)
            while q < stop:
                other = labels[q]
                same = not by_value or image[q] == image[start]
                if other != 0 and other != last and same:
                    name = unite(parent, name, other)
                last = other
                q += 1
        if name == 0:
            count += 1
            parent[count] = count
            first[count] = ahead + start
            name = np.int32(count)
        for q in range(start, x):
            labels[q] = name


@kernel
def look_up_rows(labels, starts, width, table):
    """Replace each label in the rows of a box by its entry in `table`."""
    for row in range(starts.size):
        line = labels[starts[row] : starts[row] + width]
        for x in range(width):
            if line[x] != 0:
                line[x] = table[line[x]]


@kernel
def look_up(labels, table, out):
    """Write the entry in `table` of each label into `out`."""
    background = table[0]
    for i in range(labels.size):
        out[i] = background if labels[i] == 0 else table[labels[i]]


@kernel
def touching(first, second):
    """Return the pairs of labels at the same places, without immediate repeats."""
    found = np.empty((64, 2), np.int64)
    count = 0
    a = b = 0
    for i in range(first.size):
        if first[i] == 0 or second[i] == 0 or (first[i] == a and second[i] == b):
            continue
        a = first[i]
        b = second[i]
        if count == found.shape[0]:
            grown = np.empty((2 * count, 2), np.int64)
            grown[:count] = found
            found = grown
        found[count, 0] = a
        found[count, 1] = b
        count += 1
    return found[:count].copy()
