"""The objects of two label images as runs: what tiles keep for distances.

A run is a row of voxels along the last axis that carry one pair of ids. Runs of all
tiles together say where every object is, in memory that grows with the surface of the
objects and not with their volume; a seam only cuts some runs in two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, extents
from segkit.arrays import require_same_axes
from segkit.measurement.partial_table import require_room
from segkit.names import known_as
from segkit.overlaps.contingency_table import Contingency, add_up, labels, require_ids
from segkit.tiling.boxes import Box, Tile, require_tile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

_SLAB = 1 << 21  # voxels looked at a time


@known_as("segkit")
@dataclass(frozen=True, slots=True, eq=False)
class LabelRuns:
    """The voxels of all objects of two label images, within one or more boxes.

    Parameters
    ----------
    shape : tuple of int
        Shape of the whole image.
    first, length : (n,) int64 arrays
        For each run the raster index, in the whole image, of its first voxel, and its
        number of voxels.
    segmentation, reference : (n,) int64 arrays
        The ids that it carries in the two images; not both are 0.
    voxels : int
        How many voxels were looked at, background included.
    """

    shape: tuple[int, ...]
    first: NDArray[np.int64]
    length: NDArray[np.int64]
    segmentation: NDArray[np.int64]
    reference: NDArray[np.int64]
    voxels: int

    def contingency(self) -> Contingency:
        """Return the table of overlaps; the same as that of the images."""
        empty = self.voxels - int(self.length.sum())
        ids, added = np.zeros(1, np.int64), np.array([empty], np.int64)
        some = slice(0, 1 if empty else 0)
        return add_up(
            np.concatenate([ids[some], self.segmentation]),
            np.concatenate([ids[some], self.reference]),
            np.concatenate([added[some], self.length]),
        )


@known_as("segkit")
def label_runs(
    segmentation: ArrayLike,
    reference: ArrayLike,
    tile: Tile | None = None,
    shape: Sequence[int] | None = None,
) -> LabelRuns:
    """Return the objects of two label images as runs, of which tiles can be combined.

    Parameters
    ----------
    segmentation, reference : arrays of equal shape
        Label images, 0 is background: the voxels of `tile.write`.
    tile, shape
        Where they are, and the shape of the whole image; None: they are the whole.

    Returns
    -------
    LabelRuns
        Of 32 bytes a run.

    Raises
    ------
    ValueError
        If shapes differ, an id is negative, or the images are single numbers.
    TypeError
        If an array is not of integers or booleans.

    Examples
    --------
    >>> from segkit.tiling import tiles
    >>> import numpy as np
    >>> found, known = np.array([[0, 1, 1, 1, 2]]), np.array([[0, 5, 5, 0, 0]])
    >>> whole = label_runs(found, known)
    >>> whole.first.tolist(), whole.length.tolist(), whole.segmentation.tolist()
    ([1, 3, 4], [2, 1, 1], [1, 1, 2])
    >>> parts = [
    ...     label_runs(found[t.write.slices], known[t.write.slices], t, found.shape)
    ...     for t in tiles(found.shape, 2)
    ... ]
    >>> from segkit.combining import combine
    >>> combine(parts).length.tolist()
    [1, 1, 1, 1]
    """
    require_same_axes(segmentation, reference)
    images = labels(segmentation, "segmentation"), labels(reference, "reference")
    if tile is None:
        checks.require_no_picture(images[0], name="segmentation")
        checks.require_no_picture(images[1], name="reference")
    if tile is not None:
        require_tile(tile)
    lengths = images[0].shape if shape is None else extents.as_shape(shape)
    box = Box((0,) * len(lengths), lengths) if tile is None else tile.write
    _require_fit(images, box, lengths)
    columns = [np.zeros((4, 0), np.int64)]
    for start, first, second in _slabs(*images):
        columns.append(_runs_of(first, second, start))
    within, length, seg, ref = np.concatenate(columns, axis=1)
    require_ids(seg, "segmentation")
    require_ids(ref, "reference")
    places = np.unravel_index(within, box.shape) if within.size else ()
    moved = [p + s for p, s in zip(places, box.start, strict=False)]
    at = np.ravel_multi_index(moved, lengths) if within.size else within
    return LabelRuns(lengths, np.asarray(at, np.int64), length, seg, ref, box.size)


def joined_runs(parts: Sequence[LabelRuns]) -> LabelRuns:
    """Put the runs of disjoint boxes of one image together; in any order.

    Raises `ValueError` if runs overlap or they are of more voxels together than the
    image has: then a box is there twice. That one is missing only `LabelRuns.voxels`
    tells.
    """
    if len({part.shape for part in parts}) != 1:
        raise ValueError("the runs are of images of two shapes; give those of one")
    first = np.concatenate([part.first for part in parts])
    length = np.concatenate([part.length for part in parts])
    _require_disjoint(first, length, parts[0].shape)
    return LabelRuns(
        parts[0].shape,
        first,
        length,
        np.concatenate([part.segmentation for part in parts]),
        np.concatenate([part.reference for part in parts]),
        require_room(parts[0].shape, [part.voxels for part in parts]),
    )


def _require_disjoint(
    first: NDArray[np.int64], length: NDArray[np.int64], shape: tuple[int, ...]
) -> None:
    order = np.argsort(first)
    twice = np.flatnonzero(np.diff(first[order]) < length[order][:-1])
    if twice.size:
        at = tuple(map(int, np.unravel_index(first[order][twice[0] + 1], shape)))
        raise ValueError(
            f"the voxel at {at} is in two of the parts; give each tile once, and tiles "
            "that do not overlap"
        )


@known_as("segkit.names")
@dataclass(frozen=True, slots=True, eq=False)
class ObjectRuns:
    """The runs of an object of one image, with the ids they carry in the other."""

    shape: tuple[int, ...]
    first: NDArray[np.int64]
    length: NDArray[np.int64]
    other: NDArray[np.int64]

    def where(
        self, chosen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return first voxel and length of the runs chosen by a mask."""
        return self.first[chosen], self.length[chosen]

    def box(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return start and stop of the box around the object."""
        return box_around(self.first, self.length, self.shape)

    def mask(self, box: Box) -> NDArray[np.bool_]:
        """Return the object's voxels within a box that holds it."""
        mask = np.zeros(math.prod(box.shape), np.bool_)
        mask[within_box(voxels_of(self.first, self.length), self.shape, box)] = True
        return mask.reshape(box.shape)


def objects_of(
    runs: LabelRuns, own: NDArray[np.int64], other: NDArray[np.int64]
) -> dict[int, ObjectRuns]:
    """Return the runs of each object of one image, in raster order."""
    order = np.lexsort((runs.first, own))
    order = order[own[order] > 0]
    ids, starts = np.unique(own[order], return_index=True)
    return {
        int(label): ObjectRuns(
            runs.shape, runs.first[rows], runs.length[rows], other[rows]
        )
        for label, rows in zip(ids, np.split(order, starts[1:]), strict=False)
    }


def within_box(
    at: NDArray[np.int64], shape: tuple[int, ...], box: Box
) -> NDArray[np.intp]:
    """Return raster indices within a box for raster indices within the image."""
    places = np.unravel_index(at, shape)
    inside = [p - s for p, s in zip(places, box.start, strict=True)]
    return np.asarray(np.ravel_multi_index(inside, box.shape), np.intp)


def box_around(
    first: NDArray[np.int64], length: NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return start and stop of the box around runs of an image.

    Examples
    --------
    >>> box_around(np.array([3, 10]), np.array([2, 3]), (4, 5))
    (array([0, 0]), array([3, 5]))
    """
    low = np.stack(np.unravel_index(first, shape), axis=1)
    high = low + 1
    high[:, -1] += length - 1
    return low.min(axis=0), high.max(axis=0)


def voxels_of(first: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the raster indices of all voxels of runs.

    Examples
    --------
    >>> voxels_of(np.array([3, 10]), np.array([2, 3]))
    array([ 3,  4, 10, 11, 12])
    """
    before = np.cumsum(length) - length
    return np.repeat(first - before, length) + np.arange(int(length.sum()))


def _require_fit(
    images: tuple[NDArray[Any], NDArray[Any]], box: Box, shape: tuple[int, ...]
) -> None:
    found, known = (image.shape for image in images)
    if found != known:
        raise ValueError(
            f"segmentation has shape {found}, but reference has shape {known}; give "
            "two label images of equal shape"
        )
    for name, image in zip(("segmentation", "reference"), images, strict=True):
        if image.shape != box.shape:
            raise ValueError(
                f"{name} has shape {image.shape}, its tile {box.shape}; give the "
                "voxels of tile.write of both images"
            )
    if not shape:
        raise ValueError("the images are single numbers; give arrays with axes")
    if len(box.start) != len(shape) or any(
        stop > length for stop, length in zip(box.stop, shape, strict=True)
    ):
        raise ValueError(f"the tile {box} is not within an image of shape {shape}")


def _slabs(
    first: NDArray[Any], second: NDArray[Any], start: int = 0
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Yield rows of both images, contiguous, and the index of their first voxel."""
    if first.size == 0:
        return
    row = first[:1].size
    if row > _SLAB and first.ndim > 1:
        for k, (a, b) in enumerate(zip(first, second, strict=True)):
            yield from _slabs(a, b, start + k * row)
        return
    step = max(1, _SLAB // row) if first.ndim > 1 else first.size
    for k in range(0, len(first), step):
        pieces = (np.ascontiguousarray(a[k : k + step]) for a in (first, second))
        a, b = (p.reshape(-1, first.shape[-1]) for p in pieces)
        yield start + k * row, a, b


def _runs_of(
    first: NDArray[Any], second: NDArray[Any], start: int
) -> NDArray[np.int64]:
    """Return first voxel, length and ids of the runs of some rows: (4, runs)."""
    begins = np.ones(first.shape, np.bool_)
    begins[:, 1:] = first[:, 1:] != first[:, :-1]
    begins[:, 1:] |= second[:, 1:] != second[:, :-1]
    at = np.flatnonzero(begins)
    length = np.diff(at, append=first.size)
    a, b = first.reshape(-1)[at].astype(np.int64), second.reshape(-1)[at]
    b = b.astype(np.int64)
    filled = (a != 0) | (b != 0)
    return np.stack([(at + start)[filled], length[filled], a[filled], b[filled]])
