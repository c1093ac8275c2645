"""Label one box of an array: by compiled loops where they run, else by NumPy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.labelling import by_numpy
from segkit.labelling.connectivity import row_offsets
from segkit.labelling.runs import row_starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.labelling.runs import Source
    from segkit.labelling.summary import Faces
    from segkit.tiling.boxes import Box


# Labels within a box are int32, and so are the places where they first appear.
LARGEST_BOX = 2**31 - 1
# Labels, or pairs of them, that there is room for at first.
_ROOM = 1024
# In the place of what is looked up for labels: `fill` has done so.
FILLED = np.empty(0, np.int32)


@falls_back_on(by_numpy.label_box)
def label_box(
    source: Source, labels: Array, box: Box, structure: Array
) -> tuple[Array, Array]:
    """Write provisional labels of the runs of a box into `labels[box]`.

    Parameters
    ----------
    source
        Of the box.
    labels
        The whole array, int32 and C-contiguous. The labels of a row's runs are written
        one after the other, from the row's first voxel on: see `fill`.
    box
        What to label; the rest is neither read nor written.
    structure
        Which neighbours touch.

    Returns
    -------
    numbers
        For each provisional label the object's number within the box, from 1 on, in
        raster order of first voxel.
    begun
        How many objects begin before each row of the box, and in all.
    """
    from segkit.labelling.union_find import number_sets

    rows, spans, _ = row_offsets(structure)
    parent, begun = _label_rows(source, labels, box, (rows, spans))
    numbers = parent[: int(begun[-1]) + 1]
    number_sets(numbers, begun)
    return numbers, begun


def _label_rows(
    source: Source, labels: Array, box: Box, near: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Write provisional labels; return parents, and how many begin before each row.

    How many there will be is not known before, so their room grows, to what it would
    be if all rows were as those so far; what is not used of it takes no memory, since
    nothing is written there.
    """
    from segkit.labelling.kernels import label_rows

    starts, shape = source.starts, np.array(box.shape)
    parent = np.empty(_ROOM + box.shape[-1], np.int32)
    parent[0] = 0
    begun = np.zeros(starts.size + 1, np.int32)
    index = np.zeros(len(box.shape) - 1, np.int64)
    kept = min(starts.size, 1 + _farthest(near[0], box.shape))
    edges = np.empty((kept, _edges_of_row(source, box).size), np.int32)
    names = np.empty(box.shape[-1] + 1, np.int32)
    scratch = (index, edges, np.empty(kept, np.int64), names)
    state = np.zeros(2, np.int64)
    given = (source.compiled, labels.reshape(-1), starts, shape, near, scratch)
    while True:
        label_rows(*given, parent, begun, state)
        row, count = state.tolist()
        if row == starts.size:
            return parent, begun
        room = max(2 * count, int(1.1 * count * starts.size / max(row, 1)))
        longer = np.empty(room + box.shape[-1] + 2, np.int32)
        longer[: count + 1] = parent[: count + 1]
        parent = longer


def _farthest(rows: Array, shape: tuple[int, ...]) -> int:
    """Return how many rows lie between a row and the farthest one that it touches."""
    steps = [math.prod(shape[axis + 1 : -1]) for axis in range(len(shape) - 1)]
    return int((-rows @ np.array(steps, np.int64)).max(initial=0))


def _edges_of_row(source: Source, box: Box) -> NDArray[np.int32]:
    """Return room for the edges of all runs that a row may have, and for eight more."""
    most = 1 if source.bits.size else 2
    return np.empty(most * box.shape[-1] + 8, np.int32)


@falls_back_on(by_numpy.first_places)
def first_places(
    source: Source, labels: Array, box: Box, numbers: Array, begun: Array
) -> NDArray[np.int32]:
    """Return where each object of a box begins, as raster index within the box.

    Parameters
    ----------
    source, labels, box
        As for `label_box`, which has been called, whether or not `fill` has.
    numbers, begun
        Those of `label_box`; `FILLED` if `fill` has put the numbers into the labels.
    """
    from segkit.labelling.kernels import find_first

    first = np.empty(int(begun[-1]), np.int32)
    given = source.compiled, labels.reshape(-1), source.starts, box.shape[-1]
    find_first(*given, _edges_of_row(source, box), numbers, begun, first)
    return first


@falls_back_on(by_numpy.fill)
def fill(source: Source, labels: Array, box: Box, lookup: Array, out: Array) -> None:
    """Write the entry in `lookup` of each provisional label into `out[box]`.

    Parameters
    ----------
    source, labels, box
        As for `label_box`, which has been called.
    lookup
        For each provisional label what stands for it.
    out
        May be `labels`; C-contiguous.
    """
    from segkit.labelling.kernels import fill_rows

    edges = _edges_of_row(source, box)
    scratch = edges, np.empty(edges.size, lookup.dtype)
    given = source.compiled, labels.reshape(-1), source.starts, box.shape[-1]
    fill_rows(*given, scratch, lookup, out.reshape(-1))


@falls_back_on(by_numpy.provisional_faces)
def provisional_faces(source: Source, labels: Array, box: Box) -> Faces:
    """Return the provisional labels in the first and last plane of each axis of a box.

    Parameters
    ----------
    source, labels, box
        As for `fill`, which has not been called.
    """
    from segkit.labelling.kernels import copy_faces

    whole, starts = _outermost_rows(box), source.starts
    planes = np.empty((np.count_nonzero(whole), box.shape[-1]), labels.dtype)
    ends = np.empty((2, starts.size), labels.dtype)
    edges = _edges_of_row(source, box)
    given = source.compiled, labels.reshape(-1), starts, whole, edges
    copy_faces(*given, planes, *ends)
    numbers = (np.cumsum(whole) - 1).reshape(box.shape[:-1])
    found = [
        (planes[numbers.take([0], axis)], planes[numbers.take([-1], axis)])
        for axis in range(numbers.ndim)
    ]
    first, last = ends.reshape(2, *box.shape[:-1], 1)
    return (*found, (first, last))


def _outermost_rows(box: Box) -> NDArray[np.uint8]:
    """Return for each row of a box whether it lies in an outermost plane."""
    outermost = np.ones(box.shape[:-1], np.uint8)
    outermost[(slice(1, -1),) * outermost.ndim] = 0
    return outermost.reshape(-1)


@falls_back_on(by_numpy.look_up)
def look_up(labels: Array, lookup: Array, out: Array) -> None:
    """Write into `out` the entry in `lookup` of each of `labels`."""
    from segkit.labelling import kernels

    if labels.flags.c_contiguous and out.flags.c_contiguous:
        kernels.look_up(labels.reshape(-1), lookup, out.reshape(-1))
    else:
        by_numpy.look_up(labels, lookup, out)


def labels_in(labels: Array, largest: int) -> NDArray[np.int64]:
    """Return which labels from 1 to `largest` are in an array, in order."""
    seen = np.zeros(largest + 1, np.uint8)
    _see(np.ascontiguousarray(labels).reshape(-1), seen)
    seen[0] = 0
    return np.flatnonzero(seen)


@falls_back_on(by_numpy.see)
def _see(labels: Array, seen: Array) -> None:
    from segkit.labelling.kernels import see

    see(labels, seen)


@falls_back_on(by_numpy.touching)
def touching(first: Array, second: Array) -> Array:
    """Return the pairs of labels at equal indices of two arrays, some of them twice."""
    from segkit.labelling import kernels

    first, second = first.ravel(), second.ravel()
    found, state = np.empty((_ROOM, 2), np.int64), np.zeros(2, np.int64)
    while True:
        kernels.touching(first, second, found, state)
        place, count = state.tolist()
        if place == first.size:
            return found[:count]
        found = np.concatenate([found, np.empty_like(found)])


def unique_pairs(pairs: Array) -> Array:
    """Return the distinct rows of an (n, 2) array of non-negative int64, sorted."""
    if len(pairs) < 2:
        return pairs
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    ordered = pairs[order]
    new = np.ones(len(pairs), bool)
    np.any(ordered[1:] != ordered[:-1], axis=1, out=new[1:])
    distinct: Array = ordered[new]
    return distinct


@falls_back_on(by_numpy.smallest_of_set)
def smallest_of_set(size: int, pairs: Array) -> Array:
    """Return for each of `size` nodes the smallest of its set, linked by `pairs`."""
    from segkit.labelling.union_find import flatten, unite_pairs

    parent = np.arange(size)
    unite_pairs(parent, pairs[:, 0], pairs[:, 1])
    flatten(parent)
    return parent


class Lines(NamedTuple):
    """Rows of a box of an array, in raster order: those that hold what is wanted."""

    box: Box
    """What may be looked at, too."""
    numbers: NDArray[np.int64]
    """Which rows of the box these are."""
    starts: NDArray[np.int64]
    """Where each of them starts in the flat array."""

    def those(self, chosen: Array) -> Lines:
        """Return some of the rows; `chosen` says of each whether it is one."""
        return Lines(self.box, self.numbers[chosen], self.starts[chosen])


def lines_of(box: Box, shape: tuple[int, ...]) -> Lines:
    """Return all rows of a box of an array.

    Examples
    --------
    >>> from segkit.tiling.boxes import Box
    >>> lines_of(Box((1, 2), (3, 9)), (4, 10)).starts
    array([12, 22])
    """
    starts = row_starts(box, shape)
    return Lines(box, np.arange(starts.size), starts)
