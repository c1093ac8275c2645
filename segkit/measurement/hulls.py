"""Convex hulls of objects, and their diameters.

A voxel is not a point: it counts as the middles of its faces, half a voxel from its
centre along each axis, as in scikit-image. The convex object is made of all voxels
whose centres lie in the hull of these.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.measurement import hull_kernels

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.measurement.details.rows import ObjectRows

# Centres this near to a face of the hull, outside of it, are inside: faces that meet
# them exactly are computed with a rounding error.
_NEAR = 1e-10
_FLAT = 1e-12
_LONGEST = 2**15  # side of an object whose hull is computed in whole numbers
_FACES = 1024  # that there is room for at first


class HullRows(NamedTuple):
    """The rows of the convex objects, sorted by object."""

    owner: Array
    """Which object each row is of, as a place among them."""
    place: Array
    """On all axes but the last, shape (rows, axes - 1)."""
    ends: Array
    """The first and the last place on the last axis, shape (2, rows)."""


def convex(rows: ObjectRows) -> HullRows:
    """Return the rows of the convex hulls of objects, of two or three axes."""
    if rows.place.shape[1] == 1:
        return _convex_in_planes(rows)
    return _convex_in_space(rows)


def areas(hulls: HullRows, objects: int) -> Array:
    """Return how many voxels the convex objects have."""
    lengths = hulls.ends[1] - hulls.ends[0] + 1
    counts = np.zeros(objects, np.int64)
    np.add.at(counts, hulls.owner, lengths)
    return counts


def diameters(hulls: HullRows, objects: int, steps: tuple[float, ...]) -> Array:
    """Return the largest distance of two middles of faces of each convex object."""
    starts = np.searchsorted(hulls.owner, np.arange(objects + 1))
    points, begins = _corners(starts, hulls.place, hulls.ends)
    found = np.zeros(objects)
    _find_diameters(points, begins, np.array(steps), found)
    return np.sqrt(found)


@falls_back_on(hull_kernels.find_diameters.plain)
def _find_diameters(points: Array, starts: Array, steps: Array, found: Array) -> None:
    hull_kernels.find_diameters(points, starts, steps, found)


def _corners(starts: Array, place: Array, ends: Array) -> tuple[Array, Array]:
    """Return corners of the hulls of all planes of objects, and where each has some."""
    points = np.empty((2 * len(place), place.shape[1] + 1), np.int64)
    begins = np.zeros(len(starts), np.int64)
    stack = np.empty(len(place), np.int64)
    _collect_corners(starts, place, ends, stack, points, begins)
    return points[: begins[-1]], begins


@falls_back_on(hull_kernels.collect_corners.plain)
def _collect_corners(
    starts: Array, place: Array, ends: Array, stack: Array, points: Array, begins: Array
) -> None:
    hull_kernels.collect_corners(starts, place, ends, stack, points, begins)


def _convex_in_planes(rows: ObjectRows) -> HullRows:
    """Return the rows of hulls in planes, exactly: in halves of voxels, all whole."""
    y, starts = rows.place[:, 0], rows.starts
    low = y[starts[:-1]]
    lengths = y[starts[1:] - 1] - low + 1
    lines = np.concatenate([[0], np.cumsum(lengths)])
    owner = np.repeat(np.arange(len(low)), lengths)
    own_y = np.arange(lines[-1]) + (low - lines[:-1])[owner]
    ends = np.empty((2, lines[-1]), np.int64)
    scratch = np.empty((2, 3 * int(np.diff(starts).max(initial=0))), np.int64)
    _find_plane_rows(starts, y, rows.ends, lines, scratch, ends)
    return HullRows(owner, own_y[:, None], ends)


@falls_back_on(hull_kernels.find_plane_rows.plain)
def _find_plane_rows(
    starts: Array, y: Array, ends: Array, lines: Array, scratch: Array, found: Array
) -> None:
    hull_kernels.find_plane_rows(starts, y, ends, lines, scratch, found)


def _convex_in_space(rows: ObjectRows) -> HullRows:
    points, starts = _corners(rows.starts, rows.place, rows.ends)
    if not len(points):
        nothing = np.zeros((0, 2), np.int64)
        return HullRows(nothing[:, 0], nothing, nothing.T)
    low = np.minimum.reduceat(points, starts[:-1])
    lengths = np.maximum.reduceat(points, starts[:-1]) - low + 1
    lines = np.concatenate([[0], np.cumsum(lengths[:, 0] * lengths[:, 1])])
    ends = np.empty((2, lines[-1]), np.int64)
    whose = np.repeat(np.arange(len(low)), np.diff(starts))
    find = _find_rows if lengths.max() <= _LONGEST else _find_rows_by_scipy
    find(points - low[whose], starts, lengths, lines, ends[0], ends[1])
    (there,) = np.nonzero(ends[0] <= ends[1])
    owner = np.searchsorted(lines, there, "right") - 1
    place = np.stack(np.divmod(there - lines[owner], lengths[owner, 1]), axis=1)
    low = low[owner]
    return HullRows(owner, place + low[:, :2], ends.take(there, axis=1) + low[:, 2])


def _find_rows_by_scipy(
    voxels: Array,
    starts: Array,
    lengths: Array,
    lines: Array,
    first: Array,
    last: Array,
) -> None:
    first[:], last[:] = 1, 0
    known: dict[bytes, tuple[Array, Array, Array]] = {}  # small ones are often alike
    for number, (start, stop) in enumerate(pairwise(starts)):
        own = voxels[start:stop]
        shape = own.tobytes()
        if shape not in known:
            known[shape] = _rows_of_hull(own)
        place, own_first, own_last = known[shape]
        line = lines[number] + place @ [lengths[number, 1], 1]
        first[line], last[line] = own_first, own_last


@falls_back_on(_find_rows_by_scipy)
def _find_rows(
    voxels: Array,
    starts: Array,
    lengths: Array,
    lines: Array,
    first: Array,
    last: Array,
) -> None:
    """Find the rows of convex objects in their boxes; see `space_hull_kernels`."""
    from segkit.measurement import space_hull_kernels as kernels

    most = 6 * int(np.diff(starts).max())
    points = np.empty((most, 3), np.int64), *np.empty((2, most), np.int64)
    done, room = 0, _FACES
    while done < len(lengths):
        columns = ((room, 3), (room, 4), (room, 3), (room,), (room,))
        faces = (
            *(np.empty(column, np.int64) for column in columns),
            np.empty((kernels.LISTS, room), np.int64),
            np.empty(kernels.LISTS + 1, np.int64),
        )
        boxes = voxels, starts, lengths, lines
        done = kernels.find_rows(*boxes, done, points, faces, first, last)
        room *= 4


def _rows_of_hull(points: Array) -> tuple[Array, Array, Array]:
    """Return the place, first and last of each row of the hull of voxels."""
    from scipy.spatial import ConvexHull

    high = points.max(axis=0)
    if (high == 0).sum() >= 2:  # of one line
        plane = np.indices((high[0] + 1, high[1] + 1)).reshape(2, -1).T
        return plane, np.zeros(len(plane), np.int64), np.full(len(plane), high[2])
    faces = np.concatenate([np.eye(3), -np.eye(3)]) / 2
    middles = (points[:, None] + faces).reshape(-1, 3)
    return _rows_inside(high, ConvexHull(middles).equations)


def _rows_inside(high: Array, equations: Array) -> tuple[Array, Array, Array]:
    """Return the rows of the voxels that all faces of a hull have on their inner side.

    Places go from 0 to `high`.
    """
    plane = np.indices((high[0] + 1, high[1] + 1)).reshape(2, -1).T
    away = equations[:, 2]
    # Each face: away * x < rest, for each row.
    rest = _NEAR - equations[:, 3] - plane @ equations[:, :2].T
    below, above = away < -_FLAT, away > _FLAT
    first = np.ceil((rest[:, below] / away[below]).max(axis=1))
    last = np.floor((rest[:, above] / away[above]).min(axis=1))
    beside = rest[:, ~(below | above)].min(axis=1, initial=1) > 0
    start = np.maximum(first, 0).astype(np.int64)
    stop = np.minimum(last, high[2]).astype(np.int64)
    there = beside & (start <= stop)
    return plane[there], start[there], stop[there]
