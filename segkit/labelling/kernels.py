"""Compiled labelling of a box: runs of voxels, row by row, and a union-find.

A run (voxels in a row that belong together) takes the smallest label among the runs
that touch it in the rows before, or a new one. Labels are given in raster order and
the smallest of a set stays its root, so that the roots, in order, *are* the objects in
raster order of their first voxel, and nothing needs to be sorted (He, Chao and Suzuki,
"A run-based two-scan labeling algorithm", IEEE Trans. Image Process. 17(5), 2008).

While labels are provisional, those of a row's runs stand one after the other from its
first voxel on. To find the runs once more takes less than to write all voxels twice, or
to look for a label in the memory of each run.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel
from segkit.labelling.union_find import unite

# Voxels that are written together.
_AT_ONCE = 8
# Which bit of 64 is set: multiplied by this number, each has other bits at the top.
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_ONE, _LAST, _TOP = np.uint64(1), np.uint64(63), np.uint64(58)
_PLACES = np.zeros(64, np.uint8)
_PLACES[[(int(_DE_BRUIJN) << k & 2**64 - 1) >> 58 for k in range(64)]] = range(64)


@kernel
def label_rows(source, labels, starts, shape, near, scratch, parent, begun, state):
    """Write the provisional labels of the runs of each row, from its start on.

    These count from 1 on.

    Parameters
    ----------
    source
        The whole image, flat; each row of the box in bits, its first voxel the lowest;
        whether voxels in a row touch, and whether only those of equal values do: bits
        are read if all that follow one another touch, else the image.
    labels
        The whole array, flat.
    starts
        Where each row of the box starts in it, in raster order.
    shape
        Of the box.
    near
        Rows and spans of `row_offsets`.
    scratch
        The index of the next row in the box, zeros at first; room for the edges of the
        runs of as many rows as may touch, for how many these are, and for the labels of
        the runs of a row.
    parent
        Receives the parent of each provisional label; entry 0 is the background.
    begun
        Receives how many labels there are before each row and after the last one.
    state
        The next row and how many labels there are. It ends before a row for which
        `parent` may be too short: call it again with a longer one.
    """
    rows, spans = near
    image, by_value = source[0], source[3]
    index, edges, counts, names = scratch
    kept = counts.size
    row, count = state[0], state[1]
    while row < starts.size and count + shape[-1] < parent.size:
        base, own = starts[row], edges[row % kept]
        runs = find_runs(source, row, base, shape[-1], own)
        counts[row % kept] = runs
        names[:runs] = 0
        for k in range(rows.shape[0]):
            other = _other_row(index, shape, rows[k])
            if other < 0:
                place = (row + other) % kept
                before = (starts[row + other], edges[place], counts[place])
                here = (base, own, names[:runs])
                _unite_rows(image, labels, here, before, spans[k], by_value, parent)
        for k in range(runs):
            parent[count + 1] = count + 1
            new = names[k] == 0  # without a branch, which nobody could predict
            count += new
            labels[base + k] = count if new else names[k]
        _advance(index, shape)
        row += 1
        begun[row] = count
    state[0] = row
    state[1] = count


@kernel
def find_runs(source, row, base, width, edges):
    """Write the first voxel of each run of a row, and the one after its last.

    Counted from the row's start, for which there has to be room for all voxels and one
    more. Returns how many runs there are.
    """
    image, bits, joined, by_value = source
    if by_value or not joined:
        return _find_values(image, base, width, joined, edges)
    n, last = 0, np.uint64(0)
    for x in range(bits.shape[1]):
        now = bits[row, x]
        change = now ^ (now << _ONE | last)
        last = now >> _LAST
        while change:
            lowest = change & (~change + _ONE)
            edges[n] = 64 * x + _PLACES[lowest * _DE_BRUIJN >> _TOP]
            n += 1
            change ^= lowest
    edges[n] = width
    return (n + 1) // 2


@kernel
def _find_values(image, base, width, joined, edges):
    """Write the edges of runs of equal values, or of single voxels."""
    runs, x = 0, 0
    while x < width:
        value = image[base + x]
        start = x
        x += 1
        if value == 0:
            continue
        while joined and x < width and image[base + x] == value:
            x += 1
        edges[2 * runs] = start
        edges[2 * runs + 1] = x
        runs += 1
    return runs


@kernel
def _other_row(index, shape, offset):
    """Return how many rows of the box before this one another is; 0 if outside."""
    other = 0
    for axis in range(offset.size):
        place = index[axis] + offset[axis]
        if place < 0 or place >= shape[axis]:
            return 0
        other = other * shape[axis] + offset[axis]
    return other


@kernel
def _advance(index, shape):
    for axis in range(index.size - 1, -1, -1):
        index[axis] += 1
        if index[axis] < shape[axis]:
            return
        index[axis] = 0


@kernel
def _unite_rows(image, labels, here, before, span, by_value, parent):
    """Unite the runs of a row with those of one before it that they touch."""
    base, own, names = here
    from_base, other, others = before
    first = 0
    for k in range(names.size):
        start, stop = own[2 * k] + span[0], own[2 * k + 1] + span[1]
        while first < others and other[2 * first + 1] <= start:
            first += 1
        name = names[k]
        i = first
        while i < others and other[2 * i] < stop:
            at = from_base + other[2 * i]
            if not by_value or image[at] == image[base + own[2 * k]]:
                label = labels[from_base + i]
                if name == 0:
                    name = label
                elif name != label:
                    unite(parent, name, label)
            i += 1
        names[k] = name


@kernel
def find_first(source, labels, starts, width, edges, numbers, begun, first):
    """Find where objects begin, as raster index in the box.

    Parameters
    ----------
    source, labels, starts
        As for `label_rows`; `labels` as it leaves them, or filled with numbers.
    width
        How long a row is.
    edges
        Scratch for the edges of the runs of a row.
    numbers
        For each label its object's number in raster order; empty if that is filled in.
    begun
        How many objects begin before each row and in all.
    first
        Receives the place of each object's first voxel.
    """
    for row in range(starts.size):
        found = begun[row]
        if found == begun[row + 1]:
            continue
        runs = find_runs(source, row, starts[row], width, edges)
        for k in range(runs):
            place = k if numbers.size else edges[2 * k]
            number = labels[starts[row] + place]
            if numbers.size:
                number = numbers[number]
            if number == found + 1:
                first[found] = row * width + edges[2 * k]
                found += 1


@kernel
def fill_rows(source, labels, starts, width, scratch, lookup, out):
    """Write what is looked up for the label of each run into all its voxels.

    Parameters
    ----------
    source, labels, starts, width
        As for `find_first`; `labels` as `label_rows` leaves them.
    scratch
        Room for the edges of the runs of a row, and for their values.
    lookup
        What is written for each label.
    out
        Flat; may be `labels` themselves. Background becomes 0.
    """
    edges, values = scratch
    for row in range(starts.size):
        base = starts[row]
        runs = find_runs(source, row, base, width, edges)
        for k in range(runs):
            values[k] = lookup[labels[base + k]]
        _fill_row(out[base : base + width], edges, values[:runs])


@kernel
def copy_faces(source, labels, starts, whole, edges, planes, first, last):
    """Write the labels in the outermost planes of a box.

    Parameters
    ----------
    source, labels, starts
        As for `fill_rows`.
    whole
        Which rows lie in an outermost plane of an axis but the last.
    edges
        Scratch for the edges of the runs of a row.
    planes
        Receives these rows, shape (rows, width).
    first, last
        Receive the first and the last label of each row.
    """
    width, kept = planes.shape[1], 0
    for row in range(starts.size):
        base = starts[row]
        runs = find_runs(source, row, base, width, edges)
        first[row] = labels[base] if runs and edges[0] == 0 else 0
        ends = runs and edges[2 * runs - 1] == width
        last[row] = labels[base + runs - 1] if ends else 0
        if whole[row]:
            _fill_row(planes[kept], edges, labels[base : base + runs])
            kept += 1


@kernel
def _fill_row(line, edges, values):
    """Write the values of runs into a row, and 0 between them."""
    x = 0
    for k in range(values.size):
        x = _fill(line, x, edges[2 * k], 0)
        x = _fill(line, x, edges[2 * k + 1], values[k])
    _fill(line, x, line.size, 0)


@kernel
def _fill(line, x, stop, value):
    """Write a value from x to `stop`, and somewhat beyond; return `stop`."""
    while x < stop:
        if x + _AT_ONCE <= line.size:  # what is beyond is written later
            for k in range(_AT_ONCE):
                line[x + k] = value
            x += _AT_ONCE
        else:
            line[x] = value
            x += 1
    return stop


@kernel
def look_up(labels, lookup, out):
    """Write the entry in `lookup` of each label into `out`."""
    background = lookup[0]
    for i in range(labels.size):
        out[i] = background if labels[i] == 0 else lookup[labels[i]]


@kernel
def see(labels, seen):
    """Write 1 into `seen` at each label that is there; there is one at least."""
    last = labels[0]
    seen[last] = 1
    for i in range(1, labels.size):
        if labels[i] != last:
            last = labels[i]
            seen[last] = 1


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
