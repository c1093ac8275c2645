"""Find which labels of adjacent tiles touch.

A voxel touches only voxels one step away, so that all links between two tiles show in
their outermost planes: the two that face each other if the tiles share a face, lines or
corners of these if they share but an edge or a corner.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.labelling import box as label_box
from segkit.labelling.connectivity import offsets, structure_of
from segkit.labelling.summary import Seam, require_summary
from segkit.names import known_as
from segkit.tiling.boxes import require_tile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.labelling.connectivity import Offset
    from segkit.labelling.summary import TileSummary
    from segkit.tiling.boxes import Box, Tile


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
    for summary in (first, second):
        require_summary(summary)
    steps = offsets(structure_of(len(first.shape), connectivity))
    return Seam(first.box, second.box, touching_labels(first, second, steps))


@known_as("segkit")
def adjacent_tiles(
    grid: Sequence[Tile], *, connectivity: Any = 1
) -> list[tuple[int, int]]:
    """Return all pairs of adjacent tiles, as indices into `grid`.

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
    if len(grid) == 0:
        return []
    for tile in grid:
        require_tile(tile)
    structure = structure_of(len(grid[0].write.start), connectivity)
    return sorted(adjacent([tile.write for tile in grid], structure))


def touching_labels(
    a: TileSummary,
    b: TileSummary,
    steps: Sequence[Offset],
    *,
    lookups: tuple[Array, Array] | None = None,
) -> NDArray[np.int64]:
    """Return which labels of two tiles touch: rows (label in a, label in b).

    `steps` are the `offsets` to all neighbours. `lookups` translate what the planes of
    either hold, if those are not its labels.
    """
    side = _direction(a.box, b.box)
    found = [np.zeros((0, 2), np.int64)]
    if side is not None:
        plane_a = _strip(a, side)
        plane_b = _strip(b, tuple(-d for d in side))
        found += [
            label_box.touching(plane_a[cut_a], plane_b[cut_b])
            for cut_a, cut_b in _shifts(steps, side)
        ]
    pairs = np.concatenate(found)
    if lookups is not None:
        pairs = np.stack(
            [lookup[p] for lookup, p in zip(lookups, pairs.T, strict=True)], axis=1
        )
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
    steps: Sequence[Offset], side: tuple[int, ...]
) -> Iterable[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Yield pairs of indices that align touching voxels of two strips."""
    from_second = {-1: slice(1, None), 0: slice(None), 1: slice(None, -1)}
    for offset in steps:
        if all(d in (0, o) for o, d in zip(offset, side, strict=True)):
            free = [0 if d else o for o, d in zip(offset, side, strict=True)]
            yield (
                tuple(from_second[o] for o in free),
                tuple(from_second[-o] for o in free),
            )


def adjacent(boxes: Sequence[Box], structure: Array) -> list[tuple[int, int]]:
    """Return all pairs of adjacent boxes of a grid, as indices."""
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
