"""Compiled counts at the outline of objects: what their voxels have as neighbours.

For many voxels of a row at once, one neighbour after the other is compared, and a bit
set where it is of the same object. Only few voxels, those at the outline, have
neighbours that are not.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel
from segkit.measurement.kernels import next_object, next_voxel, set_row

# How many voxels of background end what is looked at together.
_GAP = 32


@kernel
def count_crossings(labels, box, slots, steps, bits, counts):
    """Count, for each object and direction, steps that leave the object.

    Parameters
    ----------
    labels
        The whole array, flat.
    box
        Where rows start of the box whose voxels are counted, and which of its rows
        these are; its start and its shape; the shape of the whole array, beyond which
        all is background; and scratch, a number for each axis.
    slots
        For each label the row of its object in `counts`.
    steps
        Moves, and how far each goes in the flat array; a move and its opposite stand at
        the same distance from the two ends of the list.
    bits
        Scratch, uint32, as long as a row of the box.
    counts
        Receives the counts; a move and its opposite share a column.
    """
    starts, width, ways = box[0], box[3][-1], steps[1].size
    whole = np.uint32((1 << ways) - 1)
    row, start = next_voxel(labels, starts, width, 0, 0)
    while row < starts.size:
        line = labels[starts[row] : starts[row] + width]
        stop = _stretch_end(line, start)
        own = bits[: stop - start]
        _find_equal(labels, box, row, start, steps, own)
        for k in range(own.size):
            name = line[start + k]
            if own[k] != whole and name != 0:
                _add_missing(own[k], counts[slots[name]], ways)
        row, start = next_voxel(labels, starts, width, row, stop)


@kernel
def _add_missing(bits, counts, ways):
    for way in range(ways):
        counts[min(way, ways - 1 - way)] += 1 - (bits >> way & 1)


@kernel
def add_by_neighbours(labels, box, slots, steps, bits, added, found):
    """Add up, for each object, what its voxels count by which neighbours are its own.

    Parameters
    ----------
    labels, box, slots, steps, bits
        As for `count_crossings`, but moves are in any order.
    added
        What a voxel counts; bit k of the index says whether the k-th move leads to a
        voxel of the same object.
    found
        Receives the sums (int64).
    """
    starts, width = box[0], box[3][-1]
    row, start = next_voxel(labels, starts, width, 0, 0)
    while row < starts.size:
        line = labels[starts[row] : starts[row] + width]
        stop = _stretch_end(line, start)
        own = bits[: stop - start]
        _find_equal(labels, box, row, start, steps, own)
        for k in range(own.size):
            name, value = line[start + k], added[own[k]]
            if value != 0 and name != 0:
                found[slots[name]] += value
        row, start = next_voxel(labels, starts, width, row, stop)


@kernel
def mark_rims(labels, box, steps, bits, rims):
    """Write 1 into `rims`, flat, for each voxel of an object that some move leaves.

    All else is as for `count_crossings`.
    """
    starts, width = box[0], box[3][-1]
    whole = np.uint32((1 << steps[1].size) - 1)
    row, start = next_voxel(labels, starts, width, 0, 0)
    while row < starts.size:
        line = labels[starts[row] : starts[row] + width]
        rim = rims[starts[row] : starts[row] + width]
        stop = _stretch_end(line, start)
        own, here, into = bits[: stop - start], line[start:stop], rim[start:stop]
        _find_equal(labels, box, row, start, steps, own)
        for k in range(own.size):
            into[k] = (own[k] != whole) & (here[k] != 0)
        row, start = next_voxel(labels, starts, width, row, stop)


@kernel
def count_rims(labels, rims, box, slots, steps, kinds, counts):
    """Count, for each object, the voxels of its rim by how many neighbours are, too.

    Parameters
    ----------
    labels, box, slots, steps
        As for `count_crossings`; the moves are to neighbours by faces, then to as many
        by corners.
    rims
        Of `mark_rims`, for the box and what lies around it.
    kinds
        The column for so many neighbours by faces and by corners; -1 for none.
    counts
        Receives the counts.
    """
    starts, numbers, first, sizes, shape, place = box
    moves, jumps = steps
    row, x = next_voxel(rims, starts, sizes[-1], 0, 0)
    while row < starts.size:
        set_row(numbers[row], sizes, place)
        place[-1] = x
        here = starts[row] + x
        by_faces, by_corners = 0, 0
        for way in range(jumps.size):
            if _is_inside(place, first, moves[way], shape):
                there = here + jumps[way]
                is_near = rims[there] != 0 and labels[there] == labels[here]
                by_faces += is_near and way < jumps.size // 2
                by_corners += is_near and way >= jumps.size // 2
        kind = kinds[by_faces, by_corners]
        if kind >= 0:
            counts[slots[labels[here]], kind] += 1
        row, x = next_voxel(rims, starts, sizes[-1], row, x + 1)


@kernel
def _is_inside(place, first, move, shape):
    for axis in range(place.size):
        if not 0 <= first[axis] + place[axis] + move[axis] < shape[axis]:
            return False
    return True


@kernel
def _find_equal(labels, box, row, x, steps, bits):
    """Write which neighbours of voxels of a row have the value of the voxel itself.

    Bit k stands for the k-th move; what lies beyond the array has no value.

    Parameters
    ----------
    labels, box, steps
        As for `count_crossings`.
    row, x
        Where the first of the voxels is.
    bits
        Receives the bits, for as many voxels as it is long.
    """
    starts, numbers, first, sizes, shape, place = box
    moves, jumps = steps
    set_row(numbers[row], sizes, place)
    bits[:] = 0
    start = starts[row] + x
    here = labels[start : start + bits.size]
    left, right = first[-1] + x, shape[-1] - first[-1] - x
    for way in range(jumps.size):
        if not _has_row(place, first, moves[way], shape):
            continue
        aside = moves[way, -1]
        low, high = max(0, -aside - left), min(bits.size, right - aside)
        if low >= high:
            continue
        from_here = start + jumps[way]
        there, own = labels[from_here + low : from_here + high], here[low:high]
        into, bit = bits[low:high], np.uint32(1 << way)
        for k in range(into.size):
            into[k] |= bit if there[k] == own[k] else np.uint32(0)


@kernel
def _has_row(place, first, move, shape):
    """Return whether a move leads to a row of the array, or stays in it."""
    for axis in range(place.size - 1):
        if not 0 <= first[axis] + place[axis] + move[axis] < shape[axis]:
            return False
    return True


@kernel
def _stretch_end(line, start):
    """Return the place after objects of a line that follow one another closely."""
    while start < line.size:
        stop = min(line.size, start + _GAP)
        if next_object(line[start:stop], 0) == stop - start:
            break
        start = stop
    return start
