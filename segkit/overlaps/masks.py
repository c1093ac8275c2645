"""Masks where labels are meant: all of their objects would count as a single one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOOKED_AT = 1 << 24  # voxels: bounds the memory that a mask takes here
_PIECE = 16  # voxels: what is smaller is dirt, or a toy
_OF_MASKS = (1, 255, 65535)
"""What masks hold: another number is the id of an object, which a box may cut."""


def tell_masks(
    ids: tuple[NDArray[np.int64], NDArray[np.int64]],
    images: tuple[NDArray[Any], NDArray[Any]],
) -> None:
    """Warn if one image is a mask in pieces, and the other has several objects.

    Masks drawn by hand hold 0 and 255 (or 1, or 65535): as labels, they are one object,
    which no nucleus overlaps by half. Of two masks, of one object in one piece, and of
    one with another id, as in a box of an image of labels, nothing is said. Pieces of
    fewer than 16 voxels, and what is beyond the first 16 million voxels, do not count.

    Parameters
    ----------
    ids : pair of (n,) int64 arrays
        The ids in the segmentation and in the reference, 0 included, rising.
    images : pair of arrays
        The segmentation and the reference.

    Examples
    --------
    >>> from segkit import contingency
    >>> import warnings
    >>> found = np.arange(90) // 30 * (np.arange(90) % 30 > 4)
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = contingency(found, (found > 0) * 255)
    >>> print(told[0].message)  # doctest: +NORMALIZE_WHITESPACE
    reference holds 0 and 255 only, in 2 pieces, as a mask does, and segmentation
    has 2 objects: it is compared as one; make labels of it by segkit.label
    """
    counts = [np.count_nonzero(found) for found in ids]
    names = "segmentation", "reference"
    for own, other in ((0, 1), (1, 0)):
        is_mask = counts[own] == 1 and ids[own][-1] in _OF_MASKS
        if not is_mask or counts[other] < 2 or not images[own].ndim:
            continue
        pieces = _pieces(images[own])
        if pieces > 1:
            warnings.warn(
                f"{names[own]} holds 0 and {ids[own][-1]} only, in {pieces} pieces, as"
                f" a mask does, and {names[other]} has {counts[other]} objects: it is"
                " compared as one; make labels of it by segkit.label",
                stacklevel=3,
            )


def _pieces(image: NDArray[Any]) -> int:
    """Return in how many pieces a mask is, of what is looked at; specks left out."""
    from scipy import ndimage

    rows = max(1, _LOOKED_AT // max(1, image[:1].size))
    mask = np.asarray(image[:rows]) > 0
    pieces, _ = ndimage.label(mask, np.ones((3,) * mask.ndim))
    return int(np.count_nonzero(np.bincount(pieces.reshape(-1))[1:] >= _PIECE))
