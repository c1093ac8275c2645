"""A source of several sources, one beside the other along axes of their own."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.io.sources import Source


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SideBySide:
    """Sources of one shape and type, such as a file for each channel and time point.

    Attributes
    ----------
    sources : tuple of Source
        In the order of raster: the last axis of `lengths` changes fastest.
    lengths : tuple of int
        How many there are along each axis of their own; these come first.
    paths : tuple of tuple of str
        For each source the paths of its files.

    Examples
    --------
    >>> from segkit.io.sources import InMemory
    >>> both = [InMemory(np.full((2, 2), k)) for k in (3, 4)]
    >>> pair = SideBySide(tuple(both), (2,), (("a",), ("b",)))
    >>> pair.shape, pair.files
    ((2, 2, 2), ('b',))
    >>> pair.read((slice(1, 2), slice(0, 1), slice(0, 2)))
    array([[[4, 4]]])
    """

    sources: tuple[Source, ...]
    lengths: tuple[int, ...]
    paths: tuple[tuple[str, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.lengths + tuple(self.sources[0].shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a voxel."""
        return self.sources[0].dtype

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of all files but the first."""
        return tuple(path for paths in self.paths for path in paths)[1:]

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box."""
        apart, inner = box[: len(self.lengths)], box[len(self.lengths) :]
        kept = self._numbers([range(part.start, part.stop) for part in apart])
        read = [np.asarray(self.sources[number].read(inner)) for number in kept]
        shape = tuple(part.stop - part.start for part in box)
        return np.stack(read).reshape(shape) if read else np.empty(shape, self.dtype)

    def at(self, axis: int, index: int) -> tuple[Source, str] | None:
        """Return the source at one index of an axis of its own, and its first path.

        None of an axis that the sources have themselves.
        """
        if axis >= len(self.lengths):
            return None
        ranges = [range(n) for n in self.lengths]
        ranges[axis] = range(index, index + 1)
        kept = self._numbers(ranges)
        paths = tuple(self.paths[number] for number in kept)
        lengths = self.lengths[:axis] + self.lengths[axis + 1 :]
        found: Source = SideBySide(
            tuple(self.sources[number] for number in kept), lengths, paths
        )
        return found, paths[0][0]

    def _numbers(self, ranges: list[range]) -> list[int]:
        steps = [math.prod(self.lengths[k + 1 :]) for k in range(len(self.lengths))]
        return [
            sum(place * step for place, step in zip(at, steps, strict=True))
            for at in itertools.product(*ranges)
        ]
