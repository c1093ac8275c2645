"""Skeletons: objects thinned to lines, and how long these are."""

from __future__ import annotations

import itertools
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks, extents
from segkit.arrays import spacing_of
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach, unlimited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask, RealPerAxis, Table


@known_as("segkit")
@declare_reach(unlimited)
def skeleton(mask: ArrayLike) -> Mask:
    """Return the lines, one voxel wide, that a mask is thinned to.

    Objects are thinned from all sides until nothing can go, in an order that depends on
    their whole shape. So no halo is large enough, and a pipeline runs the step on the
    whole image, as one task.

    Parameters
    ----------
    mask : array_like, shape (y, x) or (z, y, x)
        Zero is background.

    Returns
    -------
    ndarray of bool, shape of `mask`
        By `skimage.morphology.skeletonize`: in planes after Zhang and Suen [1]_, in
        volumes after Lee et al. [2]_. Voxels count as cubes, whatever their spacing.

    Raises
    ------
    TypeError, ValueError
        If the mask is not real, or not of two or three axes.

    References
    ----------
    .. [1] Zhang, T. Y. and Suen, C. Y. "A fast parallel algorithm for thinning digital
       patterns", Communications of the ACM 27:236-239, 1984.
    .. [2] Lee, T.-C. et al. "Building skeleton models via 3-D medial surface/axis
       thinning algorithms", CVGIP: Graphical Models 56:462-478, 1994.

    Examples
    --------
    >>> import numpy as np
    >>> bar = np.zeros((5, 9))
    >>> bar[1:4, 1:8] = 1
    >>> skeleton(bar).astype(int)[2]
    array([0, 1, 1, 1, 1, 1, 0, 0, 0])
    """
    morphology: Any = import_module("skimage.morphology")

    array = checks.as_mask(mask)
    if array.ndim not in (2, 3):
        raise ValueError(
            f"skeleton is for 2 or 3 axes, not for {array.ndim}; give one plane or"
            " volume at a time"
        )
    # Not of an array that may only be read: its compiled loop takes none.
    lines: Any = morphology.skeletonize(np.require(array, requirements="W"))
    return np.asarray(lines, np.bool_)


@known_as("segkit")
def skeleton_length(labels: Any, *, spacing: RealPerAxis | None = None) -> Table:
    """Return how long the lines of skeletons are.

    Parameters
    ----------
    labels : array_like, shape (..., z, y, x)
        Lines one voxel wide: a mask of one skeleton, or integers of several, such as
        ``labels * skeleton(labels)``; 0 is background.
    spacing : float or sequence of float, optional
        Size of a voxel along each axis; by default that of an opened image, else 1.

    Returns
    -------
    dict of str to ndarray
        Columns "label" (int64), rising, and "length": the sum of the distances between
        voxels of a label that touch. Where two touch by a corner, or an edge, and
        another voxel of that label leads from one to the other, it is that way which
        counts. A line of n voxels along an axis is n - 1 long.

    Raises
    ------
    TypeError, ValueError
        If labels are no non-negative integers or booleans, or the spacing not positive.

    Examples
    --------
    >>> import numpy as np
    >>> line = np.eye(4, dtype=int)
    >>> line[3, 2] = 1
    >>> skeleton_length(line)["length"].round(2)
    array([4.83])
    """
    given = spacing_of(spacing, labels)
    array = np.asarray(checks.as_array(labels, name="labels"))
    if array.dtype.kind == "b":
        array = array.view(np.uint8)
    array = np.asarray(checks.signed(checks.require_labels(array)))
    checks.require_no_picture(array)
    steps = extents.as_spacing(1.0 if given is None else given, array.ndim)
    ids = np.unique(array)
    ids = ids[ids > 0]
    length = np.zeros(len(ids))
    for move in _half_of_moves(array.ndim):
        distance = math.hypot(*(m * s for m, s in zip(move, steps, strict=True)))
        found = np.searchsorted(ids, _touching(array, move))
        length += distance * np.bincount(found, minlength=len(ids))
    return {"label": ids.astype(np.int64), "length": length}


def _half_of_moves(ndim: int) -> Iterator[tuple[int, ...]]:
    """Yield moves to neighbours, one of each two that are opposite."""
    zero = (0,) * ndim
    return (m for m in itertools.product((-1, 0, 1), repeat=ndim) if m > zero)


def _touching(labels: Array, move: tuple[int, ...]) -> Array:
    """Return the labels of voxels with an equal neighbour, without a shorter way."""
    here, there = labels[_shifted(move, -1)], labels[_shifted(move, 1)]
    same = (here == there) & (here != 0)
    axes = [axis for axis, m in enumerate(move) if m]
    for count in range(1, len(axes)):
        for some in itertools.combinations(axes, count):
            partial = tuple(m if a in some else 0 for a, m in enumerate(move))
            same &= labels[_between(move, partial)] != here
    found: Array = here[same]
    return found


def _shifted(move: tuple[int, ...], sign: int) -> tuple[slice, ...]:
    """Return the voxels from which (-1), or to which (1), a move stays inside."""
    return tuple(slice(max(sign * m, 0), min(sign * m, 0) or None) for m in move)


def _between(move: tuple[int, ...], partial: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the voxels that a part of a move leads to, from where all of it fits."""
    return tuple(
        part if m == 0 or p else whole
        for m, p, part, whole in zip(
            move, partial, _shifted(move, 1), _shifted(move, -1), strict=True
        )
    )
