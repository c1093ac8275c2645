"""A source whose axes are in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.io.sources import Source


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Ordered:
    """A source with its axes in another order: `order` says which each of them is.

    Examples
    --------
    >>> from segkit.io.sources import InMemory
    >>> source = Ordered(InMemory(np.arange(6).reshape(2, 3)), (1, 0))
    >>> source.shape
    (3, 2)
    >>> source.read((slice(1, 3), slice(0, 1)))
    array([[1],
           [2]])
    """

    source: Source
    order: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis, in the new order."""
        return tuple(self.source.shape[axis] for axis in self.order)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a voxel."""
        return self.source.dtype

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box."""
        lies = [slice(0)] * len(box)
        for axis, part in zip(self.order, box, strict=True):
            lies[axis] = part
        return np.asarray(self.source.read(tuple(lies))).transpose(self.order)
