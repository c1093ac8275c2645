"""Merge labels of tiles: unite those that touch, and number the objects.

The theory: labels of all tiles are nodes, labels that touch across a seam are linked
(`segkit.labelling.seams`), and an object of the whole image is a connected component
of that graph. Only labels that touch others need be looked at: in raster order of first
voxel in the whole image, the smallest of a component is where its object begins. All
other labels are objects of their own (`segkit.labelling.numbering`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.labelling import box as label_box
from segkit.labelling.connectivity import structure_of
from segkit.labelling.numbering import Joined, by_tile, number_objects
from segkit.labelling.seams import adjacent, find_seam
from segkit.labelling.summary import Seam, places_in_image, require_summary
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.labelling.summary import TileSummary
    from segkit.tiling.boxes import Box


@known_as("segkit")
def merge_tiles(
    summaries: Iterable[TileSummary],
    *,
    connectivity: Any = 1,
    seams: Iterable[Seam] | None = None,
) -> list[Array]:
    """Return, for each tile, the lookup of its labels' ids in the whole image.

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
        `lookups[i][k]` is the id of label k of tile i; entry 0 is 0. int32, or int64 if
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
    for part in parts:
        require_summary(part)
    _require_partition(parts)
    if seams is None:
        structure = structure_of(len(parts[0].shape), connectivity)
        seams = (
            find_seam(parts[a], parts[b], connectivity=connectivity)
            for a, b in adjacent([part.box for part in parts], structure)
        )
    seams = list(seams)
    for seam in seams:
        checks.require_kind(seam, Seam, name="a seam", source="segkit.find_seam(...)")
    ends = np.cumsum([0, *(part.count for part in parts)])
    starts = dict(zip([part.box for part in parts], ends.tolist(), strict=False))
    none = np.zeros((0, 2), np.int64)
    links = np.concatenate([none, *(_links(seam, starts) for seam in seams)])
    return number_objects(parts, ends, _joined(parts, ends, links))


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


def _links(seam: Seam, starts: dict[Box, int]) -> NDArray[np.int64]:
    """Return a seam's pairs of labels as pairs of nodes."""
    try:
        base = np.array([starts[seam.first], starts[seam.second]])
    except KeyError as error:
        raise ValueError(f"a seam is of {error.args[0]}, which is no tile") from None
    links: NDArray[np.int64] = seam.pairs + (base - 1)
    return links


def _joined(
    parts: Sequence[TileSummary], ends: NDArray[np.int64], links: NDArray[np.int64]
) -> Joined:
    """Return which nodes belong to the object of another one, by pairs that touch."""
    nodes, place = np.unique(links.ravel(), return_inverse=True)
    first = np.empty(nodes.size, np.int64)
    for part, start, k in zip(parts, ends, by_tile(nodes, ends), strict=False):
        first[k] = places_in_image(part.first[nodes[k] - start], part.box, part.shape)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    root = label_box.smallest_of_set(order.size, rank[place].reshape(-1, 2))
    others = np.flatnonzero(root != np.arange(root.size))
    nodes = nodes[order]
    return Joined(nodes[others], nodes[root[others]])
