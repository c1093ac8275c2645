"""Compiled loops over the rows of objects: corners of hulls, and their diameters.

Each calls no other kernel, so that Python runs them, too, where numba does not.
"""

# Compiled code: its types are numba's to check, not mypy's.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-untyped-call"

from __future__ import annotations

from segkit.compiled.kernels import kernel


@kernel
def mark_corners(along, across, starts, sign, stack, corners):
    """Mark the points of each group that are corners of its convex hull, on one side.

    Parameters
    ----------
    along, across
        Of each point (int64); `along` rises strictly within a group.
    starts
        Where each group starts, and the number of points (int64).
    sign
        1 for the side where `across` is least, -1 for the other.
    stack
        Scratch, of the length of the largest group (int64).
    corners
        Receives True for each corner.

    Source: Andrew, A. M. "Another efficient algorithm for convex hulls in two
    dimensions", Information Processing Letters 9:216-219, 1979.
    """
    for group in range(starts.size - 1):
        top = 0
        for point in range(starts[group], starts[group + 1]):
            while top >= 2:
                a, b = stack[top - 2], stack[top - 1]
                before = sign * (across[b] - across[a]) * (along[point] - along[b])
                after = sign * (across[point] - across[b]) * (along[b] - along[a])
                if before < after:
                    break
                top -= 1
            stack[top] = point
            top += 1
        for place in range(top):
            corners[stack[place]] = True


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
