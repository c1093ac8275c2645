"""Compiled: the holes of objects, from their runs.

Between two runs of a line there is a gap. Gaps of neighbouring lines that touch, also
by a corner, are of one set; so is all that lies before the first run of a line, behind
the last, and in lines without runs: it is outside. Gaps of other sets are holes.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel
from segkit.labelling.union_find import find, unite


@kernel
def find_holes(line, ends, starts, faces, reach, scratch, found):
    """Find how many voxels the holes of each object have.

    Parameters
    ----------
    line
        Of each run, in its object's box, in raster order.
    ends
        The first and the last place of each run on its line.
    starts
        Where the runs of each object start, and how many there are.
    faces
        How many planes of lines the box of each object has, and lines in each.
    reach
        1 if lines of two planes may touch; 0 if there is but one plane.
    scratch
        One more than lines of a box, and than runs of an object, at most.
    found
        Receives one number for each object.
    """
    table, parent = scratch
    for own in range(found.size):
        begin, end = starts[own], starts[own + 1]
        found[own] = 0
        lines = faces[own, 0] * faces[own, 1]
        if _list_lines(line, begin, end, lines, table):
            for node in range(end - begin + 1):
                parent[node] = node
            _unite_gaps(ends, table, faces[own], reach, begin, parent)
            for k in range(begin, end - 1):
                if line[k] == line[k + 1] and find(parent, k + 1 - begin) != 0:
                    found[own] += ends[0][k + 1] - ends[1][k] - 1


@kernel
def _list_lines(line, begin, end, lines, table):
    """Write where the runs of each line start; return whether there are gaps."""
    gaps = False
    for k in range(begin + 1, end):
        if line[k] == line[k - 1]:
            gaps = True
            break
    if gaps:
        k = begin
        for number in range(lines):
            table[number] = k
            while k < end and line[k] == number:
                k += 1
        table[lines] = end
    return gaps


@kernel
def _unite_gaps(ends, table, face, reach, begin, parent):
    """Unite the gaps of an object that touch, and those that touch what is outside."""
    depth, height = face[0], face[1]
    for number in range(depth * height):
        start, stop = table[number], table[number + 1]
        if stop - start < 2:
            continue
        z, y = number // height, number % height
        for dz in range(-reach, reach + 1):
            for dy in range(-1, 2):
                if dz == 0 and dy == 0:
                    continue
                other, there = number + dz * height + dy, False
                if 0 <= z + dz < depth and 0 <= y + dy < height:
                    there = table[other] < table[other + 1]
                if there:
                    other_start, other_stop = table[other], table[other + 1]
                    own = start, stop, other_start, other_stop
                    _unite_lines(ends, own, begin, parent)
                else:
                    for k in range(start, stop - 1):
                        unite(parent, k + 1 - begin, 0)


@kernel
def _unite_lines(ends, runs, begin, parent):
    """Unite the gaps of a line with those of another one that they touch.

    A gap is known by the run before it, counted from 1; 0 is outside.
    """
    first, last = ends
    start, stop, other_start, other_stop = runs
    j = other_start
    for k in range(start, stop - 1):
        # The gap before run j of the other line ends before that run.
        while j < other_stop and first[j] <= last[k]:
            j += 1
        near = j
        while near == other_start or last[near - 1] < first[k + 1]:
            if near == other_stop:
                unite(parent, k + 1 - begin, 0)
                break
            unite(parent, k + 1 - begin, near - begin if near > other_start else 0)
            near += 1
