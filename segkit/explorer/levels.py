"""An image at full and at coarser resolutions, of which only boxes are read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit import io
from segkit.names import known_as
from segkit.pipeline.spacings import ImageSpec

if TYPE_CHECKING:
    from segkit.arrays import Array

Bounds: TypeAlias = tuple[tuple[int, int], ...]
"""First and last + 1 along each axis, in voxels of a level."""

_BAND = 1 << 24
"""Voxels that are read at once to sample them."""
_SAMPLE = 1 << 20
"""Voxels of which the range of grey values is told, at most."""
_ENDS = (0.2, 99.8)
"""Percentiles that are drawn black and white."""


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Levels:
    """An image and its coarser levels: those that are stored, else every n-th voxel.

    Attributes
    ----------
    image : Image
        Axes of space only.
    stored : tuple of Image
        Coarser levels of the same file, the finest first.

    Examples
    --------
    >>> levels = Levels.of(io.as_image(np.arange(20).reshape(4, 5)))
    >>> levels.shape(1), levels.read(1, ((0, 2), (1, 3))).tolist()
    ((2, 3), [[2, 4], [12, 14]])
    """

    image: io.Image
    stored: tuple[io.Image, ...] = ()

    @classmethod
    def of(cls, image: io.Image) -> Levels:
        """Return the levels of an opened image, those in its file among them."""
        if image.levels < 2 or image.asked is None:
            return cls(image)
        opened = [
            io.open_image(image.path, level=level).spatial()
            for level in range(1, image.levels)
        ]
        return cls(image, tuple(one for one in opened if one.axes == image.axes))

    @property
    def last(self) -> int:
        """The coarsest level of which there is a use."""
        return max(len(self.stored), int(math.log2(max(self.image.shape, default=1))))

    def shape(self, level: int) -> tuple[int, ...]:
        """Return the shape of a level."""
        if 0 < level <= len(self.stored):
            return self.stored[level - 1].shape
        return tuple(-(-n // 2**level) for n in self.image.shape)

    def factors(self, level: int) -> tuple[float, ...]:
        """Return how many voxels of the image one of a level stands for, per axis."""
        if 0 < level <= len(self.stored):
            pairs = zip(self.image.shape, self.shape(level), strict=True)
            return tuple(max(1.0, n / max(1, m)) for n, m in pairs)
        return (float(2**level),) * self.image.ndim

    def spec(self, level: int) -> ImageSpec:
        """Return what a plan knows of a level: spacings are those of its voxels."""
        image = self.image
        steps = zip(image.spacing, self.factors(level), strict=True)
        spacing = tuple(step * factor for step, factor in steps)
        return replace(ImageSpec.of(image), shape=self.shape(level), spacing=spacing)

    def read(self, level: int, box: Bounds) -> Array:
        """Return the voxels of a box of a level."""
        if level == 0:
            return self.image.read(_slices(box))
        if level <= len(self.stored):
            return self.stored[level - 1].read(_slices(box))
        return self._sampled(2**level, box)

    def sample(self) -> Array:
        """Return a level that is small, to tell the range of grey values by."""
        level = 0
        while math.prod(self.shape(level)) > _SAMPLE and level < self.last:
            level += 1
        found = self.read(level, tuple((0, n) for n in self.shape(level)))
        return found.astype(np.uint8) if found.dtype.kind == "b" else found

    def _sampled(self, every: int, box: Bounds) -> Array:
        full = [
            (a * every, min(b * every, n))
            for (a, b), n in zip(box, self.image.shape, strict=True)
        ]
        steps = (slice(None, None, every),) * len(full)
        (start, stop), *others = full
        plane = max(1, math.prod(b - a for a, b in others))
        rows = max(1, _BAND // plane // every) * every
        if plane * every > _BAND:  # a row at a time, of which others are left out
            rows = 1
        bands: list[Any] = []
        for first in range(start, stop, every if rows == 1 else rows):
            last = min(first + rows, stop)
            bands.append(self.image.read(_slices(((first, last), *others)))[steps])
        return np.ascontiguousarray(np.concatenate(bands))


def ends(array: Array) -> tuple[float, float]:
    """Return the grey values between which nearly all of an array lie; finite, apart.

    Examples
    --------
    >>> ends(np.arange(1001)), ends(np.zeros(3))
    ((2.0, 998.0), (0.0, 1.0))
    """
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if finite.size == 0:
        return 0.0, 1.0
    low, high = map(float, np.percentile(finite, _ENDS))
    if low == high:
        low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low, low + max(1.0, abs(low) / 1000))


def _slices(box: Bounds) -> tuple[slice, ...]:
    return tuple(slice(a, b) for a, b in box)
