"""Compiled kernel of `segkit.watershed`: in scikit-image's order, soon without a heap.

Voxels are labelled when they are reached, and go on in the order of their level, and
of when they were reached. In scikit-image a binary heap keeps that order; but for
markers of one grey value, of which none is before the other, it depends on how the heap
happens to be built. So as long as there are such, a heap of the same build is used;
from then on the voxels of each level wait in a line of their own.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel

_AGE = 31
"""Bits of a key that say when a voxel was reached; those above are its level."""


@kernel
def flood(levels, seeds, offsets, free, labels, keys, places, following, ends, ties):
    """Label all voxels that markers reach.

    All images are flat, with a border that is not free.

    Parameters
    ----------
    levels
        Ranks of grey values.
    seeds, offsets
        Places of markers in raster order; offsets of neighbours in theirs.
    free
        Which voxels may still be labelled; in the end those that none reached.
    labels
        Of the markers; in the end of all.
    keys, places
        Scratch: the heap, with room for each voxel.
    following, ends
        Scratch: which voxel waits behind each, and the first and the last of each
        level, all -1.
    ties
        How many markers there are at each level, zeros at first.
    """
    count, age, tied = 0, 1, 0
    for seed in seeds:
        level = np.int64(levels[seed])
        count = _push(keys, places, count, level << _AGE, seed)
        ties[level] += 1
        tied += ties[level] == 2
    while count:
        key, place = keys[0], places[0]
        level = key >> _AGE
        count -= 1
        _settle(keys, places, count, keys[count], places[count])
        if tied == 0:
            _wait(level, place, following, ends)
            continue
        if key == level << _AGE:
            ties[level] -= 1
            tied -= ties[level] == 1
        for k in range(offsets.size):
            near = place + offsets[k]
            if free[near]:
                free[near] = 0
                labels[near] = labels[place]
                age += 1
                key = max(level, np.int64(levels[near])) << _AGE | age
                count = _push(keys, places, count, key, near)
    _go_on(levels, offsets, free, labels, following, ends)


@kernel
def _go_on(levels, offsets, free, labels, following, ends):
    """Label voxels level by level, in the order in which they wait."""
    for level in range(len(ends)):
        place = ends[level, 0]
        while place >= 0:
            for k in range(offsets.size):
                near = place + offsets[k]
                if free[near]:
                    free[near] = 0
                    labels[near] = labels[place]
                    _wait(max(level, levels[near]), near, following, ends)
            place = following[place]


@kernel
def _wait(level, place, following, ends):
    """Let a voxel wait behind the last of its level."""
    following[place] = -1
    if ends[level, 0] < 0:
        ends[level, 0] = place
    else:
        following[ends[level, 1]] = place
    ends[level, 1] = place


@kernel
def _push(keys, places, count, key, place):
    """Put an item into a heap; return how many there are then."""
    child = count
    while child > 0 and key < keys[(child - 1) >> 1]:
        above = (child - 1) >> 1
        keys[child], places[child] = keys[above], places[above]
        child = above
    keys[child], places[child] = key, place
    return count + 1


@kernel
def _settle(keys, places, count, key, place):
    """Let an item sink from the top of a heap of `count`, to where it belongs."""
    at = 0
    while 2 * at + 1 < count:
        left = 2 * at + 1
        least, lowest = at, key
        if keys[left] < lowest:
            least, lowest = left, keys[left]
        if left + 1 < count and keys[left + 1] < lowest:
            least, lowest = left + 1, keys[left + 1]
        if least == at:
            break
        keys[at], places[at] = lowest, places[least]
        at = least
    keys[at], places[at] = key, place
