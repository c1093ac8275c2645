"""Compiled kernels of `segkit.distance_transform`: squared distances, axis by axis.

Along the first axis, distances are counted from one background voxel to the next.
Along each other axis a voxel at `i` has the least of ``squares[q] + (i - q) ** 2``
over all `q` of its line: of parabolas, the lower envelope [1]_. Between two background
voxels no others count, whose parabolas are above theirs. All numbers are whole.

References
----------
.. [1] Felzenszwalb, P. and Huttenlocher, D. "Distance transforms of sampled
   functions", Theory of Computing 8:415-428, 2012.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

import math

import numpy as np

from segkit.compiled.kernels import kernel

FAR = np.int32(2**31 - 1)
"""The square where a line, or all that is known of it yet, has no background."""
TOGETHER = 16
"""Lines that are taken out of an array at once: as many numbers as are fetched."""


@kernel
def square_first(mask, columns, distance, squares):
    """Write squared distances along the first axis of an array (n, inner).

    Only columns from ``columns[0]`` to before ``columns[1]``, at most as many as
    `distance` holds at once, which is scratch.
    """
    length = len(mask)
    for start in range(columns[0], columns[1], distance.size):
        width = min(distance.size, columns[1] - start)
        for x in range(width):
            distance[x] = length
        for i in range(length):
            here, out = mask[i, start:], squares[i, start:]
            for x in range(width):
                distance[x] = distance[x] + 1 if here[x] else 0
                out[x] = distance[x]
        for x in range(width):
            distance[x] = length
        for i in range(length - 1, -1, -1):
            out = squares[i, start:]
            for x in range(width):
                distance[x] = min(distance[x] + 1, out[x])
                near = distance[x] < length
                out[x] = distance[x] * distance[x] if near else FAR


@kernel
def add_squares(squares, lines, line, sites, heights, starts):
    """Go on to the distances that squares along another axis lead to.

    Of an array (outer, n, inner), lines from ``lines[0]`` to before ``lines[1]`` of all
    ``outer * inner``; the rest is scratch: of shape (TOGETHER, n), and of n + 2.
    """
    length, inner = squares.shape[1:]
    one = lines[0]
    while one < lines[1]:
        volume, first = squares[one // inner], one % inner
        count = min(TOGETHER, lines[1] - one, inner - first)
        for i in range(length):
            for k in range(count):
                line[k, i] = volume[i, first + k]
        for k in range(count):
            _lower(line[k], sites, heights, starts)
        for i in range(length):
            for k in range(count):
                volume[i, first + k] = line[k, i]
        one += count


@kernel
def _lower(line, sites, heights, starts):
    """Replace the squares of a line, run by run of foreground."""
    start = 0
    while start < line.size:
        if line[start] == 0:
            start += 1
            continue
        stop = start + 1
        while stop < line.size and line[stop] != 0:
            stop += 1
        count = 0
        for place in range(max(start - 1, 0), min(stop + 1, line.size)):
            if line[place] < FAR:
                count = _push(place, line[place], start, count, sites, heights, starts)
        starts[count] = line.size
        k = 0
        for i in range(start, stop if count else start):
            while starts[k + 1] <= i:
                k += 1
            line[i] = heights[k] + (i - sites[k]) * (i - sites[k])
        start = stop


@kernel
def _push(place, height, start, count, sites, heights, starts):
    """Let a parabola cut those before it; return how many there are then.

    `starts` says from where on each is the lowest.
    """
    begins = start
    while count:
        site, at = sites[count - 1], starts[count - 1]
        before = heights[count - 1] + (at - site) * (at - site)
        if height + (at - place) * (at - place) > before:
            rise = height + place * place - heights[count - 1] - site * site
            begins = -(-rise // (2 * (place - site)))
            break
        count -= 1
    sites[count], heights[count], starts[count] = place, height, begins
    return count + 1


@kernel
def take_roots(squares, scale, out):
    """Write the roots of squares times a scale, computed in doubles."""
    for i in range(squares.size):
        out[i] = math.sqrt(squares[i]) * scale
