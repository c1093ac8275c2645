"""Label images changed at their boundaries: found, grown, joined."""

from __future__ import annotations

import itertools
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks, extents
from segkit.arrays import spacing_of
from segkit.morphology.peaks import as_connectivity
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach, unlimited

if TYPE_CHECKING:
    from segkit.arrays import Array, Labels, Mask, RealPerAxis

BoundaryMode: TypeAlias = Literal["thick", "inner", "outer"]

_SAME = 1e-9  # distances this near to each other, relatively, are one


@known_as("segkit")
@declare_reach(lambda ndim, **_: (1,) * ndim)
def find_boundaries(
    labels: Any, mode: BoundaryMode = "thick", *, connectivity: int = 1
) -> Mask:
    """Return the voxels at the boundaries of objects.

    Parameters
    ----------
    labels : array_like, shape (..., z, y, x)
        Integers, 0 = background; booleans are one object.
    mode : {"thick", "inner", "outer"}
        Which of the two sides: both; those of the object; or those of the background
        beside it and, where objects touch, both.
    connectivity : int
        Along how many axes at once neighbours may differ, from 1 on.

    Returns
    -------
    ndarray of bool, shape of `labels`
        By `skimage.segmentation.find_boundaries`. The image's border is no boundary.

    Raises
    ------
    TypeError, ValueError
        If labels are no non-negative integers, the mode is unknown, or `connectivity`
        not from 1 to the number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> find_boundaries(np.array([0, 0, 3, 3, 3, 0])).astype(int)
    array([0, 1, 1, 0, 1, 1])
    >>> find_boundaries(np.array([0, 0, 3, 3, 3, 0]), "inner").astype(int)
    array([0, 0, 1, 0, 1, 0])
    """
    segmentation: Any = import_module("skimage.segmentation")

    array = np.asarray(checks.as_array(labels, name="labels"))
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    array = np.asarray(checks.require_labels(array))
    checks.require_no_picture(array)
    checks.one_of(mode, get_args(BoundaryMode), name="mode")
    near = as_connectivity(connectivity, array.ndim)
    found: Any = segmentation.find_boundaries(array, connectivity=near, mode=mode)
    return np.asarray(found, np.bool_)


def _expanding_reach(
    ndim: int, *, distance: Any, spacing: Any, **_: Any
) -> tuple[int, ...]:
    furthest = checks.as_finite(distance, name="distance", least=0)
    steps = extents.as_spacing(1.0 if spacing is None else spacing, ndim)
    return tuple(math.floor(furthest / step * (1 + _SAME)) for step in steps)


@known_as("segkit")
@declare_reach(_expanding_reach)
def expand_labels(
    labels: Any, distance: float = 1, *, spacing: RealPerAxis | None = None
) -> Labels:
    """Grow objects into the background, each voxel to the nearest of them.

    Parameters
    ----------
    labels : array_like, shape (..., z, y, x)
        Integers, 0 = background.
    distance : float
        How far, in units of `spacing`; from 0 on.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis; by default that of an opened image, else 1.

    Returns
    -------
    ndarray, dtype and shape of `labels`
        Of objects at the same distance the one of the lowest label, so that the result
        does not depend on tiles. `skimage.segmentation.expand_labels` takes one of them
        by the order in which it goes through the image; all else is equal.

    Raises
    ------
    TypeError, ValueError
        If labels are no non-negative integers, `distance` is negative or not finite,
        or the spacing not positive.

    Examples
    --------
    >>> import numpy as np
    >>> expand_labels(np.array([0, 0, 0, 4, 0, 0, 0, 2, 0]), 2)
    array([0, 4, 4, 4, 4, 2, 2, 2, 2])
    """
    from scipy import ndimage

    given = spacing_of(spacing, labels)
    array = np.asarray(checks.require_labels(labels))
    checks.require_no_picture(array)
    furthest = checks.as_finite(distance, name="distance", least=0)
    steps = extents.as_spacing(1.0 if given is None else given, array.ndim)
    result = array.copy()
    if not array.any() or furthest == 0:
        return result
    far = ndimage.distance_transform_edt(array == 0, steps)
    near = np.nonzero((far > 0) & (far <= furthest * (1 + _SAME)))
    length = far[near]
    order = np.argsort(length)
    where = np.stack(near, axis=1)[order]
    length = length[order]
    for radius, moves in _rings(furthest, steps, array.shape):
        first, last = np.searchsorted(
            length, [radius * (1 - _SAME), radius * (1 + _SAME)]
        )
        if first < last:
            own = where[first:last]
            result[tuple(own.T)] = _lowest(array, own, moves)
    return result


def _rings(
    furthest: float, steps: tuple[float, ...], shape: tuple[int, ...]
) -> list[tuple[float, Array]]:
    """Return each distance up to the furthest, with the moves of that length."""
    reaches = (
        min(math.floor(furthest / step * (1 + _SAME)), length - 1)
        for step, length in zip(steps, shape, strict=True)
    )
    moves = np.array(list(itertools.product(*(range(-r, r + 1) for r in reaches))))
    length = np.sqrt(((moves * np.array(steps)) ** 2).sum(axis=1))
    kept = (length > 0) & (length <= furthest * (1 + _SAME))
    order = np.argsort(length[kept], kind="stable")
    moves, length = moves[kept][order], length[kept][order]
    cuts = np.flatnonzero(np.diff(length) > _SAME * length[1:]) + 1
    rings = np.split(moves, cuts)
    radii = [part[0] for part in np.split(length, cuts) if len(part)]
    return list(zip(radii, rings, strict=False))


def _lowest(labels: Array, voxels: Array, moves: Array) -> Array:
    """Return the lowest label that moves lead to from each voxel, 0 if to none."""
    top = np.iinfo(labels.dtype).max
    found = np.full(len(voxels), top, labels.dtype)
    for move in moves:
        there = voxels + move
        inside = ((there >= 0) & (there < labels.shape)).all(axis=1)
        values = labels[tuple(there[inside].T)]
        values = np.where(values == 0, top, values)
        found[inside] = np.minimum(found[inside], values)
    return np.where(found == top, 0, found).astype(labels.dtype)


@known_as("segkit")
@declare_reach(unlimited)
def join_segmentations(labels: Any, other: Any) -> Labels:
    """Return the pieces into which two segmentations cut an image together.

    Two voxels are in one piece if both segmentations say so. Pieces are numbered by
    all pairs of labels in the image, so that a pipeline runs the step on the whole.

    Parameters
    ----------
    labels : array_like, shape (..., z, y, x)
        Integers, 0 = background.
    other : array_like, shape of `labels`
        Integers, 0 = background.

    Returns
    -------
    ndarray of int64, shape of `labels`
        0 where both are background; else from 1 on, in the order of the first label,
        then of the second. As `skimage.segmentation.join_segmentations`.

    Raises
    ------
    TypeError, ValueError
        If labels are no non-negative integers, or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> join_segmentations(np.array([0, 0, 7, 7]), np.array([0, 5, 5, 9]))
    array([0, 1, 2, 3])
    """
    first = np.asarray(checks.signed(checks.require_labels(labels)))
    second = np.asarray(checks.signed(checks.require_labels(other, name="other")))
    if first.shape != second.shape:
        raise ValueError(f"other has shape {second.shape}, labels {first.shape}")
    checks.require_no_picture(first)
    ids, number = np.unique(first, return_inverse=True)
    others, beside = np.unique(second, return_inverse=True)
    pair = number.astype(np.int64) * len(others) + beside
    pairs, piece = np.unique(pair, return_inverse=True)
    from_one = not (ids[pairs[0] // len(others)] == others[pairs[0] % len(others)] == 0)
    pieces: Labels = piece.reshape(first.shape).astype(np.int64) + from_one
    return pieces
