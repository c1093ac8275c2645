"""Summaries of the labels of tiles, and which labels of two tiles touch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from segkit import checks
from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.tiling.boxes import Box

Faces: TypeAlias = "tuple[tuple[Array, Array], ...]"
"""For each axis, the labels of the first and last plane, 1 thick on that axis."""
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
    faces: Faces
    """For each axis, the labels of the first and last plane, 1 thick on that axis."""
    values: Array | None = None
    """For each label from 1 on, the value of its voxels, if labelled by value."""

    @property
    def count(self) -> int:
        """Number of labels."""
        return len(self.first)

    def without_faces(self) -> TileSummary:
        """Return the summary without planes: `merge_tiles` needs none with seams."""
        return replace(self, faces=())


def require_summary(summary: Any) -> None:
    """Raise `TypeError` unless it is the summary of a labelled tile."""
    source = "segkit.label_tile(...).summary"
    checks.require_kind(summary, TileSummary, name="a summary", source=source)


@known_as("segkit.names")
class Seam(NamedTuple):
    """Which labels of two adjacent tiles touch: rows (label in first, in second)."""

    first: Box
    second: Box
    pairs: NDArray[np.int64]


def faces(labels: Array) -> Faces:
    """Return the first and last plane of each axis, as views."""
    return tuple(
        (labels[_at(axis, 0)], labels[_at(axis, n - 1)])
        for axis, n in enumerate(labels.shape)
    )


def _at(axis: int, place: int) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, slice(place, place + 1))


def places_in_image(
    places: Array, box: Box, shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return raster indices within an image of `shape` from those within a box of it.

    Those beyond the box become the largest int64: behind all others.
    """
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
