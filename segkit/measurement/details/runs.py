"""The runs of objects: what their holes are found by.

A run is what an object has of a line of the image without a gap: 32 bytes. Runs that
meet at the border of two tiles are one, so that what is computed from them does not
depend on tiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.measurement.details import rows

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.labelling.box import Lines

LABEL, ROW, FIRST, LAST = range(4)
"""Columns of runs. `ROW` is the number of the line in the image, in raster order."""


def runs_of(
    labels: Array, lines: Lines, origin: tuple[int, ...], shape: tuple[int, ...]
) -> Array:
    """Return the runs of the objects in a box of an array, sorted by label.

    The array's first voxel lies at `origin` in an image of `shape`.
    """
    name, line, begin, length = rows.find_runs(labels, lines)
    start = begin + (lines.box.start[-1] + origin[-1])
    found = np.empty((len(name), 4), np.int64)
    found[:, LABEL] = name
    found[:, ROW] = rows.line_numbers(line, lines.box, origin, shape)
    found[:, FIRST], found[:, LAST] = start, start + (length - 1)
    return found[np.argsort(name, kind="stable")]  # they are in raster order


def joined(parts: list[Array]) -> Array:
    """Return the runs of several parts together; those that meet are one."""
    found = np.concatenate(parts)
    found = found[np.lexsort((found[:, FIRST], found[:, ROW], found[:, LABEL]))]
    begins = np.ones(len(found) + 1, np.bool_)
    begins[1:-1] = found[1:, FIRST] != found[:-1, LAST] + 1
    begins[1:-1] |= (found[1:, : ROW + 1] != found[:-1, : ROW + 1]).any(axis=1)
    whole = found[begins[:-1]]
    whole[:, LAST] = found[begins[1:], LAST]
    return whole


def hole_sizes(
    runs: Array, labels: Array, low: Array, high: Array, shape: tuple[int, ...]
) -> Array:
    """Return how many voxels the holes of each object have, in planes or volumes.

    A hole is what is not the object, and from where no step, also across corners, leads
    out of the object's box.

    Parameters
    ----------
    runs
        Of these objects, and of others.
    labels
        Rising; each has runs.
    low, high
        Start and stop of the boxes of objects.
    shape
        Of the image.
    """
    sizes = np.zeros(len(labels), np.int64)
    after = runs[1:, ROW] == runs[:-1, ROW]
    after &= runs[1:, LABEL] == runs[:-1, LABEL]
    (with_gaps,) = np.nonzero(np.isin(labels, runs[1:, LABEL][after]))
    if not len(with_gaps):
        return sizes
    owner, known = rows.of_labels(runs[:, LABEL], labels[with_gaps])
    runs, low, high = runs[known], low[with_gaps], high[with_gaps]
    starts = np.searchsorted(owner, np.arange(len(low) + 1))
    place = rows.places_of_lines(runs[:, ROW], shape) - low[owner, :-1]
    faces, line = high[:, :-1] - low[:, :-1], place[:, -1]
    reach = faces.shape[1] - 1
    if reach:
        line = place[:, 0] * faces[owner, 1] + line
    else:  # one plane
        faces = np.insert(faces, 0, 1, axis=1)
    ends = runs[:, FIRST].copy(), runs[:, LAST].copy()
    found = np.zeros(len(low), np.int64)
    _find_holes(np.ascontiguousarray(line), *ends, starts, faces, reach, found)
    sizes[with_gaps] = found
    return sizes


def _holes_by_scipy(
    line: Array,
    first: Array,
    last: Array,
    starts: Array,
    faces: Array,
    reach: int,
    found: Array,
) -> None:
    from scipy.ndimage import binary_fill_holes

    for number, (depth, height) in enumerate(faces):
        own = slice(starts[number], starts[number + 1])
        low = first[own].min()
        box = np.zeros((depth * height, last[own].max() + 1 - low), np.bool_)
        for row, begin, end in zip(line[own], first[own], last[own], strict=True):
            box[row, begin - low : end + 1 - low] = True
        if reach:
            box = box.reshape(depth, height, -1)
        filled = binary_fill_holes(box, np.ones((3,) * box.ndim))
        found[number] = np.count_nonzero(filled) - np.count_nonzero(box)


@falls_back_on(_holes_by_scipy)
def _find_holes(
    line: Array,
    first: Array,
    last: Array,
    starts: Array,
    faces: Array,
    reach: int,
    found: Array,
) -> None:
    from segkit.measurement.details.hole_kernels import find_holes

    table = np.empty(int(faces.prod(axis=1).max()) + 1, np.int64)
    parent = np.empty(int(np.diff(starts).max()) + 1, np.int64)
    find_holes(line, (first, last), starts, faces, reach, (table, parent), found)
