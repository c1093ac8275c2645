"""Labelling without compiled code: what `segkit.labelling.box` falls back on.

The same results, slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.labelling.runs import Source
    from segkit.tiling.boxes import Box


def label_box(
    source: Source, labels: Array, box: Box, structure: Array
) -> tuple[Array, Array]:
    """Label a box into `labels[box]`; see `segkit.labelling.box.label_box`."""
    from scipy import ndimage

    cut = source.image.reshape(labels.shape)[box.slices]
    out = labels[box.slices]
    if source.by_value:
        out[...] = _label_values(cut, structure)
    else:
        ndimage.label(cut, structure, output=out)
    found, first = np.unique(out, return_index=True)
    keep = found > 0
    order = np.argsort(first[keep], kind="stable")
    numbers = np.zeros(int(found.max(initial=0)) + 1, np.int32)
    numbers[found[keep][order]] = np.arange(1, order.size + 1)
    rows = np.arange(cut.size // cut.shape[-1] + 1) * cut.shape[-1]
    return numbers, np.searchsorted(first[keep][order], rows).astype(np.int32)


def first_places(
    source: Source,
    labels: Array,
    box: Box,
    numbers: Array,
    begun: Array,  # noqa: ARG001 - as the compiled loops need it
) -> NDArray[np.int32]:
    """Return where each object of a box begins, as raster index within the box."""
    starts, _ = _runs(source, labels.shape, box)
    own = labels[box.slices].reshape(-1)[starts]
    own = numbers[own] if numbers.size else own
    _, first = np.unique(own, return_index=True)
    return starts[first].astype(np.int32)


def fill(
    source: Source,
    labels: Array,
    box: Box,
    lookup: Array,
    out: Array,
    *,
    faces_only: bool = False,  # noqa: ARG001 - as the compiled loops need it
) -> None:
    """Write the entry in `lookup` of each provisional label into `out[box]`."""
    starts, stops = _runs(source, labels.shape, box)
    values = labels[box.slices].reshape(-1)[starts]
    values = lookup[values] if lookup.size else values
    foreground = source.image.reshape(labels.shape)[box.slices] != 0
    filled = np.zeros(box.shape, out.dtype)
    filled[foreground] = np.repeat(values, stops - starts)
    out[box.slices] = filled


def _runs(source: Source, shape: tuple[int, ...], box: Box) -> tuple[Array, Array]:
    """Return where the runs of a box begin, in raster order, and where they end."""
    cut = source.image.reshape(shape)[box.slices]
    rows = (cut if source.by_value else cut != 0).reshape(-1, cut.shape[-1])
    new = np.ones((rows.shape[0], rows.shape[1] + 1), np.bool_)
    if source.joined:
        np.not_equal(rows[:, 1:], rows[:, :-1], out=new[:, 1:-1])
    foreground = rows != 0
    starts = np.flatnonzero(foreground & new[:, :-1])
    return starts, np.flatnonzero(foreground & new[:, 1:]) + 1


def _label_values(cut: Array, structure: Array) -> Array:
    from scipy import ndimage

    out = np.zeros(cut.shape, np.int32)
    count = 0
    for value in np.unique(cut[cut != 0]):
        part, parts = ndimage.label(cut == value, structure)
        out[part > 0] = part[part > 0] + count
        count += parts
    return out


def look_up(labels: Array, lookup: Array, out: Array) -> None:
    """Write into `out` the entry in `lookup` of each of `labels`."""
    for plane, target in zip(np.atleast_2d(labels), np.atleast_2d(out), strict=True):
        target[...] = lookup[plane]  # plane by plane: an index takes 8 bytes a voxel


def see(labels: Array, seen: Array) -> None:
    """Write 1 into `seen` at each of the labels."""
    seen[labels] = 1


def touching(first: Array, second: Array) -> Array:
    """Return the pairs of labels at equal indices of flat arrays."""
    both = (first != 0) & (second != 0)
    return np.stack([first[both], second[both]], axis=1).astype(np.int64)


def smallest_of_set(size: int, pairs: Array) -> Array:
    """Return for each of `size` nodes the smallest of its set, linked by `pairs`."""
    from scipy import sparse

    ones = np.ones(len(pairs), np.int8)
    graph = sparse.coo_array((ones, (pairs[:, 0], pairs[:, 1])), (size, size))
    _, sets = sparse.csgraph.connected_components(graph, directed=False)
    smallest = np.full(size, size, np.int64)
    np.minimum.at(smallest, sets, np.arange(size))
    root: Array = smallest[sets]
    return root
