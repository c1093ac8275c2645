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
    from segkit.measurement.rows import ObjectRows

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
    first: Array
    """The first place on the last axis."""
    last: Array
    """The last."""


def convex(rows: ObjectRows) -> HullRows:
    """Return the rows of the convex hulls of objects, of two or three axes."""
    if rows.place.shape[1] == 1:
        return _convex_in_planes(rows)
    return _convex_in_space(rows)


def areas(hulls: HullRows, objects: int) -> Array:
    """Return how many voxels the convex objects have."""
    lengths = hulls.last - hulls.first + 1
    counts = np.zeros(objects, np.int64)
    np.add.at(counts, hulls.owner, lengths)
    return counts


def diameters(hulls: HullRows, objects: int, steps: tuple[float, ...]) -> Array:
    """Return the largest distance of two middles of faces of each convex object."""
    points, owner = _corners(hulls.owner, hulls.place, hulls.first, hulls.last)
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(objects + 1))
    found = np.zeros(objects)
    _find_diameters(np.ascontiguousarray(points[order]), starts, np.array(steps), found)
    return np.sqrt(found)


@falls_back_on(hull_kernels.find_diameters.plain)
def _find_diameters(points: Array, starts: Array, steps: Array, found: Array) -> None:
    hull_kernels.find_diameters(points, starts, steps, found)


@falls_back_on(hull_kernels.mark_corners.plain)
def _mark(
    along: Array, across: Array, starts: Array, sign: int, stack: Array, found: Array
) -> None:
    hull_kernels.mark_corners(along, across, starts, sign, stack, found)


def _marked(group: Array, along: Array, across: Array, sign: int) -> Array:
    """Return which points are corners of their group's hull, on one side."""
    found = np.zeros(len(along), np.bool_)
    if len(along):
        starts = np.flatnonzero(np.diff(group, prepend=group[0] - 1, append=-1))
        stack = np.empty(int(np.diff(starts).max()), np.int64)
        along, across = np.ascontiguousarray(along), np.ascontiguousarray(across)
        _mark(along, across, starts, sign, stack, found)
    return found


def _corners(
    owner: Array, place: Array, first: Array, last: Array
) -> tuple[Array, Array]:
    """Return corners of the hulls of all planes of objects, and whose they are."""
    group = owner
    for axis in range(place.shape[1] - 1):
        new = (np.diff(group, prepend=-1) != 0) | (
            np.diff(place[:, axis], prepend=-1) != 0
        )
        group = np.cumsum(new)
    found, whose = [], []
    for sign, side in ((1, first), (-1, last)):
        kept = _marked(group, place[:, -1], side, sign)
        found.append(np.column_stack([place[kept], side[kept]]))
        whose.append(owner[kept])
    return np.concatenate(found), np.concatenate(whose)


def _convex_in_planes(rows: ObjectRows) -> HullRows:
    """Return the rows of hulls in planes, exactly: in halves of voxels, all whole."""
    y = rows.place[:, 0]
    low = y[rows.starts[:-1]]
    top = y[rows.starts[1:] - 1]
    lengths = top - low + 1
    owner = np.repeat(np.arange(len(low)), lengths)
    own_y = np.arange(len(owner)) + np.repeat(
        low - np.cumsum(lengths) + lengths, lengths
    )
    first = -(-_side(rows, rows.first, 1, owner, own_y) // 2)
    last = _side(rows, rows.last, -1, owner, own_y) // 2
    return HullRows(owner, own_y[:, None], first, last)


def _side(rows: ObjectRows, x: Array, sign: int, owner: Array, y: Array) -> Array:
    """Return where a side of the hull meets each row, in halves of voxels.

    Rounded into the hull: up on its first side, down on its last.
    """
    whose = np.concatenate([rows.owner] * 3)
    twice = 2 * rows.place[:, 0]
    along = np.concatenate([twice - 1, twice, twice + 1])
    across = np.concatenate([2 * x, 2 * x - sign, 2 * x])
    order = np.lexsort((sign * across, along, whose))
    whose, along, across = whose[order], along[order], across[order]
    once = np.concatenate([[True], (np.diff(whose) != 0) | (np.diff(along) != 0)])[
        : len(whose)
    ]
    whose, along, across = whose[once], along[once], across[once]
    kept = _marked(whose, along, across, sign)
    whose, along, across = whose[kept], along[kept], across[kept]
    span = int(along.max(initial=0)) + 3
    before = np.searchsorted(whose * span + along, owner * span + 2 * y, "right") - 1
    far = along[before + 1] - along[before]
    slope = across[before + 1] - across[before]
    moved = slope * (2 * y - along[before])
    # Rows of whole voxels: what is met is rounded to the next even number of halves.
    met = across[before] * far + moved
    even: Array = -(-met // (2 * far)) if sign > 0 else met // (2 * far)
    return 2 * even


def _convex_in_space(rows: ObjectRows) -> HullRows:
    points, whose = _corners(rows.owner, rows.place, rows.first, rows.last)
    order = np.argsort(whose, kind="stable")
    points, whose = points[order], whose[order]
    starts = np.searchsorted(whose, np.arange(len(rows.starts)))
    if not len(points):
        nothing = np.zeros(0, np.int64)
        return HullRows(nothing, np.zeros((0, 2), np.int64), nothing, nothing)
    low = np.minimum.reduceat(points, starts[:-1])
    lengths = np.maximum.reduceat(points, starts[:-1]) - low + 1
    lines = np.concatenate([[0], np.cumsum(lengths[:, 0] * lengths[:, 1])])
    first, last = np.empty(lines[-1], np.int64), np.empty(lines[-1], np.int64)
    find = _find_rows if lengths.max() <= _LONGEST else _find_rows_by_scipy
    find(points - low[whose], starts, lengths, lines, first, last)
    (there,) = np.nonzero(first <= last)
    owner = np.searchsorted(lines, there, "right") - 1
    place = np.stack(np.divmod(there - lines[owner], lengths[owner, 1]), axis=1)
    low = low[owner]
    first, last = first[there] + low[:, 2], last[there] + low[:, 2]
    return HullRows(owner, place + low[:, :2], first, last)


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
