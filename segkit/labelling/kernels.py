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

from segkit.compiled.kernels import kernel
from segkit.labelling.union_find import unite

# Background voxels looked at together.
_AT_ONCE = 16


@kernel
def label_rows(image, labels, starts, shape, near, index, lines, parent, begun, state):
    """Write provisional labels from 1 on into a box of `labels`, row by row.

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
    index
        Of the next row in the box, zeros at first.
    lines
        Scratch (rows of `near`, 3).
    parent
        Receives the parent of each provisional label; entry 0 is the background.
    begun
        Receives how many labels there are before each row and after the last one.
    state
        The next row and how many labels there are. It ends before a row for which
        `parent` may be too short: call it again with a longer one.
    """
    rows, spans, joined, by_value = near
    width = shape[-1]
    row, count = state[0], state[1]
    while row < starts.size and count + width < parent.size:
        known = _lines(lines, index, shape, rows, spans, starts, row)
        span = (starts[row], starts[row] + width, known)
        rules = (joined, by_value)
        count = _label_row(image, labels, span, lines, rules, parent, count)
        _advance(index, shape)
        row += 1
        begun[row] = count
    state[0] = row
    state[1] = count


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
def _label_row(image, labels, span, lines, rules, parent, count):
    """Label a row; return how many labels there are now."""
    base, end, known = span
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
            name = np.int32(count)
        for q in range(start, x):
            labels[q] = name


@kernel
def find_first(labels, starts, width, begun, first):
    """Find where objects begin, from the labels of the voxels there.

    Parameters
    ----------
    labels
        The whole array, flat.
    starts, width
        Where each row of a box starts in it, in raster order, and how long it is.
    begun
        How many objects begin before each row and in all.
    first
        The label of each object's first voxel, in raster order of these; receives the
        voxel's raster index in the box.
    """
    for row in range(starts.size):
        x = starts[row]
        for k in range(begun[row], begun[row + 1]):
            while labels[x] != first[k]:
                x += 1
            first[k] = row * width + x - starts[row]


@kernel
def look_up_rows(labels, starts, width, lookup):
    """Replace each label in the rows of a box by its entry in `lookup`."""
    for row in range(starts.size):
        line = labels[starts[row] : starts[row] + width]
        for x in range(width):
            if line[x] != 0:
                line[x] = lookup[line[x]]


@kernel
def look_up(labels, lookup, out):
    """Write the entry in `lookup` of each label into `out`."""
    background = lookup[0]
    for i in range(labels.size):
        out[i] = background if labels[i] == 0 else lookup[labels[i]]


@kernel
def touching(first, second, found, state):
    """Write the pairs of labels at equal indices, without immediate repeats.

    Parameters
    ----------
    first, second
        Labels, flat.
    found
        Receives the pairs, shape (room, 2).
    state
        The next place and the number of pairs. It ends at a place for whose pair there
        is no room: call it again with more.
    """
    place, count = state[0], state[1]
    a = found[count - 1, 0] if count else 0
    b = found[count - 1, 1] if count else 0
    while place < first.size:
        same = first[place] == a and second[place] == b
        if first[place] != 0 and second[place] != 0 and not same:
            if count == found.shape[0]:
                break
            a = first[place]
            b = second[place]
            found[count, 0] = a
            found[count, 1] = b
            count += 1
        place += 1
    state[0] = place
    state[1] = count
