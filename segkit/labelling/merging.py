"""Find which labels of adjacent tiles touch, and number the objects they make up.

The theory: labels of all tiles are nodes, touching labels are linked, and an object of
the whole image is a set of linked nodes. A voxel touches only voxels one step away, so
that all links between two tiles show in their outermost planes: the two that face each
other if the tiles share a face, lines or corners of these if they share but an edge or
a corner.
Only labels that touch others need be looked at: in raster order of first voxel in the
whole image, the smallest of a set is where its object begins. All other labels are
objects of their own (`segkit.labelling.numbering`).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from segkit.labelling import box as label_box
from segkit.labelling.connectivity import offsets, structure_of
from segkit.labelling.numbering import Joined, by_tile, number_objects
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.tiling.boxes import Box, Tile

T = TypeVar("T")

# Objects whose places are computed at a time.
_AT_ONCE = 2**16


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class TileSummary:
    """What merging needs to know about the labels of one tile."""

    box: Box
    """The voxels that the tile owns."""
    shape: tuple[int, ...]
    """Shape of the whole image."""
    first: NDArray[np.signedinteger[Any]]
    """For each label from 1 on, the raster index of its first voxel in the box.

    In ascending order; labels that have no voxel in the box come last, with an index
    beyond it."""
    faces: tuple[tuple[Array, Array], ...]
    """For each axis, the labels of the first and last plane, 1 thick on that axis."""
    values: Array | None = None
    """For each label from 1 on, the value of its voxels, if labelled by value."""

    @property
    def count(self) -> int:
        """Number of labels."""
        return len(self.first)

    def without_faces(self) -> TileSummary:
        """Return the summary without planes, which `merge_tiles` needs no more."""
        return replace(self, faces=())


@known_as("segkit.names")
class Seam(NamedTuple):
    """Which labels of two adjacent tiles touch: rows (label in first, in second)."""

    first: Box
    second: Box
    pairs: NDArray[np.int64]


@known_as("segkit")
def find_seam(
    first: TileSummary, second: TileSummary, *, connectivity: Any = 1
) -> Seam:
    """Return which labels of two tiles touch, from their outermost planes.

    Tiles that are not adjacent give a seam without pairs.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.labelling import label_tile
    >>> from segkit.tiling import tiles
    >>> mask = np.array([1, 0, 1, 1])
    >>> a, b = (label_tile(mask[t.write.slices], t, (4,)) for t in tiles((4,), 3))
    >>> find_seam(a.summary, b.summary).pairs
    array([[2, 1]])
    """
    structure = structure_of(len(first.shape), connectivity)
    return Seam(first.box, second.box, touching_labels(first, second, structure, None))


@known_as("segkit")
def adjacent_tiles(
    grid: Sequence[Tile], *, connectivity: Any = 1
) -> list[tuple[int, int]]:
    """Return the places in `grid` of all pairs of tiles in which voxels can touch.

    Each pair once, the first of it before the second in raster order of the grid:
    those whose seams `merge_tiles` asks for.

    Examples
    --------
    >>> from segkit.tiling import tiles
    >>> adjacent_tiles(tiles((4, 4), 2))
    [(0, 1), (0, 2), (1, 3), (2, 3)]
    >>> len(adjacent_tiles(tiles((4, 4), 2), connectivity=2))
    6
    """
    if not grid:
        return []
    structure = structure_of(len(grid[0].write.start), connectivity)
    return sorted(adjacent([tile.write for tile in grid], structure))


@known_as("segkit")
def merge_tiles(
    summaries: Iterable[TileSummary],
    *,
    connectivity: Any = 1,
    seams: Iterable[Seam] | None = None,
) -> list[Array]:
    """Return, for each tile, the table from its labels to the ids of the whole image.

    Parameters
    ----------
    summaries
        Of all tiles, in any order.
    connectivity
        As it was for `label_tile`.
    seams
        By `find_seam`, of all pairs of adjacent tiles; the summaries' planes are then
        not used (and may be left out: `TileSummary.without_faces`). None finds them.

    Returns
    -------
    list of ndarray
        `tables[i][k]` is the id of label k of tile i; entry 0 is 0. int32, or int64 if
        there are more than 2**31 - 1 objects. Ids are in raster order of first voxel,
        whatever the order of summaries and seams.

    Raises
    ------
    ValueError
        If a tile is missing or given twice, or a seam is of an unknown tile.
    """
    parts = list(summaries)
    if not parts:
        return []
    _require_partition(parts)
    if seams is None:
        structure = structure_of(len(parts[0].shape), connectivity)
        seams = (
            find_seam(parts[a], parts[b], connectivity=connectivity)
            for a, b in adjacent([part.box for part in parts], structure)
        )
    ends = np.cumsum([0, *(part.count for part in parts)])
    starts = dict(zip([part.box for part in parts], ends.tolist(), strict=False))
    links = [_node_pairs(seam, starts) for seam in seams]
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *links])
    return number_objects(parts, ends, _joined(parts, ends, pairs))


def _joined(
    parts: Sequence[TileSummary], ends: NDArray[np.int64], pairs: NDArray[np.int64]
) -> Joined:
    """Return which labels belong to the object of another one, by pairs that touch."""
    nodes, place = np.unique(pairs.ravel(), return_inverse=True)
    first = np.empty(nodes.size, np.int64)
    for part, start, k in zip(parts, ends, by_tile(nodes, ends), strict=False):
        first[k] = moved(part.first[nodes[k] - start], part.box, part.shape)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    root = label_box.smallest_of_set(order.size, rank[place].reshape(-1, 2))
    others = np.flatnonzero(root != np.arange(root.size))
    nodes = nodes[order]
    return Joined(nodes[others], nodes[root[others]])


def moved(places: Array, box: Box, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return raster indices within the image from those within a box."""
    size = math.prod(box.shape)
    whole = np.empty(len(places), np.int64)
    for start in range(0, len(places), _AT_ONCE):  # coordinates take 8 bytes per axis
        part = slice(start, start + _AT_ONCE)
        inside = np.minimum(places[part].astype(np.int64), size - 1)
        axes = np.unravel_index(inside, box.shape)
        at = [axis + begin for axis, begin in zip(axes, box.start, strict=True)]
        whole[part] = np.ravel_multi_index(at, shape)
    whole[places >= size] = np.iinfo(np.int64).max
    return whole


def _require_partition(parts: Sequence[TileSummary]) -> None:
    """Raise `ValueError` unless the boxes are the tiles of a grid, each once."""
    shape = parts[0].shape
    boxes = {part.box for part in parts}
    known = True
    spans = [
        sorted({(b.start[axis], b.stop[axis]) for b in boxes})
        for axis in range(len(shape))
    ]
    for length, intervals in zip(shape, spans, strict=True):
        edges = [0, *(stop for _, stop in intervals)]
        known &= edges == [*(start for start, _ in intervals), length]
    whole = math.prod(map(len, spans))
    if not known or not len(boxes) == len(parts) == whole:
        raise ValueError(
            f"{len(parts)} tiles do not make up the image of shape {shape}: one is "
            "missing, given twice, or of another grid; give the summary of each tile "
            "of segkit.tiling.tiles once"
        )


def touching_labels(
    a: TileSummary,
    b: TileSummary,
    structure: Array,
    tables: tuple[Array, Array] | None,
) -> NDArray[np.int64]:
    """Return which labels of two tiles touch; `tables` translate what planes hold."""
    side = _direction(a.box, b.box)
    found = [np.zeros((0, 2), np.int64)]
    if side is not None:
        plane_a = _strip(a, side)
        plane_b = _strip(b, tuple(-d for d in side))
        found += [
            label_box.touching(plane_a[cut_a], plane_b[cut_b])
            for cut_a, cut_b in _shifts(structure, side)
        ]
    pairs = np.concatenate(found)
    if tables is not None:
        pairs = np.stack([t[p] for t, p in zip(tables, pairs.T, strict=True)], axis=1)
    pairs = label_box.unique_pairs(pairs.astype(np.int64))
    if a.values is not None and b.values is not None:
        pairs = pairs[a.values[pairs[:, 0] - 1] == b.values[pairs[:, 1] - 1]]
    return pairs


def _direction(a: Box, b: Box) -> tuple[int, ...] | None:
    """Return on which side of each axis `b` lies, or None if it is not adjacent."""
    side = []
    for a0, a1, b0, b1 in zip(a.start, a.stop, b.start, b.stop, strict=True):
        if (a0, a1) == (b0, b1):
            side.append(0)
        elif b0 == a1:
            side.append(1)
        elif b1 == a0:
            side.append(-1)
        else:
            return None
    return tuple(side) if any(side) else None


def _strip(summary: TileSummary, side: tuple[int, ...]) -> Array:
    """Return the plane, edge or corner of a tile's labels on one side."""
    if not summary.faces:
        raise ValueError(
            f"the summary of the tile at {summary.box.start} has no planes; find its "
            "seams before they are left out, and give them as seams"
        )
    axis = next(axis for axis, d in enumerate(side) if d)
    plane = summary.faces[axis][side[axis] > 0]
    cut = [
        slice(None) if d == 0 else slice(-1, None) if d > 0 else slice(1) for d in side
    ]
    return plane[tuple(cut)]


def _shifts(
    structure: Array, side: tuple[int, ...]
) -> Iterable[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Yield index pairs that bring touching voxels of two strips to one place."""
    from_second = {-1: slice(1, None), 0: slice(None), 1: slice(None, -1)}
    for offset in offsets(structure):
        if all(d in (0, o) for o, d in zip(offset, side, strict=True)):
            free = [0 if d else o for o, d in zip(offset, side, strict=True)]
            yield (
                tuple(from_second[o] for o in free),
                tuple(from_second[-o] for o in free),
            )


def _node_pairs(seam: Seam, starts: dict[Box, int]) -> NDArray[np.int64]:
    """Return a seam's pairs as places in the list of all labels of all tiles."""
    try:
        base = np.array([starts[seam.first], starts[seam.second]])
    except KeyError as error:
        raise ValueError(f"a seam is of {error.args[0]}, which is no tile") from None
    pairs: NDArray[np.int64] = seam.pairs + (base - 1)
    return pairs


def adjacent(boxes: Sequence[Box], structure: Array) -> list[tuple[int, int]]:
    """Return the places of all pairs of boxes of a grid in which voxels can touch."""
    place = {box.start: k for k, box in enumerate(boxes)}
    edges = [sorted(set(axis)) for axis in zip(*place, strict=True)]
    moves = [
        {-1: dict(itertools.pairwise(e[::-1])), 0: dict(zip(e, e, strict=True))}
        | {1: dict(itertools.pairwise(e))}
        for e in edges
    ]
    sides = _sides(structure)
    others = [
        (k, tuple(m[d].get(s, -1) for m, d, s in zip(moves, side, start, strict=True)))
        for start, k in place.items()
        for side in sides
    ]
    return [(k, place[other]) for k, other in others if other in place]


def _sides(structure: Array) -> list[tuple[int, ...]]:
    """Return the sides of a box across which voxels can touch, one of each two."""
    found = {
        tuple(d * o for d, o in zip(flags, offset, strict=True))
        for offset in offsets(structure)
        for flags in itertools.product((0, 1), repeat=structure.ndim)
    }
    return sorted(side for side in found if side > (0,) * structure.ndim)
