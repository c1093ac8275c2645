"""Holes of masks, and of labelled objects: background that is to be foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import is_mask
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask, MaskOrLabels


def _filling_reach(ndim: int, *, max_size: Any = None, **_: Any) -> Any:
    if max_size is None:
        return None
    # A hole that reached further would hold more voxels: one for each step. What it
    # faces lies one further.
    return (checks.as_integer(max_size, name="max_size", least=0) + 1,) * ndim


@known_as("segkit")
@declare_reach(_filling_reach)
def fill_holes(
    image: ArrayLike, max_size: int | None = None, *, connectivity: int = 1
) -> MaskOrLabels:
    """Make background foreground that is not connected to the image's border.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        A mask; or labels (integers, but for masks of 8 bits: 0 and 1, or 0 and 255),
        where a hole belongs to the one object around it, and is none between two.
    max_size : int, optional
        Holes of more voxels stay; by default none does.
    connectivity : int
        Along how many axes at once two background voxels may differ and be
        neighbours: 1 for faces only, up to the number of axes.

    Returns
    -------
    ndarray, shape and dtype of `image`
        Of floats, bool. Without `max_size`, for masks as by
        `scipy.ndimage.binary_fill_holes`.

    See Also
    --------
    remove_small_holes : fills small background at the border, too.

    Notes
    -----
    The reach is ``max_size + 1``. Without it a hole may be of any size, so that the
    reach is not finite: on tiles, label the background with `segkit.label`, which is
    exact over tiles, and keep what touches the border.

    Examples
    --------
    >>> fill_holes([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0]]).astype(int)
    array([[1, 1, 1, 0],
           [1, 1, 1, 0],
           [1, 1, 1, 0]])
    >>> fill_holes([1, 0, 1, 0, 0, 1, 0], max_size=1).astype(int)
    array([1, 1, 1, 0, 0, 1, 0])
    >>> import numpy as np
    >>> fill_holes(np.array([7, 0, 7, 0, 4, 0, 0, 4]), max_size=1)
    array([7, 7, 7, 0, 4, 0, 0, 4])
    """
    labels, sizes = _background(image, connectivity)
    stays = np.zeros(sizes.size, np.bool_)
    if max_size is not None:
        most = checks.as_integer(max_size, name="max_size", least=0)
        stays |= sizes > most
    for axis in range(labels.ndim):
        stays[labels.take([0, -1], axis).ravel()] = True
    return _filled(image, labels, stays)


def _removing_reach(ndim: int, *, min_size: Any, **_: Any) -> tuple[int, ...]:
    size = checks.as_integer(min_size, name="min_size", least=0)
    return (size,) * ndim


@known_as("segkit")
@declare_reach(_removing_reach)
def remove_small_holes(
    image: ArrayLike, min_size: int, *, connectivity: int = 1
) -> MaskOrLabels:
    """Make background foreground whose components have fewer than `min_size` voxels.

    Of a mask as `skimage.morphology.remove_small_holes`, and unlike `fill_holes`, also
    where a component touches the image's border. Of labels as `fill_holes`: a hole
    belongs to the one object around it. The reach is `min_size`.

    Examples
    --------
    >>> remove_small_holes([0, 1, 0, 0, 1], 2).astype(int)
    array([1, 1, 0, 0, 1])
    """
    least = checks.as_integer(min_size, name="min_size", least=0)
    labels, sizes = _background(image, connectivity)
    return _filled(image, labels, sizes >= least)


def _filled(image: ArrayLike, background: Array, stays: Array) -> MaskOrLabels:
    """Return an image whose components of the background are filled but for some."""
    array = checks.as_array(image)
    stays[0] = False
    if array.dtype.kind in "bf":
        filled: Mask = ~stays[background]
        return filled
    if is_mask(array):  # of 8 bits; a tile of labels may look so, too, and is as well
        return np.where(stays[background], array, array.max())
    owner = _owners(array, background, len(stays))
    owner[stays] = 0
    return np.where(background > 0, owner[background], array)


def _owners(labels: Array, background: Array, count: int) -> Array:
    """Return the only label that each component of the background faces, else 0."""
    most = np.iinfo(labels.dtype).max
    least, largest = np.full(count, most), np.zeros(count, labels.dtype)
    for axis in range(labels.ndim):
        label, part = np.moveaxis(labels, axis, 0), np.moveaxis(background, axis, 0)
        for near, hole in ((label[1:], part[:-1]), (label[:-1], part[1:])):
            rim = (hole > 0) & (near > 0)
            np.minimum.at(least, hole[rim], near[rim])
            np.maximum.at(largest, hole[rim], near[rim])
    largest[least != largest] = 0
    largest[0] = 0
    return largest


def _background(image: ArrayLike, connectivity: int) -> tuple[Array, Array]:
    """Return the components of the background, and the size of each."""
    array = checks.as_mask(image, name="image")
    if connectivity not in range(1, array.ndim + 1):
        raise ValueError(
            f"connectivity is {connectivity}, but must be from 1 to {array.ndim}"
        )
    labels, count = _components(~array, connectivity)
    return labels, np.bincount(labels.ravel(), minlength=count + 1)


def _components(mask: Mask, connectivity: int) -> tuple[Array, int]:
    """Return labels, numbered in any order, and their count: by cc3d, if installed."""
    neighbours = {2: (4, 8), 3: (6, 18, 26)}.get(mask.ndim)
    if neighbours is not None:
        try:
            from cc3d import connected_components
        except ImportError:
            pass
        else:
            # It makes room for one label in 2 x 2 x 2 voxels: too little for odd sides.
            odd = [(0, length % 2) for length in mask.shape]
            even = np.pad(mask, odd) if np.any(odd) else mask
            number: Any = neighbours[connectivity - 1]
            found: Array = connected_components(even, connectivity=number)
            found = found[tuple(map(slice, mask.shape))]
            return found, int(found.max())
    from scipy import ndimage

    near = ndimage.generate_binary_structure(mask.ndim, connectivity)
    labels, count = ndimage.label(mask, near)
    return labels, int(count)
