"""Number the objects of all tiles in raster order of their first voxel.

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
    from segkit.labelling.merging import TileSummary


class Joined(NamedTuple):
    """Labels that belong to the object of another one, which begins before them.

    Both as places in the list of all labels of all tiles.
    """

    labels: NDArray[np.int64]
    objects: NDArray[np.int64]


def number_objects(
    parts: Sequence[TileSummary], ends: NDArray[np.int64], joined: Joined
) -> list[Array]:
    """Return, for each tile, the table from its labels to ids; entry 0 is 0.

    `ends` are 0 and where the labels of each tile end in the list of all.
    """
    places = by_tile(joined.labels, ends)
    within = [joined.labels[k] - start for k, start in zip(places, ends, strict=False)]
    own = [_own_objects(part, k) for part, k in zip(parts, within, strict=True)]
    begun, before = _rows(parts, own)
    dtype = _id_dtype(int(ends[-1]) - joined.labels.size)
    elsewhere = int(begun.sum())
    tables = []
    for part, is_own, rows in zip(parts, own, _parts_of_rows(parts), strict=True):
        ids = _ids(begun[rows].ravel(), before[rows].ravel(), dtype)
        more = int(np.count_nonzero(is_own)) - ids.size
        if more:
            ids = np.append(ids, np.arange(elsewhere + 1, elsewhere + more + 1))
            elsewhere += more
        table = np.zeros(part.count + 1, dtype)
        table[1:][is_own] = ids
        tables.append(table)
    _give_ids_to_joined(tables, ends, joined)
    return tables


def by_tile(labels: NDArray[np.int64], ends: NDArray[np.int64]) -> list[Array]:
    """Return for each tile which of some labels, places in the list of all, it has."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], ends[1:-1]))


def _own_objects(part: TileSummary, joined: Array) -> NDArray[np.bool_]:
    """Return for each label of a tile whether an object begins with it."""
    own = np.ones(part.count, np.bool_)
    own[joined] = False
    return own


def _parts_of_rows(parts: Sequence[TileSummary]) -> list[tuple[Any, ...]]:
    """Return where in an array of rows and tiles along them the rows of each tile are.

    For each tile an index of the image's axes but the last one, and its place along it.
    """
    starts = sorted({part.box.start[-1] for part in parts})
    column = {start: k for k, start in enumerate(starts)}
    return [(*part.box.slices[:-1], column[part.box.start[-1]]) for part in parts]


def _rows(
    parts: Sequence[TileSummary], own: Sequence[NDArray[np.bool_]]
) -> tuple[Array, Array]:
    """Return how many objects begin in each tile's part of a row, and how many before.

    Shape (..., z, y, tiles along x). Objects that begin nowhere are not counted.
    """
    places = _parts_of_rows(parts)
    columns = 1 + max(place[-1] for place in places)
    # No row begins as many as 2**31 if all have not so many labels together.
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
    """Return the ids of objects of a tile, of which so many begin in each row."""
    in_tile = np.cumsum(begun) - begun
    ids = np.repeat((before - in_tile).astype(dtype), begun)
    ids += np.arange(1, ids.size + 1, dtype=dtype)
    return ids


def _give_ids_to_joined(
    tables: Sequence[Array], ends: NDArray[np.int64], joined: Joined
) -> None:
    ids = np.empty(joined.labels.size, tables[0].dtype)
    for table, start, k in zip(
        tables, ends, by_tile(joined.objects, ends), strict=False
    ):
        ids[k] = table[joined.objects[k] - start + 1]
    for table, start, k in zip(
        tables, ends, by_tile(joined.labels, ends), strict=False
    ):
        table[joined.labels[k] - start + 1] = ids[k]


def _id_dtype(count: int) -> type[np.signedinteger[Any]]:
    return np.int32 if count <= np.iinfo(np.int32).max else np.int64
