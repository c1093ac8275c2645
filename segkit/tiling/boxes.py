"""Boxes of voxels and tiles: the words that tiling, joining and stitching share."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

from segkit import checks
from segkit.names import known_as


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class Box:
    """Half-open box of voxels, from `start` up to but without `stop`, on each axis."""

    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along each axis."""
        return tuple(map(operator.sub, self.stop, self.start))

    @property
    def size(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)

    @property
    def slices(self) -> tuple[slice, ...]:
        """Index that cuts the box out of an array."""
        return tuple(map(slice, self.start, self.stop))

    def within(self, outer: Box) -> Box:
        """Return the same voxels, counted from the first voxel of `outer`."""
        return Box(
            tuple(a - o for a, o in zip(self.start, outer.start, strict=True)),
            tuple(b - o for b, o in zip(self.stop, outer.start, strict=True)),
        )

    def common(self, other: Box) -> Box | None:
        """Return the box of the voxels that lie in both, None where there are none.

        Examples
        --------
        >>> Box((0, 0), (4, 4)).common(Box((2, 1), (6, 3)))
        Box(start=(2, 1), stop=(4, 3))
        >>> Box((0, 0), (4, 4)).common(Box((4, 1), (6, 3))) is None
        True
        """
        start = tuple(max(a, o) for a, o in zip(self.start, other.start, strict=True))
        stop = tuple(min(b, o) for b, o in zip(self.stop, other.stop, strict=True))
        if any(a >= b for a, b in zip(start, stop, strict=True)):
            return None
        return Box(start, stop)


@known_as("segkit")
@dataclass(frozen=True, slots=True)
class Tile:
    """Box that is read (`read`) to compute the box that is owned (`write`).

    `index` is the tile's position in the grid of tiles.
    """

    index: tuple[int, ...]
    read: Box
    write: Box

    @property
    def inner(self) -> tuple[slice, ...]:
        """Index of the owned voxels inside an array that was cut out by `read`."""
        return self.write.within(self.read).slices


def require_tile(tile: Any) -> None:
    """Raise `TypeError` unless a tile is one."""
    checks.require_kind(tile, Tile, name="tile", source="segkit.tiles(shape, size)")
