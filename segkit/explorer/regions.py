"""Which part of an image is computed for what is to be seen of it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segkit.explorer.levels import Bounds, Levels

WHOLE = 1 << 22
"""Voxels up to which an image is computed whole, so that every figure is exact."""
_MOST = 10 << 20
"""Voxels of the image that are computed at once for what is seen of it."""
_COARSE = 1 << 21
"""The same, of a coarser level."""
_GRID = 64
"""Boxes are rounded outwards to multiples, so that small moves compute nothing new."""
_MARGINS = 16
"""The same for margins, so that most sliders move none."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Region:
    """A box to compute, and what of it is exact and shown.

    Attributes
    ----------
    level : int
        0 is full resolution.
    read : Bounds
        What is computed.
    shown : Bounds
        The part of it that is shown.
    whole : bool
        Whether all of the level is computed.
    every : int
        Of so many voxels along each axis one is shown.
    """

    level: int
    read: Bounds
    shown: Bounds
    whole: bool
    every: int = 1

    @property
    def inner(self) -> tuple[slice, ...]:
        """Where what is shown lies in what is computed."""
        return tuple(
            slice(a - r, b - r, self._step(a, b))
            for (a, b), (r, _) in zip(self.shown, self.read, strict=True)
        )

    def box(self, factors: Sequence[float]) -> list[tuple[float, float]]:
        """Return where what is shown lies in the image, given what a voxel stands for.

        Examples
        --------
        >>> Region(0, ((0, 9), (0, 9)), ((0, 9), (4, 5)), True, every=2).box((1, 1))
        [(0, 10), (4, 5)]
        """
        found = []
        for (a, b), factor in zip(self.shown, factors, strict=True):
            step = self._step(a, b)
            found.append((a * factor, (a - (a - b) // step * step) * factor))
        return found

    def _step(self, a: int, b: int) -> int:
        return self.every if b - a > 1 else 1


def region_for(
    levels: Levels,
    view: Sequence[tuple[float, float]],
    margins: Callable[[int], Sequence[int]],
    *,
    coarse: int = 0,
) -> Region:
    """Return what to compute to show a box of an image.

    Parameters
    ----------
    levels
        The image.
    view
        First and last coordinate along each axis, in voxels of full resolution.
    margins
        Returns, of a level, how far what is computed reaches beyond what is shown.
    coarse
        The finest level that may be taken.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.explorer.levels import Levels
    >>> from segkit.io import as_image
    >>> large = Levels.of(as_image(np.broadcast_to(np.uint8(0), (8192, 8192))))
    >>> region_for(large, [(900, 1800), (70, 900)], lambda level: (8, 8))
    Region(level=0, read=((880, 1872), (48, 976)), shown=((896, 1856), (64, 960)),
           whole=False, every=1)
    >>> region_for(large, [(0, 8192), (0, 8192)], lambda level: (8, 8)).level
    3
    """
    level = min(coarse, levels.last)
    while True:
        shape = levels.shape(level)
        shown = _covering(view, levels.factors(level), shape)
        if math.prod(shape) <= (WHOLE if level == 0 else _COARSE):
            return Region(level, tuple((0, n) for n in shape), shown, whole=True)
        read = _grown(shown, margins(level), shape)
        voxels = math.prod(b - a for a, b in read)
        if voxels <= (_MOST if level == 0 else _COARSE) or level == levels.last:
            whole = all(box == (0, n) for box, n in zip(read, shape, strict=True))
            return Region(level, read, shown, whole)
        level += 1


def is_large(levels: Levels) -> bool:
    """Say whether an image is not computed whole to show a part of it."""
    return math.prod(levels.shape(0)) > WHOLE


def whole_for(levels: Levels, view: Sequence[tuple[float, float]]) -> Region:
    """Return the whole of an image, of which a box is shown, as finely as is of use.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit.explorer.levels import Levels
    >>> from segkit.io import as_image
    >>> large = Levels.of(as_image(np.broadcast_to(np.uint8(0), (8192, 8192))))
    >>> whole_for(large, [(0, 8192), (0, 8192)]).every
    8
    """
    shape = levels.shape(0)
    shown = _covering(view, (1.0,) * len(shape), shape)
    every = 1
    while math.prod(-(-(b - a) // every) for a, b in shown) > _COARSE:
        every *= 2
    return Region(0, tuple((0, n) for n in shape), shown, whole=True, every=every)


def _covering(
    view: Sequence[tuple[float, float]],
    factors: Sequence[float],
    shape: Sequence[int],
) -> Bounds:
    found = []
    for (start, stop), factor, length in zip(view, factors, shape, strict=True):
        grid = 1 if stop - start <= 1 else _GRID
        first = math.floor(start / factor / grid) * grid
        last = math.ceil(stop / factor / grid) * grid
        first = min(max(first, 0), length - 1)
        found.append((first, min(max(last, first + 1), length)))
    return tuple(found)


def _grown(shown: Bounds, margins: Sequence[int], shape: Sequence[int]) -> Bounds:
    found = []
    for (a, b), margin, length in zip(shown, margins, shape, strict=True):
        # Along a single plane each voxel of margin costs a plane: by fours only.
        step = _MARGINS if b - a > 1 else 4
        wide = -(-margin // step) * step
        found.append((max(0, a - wide), min(length, b + wide)))
    return tuple(found)
