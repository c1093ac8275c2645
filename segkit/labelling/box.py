"""Label one box of an array: by compiled loops where they run, else by numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segkit.compiled.kernels import can_compile
from segkit.labelling import by_numpy
from segkit.labelling.connectivity import row_offsets

if TYPE_CHECKING:
    from types import ModuleType

    from segkit.tiling.boxes import Box

Array = NDArray[Any]

# Labels within a box are int32, and so are the places where they first appear.
LARGEST_BOX = 2**31 - 1
# Labels, or pairs of them, that there is room for at first.
_ROOM = 1024


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
    table
        For each provisional label the object's number within the box, from 1 on, in
        raster order of first voxel.
    begun
        How many objects begin before each row of the box, and in all.
    """
    kernels = compiled()
    if kernels is None:
        return by_numpy.label_box(image, labels, box, structure, by_value=by_value)
    from segkit.labelling.union_find import number_sets

    near = (*row_offsets(structure), by_value)
    parent, begun = _label_rows(image.reshape(-1), labels, box, near)
    table = parent[: int(begun[-1]) + 1]
    number_sets(table, begun)
    return table, begun


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


def first_places(
    labels: Array, box: Box, begun: Array, table: Array | None = None
) -> NDArray[np.int32]:
    """Return where each object of a box begins, as raster index within the box.

    `begun` and `table` are those of `label_box`; without a table, the labels in the
    box are the numbers of its objects already.
    """
    count = int(begun[-1])
    kernels = compiled()
    if kernels is None:
        return by_numpy.first_places(labels, box, table)
    first = np.arange(1, count + 1, dtype=np.int32)
    if table is not None:  # which provisional label each begins with
        whole = np.zeros(1, np.int64), table.size, np.array([0, count], np.int32)
        kernels.find_first(table, *whole, first)
    starts = row_starts(box, labels.shape)
    kernels.find_first(labels.reshape(-1), starts, box.shape[-1], begun, first)
    return first


def look_up_box(labels: Array, box: Box, table: Array) -> None:
    """Replace each label in a box of `labels` by its entry in `table`, in place."""
    kernels = compiled()
    if kernels is None:
        by_numpy.look_up_box(labels, box, table)
    else:
        starts = row_starts(box, labels.shape)
        kernels.look_up_rows(labels.reshape(-1), starts, box.shape[-1], table)


def look_up(labels: Array, table: Array, out: Array) -> None:
    """Write into `out` the entry in `table` of each of `labels`."""
    kernels = compiled()
    if kernels and labels.flags.c_contiguous and out.flags.c_contiguous:
        kernels.look_up(labels.reshape(-1), table, out.reshape(-1))
        return
    for plane, target in zip(np.atleast_2d(labels), np.atleast_2d(out), strict=True):
        target[...] = table[plane]  # plane by plane: an index takes 8 bytes a voxel


def touching(first: Array, second: Array) -> Array:
    """Return the pairs of labels at the same places of two arrays, each pair once."""
    kernels = compiled()
    if kernels is None:
        return unique_pairs(by_numpy.touching(first.ravel(), second.ravel()))
    flat = first.ravel(), second.ravel()
    found, state = np.empty((_ROOM, 2), np.int64), np.zeros(2, np.int64)
    while True:
        kernels.touching(*flat, found, state)
        place, count = state.tolist()
        if place == flat[0].size:
            return unique_pairs(found[:count])
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


def smallest_of_set(size: int, pairs: Array) -> Array:
    """Return for each of `size` nodes the smallest node it is linked with by pairs."""
    if compiled() is None:
        return by_numpy.smallest_of_set(size, pairs)
    from segkit.labelling.union_find import flatten, unite_pairs

    parent = np.arange(size)
    unite_pairs(parent, pairs[:, 0], pairs[:, 1])
    flatten(parent)
    return parent


def compiled() -> ModuleType | None:
    """Return the compiled loops, or None where they would run uncompiled."""
    if not can_compile():
        return None
    from segkit.labelling import kernels as label_kernels

    return label_kernels


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
