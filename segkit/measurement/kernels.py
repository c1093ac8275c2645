"""Compiled sums over objects: one pass over runs of equal labels.

A run adds to the sums of positions what closed formulas give for it. Positions count
from the box's first voxel, which keeps the sums small.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel

# Longer runs are cut: their sums of squares would overflow 63 bits.
_LONGEST_RUN = 2**20


@kernel
def mark_rows(labels, starts, width, seen):
    """Set `seen` for each label in the rows of a box."""
    for row in range(starts.size):
        for x in range(starts[row], starts[row] + width):
            seen[labels[x]] = True


@kernel
def sum_rows(
    labels, intensity, starts, shape, place, slots, sums, intensities, relative
):
    """Add positions and intensities of the objects of a box to their sums.

    Parameters
    ----------
    labels, intensity
        The whole arrays, flat; `intensity` may be of length 0.
    starts, shape
        Where each row of the box starts, and the box's shape (int64).
    place
        Zeros, one for each axis; changed.
    slots
        For each label the row of its object in `sums` and `intensities`.
    sums
        int64, zeros at first: count, sums of positions, of their products, least and
        largest position + 1, axis by axis.
    intensities
        Sum, sum of squares, least and largest intensity, and the intensity that counts
        as zero in the sums; which is an object's first one if `relative`, else 0.
    """
    width = shape[-1]
    for row in range(starts.size):
        line = labels[starts[row] : starts[row] + width]
        x = 0
        while x < width:
            name = line[x]
            if name == 0:
                x += 1
                continue
            start = x
            while x < width and line[x] == name and x - start < _LONGEST_RUN:
                x += 1
            slot = slots[name]
            if intensity.size:
                values = intensity[starts[row] + start : starts[row] + x]
                if sums[slot, 0] == 0:
                    intensities[slot, 2] = values[0]
                    intensities[slot, 3] = values[0]
                    if relative:
                        intensities[slot, 4] = values[0]
                _add_intensities(intensities[slot], values)
            place[-1] = start
            _add_run(sums[slot], place, x - start)
        _advance(place, shape)


@kernel
def _add_run(sums, place, length):
    """Add `length` voxels from `place` on, along the last axis."""
    ndim = place.size
    last = ndim - 1
    ahead = length * (length - 1) // 2
    column = 1 + ndim
    for a in range(ndim):
        sums[1 + a] += length * place[a]
        for b in range(a, ndim):
            sums[column] += length * place[a] * place[b]
            if b == last:
                sums[column] += ahead * place[a]
            column += 1
    sums[1 + last] += ahead
    sums[column - 1] += ahead * place[last] + ahead * (2 * length - 1) // 3
    for a in range(ndim):
        end = place[a] + (length if a == last else 1)
        is_new = sums[0] == 0
        if is_new or place[a] < sums[column + a]:
            sums[column + a] = place[a]
        if is_new or end > sums[column + ndim + a]:
            sums[column + ndim + a] = end
    sums[0] += length


@kernel
def _add_intensities(sums, values):
    """Add the intensities of a run, as deviations from `sums[4]`."""
    total = sums[0]
    squares = sums[1]
    least = sums[2]
    largest = sums[3]
    zero = sums[4]
    for value in values:
        deviation = value - zero
        total += deviation
        squares += deviation * deviation
        least = min(least, value)
        largest = max(largest, value)
    sums[0] = total
    sums[1] = squares
    sums[2] = least
    sums[3] = largest


@kernel
def _advance(place, shape):
    """Go to the next row: count up in all axes but the last."""
    for axis in range(place.size - 2, -1, -1):
        place[axis] += 1
        if place[axis] < shape[axis]:
            return
        place[axis] = 0


@kernel
def count_crossings(labels, box, place, shape, slots, moves, jumps, counts):
    """Count, for each object and direction, steps that leave the object.

    Parameters
    ----------
    labels
        The whole array, flat.
    box
        Starts and stops of the box whose voxels are counted, shape (2, ndim).
    place
        The box's start; changed.
    shape
        Of the whole array, beyond which all is background.
    slots
        For each label the row of its object in `counts`.
    moves, jumps
        The steps, and how far each goes in the flat array; a step and its opposite
        stand at the same distance from the two ends of the list.
    counts
        Receives the counts; a step and its opposite share a column.
    """
    while place[0] < box[1, 0]:
        start = 0
        inner = True
        for axis in range(shape.size):
            start = start * shape[axis] + place[axis]
            inner &= axis == shape.size - 1 or 0 < place[axis] < shape[axis] - 1
        for x in range(box[1, -1] - box[0, -1]):
            name = labels[start + x]
            if name == 0:
                continue
            place[-1] = box[0, -1] + x
            safe = inner and 0 < place[-1] < shape[-1] - 1
            row = counts[slots[name]]
            for way in range(jumps.size):
                is_inside = safe or _is_inside(place, moves[way], shape)
                if not is_inside or labels[start + x + jumps[way]] != name:
                    row[min(way, jumps.size - 1 - way)] += 1
        place[-1] = box[0, -1]
        if place.size == 1:
            return
        _step_row(place, box)


@kernel
def add_by_neighbours(labels, box, place, shape, slots, moves, jumps, added, found):
    """Add up, for each object, what its voxels count by which neighbours are its own.

    Parameters
    ----------
    labels, box, place, shape, slots, moves, jumps
        As for `count_crossings`, but `moves` are in any order.
    added
        What a voxel counts; bit k of the index says whether the k-th move leads to a
        voxel of the same object.
    found
        Receives the sums (int64).
    """
    while place[0] < box[1, 0]:
        start = 0
        inner = True
        for axis in range(shape.size):
            start = start * shape[axis] + place[axis]
            inner &= axis == shape.size - 1 or 0 < place[axis] < shape[axis] - 1
        for x in range(box[1, -1] - box[0, -1]):
            name = labels[start + x]
            if name == 0:
                continue
            place[-1] = box[0, -1] + x
            safe = inner and 0 < place[-1] < shape[-1] - 1
            bits = 0
            for way in range(jumps.size):
                if safe or _is_inside(place, moves[way], shape):
                    bits |= (labels[start + x + jumps[way]] == name) << way
            found[slots[name]] += added[bits]
        place[-1] = box[0, -1]
        if place.size == 1:
            return
        _step_row(place, box)


@kernel
def _is_inside(place, move, shape):
    for axis in range(place.size):
        if not 0 <= place[axis] + move[axis] < shape[axis]:
            return False
    return True


@kernel
def _step_row(place, box):
    """Go to the next row of a box; beyond its last, leave it on the first axis."""
    for axis in range(place.size - 2, -1, -1):
        place[axis] += 1
        if place[axis] < box[1, axis] or axis == 0:
            return
        place[axis] = box[0, axis]
