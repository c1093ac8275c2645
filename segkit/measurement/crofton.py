"""Perimeter and surface area from crossings: the Crofton formula on a voxel grid.

The mean, over all directions, of the number of times that parallel lines of a known
density cross a boundary is proportional to its length or area. A grid offers 4
directions in the plane and 13 in space; each stands for the directions nearest to it,
with the weight of its Voronoi cell on the circle or sphere (Lehmann and Legland,
"Efficient N-dimensional surface estimation using Crofton formula and run-length
encoding", Insight Journal, 2012; Ohser and Muecklich, "Statistical analysis of
microstructures in materials science", Wiley, 2000, section 3). Crossings are integers
and add over tiles. A digital ball of radius 5 or more comes out within 1 %, a disc of
radius 10 at 4 % too much and of 50 at 0.4 %; corners are cut: a cube along the axes is
10 % small, a square 7 %.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]


def steps(ndim: int) -> Array:
    """Return the offsets to a voxel and its neighbours in raster order, (3**n, n)."""
    return np.array(list(itertools.product((-1, 0, 1), repeat=ndim)), np.int64)


def measure_of_crossings(crossings: Array, spacing: Sequence[float]) -> Array:
    """Return the perimeter (2-D) or surface area (3-D) of each object.

    Parameters
    ----------
    crossings
        Per object and direction, boundary crossings along all grid lines of that
        direction, shape (objects, 4 or 13), directions as the first half of `steps`.
    spacing
        Distance of voxel centres on each axis.
    """
    measure: Array = crossings @ _of_crossings(tuple(map(float, spacing)))
    return measure


@functools.lru_cache(maxsize=64)
def _of_crossings(spacing: tuple[float, ...]) -> Array:
    """Return what one crossing along each direction adds to the measure."""
    ndim = len(spacing)
    directions = steps(ndim)[: 3**ndim // 2] * np.asarray(spacing, float)
    length = np.linalg.norm(directions, axis=1)
    unit = directions / length[:, None]
    weight = _arcs(unit) if ndim == 2 else _cells(unit)
    # Each grid line of a direction stands for this much of the plane across it.
    across = math.prod(spacing) / length
    factor = math.pi / 2 if ndim == 2 else 2.0
    added: Array = factor * weight * across
    return added


def _arcs(unit: Array) -> Array:
    """Return the fraction of the circle nearest to each direction or its opposite."""
    angle = np.arctan2(unit[:, 0], unit[:, 1]) % np.pi
    order = np.argsort(angle)
    turn = np.append(angle[order], angle[order][0] + np.pi)
    gap = np.diff(turn)
    weight = np.empty(len(unit))
    weight[order] = (gap + np.roll(gap, 1)) / (2 * np.pi)
    return weight


def _cells(unit: Array) -> Array:
    """Return the fraction of the sphere nearest to each direction or its opposite."""
    from scipy.spatial import SphericalVoronoi

    sphere = SphericalVoronoi(np.concatenate([unit, -unit]))
    areas = sphere.calculate_areas()
    weight: Array = areas[: len(unit)] * 2 / areas.sum()
    return weight
