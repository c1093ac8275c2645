"""Superpixels from the pieces of clusters: small ones join their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.labelling import box as label_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array


def joined(pieces: Array, least: int) -> NDArray[np.int32]:
    """Join pieces of fewer voxels than `least` to neighbours, and number them anew."""
    sizes = np.bincount(pieces.ravel())
    sizes[0] = least  # there is no background
    small = sizes < least
    pairs, faces = _shared_faces(pieces, small)
    group = np.arange(sizes.size)
    while True:
        size = np.bincount(group, sizes, minlength=sizes.size)
        a, b = group[pairs].T
        joins = (a != b) & (size[a] < least)
        if not joins.any():
            break
        best = _most_shared(a[joins], b[joins], faces[joins])
        group = label_box.smallest_of_set(sizes.size, best)[group]
    # The smallest of a set is the one that comes first in the image.
    _, numbers = np.unique(group, return_inverse=True)
    out = np.empty(pieces.shape, np.int32)
    label_box.look_up(pieces, numbers.astype(np.int32), out)
    return out


def _shared_faces(pieces: Array, small: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return pairs of pieces that touch, small ones first, and how many faces each has.

    Plane by plane, so that working memory does not follow the image.
    """
    found = [np.zeros((0, 2), np.int64)]
    planes = pieces.reshape(1, -1) if pieces.ndim == 1 else pieces
    for k, plane in enumerate(planes):
        neighbours = [(plane, planes[k - 1])] if k else []
        for axis in range(plane.ndim):
            moved = np.moveaxis(plane, axis, 0)
            neighbours.append((moved[:-1], moved[1:]))
        for a, b in neighbours:
            for first, second in ((a, b), (b, a)):
                touch = (first != second) & small[first]
                both = np.stack([first[touch], second[touch]], axis=1)
                found.append(both.astype(np.int64))
    return np.unique(np.concatenate(found), axis=0, return_counts=True)


def _most_shared(a: Array, b: Array, faces: Array) -> NDArray[np.int64]:
    """Return, for each of `a`, the first of `b` with which it shares most faces."""
    code = a.astype(np.int64) * (int(b.max()) + 1) + b
    codes, place = np.unique(code, return_inverse=True)
    shared = np.bincount(place, faces)
    a, b = np.divmod(codes, int(b.max()) + 1)
    order = np.lexsort((b, -shared, a))
    chosen = order[np.unique(a[order], return_index=True)[1]]
    return np.stack([a[chosen], b[chosen]], axis=1)
