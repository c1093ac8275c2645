"""Merge objects that were segmented tile by tile, and report how well tiles agree.

For segmentations without a finite reach (watershed, random walker, classifiers of
shape), tiles with a halo give objects that only nearly agree. Two objects of
neighbouring tiles are taken for one where they overlap well in the voxels that both
tiles know; each voxel then keeps the object of the tile that owns it. Whatever did not
fit is counted in a `SeamReport`.

Compared are voxels near the seam, by default the nearer half of the halo: further out a
tile's own edge comes near, and it would be blamed for what no one uses. As tasks of a
graph: `instance_tile` per tile, `compare_tiles` per pair of
`segkit.labelling.adjacent_tiles` (connectivity ndim), `merge_instance_tiles` once,
`segkit.labelling.relabel_tile` per tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from segkit import checks, extents
from segkit.labelling.labels import relabel_tile
from segkit.labelling.merging import merge_tiles
from segkit.labelling.seams import adjacent_tiles
from segkit.labelling.summary import Seam, TileSummary
from segkit.names import known_as
from segkit.overlaps.contingency_table import count_overlaps
from segkit.regions.seam_report import (
    OnDisagreement,
    SeamCheck,
    SeamReport,
    enforce,
)
from segkit.tiling.boxes import Box, Tile, require_tile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array


# Where an object has its first voxel that owns none in its tile: behind all others.
_NOWHERE = np.iinfo(np.int64).max


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class InstanceSummary:
    """What merging needs to know about the objects of one tile."""

    tile: Tile
    shape: tuple[int, ...]
    """Shape of the whole image."""
    first: NDArray[np.int64]
    """For each object the raster index, in the tile's own box, of its first voxel."""
    ids: NDArray[np.int64]
    """For each object the label that it came with."""
    slabs: tuple[tuple[tuple[Box, Array], tuple[Box, Array]], ...]
    """For each axis, objects around the first and last own plane, with their box."""


@known_as("segkit.names")
class InstanceTile(NamedTuple):
    """Own voxels of a tile with its objects numbered 1, 2, ... (int32), and a summary.

    Objects that own no voxel have the numbers behind those that do.
    """

    labels: NDArray[np.int32]
    summary: InstanceSummary


@known_as("segkit.names")
class InstanceSeam(NamedTuple):
    """Which objects of two tiles are one, and how well the tiles agree."""

    seam: Seam
    check: SeamCheck


@known_as("segkit.names")
class MergedInstances(NamedTuple):
    """Labels of the whole image, and how far its tiles agree."""

    labels: Array
    report: SeamReport


@known_as("segkit")
def merge_instances(
    pieces: Iterable[tuple[Tile, Array]],
    shape: Sequence[int],
    *,
    min_overlap: float = 0.5,
    on_disagreement: OnDisagreement = "warn",
    tolerance: float = 0.0,
) -> MergedInstances:
    """Merge the objects of tiles that were segmented with a halo, each by itself.

    Parameters
    ----------
    pieces
        All tiles of a grid with their labels, arrays of the shape of `tile.read`.
    shape
        Shape of the whole image.
    min_overlap
        Intersection over union, among the compared voxels, from which on two objects
        are one. From 0.5 on an object has at most one partner across a seam.
    on_disagreement
        Whether to raise `SeamError`, warn with `SeamWarning` or go on if tiles hold
        voxels for different objects.
    tolerance
        The fraction of compared voxels that may differ unnoticed.

    Returns
    -------
    MergedInstances
        Labels 1, 2, ... in raster order of first voxel (int32, or int64 where needed),
        and the `SeamReport`.

    Raises
    ------
    ValueError
        If a piece does not have its tile's shape, tiles have no halo, or one is
        missing.
    SeamError
        If tiles disagree and `on_disagreement` is "raise".

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.tiling import tiles
    >>> labels = np.array([0, 5, 5, 5, 5, 0, 7, 7])
    >>> grid = tiles(labels.shape, 4, halo=2)
    >>> pieces = [(t, labels[t.read.slices] * (1 + t.index[0])) for t in grid]
    >>> merged = merge_instances(pieces, labels.shape)
    >>> merged.labels
    array([0, 1, 1, 1, 1, 0, 2, 2], dtype=int32)
    >>> merged.report.merged, merged.report.differing
    (1, 0)
    """
    parts = [instance_tile(labels, tile, shape) for tile, labels in pieces]
    lookups, report = merge_instance_tiles(
        [part.summary for part in parts], min_overlap=min_overlap
    )
    enforce(report, on_disagreement, tolerance=tolerance)
    dtype = lookups[0].dtype if lookups else np.int32
    out = np.zeros(tuple(shape), dtype)
    for part, lookup in zip(parts, lookups, strict=True):
        box = part.summary.tile.write.slices
        out[box] = relabel_tile(part.labels, lookup)
    return MergedInstances(out, report)


@known_as("segkit")
def instance_tile(
    labels: Any, tile: Tile, shape: Sequence[int], *, depth: int | None = None
) -> InstanceTile:
    """Return the objects of one tile, numbered, and a summary for merging.

    Parameters
    ----------
    labels
        The voxels of `tile.read`, integers, 0 = background.
    tile
        Where they are.
    shape
        Shape of the whole image.
    depth
        How many voxels on either side of a seam are compared, at most the halo; None
        takes half of the halo.
    """
    array = checks.signed(checks.require_labels(labels))
    require_tile(tile)
    whole = extents.as_shape(shape, array.ndim)
    if array.shape != tile.read.shape:
        raise ValueError(
            f"labels have shape {array.shape}, the tile {tile.read.shape}; give the "
            "voxels of tile.read"
        )
    ids, first = _first_own_voxels(array, tile)
    order = np.argsort(first, kind="stable")
    ids, first = ids[order], first[order]
    numbers = _numbered(array, ids)
    slabs = tuple(_slabs(numbers, tile, axis, depth) for axis in range(array.ndim))
    summary = InstanceSummary(tile, whole, first, ids, slabs)
    return InstanceTile(numbers[tile.inner].copy(), summary)


@known_as("segkit")
def compare_tiles(
    first: InstanceSummary,
    second: InstanceSummary,
    *,
    min_overlap: float = 0.5,
    by_id: bool = False,
) -> InstanceSeam:
    """Find which objects of two adjacent tiles are one, and how well the tiles agree.

    With `by_id`, objects are one if they came with the same label, as where all tiles
    grow objects from the same markers.
    """
    for summary in (first, second):
        _require_summary(summary)
    if not 0 < checks.as_number(min_overlap, name="min_overlap") <= 1:
        raise ValueError(f"min_overlap is {min_overlap}, but must be in (0, 1]")
    a, b, box = _common(first, second)
    table = count_overlaps(a, b)
    x, y, n = table.segmentation, table.reference, table.voxels
    size_a = np.bincount(x, n, len(first.ids) + 1)
    size_b = np.bincount(y, n, len(second.ids) + 1)
    overlap = n / (size_a[x] + size_b[y] - n)
    one = (x > 0) & (y > 0)
    if by_id:
        one[one] = first.ids[x[one] - 1] == second.ids[y[one] - 1]
    else:
        one &= overlap >= min_overlap
    pairs = np.stack([x[one], y[one]], axis=1).astype(np.int64)
    compared = int(n[(x > 0) | (y > 0)].sum())
    cut = _across(a, box, first, second) - set(x[one].tolist())
    cut_back = _across(b, box, first, second) - set(y[one].tolist())
    check = SeamCheck(
        first.tile.write,
        second.tile.write,
        compared=compared,
        differing=compared - int(n[one].sum()),
        merged=len(pairs),
        identical=int((overlap[one] == 1).sum()),
        cut=len(cut) + len(cut_back),
    )
    return InstanceSeam(Seam(first.tile.write, second.tile.write, pairs), check)


@known_as("segkit")
def merge_instance_tiles(
    summaries: Iterable[InstanceSummary],
    *,
    seams: Iterable[InstanceSeam] | None = None,
    min_overlap: float = 0.5,
    by_id: bool = False,
) -> tuple[list[Array], SeamReport]:
    """Return, for each tile, the lookup of its objects' final ids, and the report.

    Parameters
    ----------
    summaries
        Of all tiles, in any order.
    seams
        By `compare_tiles`, of all pairs of adjacent tiles (sharing a face, an edge or
        a corner); None finds them.
    min_overlap, by_id
        As for `compare_tiles`.
    """
    parts = list(summaries)
    for part in parts:
        _require_summary(part)
    if seams is None:
        places = _adjacent([part.tile for part in parts])
        seams = [
            compare_tiles(parts[i], parts[j], min_overlap=min_overlap, by_id=by_id)
            for i, j in places
        ]
    found = list(seams)
    for seam in found:
        source = "segkit.compare_tiles(...)"
        checks.require_kind(seam, InstanceSeam, name="a seam", source=source)
    lookups = merge_tiles(
        [TileSummary(part.tile.write, part.shape, part.first, ()) for part in parts],
        seams=[seam for seam, _ in found],
    )
    return lookups, SeamReport(tuple(check for _, check in found))


def _require_summary(summary: InstanceSummary) -> None:
    source = "segkit.instance_tile(...).summary"
    checks.require_kind(summary, InstanceSummary, name="a summary", source=source)


def _adjacent(grid: Sequence[Tile]) -> list[tuple[int, int]]:
    if not grid:
        return []
    return adjacent_tiles(grid, connectivity=len(grid[0].write.start))


def _first_own_voxels(
    array: Array, tile: Tile
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the labels of a tile, and where each has its first own voxel."""
    ids = np.unique(array)
    ids = ids[ids > 0].astype(np.int64)
    own, places = np.unique(array[tile.inner], return_index=True)
    first = np.full(len(ids), _NOWHERE)
    first[np.searchsorted(ids, own[own > 0])] = places[own > 0]
    return ids, first


def _numbered(array: Array, ids: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the labels of a tile as 1 + the index of each in `ids`."""
    order = np.argsort(ids)
    rank = np.concatenate([np.zeros(1, np.int32), order.astype(np.int32) + 1])
    place = np.searchsorted(ids[order], array, side="right")
    return np.where(array > 0, rank[place], np.int32(0))


def _slabs(
    numbers: Array, tile: Tile, axis: int, depth: int | None
) -> tuple[tuple[Box, Array], tuple[Box, Array]]:
    """Return what a tile knows around its first and last own plane on an axis."""
    near = _compared(tile, depth)
    start, stop = tile.write.start[axis], tile.write.stop[axis]
    width = max(start - near.start[axis], near.stop[axis] - stop)
    low = _cut(near, axis, near.start[axis], min(start + width, near.stop[axis]))
    high = _cut(near, axis, max(stop - width, near.start[axis]), near.stop[axis])
    return tuple(  # type: ignore[return-value] # mypy: of length 2
        (box, numbers[box.within(tile.read).slices].copy()) for box in (low, high)
    )


def _compared(tile: Tile, depth: int | None) -> Box:
    """Return the own box and the part of the halo that is compared."""
    low = [a - b for a, b in zip(tile.write.start, tile.read.start, strict=True)]
    high = [a - b for a, b in zip(tile.read.stop, tile.write.stop, strict=True)]
    below, above = (
        [(m + 1) // 2 if depth is None else min(m, depth) for m in margins]
        for margins in (low, high)
    )
    return Box(
        tuple(a - d for a, d in zip(tile.write.start, below, strict=True)),
        tuple(a + d for a, d in zip(tile.write.stop, above, strict=True)),
    )


def _cut(box: Box, axis: int, start: int, stop: int) -> Box:
    starts = (*box.start[:axis], start, *box.start[axis + 1 :])
    stops = (*box.stop[:axis], stop, *box.stop[axis + 1 :])
    return Box(starts, stops)


def _common(
    first: InstanceSummary, second: InstanceSummary
) -> tuple[Array, Array, Box]:
    """Return what two tiles know of the voxels around their seam, and its box."""
    a, b = first.tile.write, second.tile.write
    for axis in range(len(a.start)):
        if a.stop[axis] == b.start[axis] or b.stop[axis] == a.start[axis]:
            side = int(a.stop[axis] == b.start[axis])
            box_a, slab_a = first.slabs[axis][side]
            box_b, slab_b = second.slabs[axis][1 - side]
            box = box_a.common(box_b)
            if box is None:
                break
            return (
                slab_a[box.within(box_a).slices],
                slab_b[box.within(box_b).slices],
                box,
            )
    raise ValueError(
        f"the tiles at {a.start} and {b.start} have no voxels in common; cut adjacent "
        "tiles with a halo of at least 1"
    )


def _across(
    slab: Array, box: Box, first: InstanceSummary, second: InstanceSummary
) -> set[int]:
    """Return the objects that lie on both sides of a seam."""
    sides = []
    for own in (first.tile.write, second.tile.write):
        part = own.common(box)
        held = () if part is None else np.unique(slab[part.within(box).slices]).tolist()
        sides.append(set(held))
    return (sides[0] & sides[1]) - {0}
