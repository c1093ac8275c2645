"""Labelling without compiled code: what `segkit.labelling.box` falls back on.

The same results, slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.labelling.summary import faces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.labelling.runs import Source
    from segkit.labelling.summary import Faces
    from segkit.tiling.boxes import Box


def label_box(
    source: Source, labels: Array, box: Box, structure: Array
) -> tuple[Array, Array]:
    """Label the runs of a box; see `segkit.labelling.box.label_box`."""
    from scipy import ndimage

    cut = source.image.reshape(labels.shape)[box.slices]
    out = np.empty(box.shape, np.int32)
    if source.by_value:
        out[...] = _label_values(cut, structure)
    else:
        ndimage.label(cut, structure, output=out)
    found, first = np.unique(out, return_index=True)
    keep = found > 0
    order = np.argsort(first[keep], kind="stable")
    numbers = np.zeros(int(found.max(initial=0)) + 1, np.int32)
    numbers[found[keep][order]] = np.arange(1, order.size + 1)
    starts, _ = _runs(source, labels.shape, box)
    named = np.zeros(cut.size, np.int32)
    named[_places(starts, cut.shape[-1])] = out.reshape(-1)[starts]
    labels[box.slices] = named.reshape(cut.shape)
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
    own = labels[box.slices].reshape(-1)
    filled = numbers.size == 0
    own = own[starts] if filled else numbers[own[_places(starts, box.shape[-1])]]
    _, first = np.unique(own, return_index=True)
    return starts[first].astype(np.int32)


def fill(source: Source, labels: Array, box: Box, lookup: Array, out: Array) -> None:
    """Write the entry in `lookup` of each provisional label into `out[box]`."""
    starts, stops = _runs(source, labels.shape, box)
    values = lookup[labels[box.slices].reshape(-1)[_places(starts, box.shape[-1])]]
    foreground = source.image.reshape(labels.shape)[box.slices] != 0
    filled = np.zeros(box.shape, out.dtype)
    filled[foreground] = np.repeat(values, stops - starts)
    out[box.slices] = filled


def provisional_faces(source: Source, labels: Array, box: Box) -> Faces:
    """Return the provisional labels in the outermost planes of a box."""
    filled = np.zeros_like(labels)
    same = np.arange(labels[box.slices].max(initial=0) + 1, dtype=labels.dtype)
    fill(source, labels, box, same, filled)
    return faces(filled[box.slices])


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


def _places(starts: Array, width: int) -> Array:
    """Return where in a box the labels of runs stand that begin at `starts`."""
    rows = starts // width
    return rows * width + np.arange(starts.size) - np.searchsorted(rows, rows)


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
    """Return the pairs of labels at equal indices of two arrays."""
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
