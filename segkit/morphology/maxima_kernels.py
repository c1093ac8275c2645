"""Compiled kernels of `segkit.h_maxima`: basins of maxima, and where they meet.

From each voxel a path leads upwards, voxel by voxel, to a maximum: its *basin*. All
images are flat, with a border of minus infinity around them, so that neighbours are at
the same distances everywhere. Of voxels of equal value the later one counts as higher:
a plateau is a slope like others, and the parts in which it may fall meet at its height.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import numpy as np

from segkit.compiled.kernels import kernel


@kernel
def ascend(grey, offsets, span, best, up):
    """Write for each voxel of a span a higher neighbour, or itself if there is none.

    `offsets` lead to the neighbours, in raster order; `best` is scratch. Returns how
    many maxima there are.
    """
    count = 0
    for start in range(span[0], span[1], best.size):
        n = min(best.size, span[1] - start)
        here = up[start:]
        for i in range(n):
            best[i] = grey[start + i]
            here[i] = start + i
        for k in range(offsets.size):
            line = grey[start + offsets[k] :]
            first = start + offsets[k]
            if offsets[k] < 0:
                for i in range(n):
                    higher = line[i] > best[i]
                    best[i] = line[i] if higher else best[i]
                    here[i] = first + i if higher else here[i]
            else:
                for i in range(n):
                    higher = line[i] >= best[i]
                    best[i] = line[i] if higher else best[i]
                    here[i] = first + i if higher else here[i]
        for i in range(n):
            count += here[i] == start + i and best[i] > -np.inf
    return count


@kernel
def number_maxima(grey, up, span, number, peaks):
    """Write the height of each maximum of a span, and -1 - its number into `up`.

    Numbers begin with `number`.
    """
    for place in range(span[0], span[1]):
        if up[place] == place and grey[place] > -np.inf:
            peaks[number] = grey[place]
            up[place] = -1 - number
            number += 1


@kernel
def _basin(up, place):
    """Return the number of the maximum above a voxel, from 0 on; shorten the path."""
    while True:
        above = up[place]
        if above < 0:
            return -1 - above
        higher = up[above]
        if higher < 0:
            return -1 - higher
        up[place] = higher
        place = higher


@kernel
def stands_out(level, height, h):
    """Return whether from a height to a level it goes down by at least h."""
    return level < height and level <= np.float64(height) - h


@kernel
def find_saddles(
    grey, up, peaks, near, span, h, scratch, pairs, levels, best, towards, state
):
    """Write where basins meet: pairs of them, and at which level.

    Most pairs meet at several voxels, of which the highest counts. Who met lately is
    known, so that few are written twice.

    Parameters
    ----------
    grey, up, peaks
        As `number_maxima` leaves them.
    near
        Offsets of the neighbours in raster order, and for each of them bits of those
        before it that are its neighbours.
    span
        Of voxels.
    h
        Basins that meet so low that the lower maximum stands out need not be told.
    scratch
        Bits of the higher neighbours of some voxels, and of one in each group of these;
        where pairs are that met lately, 2**k places.
    pairs, levels
        Receive numbers of maxima, shape (room, 2), and the grey value.
    best, towards
        As `find_highest` leaves them.
    state
        The next voxel, and how many pairs there are. It ends where there may be too
        little room: call it again with more.
    """
    offsets, before = near
    higher, first, known = scratch
    start, count = state[0], 0
    width = higher.size
    while start < span[1] and count + width * offsets.size < levels.size:
        n = min(width, span[1] - start)
        _look_around(grey, offsets, before, start, n, higher, first)
        for i in range(n):
            # Neighbours of each other meet higher up; a saddle is between others.
            level = grey[start + i]
            if first[i] & (first[i] - 1) and level > -np.inf:
                one = -1
                for k in range(offsets.size):
                    if first[i] >> k & 1:
                        other = _basin(up, start + i + offsets[k])
                        if one < 0:
                            one = other
                        elif other != one:
                            least = min(peaks[one], peaks[other])
                            if not stands_out(level, least, h):
                                low, high = min(one, other), max(one, other)
                                count += _note(
                                    low, high, level, known, pairs, levels, count
                                )
                                _climb(low, high, level, best, towards)
        start += n
    state[0] = start
    state[1] = count


@kernel
def _note(low, high, level, known, pairs, levels, count):
    """Write a saddle, or only its level if the pair is known; return how many more."""
    slot = (low * 31 + high) & (known.size - 1)
    k = known[slot]
    if k < count and pairs[k, 0] == low and pairs[k, 1] == high:
        levels[k] = max(levels[k], level)
        return 0
    pairs[count, 0] = low
    pairs[count, 1] = high
    levels[count] = level
    known[slot] = count
    return 1


@kernel
def _climb(one, other, level, best, towards):
    """Note a saddle of two roots if it is the highest of one of them so far."""
    if level > best[one]:
        best[one] = level
        towards[one] = other
    if level > best[other]:
        best[other] = level
        towards[other] = one


@kernel
def _look_around(grey, offsets, before, start, n, higher, first):
    """Write bits of higher neighbours, and of one at least in each group of them."""
    here = grey[start:]
    for i in range(n):
        higher[i] = 0
        first[i] = 0
    for k in range(offsets.size):
        line = grey[start + offsets[k] :]
        bit = np.int32(1 << k)
        if offsets[k] < 0:
            for i in range(n):
                higher[i] |= bit if line[i] > here[i] else np.int32(0)
        else:
            for i in range(n):
                higher[i] |= bit if line[i] >= here[i] else np.int32(0)
    for k in range(offsets.size):
        bit, others = np.int32(1 << k), before[k]
        for i in range(n):
            alone = higher[i] & (others | bit) == bit
            first[i] |= bit if alone else np.int32(0)


@kernel
def find_highest(pairs, levels, parent, best, towards):
    """Note for each root the highest of some saddles, and the root beyond it.

    Pairs are replaced by those of roots, without those that have met; returns how many
    are left.
    """
    left = 0
    for k in range(levels.size):
        one, other = _root(parent, pairs[k, 0]), _root(parent, pairs[k, 1])
        if one != other:
            level = levels[k]
            pairs[left, 0], pairs[left, 1], levels[left] = one, other, level
            left += 1
            _climb(one, other, level, best, towards)
    return left


@kernel
def meet_higher(best, towards, peaks, h, parent, equal, lost, roots):
    """Let each tree meet what is beyond its highest saddle, if that is higher.

    Whatever else meets before that can only be higher still. `best` and `towards` are
    those of `find_highest`, a row for each thread; the first row then holds the highest
    of all, the others minus infinity. Only the `roots` are looked at; those that may
    meet what is as high are moved to the front, and returned is how many these are.

    Threads may share the roots out: a root is met by its own thread only, and what
    others make of trees meanwhile leads from each node to one that is no lower.
    """
    ties = 0
    for i in range(roots.size):
        one = roots[i]
        for row in range(1, len(best)):
            if best[row, one] > best[0, one]:
                best[0, one], towards[0, one] = best[row, one], towards[row, one]
            best[row, one] = -np.inf
        level = best[0, one]
        if level > -np.inf:
            other = _root(parent, towards[0, one])
            if peaks[one] < peaks[other]:
                _meet(one, other, level, peaks, h, parent, equal, lost)
            elif peaks[one] == peaks[other] and other != one:
                roots[i], roots[ties] = roots[ties], one
                ties += 1
    return ties


@kernel
def meet_equal(best, towards, peaks, h, parent, equal, lost, ties):
    """Let trees meet what was as high beyond their highest saddle; see `meet_higher`.

    It may have met a higher one before, unless this is its highest saddle, too.
    """
    for one in ties:
        level, other = best[0, one], _root(parent, towards[0, one])
        if other != one and (
            peaks[one] < peaks[other]
            or (peaks[one] == peaks[other] and best[0, other] == level)
        ):
            _meet(one, other, level, peaks, h, parent, equal, lost)


@kernel
def move_roots(best, parent, roots):
    """Move roots that may meet others later to the front; return how many these are.

    The highest saddles are forgotten.
    """
    left = 0
    for one in roots:
        if parent[one] == one and best[0, one] > -np.inf:
            roots[left] = one
            left += 1
        best[0, one] = -np.inf
    return left


@kernel
def flood(order, pairs, levels, peaks, h, parent, equal, lost):
    """Let basins meet from the highest level down; write which maxima are lost.

    Parameters
    ----------
    order, pairs, levels
        Of the saddles: their numbers by level, the lowest first; those of
        `find_saddles`.
    peaks, h
        Heights of maxima; how much lower the way to a higher one has to lead.
    parent, equal
        Trees of maxima, at first of one each: of those that have met, each below one
        that is no lower, and of those that met before they met a higher one.
    lost
        Of the maxima in a tree of equals, the root's becomes 1, and in the end those
        of all.
    """
    for k in range(order.size - 1, -1, -1):
        one = _root(parent, pairs[order[k], 0])
        other = _root(parent, pairs[order[k], 1])
        if one == other:
            continue
        if peaks[one] < peaks[other]:
            one, other = other, one
        _meet(other, one, levels[order[k]], peaks, h, parent, equal, lost)
    for k in range(lost.size):
        lost[k] = lost[_root(equal, k)]


@kernel
def _meet(one, other, level, peaks, h, parent, equal, lost):
    """Let a tree meet another one that is no lower, at a level."""
    if peaks[one] == peaks[other]:
        equal[_root(equal, one)] = _root(equal, other)
    elif not stands_out(level, peaks[one], h):
        lost[_root(equal, one)] = 1
    parent[one] = other


@kernel
def _root(parent, node):
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@kernel
def mark(grey, up, span, lost, out):
    """Mark the voxels of maxima that are not lost, and of their plateaus."""
    for place in range(span[1] - 1, span[0] - 1, -1):
        above = up[place]
        while above >= span[1] and grey[above] == grey[place]:
            above = up[above]  # what others mark now
        if above < 0:
            out[place] = lost[-1 - above] == 0
        else:  # a higher voxel of the same value comes later
            out[place] = grey[above] == grey[place] and out[above]
