"""Type aliases that all of segkit uses, the lowest value of a dtype, what is a mask."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
"""An array of any dtype, axes (..., z, y, x)."""
Mask: TypeAlias = NDArray[np.bool_]
"""An array of booleans: what belongs to an object, or is chosen."""
Labels: TypeAlias = NDArray[np.integer[Any]]
"""An array of ids of objects; 0 is background."""
MaskOrLabels: TypeAlias = NDArray[Any]
"""A mask if a mask was given, labels if labels were."""
Resized: TypeAlias = NDArray[Any]
"""An image of another shape than the one given: no step of a pipeline makes one."""
PerAxis: TypeAlias = int | Sequence[int]
"""One integer for all axes, or one for each."""
RealPerAxis: TypeAlias = float | Sequence[float]
"""One number for all axes, or one for each."""
Table: TypeAlias = dict[str, Array]
"""An object table: columns by name, one row for each object."""
TableLike: TypeAlias = Mapping[str, ArrayLike]
"""What functions take for an object table: columns that can be made arrays."""


def lowest(dtype: np.dtype[Any]) -> Any:
    """Return the lowest value of a dtype, where a running maximum starts.

    Examples
    --------
    >>> lowest(np.dtype(np.int8)), lowest(np.dtype(bool)), lowest(np.dtype(float))
    (-128, False, -inf)
    """
    if dtype.kind == "b":
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def is_mask(image: Array) -> bool:
    """Return whether an array is a mask and not labels, as other integers are.

    It is boolean, or of 8 bits and holds 0 and 1, or 0 and 255, only: so other programs
    write masks.

    Examples
    --------
    >>> is_mask(np.array([0, 255], np.uint8)), is_mask(np.array([0, 255]))
    (True, False)
    """
    if image.dtype == np.bool_:
        return True
    if image.dtype != np.uint8 or image.size == 0:
        return False
    value = image.max()
    return value in (1, 255) and not ((image != 0) & (image != value)).any()


def require_background(mask: Array, *, name: str = "mask") -> None:
    """Raise `ValueError` for several numbers and no 0: a mask would be all foreground.

    Some programs write masks of other values than 0 and one more.

    Examples
    --------
    >>> require_background(np.array([0, 7])), require_background(np.array([1, 1]))
    (None, None)
    >>> require_background(np.array([3, 253]))
    Traceback (most recent call last):
    ...
    ValueError: mask holds numbers from 3 to 253, and no 0, which is background; ...
    """
    if mask.dtype.kind == "b" or mask.size == 0:
        return
    low, high = mask.min(), mask.max()
    if low != high and (mask != 0).all():
        raise ValueError(
            f"{name} holds numbers from {low} to {high}, and no 0, which is background;"
            f" if {low} is, give {name} > {low}"
        )


def require_no_mask(labels: Array, *, name: str = "labels") -> None:
    """Raise `ValueError` if labels are a mask of 8 bits with several pieces.

    Examples
    --------
    >>> require_no_mask(np.array([255, 0, 255], np.uint8))
    Traceback (most recent call last):
    ...
    ValueError: labels hold 0 and 255 only, in 2 pieces, as a mask does; ...
    """
    if labels.dtype != np.uint8 or not is_mask(labels):
        return
    from scipy import ndimage

    pieces = ndimage.label(labels, np.ones((3,) * labels.ndim))[1]
    if pieces > 1:
        raise ValueError(
            f"{name} hold 0 and {labels.max()} only, in {pieces} pieces, as a mask"
            " does; make labels of it by segkit.label, or, if they are one object,"
            " say so by more bits: labels.astype(numpy.int32)"
        )


def in_space(image: Any) -> Any:
    """Return an opened image with axes of space only; all else as it is.

    An array says nothing of its axes and is taken as it comes. An opened image does.
    """
    require_no_path(image)
    return image.spatial() if hasattr(image, "spatial") else image


def require_no_path(image: Any, *, name: str = "image") -> None:
    """Raise `TypeError` for a path, or any text, in the place of an array.

    Examples
    --------
    >>> require_no_path("a.tif")
    Traceback (most recent call last):
    TypeError: image is 'a.tif', a path or text; open it: segkit.open_image('a.tif')
    """
    if isinstance(image, (str, bytes, os.PathLike)):
        path = os.fsdecode(image)[:200]
        raise TypeError(
            f"{name} is {path!r}, a path or text; open it: segkit.open_image({path!r})"
        )


def spacing_of(spacing: Any, *images: Any) -> Any:
    """Return the spacing as given; None is that of the opened images among others.

    Raises
    ------
    ValueError
        If opened images differ in it or in their axes, or know it along some axes of
        space only. Lengths are compared, whatever their units; it is in those of the
        first.

    Examples
    --------
    >>> spacing_of((2, 1, 1)), spacing_of(None, [[1, 2]])
    ((2, 1, 1), None)
    """
    opened = [in_space(image) for image in images if hasattr(image, "spatial")]
    if not opened:
        return spacing
    require_same_axes(*opened)
    if spacing is not None:
        return spacing
    first: tuple[float, ...] = opened[0].physical_spacing()
    for other in opened[1:]:
        steps = other.physical_spacing(opened[0].unit)
        if not np.allclose(steps, first, rtol=1e-6, atol=0):
            raise ValueError(
                f"the images have spacings {first} and {steps}; give spacing="
            )
    return first


def axes_of(axes: str | None, *images: Any) -> str:
    """Return the axes as given; None is those that the opened images among others say.

    Empty if nobody says any.

    Examples
    --------
    >>> axes_of("xyz"), axes_of(None, [[1, 2]])
    ('xyz', '')
    """
    opened = [in_space(image) for image in images if _says_axes(image)]
    return axes or (opened[0].axes if opened else "")


def require_same_axes(*images: Any) -> None:
    """Raise `ValueError` if opened images say that their axes are different ones."""
    axes = {image.axes for image in map(in_space, images) if _says_axes(image)}
    if len(axes) > 1:
        raise ValueError(
            f"the images have axes {' and '.join(sorted(axes))}; bring them into one"
            " order (numpy.moveaxis), or say axes= if a file says them wrong"
        )


def _says_axes(image: Any) -> bool:
    return hasattr(image, "spatial") and bool(image.stated)


def of_common_dtype(image: Array) -> Array:
    """Return whole numbers from 0 to 65,535 as uint16, if they are of a rarer dtype.

    Code for uint8 and uint16 comes compiled, and is the fastest. Anything else is
    returned as it is.

    Examples
    --------
    >>> of_common_dtype(np.array([1, 65535])).dtype
    dtype('uint16')
    >>> of_common_dtype(np.array([-1, 65535])).dtype
    dtype('int64')
    """
    dtype = image.dtype
    if dtype.kind not in "iu" or dtype.newbyteorder("=") in (np.uint8, np.uint16):
        return image
    if image.size == 0 or image.min() < 0 or image.max() >= 2**16:
        return image
    return image.astype(np.uint16)
