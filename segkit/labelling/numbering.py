"""Number the objects of all tiles in raster order of their first voxel.

A *node* is a label of a tile as index into the labels of all tiles, tile after tile;
`ends` are 0 and the index after each tile's last node.

Nothing is sorted: in a row of the image, tiles follow one another, and within a tile
objects are in raster order. So it is enough to count how many objects begin in each
tile's part of each row; the sums of these counts tell how many have begun before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.labelling.summary import TileSummary


class Joined(NamedTuple):
    """Nodes that belong to the object of another one, which begins before them."""

    nodes: NDArray[np.int64]
    roots: NDArray[np.int64]
    """For each of them the node with which its object begins."""


def number_objects(
    parts: Sequence[TileSummary], ends: NDArray[np.int64], joined: Joined
) -> list[Array]:
    """Return, for each tile, the lookup of its labels' ids; entry 0 is 0."""
    groups = by_tile(joined.nodes, ends)
    within = [joined.nodes[k] - start for k, start in zip(groups, ends, strict=False)]
    own = [_own_objects(part, k) for part, k in zip(parts, within, strict=True)]
    begun, before = _rows(parts, own)
    dtype = _id_dtype(int(ends[-1]) - joined.nodes.size)
    counted = int(begun.sum())  # objects without an own voxel come behind all others
    lookups = []
    for part, is_own, rows in zip(parts, own, _rows_of_tiles(parts), strict=True):
        ids = _ids(begun[rows].ravel(), before[rows].ravel(), dtype)
        more = int(np.count_nonzero(is_own)) - ids.size
        if more:
            ids = np.append(ids, np.arange(counted + 1, counted + more + 1))
            counted += more
        lookup = np.zeros(part.count + 1, dtype)
        lookup[1:][is_own] = ids
        lookups.append(lookup)
    _give_ids_to_joined(lookups, ends, joined)
    return lookups


def by_tile(nodes: NDArray[np.int64], ends: NDArray[np.int64]) -> list[Array]:
    """Group nodes by tile: return, for each tile, the indices into `nodes` of its own.

    Examples
    --------
    >>> by_tile(np.array([4, 0, 3]), np.array([0, 2, 5]))
    [array([1]), array([2, 0])]
    """
    order = np.argsort(nodes, kind="stable")
    return np.split(order, np.searchsorted(nodes[order], ends[1:-1]))


def _own_objects(part: TileSummary, joined: Array) -> NDArray[np.bool_]:
    """Return for each label of a tile whether it is the first of its object."""
    own = np.ones(part.count, np.bool_)
    own[joined] = False
    return own


def _rows_of_tiles(parts: Sequence[TileSummary]) -> list[tuple[Any, ...]]:
    """Return, for each tile, the index of its rows in an array of the shape of `_rows`.

    That is its box on all axes but the last one, and its rank among the tiles along it.
    """
    starts = sorted({part.box.start[-1] for part in parts})
    column = {start: k for k, start in enumerate(starts)}
    return [(*part.box.slices[:-1], column[part.box.start[-1]]) for part in parts]


def _rows(
    parts: Sequence[TileSummary], own: Sequence[NDArray[np.bool_]]
) -> tuple[Array, Array]:
    """Return how many objects begin in each tile's part of a row, and how many before.

    Shape (..., z, y, tiles along x). Objects without an own voxel are not counted.
    """
    places = _rows_of_tiles(parts)
    columns = 1 + max(place[-1] for place in places)
    # Counts of a row fit int32 if the number of all labels does.
    labels = sum(part.count for part in parts)
    dtype = _id_dtype(labels)
    begun = np.zeros((*parts[0].shape[:-1], columns), dtype)
    for part, is_own, rows in zip(parts, own, places, strict=True):
        width, box = part.box.shape[-1], part.box.shape
        row = part.first[is_own] // width
        count = int(np.prod(box[:-1], dtype=np.int64))
        found = np.bincount(row[row < count], minlength=count)
        begun[rows] = found.reshape(box[:-1])
    before: Array = np.cumsum(begun, dtype=dtype).reshape(begun.shape)
    before -= begun
    return begun, before


def _ids(begun: Array, before: Array, dtype: type[np.signedinteger[Any]]) -> Array:
    """Return the ids of the objects of a tile from how many begin in each row."""
    in_tile = np.cumsum(begun) - begun
    ids = np.repeat((before - in_tile).astype(dtype), begun)
    ids += np.arange(1, ids.size + 1, dtype=dtype)
    return ids


def _give_ids_to_joined(
    lookups: Sequence[Array], ends: NDArray[np.int64], joined: Joined
) -> None:
    ids = np.empty(joined.nodes.size, lookups[0].dtype)
    roots, nodes = by_tile(joined.roots, ends), by_tile(joined.nodes, ends)
    for lookup, start, k in zip(lookups, ends, roots, strict=False):
        ids[k] = lookup[joined.roots[k] - start + 1]
    for lookup, start, k in zip(lookups, ends, nodes, strict=False):
        lookup[joined.nodes[k] - start + 1] = ids[k]


def _id_dtype(count: int) -> type[np.signedinteger[Any]]:
    return np.int32 if count <= np.iinfo(np.int32).max else np.int64
