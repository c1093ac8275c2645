"""Compiled loops over the rows of objects: corners of hulls, and their diameters.

Each calls no other kernel, so that Python runs them, too, where numba does not.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel


@kernel
def collect_corners(starts, place, ends, stack, points, found):
    """Write the corners of the hulls of all planes of objects, object after object.

    Parameters
    ----------
    starts
        Where the rows of each object start, and how many there are.
    place
        Of each row on all axes but the last, in raster order, shape (rows, axes - 1).
    ends
        The first and the last place of each row on the last axis, shape (2, rows).
    stack
        Scratch, as long as there are rows.
    points
        Receives voxels, shape (2 * rows, axes); some may be there twice.
    found
        Receives where the points of each object start, and how many there are.

    Source: Andrew, A. M. "Another efficient algorithm for convex hulls in two
    dimensions", Information Processing Letters 9:216-219, 1979.
    """
    last, count = place.shape[1] - 1, 0
    for number in range(starts.size - 1):
        found[number] = count
        row, stop = starts[number], starts[number + 1]
        while row < stop:
            begin = row
            row += 1
            while row < stop and (
                last == 0 or place[row, last - 1] == place[begin, last - 1]
            ):
                row += 1
            for side in range(2):
                sign = 1 - 2 * side
                top = 0
                for point in range(begin, row):
                    while top >= 2:
                        a, b = stack[top - 2], stack[top - 1]
                        before = ends[side, b] - ends[side, a]
                        after = ends[side, point] - ends[side, b]
                        before *= sign * (place[point, last] - place[b, last])
                        after *= sign * (place[b, last] - place[a, last])
                        if before < after:
                            break
                        top -= 1
                    stack[top] = point
                    top += 1
                for k in range(top):
                    for axis in range(last + 1):
                        points[count, axis] = place[stack[k], axis]
                    points[count, last + 1] = ends[side, stack[k]]
                    count += 1
    found[starts.size - 1] = count


@kernel
def find_plane_rows(starts, y, ends, lines, scratch, found):
    """Find the rows of the convex hulls of objects of planes, exactly.

    Parameters
    ----------
    starts
        Where the rows of each object start, and how many there are.
    y
        Of each row; it rises strictly within an object.
    ends
        The first and the last place of each row, shape (2, rows).
    lines
        Where the rows of each hull start, and how many there are.
    scratch
        For three points of each row of an object, twice, shape (2, any).
    found
        Receives the first and the last place of each row of the hulls, from the first
        row of the object to its last, shape (2, rows of hulls).
    """
    along, across = scratch[0], scratch[1]
    for number in range(starts.size - 1):
        for side in range(2):
            sign = 1 - 2 * side
            # In halves of voxels, in which the middles of faces are whole numbers.
            top = 0
            for row in range(starts[number], starts[number + 1]):
                for k in range(3):
                    u = 2 * y[row] - 1 + k
                    v = 2 * ends[side, row] - sign * (k % 2)
                    again = top > 0 and along[top - 1] == u
                    if again and sign * v >= sign * across[top - 1]:
                        continue
                    top -= int(again)
                    while top >= 2:
                        before = across[top - 1] - across[top - 2]
                        after = v - across[top - 1]
                        before *= sign * (u - along[top - 1])
                        after *= sign * (along[top - 1] - along[top - 2])
                        if before < after:
                            break
                        top -= 1
                    along[top], across[top] = u, v
                    top += 1
            at, first = 0, y[starts[number]]
            for line in range(lines[number], lines[number + 1]):
                u = 2 * (first + line - lines[number])
                while along[at + 1] <= u:
                    at += 1
                far = along[at + 1] - along[at]
                met = across[at] * far
                met += (across[at + 1] - across[at]) * (u - along[at])
                # Rounded into the hull, to whole voxels: up on the first side.
                found[side, line] = -sign * (-sign * met // (2 * far))


@kernel
def find_diameters(points, starts, steps, found):
    """Find the largest distance of any two middles of voxel faces of each group.

    Parameters
    ----------
    points
        Voxels, shape (points, axes) (int64).
    starts
        Where each group starts, and the number of points (int64).
    steps
        Distance of voxel centres on each axis.
    found
        Receives the square of the distance for each group.
    """
    for group in range(starts.size - 1):
        largest = 0.0
        for first in range(starts[group], starts[group + 1]):
            for second in range(first, starts[group + 1]):
                squared = 0.0
                more = 0.0
                for axis in range(steps.size):
                    step = steps[axis]
                    apart = abs(points[first, axis] - points[second, axis]) * step
                    squared += apart * apart
                    more = max(more, (2 * apart + step) * step)  # half a voxel each
                largest = max(largest, squared + more)
        found[group] = largest
