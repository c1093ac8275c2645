"""What a family of features is, and the sums over regions that most of them need.

A family is a value: what is computed, as data, so that it stands in the key of a task.
There are three kinds, by what they see:

- maps (`Maps`): images made of the image, of which each region gets mean and standard
  deviation, such as a bank of filters;
- codes (`Codes`): an image of small whole numbers, of which each region gets the share
  of each, such as local binary patterns;
- numbers of one region alone (`OfRegion`): its grey values and its form, such as
  Haralick's.

All know their reach, so that regions can be measured tile by tile, each the same as in
the whole image, bit by bit: the voxels of a region are summed in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array, Mask


@runtime_checkable
class Maps(Protocol):
    """A family of images made of the image."""

    def reach(self) -> int:
        """Return how far the images depend on voxels around, in voxels."""

    def names(self) -> tuple[str, ...]:
        """Return the name of each image."""

    def maps(self, grey: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the images, along a new first axis."""


@runtime_checkable
class Codes(Protocol):
    """A family that gives each voxel one of a few numbers."""

    def reach(self) -> int:
        """Return how far a voxel's number depends on voxels around, in voxels."""

    def names(self) -> tuple[str, ...]:
        """Return the name of each number's share."""

    def codes(
        self, grey: NDArray[np.float64], low: float, high: float
    ) -> NDArray[np.integer[Any]]:
        """Return the number of each voxel, from 0 to before the number of names.

        `low` and `high` are the least and greatest value of the whole image.
        """


@runtime_checkable
class OfRegion(Protocol):
    """A family that sees one region at a time."""

    def names(self) -> tuple[str, ...]:
        """Return the name of each number."""

    def of_region(self, region: Patch) -> Sequence[float]:
        """Return the numbers of one region; NaN where one is not defined."""


Family: TypeAlias = Maps | Codes | OfRegion


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """One region: the grey values of its box, which voxels it has, the image's range.

    `low` and `high` are the least and greatest value of the whole image, by which grey
    levels are counted.
    """

    grey: NDArray[np.float64]
    inside: Mask
    low: float
    high: float

    def levels(self, count: int) -> NDArray[np.uint8]:
        """Return the grey values of the box as `count` levels from 0."""
        if self.high <= self.low:
            return np.zeros(self.grey.shape, np.uint8)
        scaled = (self.grey - self.low) * (count / (self.high - self.low))
        return np.clip(scaled, 0, count - 1).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The voxels of some regions within a box: flat places, region by region.

    `which` counts regions from 0, `count` of them; a voxel of two regions is there
    twice.
    """

    places: NDArray[np.intp]
    which: NDArray[np.intp]
    count: int

    def means(self, image: Array) -> NDArray[np.float64]:
        """Return the mean of each region; NaN for one without voxels."""
        totals = np.bincount(
            self.which, image.reshape(-1)[self.places], minlength=self.count
        )
        with np.errstate(invalid="ignore"):
            return np.asarray(totals / self.sizes(), np.float64)

    def deviations(
        self, image: Array, means: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the standard deviation (of the population) of each region."""
        apart = image.reshape(-1)[self.places] - means[self.which]
        totals = np.bincount(self.which, apart * apart, minlength=self.count)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(totals / self.sizes()), np.float64)

    def shares(self, codes: Array, kinds: int) -> NDArray[np.float64]:
        """Return which part of each region has each code, of shape (regions, kinds)."""
        both = self.which * kinds + codes.reshape(-1)[self.places]
        counts = np.bincount(both, minlength=self.count * kinds)
        with np.errstate(invalid="ignore"):
            shares = counts.reshape(self.count, kinds) / self.sizes()[:, None]
        return np.asarray(shares, np.float64)

    def sizes(self) -> NDArray[np.intp]:
        """Return the number of voxels of each region."""
        return np.bincount(self.which, minlength=self.count)
