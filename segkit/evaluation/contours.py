"""Distances to objects that are known as runs, by a tree of their contours.

The voxel of an object that is nearest to a place outside of it lies at its contour: one
step towards the place leaves the object. So a tree of the contour's voxels knows all
distances. Contours come from a mask of the box around the object; if that is large,
from runs that are shifted by a voxel and taken away.

The voxel of other runs that is farthest may lie anywhere in them. But along a row
distances change by no more than a voxel's size from voxel to voxel, and the distance to
the object and that to its middle differ by no more than half of its diagonal, so that
few runs have to be looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from segkit.evaluation.runs import box_around, voxels_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Runs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]

_AT_ONCE = 1 << 18  # places whose distances are asked for together
_SMALL = 1 << 18  # voxels of a box around an object, of which a mask is made


@dataclass(frozen=True, slots=True)
class Contour:
    """The contour of an object, to ask for distances.

    Parameters
    ----------
    shape : tuple of int
        Of the image.
    sizes : (axes,) float64 array
        Size of a voxel along each axis.
    tree : scipy.spatial.cKDTree
        Of the contour's voxels.
    """

    shape: tuple[int, ...]
    sizes: NDArray[np.float64]
    tree: Any

    @classmethod
    def of(
        cls, runs: Runs, shape: tuple[int, ...], spacing: Sequence[float] | None
    ) -> Self:
        """Return the contour of what the runs (first voxels, lengths) hold."""
        from scipy.spatial import cKDTree

        sizes = np.ones(len(shape)) if spacing is None else np.asarray(spacing, float)
        if sizes.shape != (len(shape),):
            raise ValueError(f"spacing is {spacing}, but images have {len(shape)} axes")
        places = _places(_contour(runs, shape), shape, sizes)
        return cls(shape, sizes, cKDTree(places))

    def distances(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how far places outside of the object (raster indices) are from it."""
        away = [
            self.tree.query(_places(at[k : k + _AT_ONCE], self.shape, self.sizes))[0]
            for k in range(0, at.size, _AT_ONCE)
        ]
        return np.concatenate([np.zeros(0), *away])

    def farthest(self, runs: Runs) -> float:
        """Return the largest distance from a voxel of runs outside of the object."""
        first, length = self._far_from_middle(*runs)
        farthest = 0.0
        while first.size:
            middle = first + length // 2
            away = self.distances(middle)
            farthest = max(farthest, float(away.max()))
            # A little more than half of the run, against rounding.
            reach = away + (length // 2) * self.sizes[-1]
            further = (length > 1) & (reach * (1 + 1e-9) > farthest)
            first, length, middle = first[further], length[further], middle[further]
            halves = middle - first, first + length - middle - 1
            first = np.concatenate([first, middle + 1])
            length = np.concatenate(halves)
            first, length = first[length > 0], length[length > 0]
        return farthest

    def _far_from_middle(
        self, first: NDArray[np.int64], length: NDArray[np.int64]
    ) -> Runs:
        """Leave out runs that are too near to the object's middle to be farthest."""
        if first.size == 0:
            return first, length
        middle = (self.tree.mins + self.tree.maxes) / 2
        within = float(np.linalg.norm(self.tree.maxes - middle))
        ends = [
            np.linalg.norm(_places(at, self.shape, self.sizes) - middle, axis=1)
            for at in (first, first + length - 1)
        ]
        away = np.maximum(*ends)
        # Half a voxel more, against rounding.
        far = away + 2 * within + self.sizes.min() / 2 >= away.max()
        return first[far], length[far]


def _places(
    at: NDArray[np.int64], shape: tuple[int, ...], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.stack(np.unravel_index(at, shape), axis=1) * sizes


def _contour(runs: Runs, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the raster indices of the voxels of an object with a neighbour outside.

    Those at the image's border may be among them or not.
    """
    low, high = box_around(*runs, shape)
    if math.prod((high - low + 2).tolist()) <= _SMALL:
        return _contour_in_box(runs, shape, low, high)
    steps = np.cumprod([1, *shape[:0:-1]])  # by one voxel, from the last axis on
    found = [
        voxels_of(*_without(runs, (runs[0] + shift, runs[1])))
        for step in steps.tolist()
        for shift in (step, -step)
    ]
    return np.unique(np.concatenate(found))


def _contour_in_box(
    runs: Runs, shape: tuple[int, ...], low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return what `_contour` does, by a mask of the box around the object."""
    around = np.zeros(high - low + 2, np.bool_)
    inside = around[(slice(1, -1),) * around.ndim]
    at = np.unravel_index(voxels_of(*runs), shape)
    inside[tuple(p - s for p, s in zip(at, low, strict=True))] = True
    bare = np.zeros_like(inside)
    for axis in range(around.ndim):
        for shifted in (slice(None, -2), slice(2, None)):
            cut = [slice(1, -1)] * around.ndim
            cut[axis] = shifted
            bare |= ~around[tuple(cut)]
    places = [p + s for p, s in zip(np.nonzero(inside & bare), low, strict=True)]
    return np.asarray(np.ravel_multi_index(places, shape), np.int64)


def _without(runs: Runs, others: Runs) -> Runs:
    """Return the parts of runs that others do not cover; neither overlap themselves."""
    places = np.concatenate(
        [runs[0], runs[0] + runs[1], others[0], others[0] + others[1]]
    )
    n, m = runs[0].size, others[0].size
    inside = np.repeat(np.array([1, -1, 0, 0]), [n, n, m, m])
    covered = np.repeat(np.array([0, 0, 1, -1]), [n, n, m, m])
    order = np.argsort(places, kind="stable")
    places = places[order]
    bare = (np.cumsum(inside[order]) > 0) & (np.cumsum(covered[order]) == 0)
    length = np.diff(places, append=places[-1:])
    kept = bare & (length > 0)
    return places[kept], length[kept]
