"""The rows of objects: what hulls and higher moments are computed from.

A row of an object is what it has of one line of the image along the last axis: how many
voxels, the sums of their places and of squares and cubes of these, the first and the
last. Rows of tiles add up to those of the image, whatever the tiles are, and so what is
computed from them does not depend on tiles, bit by bit. They take 64 bytes each: memory
follows the face of an object, not its volume.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from segkit.compiled.fallback import falls_back_on

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.labelling.box import Lines
    from segkit.tiling.boxes import Box

LABEL, ROW, COUNT, FIRST_SUM, FIRST, LAST = 0, 1, 2, 3, 6, 7
"""Columns of rows. `ROW` is the number of the line in the image, in raster order; from
`FIRST_SUM` on there are the sums of places, of their squares and cubes (modulo 2**64).
"""

_ROOM = 64  # runs, and voxels for each of which there is room for one more
_ORDERS = 4  # powers of places, from 0 on


class ObjectRows(NamedTuple):
    """The rows of some objects, sorted by object, then in raster order."""

    place: Array
    """Of each row in the image on all axes but the last, shape (rows, axes - 1)."""
    owner: Array
    """Which object each row is of, as a place among them."""
    starts: Array
    """Where the rows of each object start, and how many rows there are."""
    voxels: Array
    """How many each row has."""
    sums: Array
    """Of places on the last axis, squares and cubes, shape (rows, 3)."""
    ends: Array
    """The least and the largest place of each row on the last axis, shape (2, rows)."""


def rows_of(
    labels: Array, lines: Lines, origin: tuple[int, ...], shape: tuple[int, ...]
) -> Array:
    """Return the rows of the objects in a box of an array, under its labels.

    The array's first voxel lies at `origin` in an image of `shape`.
    """
    name, line, begin, length = find_runs(labels, lines)
    number = line_numbers(line, lines.box, origin, shape)
    start = begin + (lines.box.start[-1] + origin[-1])
    order = np.argsort(name, kind="stable")  # they are in raster order
    return _rows_of_runs(name, number, start, length, order)


def _rows_by_numpy(
    name: Array, number: Array, start: Array, length: Array, order: Array
) -> Array:
    runs = np.empty((len(name), 8), np.int64)
    runs[:, LABEL], runs[:, ROW], runs[:, COUNT] = name, number, length
    runs[:, FIRST], runs[:, LAST] = start, start + (length - 1)
    _sum_powers(start, length, runs)
    return _added(runs[order])


@falls_back_on(_rows_by_numpy)
def _rows_of_runs(
    name: Array, number: Array, start: Array, length: Array, order: Array
) -> Array:
    """Return the rows that runs make, in the order of these."""
    from segkit.measurement.details.row_kernels import write_rows

    rows = np.empty((len(name), 8), np.int64)
    count = write_rows(name, number, start, length, order, rows)
    return rows if count == len(rows) else rows[:count].copy()


def _runs_by_numpy(labels: Array, lines: Lines) -> tuple[Array, Array, Array, Array]:
    own = labels[lines.box.slices]
    flat = own.reshape(-1, own.shape[-1])
    begins = flat != 0
    begins[:, 1:] &= flat[:, 1:] != flat[:, :-1]
    ends = flat != 0
    ends[:, :-1] &= flat[:, 1:] != flat[:, :-1]
    line, begin = np.divmod(np.flatnonzero(begins), max(own.shape[-1], 1))
    end = np.flatnonzero(ends) - line * own.shape[-1]
    return flat[line, begin].astype(np.int64), line, begin, end - begin + 1


@falls_back_on(_runs_by_numpy)
def find_runs(labels: Array, lines: Lines) -> tuple[Array, Array, Array, Array]:
    """Return label, row of the box, first place in it and length of each run."""
    from segkit.measurement.details.row_kernels import write_runs

    box, numbers, starts = lines
    state = np.zeros(3 + box.shape[-1], np.int64)
    runs = np.empty((4, _ROOM + box.size // _ROOM), np.int64)
    while True:
        write_runs(labels.reshape(-1), starts, box.shape[-1], runs, state)
        row, count = state[:2].tolist()
        if row == starts.size:
            name, line, begin, length = runs[:, :count]
            return name, numbers[line], begin, length
        runs = np.concatenate([runs, np.empty_like(runs)], axis=1)


def line_numbers(
    rows: Array, box: Box, origin: tuple[int, ...], shape: tuple[int, ...]
) -> Array:
    """Return the numbers in the image of rows of a box, in raster order."""
    start = [o + b for o, b in zip(origin, box.start, strict=True)]
    lengths = box.shape
    if not any(start[1:-1]) and lengths[1:-1] == shape[1:-1]:
        return rows + start[0] * math.prod(shape[1:-1]) if len(shape) > 1 else rows
    number = np.zeros(1, np.int64)
    for first, length, whole in zip(start[:-1], lengths, shape, strict=False):
        own = np.arange(first, first + length)
        number = (number[:, None] * whole + own).reshape(-1)
    return number[rows]


def _sum_powers(start: Array, length: Array, runs: Array) -> None:
    """Write the sums of powers of `length` places from `start` on."""
    one = length * (length - 1) // 2
    two = one * (2 * length - 1) // 3
    first = length * start + one
    rest = start * one + two
    second = start * first + rest
    runs[:, FIRST_SUM] = first
    runs[:, FIRST_SUM + 1] = second
    runs[:, FIRST_SUM + 2] = start * (second + rest) + start * two + one * one


def joined(parts: list[Array]) -> Array:
    """Return the rows of several parts of an image together, sorted."""
    runs = np.concatenate(parts)
    if not len(runs):
        return runs
    return _added(runs[np.lexsort((runs[:, ROW], runs[:, LABEL]))])


def _added(runs: Array) -> Array:
    """Return sorted runs with those of one row and object as one."""
    new = np.ones(len(runs), np.bool_)
    new[1:] = runs[1:, ROW] != runs[:-1, ROW]
    new[1:] |= runs[1:, LABEL] != runs[:-1, LABEL]
    starts = np.flatnonzero(new)
    if len(starts) == len(runs):
        return runs
    rows = np.empty((len(starts), 8), np.int64)
    rows[:, : ROW + 1] = runs[starts, : ROW + 1]
    rows[:, COUNT:FIRST] = np.add.reduceat(runs[:, COUNT:FIRST], starts)
    rows[:, FIRST] = np.minimum.reduceat(runs[:, FIRST], starts)
    rows[:, LAST] = np.maximum.reduceat(runs[:, LAST], starts)
    return rows


def of_objects(rows: Array, labels: Array, shape: tuple[int, ...]) -> ObjectRows:
    """Return the rows of some objects of an image; each has some."""
    owner, known = of_labels(rows[:, LABEL], labels)
    rows = rows[known]
    starts = np.searchsorted(owner, np.arange(len(labels) + 1))
    place = places_of_lines(rows[:, ROW], shape)
    sums = rows[:, FIRST_SUM : FIRST_SUM + 3]
    ends = rows[:, FIRST : LAST + 1].T.copy()
    return ObjectRows(place, owner, starts, rows[:, COUNT], sums, ends)


def of_labels(names: Array, labels: Array) -> tuple[Array, Any]:
    """Return which object each name is of, where it is of one, and where that is.

    Names rise, and so do the labels of objects.
    """
    owner = np.searchsorted(labels, names)
    if not len(labels):
        return owner[:0], slice(0)
    known = labels[np.minimum(owner, len(labels) - 1)] == names
    if np.count_nonzero(known) < len(names):
        return owner[known], known
    return owner, slice(None)


def places_of_lines(number: Array, shape: tuple[int, ...]) -> Array:
    """Return where lines of an image are on all axes but the last, by their numbers."""
    lines = shape[:-1]
    place = np.empty((len(number), len(lines)), np.int64)
    for axis in range(len(lines) - 1, 0, -1):
        number, place[:, axis] = np.divmod(number, max(lines[axis], 1))
    place[:, :1] = number[:, None]
    return place


def moments(
    rows: ObjectRows, low: Array, centre: Array, steps: tuple[float, ...]
) -> Array:
    """Return moments up to order 3 on each axis, shape (objects, 4, 4, ...).

    Parameters
    ----------
    rows
        Of all objects.
    low
        The start of each object's box.
    centre
        From where places are counted, in voxels from the start of the box.
    steps
        Distance of voxel centres on each axis.
    """
    terms, places = np.empty((_ORDERS, len(rows.owner))), np.empty(rows.place.T.shape)
    if len(low):
        _find_powers(rows, low, centre, terms, places)
    return scaled(products(terms, places, rows.starts), steps)


def products(terms: Array, places: Array, starts: Array) -> Array:
    """Return moments up to order 3 on each axis, shape (objects, 4, 4, ...).

    Parameters
    ----------
    terms
        Sums of powers 0 to 3 of places on the last axis, shape (4, rows).
    places
        Of the rows on the other axes, shape (axes - 1, rows).
    starts
        Where the rows of each object start, and how many there are.
    """
    found = np.empty((len(starts) - 1, *(_ORDERS,) * (len(places) + 1)))
    if not len(found):
        return found
    powers = np.empty((len(places), _ORDERS, places.shape[1]))
    powers[:, 0], powers[:, 1], powers[:, 2] = 1, places, places**2
    powers[:, 3] = places**3
    # A power of one axis at a time: products of all take 32 times as much as rows.
    for others in np.ndindex(*(_ORDERS,) * (len(places) - 1)):
        part = terms
        for axis, power in enumerate(others):
            part = part * powers[axis, power]
        part = part * powers[-1][:, None]
        total = np.add.reduceat(part, starts[:-1], axis=2)
        found[(slice(None), *others)] = total.transpose(2, 0, 1)
    return found


def scaled(moments: Array, steps: tuple[float, ...]) -> Array:
    """Return moments in units of a spacing."""
    if set(steps) == {1.0}:
        return moments.copy()
    scales = [np.array([step**power for power in range(_ORDERS)]) for step in steps]
    found: Array = moments * functools.reduce(np.multiply.outer, scales)
    return found


def _powers_by_numpy(
    rows: ObjectRows, low: Array, centre: Array, terms: Array, places: Array
) -> None:
    start, shift = low[rows.owner], centre[rows.owner]
    places[:] = (rows.place - start[:, :-1] - shift[:, :-1]).T
    start, shift = start[:, -1], shift[:, -1]
    one, two, three = rows.sums.T
    count = rows.voxels
    # In integers modulo 2**64 up to here: from the box's start on they are small again.
    first = one - count * start
    second = two - 2 * start * one + count * start**2
    third = three - 3 * start * two + 3 * start**2 * one - count * start**3
    n, a, b, c = (part.astype(float) for part in (count, first, second, third))
    terms[0] = n
    terms[1] = a - n * shift
    terms[2] = b - 2 * shift * a + n * shift**2
    terms[3] = c - 3 * shift * b + 3 * shift**2 * a - n * shift**3


@falls_back_on(_powers_by_numpy)
def _find_powers(
    rows: ObjectRows, low: Array, centre: Array, terms: Array, places: Array
) -> None:
    """Find sums of powers on the last axis of each row, and its places on the others.

    They count from the centre on; shapes are (4, rows) and (axes - 1, rows).
    """
    from segkit.measurement.details.row_kernels import find_powers

    own = rows.owner, rows.place, rows.voxels, rows.sums
    low = np.ascontiguousarray(low)
    find_powers(*own, low, centre, centre[:, -1] ** 3, terms, places)
