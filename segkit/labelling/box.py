"""Label one box of an array: by compiled loops where they run, else by NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.labelling import by_numpy
from segkit.labelling.connectivity import row_offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.tiling.boxes import Box

# Labels within a box are int32, and so are the places where they first appear.
LARGEST_BOX = 2**31 - 1
# Labels, or pairs of them, that there is room for at first.
_ROOM = 1024


@falls_back_on(by_numpy.label_box)
def label_box(
    image: Array, labels: Array, box: Box, structure: Array, *, by_value: bool
) -> tuple[Array, Array]:
    """Write provisional labels of `image[box]` into `labels[box]`.

    Parameters
    ----------
    image, labels
        Whole arrays of one shape, C-contiguous; 0 in `image` is background; `labels`
        is int32.
    box
        What to label; the rest is neither read nor written.
    structure
        Which neighbours touch.
    by_value
        Whether only voxels of equal values touch.

    Returns
    -------
    numbers
        For each provisional label the object's number within the box, from 1 on, in
        raster order of first voxel.
    begun
        How many objects begin before each row of the box, and in all.
    """
    from segkit.labelling.union_find import number_sets

    near = (*row_offsets(structure), by_value)
    parent, begun = _label_rows(image.reshape(-1), labels, box, near)
    numbers = parent[: int(begun[-1]) + 1]
    number_sets(numbers, begun)
    return numbers, begun


def _label_rows(
    flat: Array, labels: Array, box: Box, near: tuple[Any, ...]
) -> tuple[Array, Array]:
    """Write provisional labels; return parents, and how many begin before each row.

    How many there will be is not known before, so their room grows, to what it would
    be if all rows were as those so far; what is not used of it takes no memory, since
    nothing is written there.
    """
    from segkit.labelling.kernels import label_rows

    starts, shape = row_starts(box, labels.shape), np.array(box.shape)
    parent = np.empty(_ROOM + box.shape[-1], np.int32)
    parent[0] = 0
    begun = np.zeros(starts.size + 1, np.int32)
    index = np.zeros(len(box.shape) - 1, np.int64)
    lines = np.empty((len(near[0]), 3), np.int64)
    state = np.zeros(2, np.int64)
    given = (flat, labels.reshape(-1), starts, shape, near, index, lines)
    while True:
        label_rows(*given, parent, begun, state)
        row, count = state.tolist()
        if row == starts.size:
            return parent, begun
        room = max(2 * count, int(1.1 * count * starts.size / max(row, 1)))
        longer = np.empty(room + box.shape[-1] + 2, np.int32)
        longer[: count + 1] = parent[: count + 1]
        parent = longer


@falls_back_on(by_numpy.first_places)
def first_places(
    labels: Array, box: Box, begun: Array, numbers: Array | None = None
) -> NDArray[np.int32]:
    """Return where each object of a box begins, as raster index within the box.

    `begun` and `numbers` are those of `label_box`; without the latter, the labels in
    the box are the numbers of its objects already.
    """
    from segkit.labelling.kernels import find_first

    count = int(begun[-1])
    first = np.arange(1, count + 1, dtype=np.int32)
    if numbers is not None:  # which provisional label each begins with
        whole = np.zeros(1, np.int64), numbers.size, np.array([0, count], np.int32)
        find_first(numbers, *whole, first)
    starts = row_starts(box, labels.shape)
    find_first(labels.reshape(-1), starts, box.shape[-1], begun, first)
    return first


@falls_back_on(by_numpy.look_up_box)
def look_up_box(labels: Array, box: Box, lookup: Array) -> None:
    """Replace each label in a box of `labels` by its entry in `lookup`, in place."""
    from segkit.labelling.kernels import look_up_rows

    starts = row_starts(box, labels.shape)
    look_up_rows(labels.reshape(-1), starts, box.shape[-1], lookup)


@falls_back_on(by_numpy.look_up)
def look_up(labels: Array, lookup: Array, out: Array) -> None:
    """Write into `out` the entry in `lookup` of each of `labels`."""
    from segkit.labelling import kernels

    if labels.flags.c_contiguous and out.flags.c_contiguous:
        kernels.look_up(labels.reshape(-1), lookup, out.reshape(-1))
    else:
        by_numpy.look_up(labels, lookup, out)


def touching(first: Array, second: Array) -> Array:
    """Return the pairs of labels at equal indices of two arrays, each pair once."""
    return unique_pairs(_touching(first.ravel(), second.ravel()))


@falls_back_on(by_numpy.touching)
def _touching(first: Array, second: Array) -> Array:
    """Return pairs of labels at equal indices of flat arrays, some of them twice."""
    from segkit.labelling import kernels

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


def row_starts(box: Box, shape: tuple[int, ...]) -> Array:
    """Return where each row of a box starts in the flat array, in raster order."""
    starts = np.zeros((), np.int64)
    step = 1
    steps = []
    for length in reversed(shape):
        steps.append(step)
        step *= length
    for start, stop, size in zip(
        box.start[:-1], box.stop[:-1], steps[:0:-1], strict=True
    ):
        starts = starts[..., None] + np.arange(start, stop) * size
    flat: Array = starts.ravel() + box.start[-1]
    return flat
