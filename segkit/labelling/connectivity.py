"""Which voxels touch: connectivities and structures as lists of offsets."""

from __future__ import annotations

import itertools
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Offset = tuple[int, ...]


def structure_of(ndim: int, connectivity: Any) -> NDArray[np.bool_]:
    """Return the 3 x ... x 3 array of neighbours that `connectivity` stands for.

    Parameters
    ----------
    ndim
        Number of axes, at least 1.
    connectivity
        How many coordinates of two touching voxels may differ by one, from 1 (they
        share a face) to `ndim` (a corner is enough); or the array itself.

    Raises
    ------
    ValueError
        If the number is not in 1..ndim, or the array is not 3 long on each axis or not
        the same when mirrored at its centre (touching would depend on the order).

    Examples
    --------
    >>> structure_of(2, 1).astype(int)
    array([[0, 1, 0],
           [1, 1, 1],
           [0, 1, 0]])
    """
    if np.ndim(connectivity) == 0:
        return _sphere(ndim, connectivity)
    structure = np.asarray(connectivity, dtype=bool)
    if structure.shape != (3,) * ndim:
        raise ValueError(
            f"connectivity is an array of shape {structure.shape}; an image of {ndim} "
            f"axes needs shape {(3,) * ndim}"
        )
    if not np.array_equal(structure, np.flip(structure)):
        raise ValueError(
            "connectivity is not symmetric: where it holds a neighbour, it must hold "
            "the opposite one too"
        )
    return structure


def _sphere(ndim: int, connectivity: Any) -> NDArray[np.bool_]:
    try:
        reach = operator.index(connectivity)
    except TypeError:
        raise TypeError(
            f"connectivity is {connectivity!r}, but must be an integer or an array"
        ) from None
    if not 1 <= reach <= ndim:
        raise ValueError(
            f"connectivity is {reach}, but an image of {ndim} axes has 1 (faces) to "
            f"{ndim} (corners)"
        )
    steps = np.abs(np.indices((3,) * ndim) - 1).sum(axis=0)
    structure: NDArray[np.bool_] = steps <= reach
    return structure


def offsets(structure: NDArray[np.bool_]) -> list[Offset]:
    """Return the offsets to all neighbours, in raster order, without the centre."""
    places = (np.argwhere(structure) - 1).tolist()
    return [tuple(place) for place in places if any(place)]


def row_offsets(
    structure: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return the neighbours of a row (a line along the last axis) that precede it.

    Returns
    -------
    rows
        Offsets on the other axes, shape (n, ndim - 1).
    spans
        First and last offset on the last axis, shape (n, 2).
    joined
        Whether voxels that follow one another in a row touch.
    """
    ndim = structure.ndim
    found = [
        (place, span)
        for place in itertools.product((-1, 0, 1), repeat=ndim - 1)
        if place < (0,) * (ndim - 1)
        for span in _spans(structure[tuple(p + 1 for p in place)])
    ]
    rows = np.array([place for place, _ in found], np.int64)
    spans = np.array([span for _, span in found], np.int64)
    rows = rows.reshape(len(found), ndim - 1)
    joined = bool(structure[(1,) * (ndim - 1) + (2,)])
    return rows, spans.reshape(len(found), 2), joined


def _spans(line: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield first and last place of runs of True in three flags; the middle is 0."""
    start = None
    for place, flag in enumerate([*line, False]):
        if flag and start is None:
            start = place
        elif not flag and start is not None:
            yield start - 1, place - 2
            start = None
