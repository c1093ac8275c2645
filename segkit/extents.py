"""Sizes that are given: of images, of voxels, and of what memory has to hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of which squares and their inverses are numbers.
_MOST_DISTANCE = 1e50


def as_shape(shape: Any, ndim: int | None = None) -> tuple[int, ...]:
    """Return the shape of an image, of so many axes if that is known, as integers."""
    if isinstance(shape, (str, bytes)) or np.ndim(shape) != 1:
        raise TypeError(f"shape is {shape!r}, but must be a length for each axis")
    axes = len(shape) if ndim is None else ndim
    return checks.per_axis(tuple(shape), axes, name="shape")


def as_spacing(spacing: Any, ndim: int) -> tuple[float, ...]:
    """Return the distance of voxel centres on each axis; raise unless above 0."""
    distances = checks.per_axis_real(spacing, ndim, name="spacing", least=-math.inf)
    if min(distances) <= 0:
        raise ValueError(f"spacing is {spacing}; give positive distances")
    if not (min(distances) > 1 / _MOST_DISTANCE and max(distances) < _MOST_DISTANCE):
        raise ValueError(
            f"spacing is {spacing}, of which squares and ratios cannot be computed;"
            " give it in another unit"
        )
    return distances


def require_room(sizes: Sequence[float], *, name: str, most: float = 2.0**28) -> None:
    """Raise `ValueError` if an array of some sizes is more than memory will hold.

    Examples
    --------
    >>> require_room((3, 10**30), name="radius")
    Traceback (most recent call last):
    ...
    ValueError: radius asks for an array of 3 x 1e+30 numbers; give a smaller one
    """
    if not math.prod(map(float, sizes)) <= most:
        shape = " x ".join(f"{size:g}" for size in sizes)
        raise ValueError(
            f"{name} asks for an array of {shape} numbers; give a smaller one"
        )
