"""Checks of arguments that the functions of segkit share.

Each raises `TypeError` (a wrong kind of thing) or `ValueError` (a wrong value) with a
sentence that says what is wrong, with which argument, and what to do.
"""

from __future__ import annotations

import math
import operator
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.arrays import in_space, require_no_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array

# True while a function runs on one tile of an image that has been checked as a whole:
# the last tile of a volume may be as thin as a colour axis, and is none.
_inside_tile: ContextVar[bool] = ContextVar("inside_tile", default=False)

_COLOUR_CHANNELS = (3, 4)
_SMALLEST_PICTURE = 16

# Python would count with them.
_FLAGS = (bool, np.bool_)


def as_image(image: Any, *, name: str = "image", finite: bool = True) -> Array:
    """Return `image` as a real, non-empty, grey, finite array, without copying.

    Parameters
    ----------
    image
        Array of any number of dimensions from 1 on, of dtype bool, integer or float.
    name
        What errors call it.
    finite
        Whether NaN and infinity are refused.

    Raises
    ------
    TypeError
        If it is not numeric and real, or is a masked array.
    ValueError
        If it is empty, has no axis, looks like a colour picture, or has NaN or
        infinite values where `finite` is set.

    Examples
    --------
    >>> as_image([[1, 2], [3, 4]]).shape
    (2, 2)
    >>> as_image([1.0, float("nan")])
    Traceback (most recent call last):
    ...
    ValueError: image has NaN or infinite values; replace them first, ...
    """
    array = as_array(image, name=name)
    require_real(array, name=name)
    require_nonempty(array, name=name)
    require_grey(array, name=name)
    if finite:
        require_finite(array, name=name)
    return array


def as_array(image: Any, *, name: str = "image") -> Array:
    """Return the voxels of an array, or of an opened image with axes of space only.

    Raise `TypeError` for a masked array, `ValueError` for time, channels or colours.
    """
    if type(image) is np.ndarray:
        return image
    require_unmasked(image, name=name)
    return np.asarray(in_space(image))


def native(array: Array) -> Array:
    """Return an array in this machine's byte order, which compiled code needs.

    Examples
    --------
    >>> native(np.array([1, 2], ">i4")).dtype.isnative
    True
    """
    if array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def as_mask(mask: Any, *, name: str = "mask") -> NDArray[np.bool_]:
    """Return `mask` as a boolean array: zero is background, all else foreground.

    A boolean mask is not copied.

    Examples
    --------
    >>> as_mask([0, 255, 1])
    array([False,  True,  True])
    """
    array = as_image(mask, name=name)
    return array.astype(bool, copy=False)


def require_unmasked(image: Any, *, name: str = "image") -> None:
    """Raise `TypeError` for a path, or a masked array: no function regards masks."""
    require_no_path(image, name=name)
    # Whoever has one has imported that module, which takes as long as a small image.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(image, masked.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be ignored; fill what is"
            " masked with a grey value of the background (image.filled(value)), or"
            " give image.data, and clear the result where image.mask is set"
        )


def require_real(image: Array, *, name: str = "image") -> None:
    """Raise `TypeError` unless the dtype is bool, integer or float."""
    if image.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} has dtype {image.dtype}; give booleans, integers or floats "
            "(of complex numbers, take the real part or the magnitude first)"
        )


def require_nonempty(image: Any, *, name: str = "image") -> tuple[int, ...]:
    """Return the shape; raise `ValueError` if an axis has length 0 or there is none."""
    shape: tuple[int, ...] = image.shape
    if not shape:
        raise ValueError(f"{name} is a single number; give an array with axes")
    if 0 in shape:
        raise ValueError(
            f"{name} is empty: axis {shape.index(0)} of its shape {shape} has length 0"
        )
    return shape


def require_finite(image: Array, *, name: str = "image") -> None:
    """Raise `ValueError` if a float array has NaN or infinite values."""
    if image.dtype.kind != "f" or image.size == 0:
        return
    # Minimum and maximum carry NaN along and need no array of flags.
    require_finite_number(image.min(), name=name)
    require_finite_number(image.max(), name=name)


def require_finite_number(extreme: float, *, name: str = "image") -> None:
    """Raise `ValueError` if an extreme value of an image is not finite."""
    if not math.isfinite(extreme):
        raise ValueError(
            f"{name} has NaN or infinite values; replace them first, "
            "for example with numpy.nan_to_num or by the median of their neighbours"
        )


def require_grey(image: Any, *, name: str = "image") -> None:
    """Raise `ValueError` if an array looks like a colour picture.

    That is: three axes, the last of length 3 or 4, the others of at least 16, and not
    boolean. Tiles cut from a volume may look so too; `inside_tile` says that they are
    not.
    """
    shape = image.shape
    if len(shape) != 3 or shape[2] not in _COLOUR_CHANNELS or _inside_tile.get():
        return
    kind = np.dtype(getattr(image, "dtype", None)).kind
    if min(shape[:2]) >= _SMALLEST_PICTURE and kind != "b":
        raise ValueError(
            f"{name} of shape {shape} looks like a colour picture, but grey values are "
            "expected; take one channel (image[..., 0]) or a mix of them "
            "(skimage.color.rgb2gray). If it is a volume this thin, put the thin axis "
            "first (numpy.moveaxis(image, -1, 0))"
        )


def require_no_picture(labels: Any, *, name: str = "labels") -> None:
    """Raise `ValueError` if an array given for labels looks like a colour picture.

    Only numbers of 8 and 16 bits can be one. Labels of more bits may belong to a volume
    as thin as a colour axis.
    """
    dtype = np.dtype(getattr(labels, "dtype", None))
    if dtype.kind == "u" and dtype.itemsize <= 2:
        require_grey(labels, name=name)


@contextmanager
def inside_tile() -> Iterator[None]:
    """Take arrays for tiles of an image that `require_grey` has passed as a whole.

    Examples
    --------
    >>> with inside_tile():
    ...     require_grey(np.zeros((64, 64, 3)))
    """
    token = _inside_tile.set(True)
    try:
        yield
    finally:
        _inside_tile.reset(token)


def one_of(value: Any, allowed: Sequence[Any], *, name: str) -> None:
    """Raise `ValueError` unless `value` is among those allowed."""
    if value not in allowed:
        choices = ", ".join(map(str, allowed))
        raise ValueError(f"unknown {name} {value!r}; use one of {choices}")


def require_kind(value: Any, kind: type, *, name: str, source: str) -> None:
    """Raise `TypeError` unless a value is what a function of ours returns."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{name} is of type {type(value).__name__}, but must be a {kind.__name__},"
            f" as {source} gives it"
        )


def require_fraction(value: float, *, name: str = "threshold") -> float:
    """Return `value` as a float; raise `ValueError` unless 0 <= value <= 1."""
    number = as_number(value, name=name)
    if not 0 <= number <= 1:
        raise ValueError(
            f"{name} is {value}, but must be a fraction from 0 to 1 "
            "(15 percent is 0.15)"
        )
    return number


def as_number(value: Any, *, name: str) -> float:
    """Return `value` as a float; raise `TypeError` if it is text, a flag or no number.

    Examples
    --------
    >>> as_number("90%", name="threshold")
    Traceback (most recent call last):
    ...
    TypeError: threshold is '90%', but must be a number
    """
    if type(value) is float or type(value) is int:
        return float(value)
    try:
        if np.ndim(value) == 0 and not isinstance(value, (str, bytes, *_FLAGS)):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} is {value!r}, but must be a number")


def as_finite(value: Any, *, name: str, least: float = -math.inf) -> float:
    """Return `value` as a float; raise `ValueError` if not finite, or under `least`."""
    number = as_number(value, name=name)
    if not math.isfinite(number) or number < least:
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise ValueError(f"{name} is {value}, but must be a finite number{bound}")
    return number


def as_positive(value: Any, *, name: str, below: float = math.inf) -> float:
    """Return `value` as a float; raise `ValueError` unless 0 < value < `below`.

    Examples
    --------
    >>> as_positive(0, name="beta")
    Traceback (most recent call last):
    ...
    ValueError: beta is 0, but must be a finite number above 0
    """
    number = as_number(value, name=name)
    if not 0 < number < below:
        kind = "finite number" if below == math.inf else f"number below {below:g} and"
        raise ValueError(f"{name} is {value}, but must be a {kind} above 0")
    return number


def as_integer(value: Any, *, name: str, least: int = 0) -> int:
    """Return one integer of at least `least`; raise as `per_axis` for all else."""
    try:
        number = _index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, but must be an integer") from None
    if number < least:
        raise ValueError(f"{name} is {number}, but must be at least {least}")
    return number


def per_axis(
    value: int | Sequence[int], ndim: int, *, name: str, least: int = 0
) -> tuple[int, ...]:
    """Return one integer per axis from one number or a sequence of `ndim` numbers.

    Raises
    ------
    TypeError
        If a number is not an integer.
    ValueError
        If there is not one per axis, or one is smaller than `least`.

    Examples
    --------
    >>> per_axis(8, 3, name="tile")
    (8, 8, 8)
    >>> per_axis((8, 16), 3, name="tile")
    Traceback (most recent call last):
    ...
    ValueError: tile (8, 16) has 2 numbers, but the image has 3 axes; ...
    """
    numbers = tuple(_integer(v, name) for v in _sequence(value, ndim, name))
    _require_least(numbers, least, name)
    return numbers


def per_axis_real(
    value: float | Sequence[float], ndim: int, *, name: str, least: float = 0.0
) -> tuple[float, ...]:
    """Return one finite float per axis, as `per_axis` does for integers."""
    numbers = tuple(as_number(v, name=name) for v in _sequence(value, ndim, name))
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} is {value}, but must be finite")
    _require_least(numbers, least, name)
    return numbers


def require_labels(labels: Any, *, name: str = "labels") -> NDArray[np.integer[Any]]:
    """Return `labels` as a native integer array; raise for others and negatives.

    Raises
    ------
    TypeError, ValueError
        If it is not of integers; empty, or of some below 0 or beyond 2**63 - 1.
    """
    array = as_array(labels, name=name)
    if array.dtype.kind not in "iu":
        mask = "a mask becomes labels by segkit.label"
        way = mask if array.dtype == bool else "floats are converted by .astype(int)"
        raise TypeError(
            f"{name} has dtype {array.dtype}; give integers with 0 = background ({way})"
        )
    require_nonempty(array, name=name)
    array = native(array)
    if array.dtype.kind == "i" and array.min() < 0:
        raise ValueError(f"{name} holds negative numbers; use 0 for the background")
    if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
        raise ValueError(
            f"{name} holds the id {array.max()}; labels are 0 (background) to 2^63-1"
        )
    return array


def signed(labels: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """Return labels of which none are beyond 2**63 - 1 in a dtype that compares right.

    numpy compares uint64 with int64 as floats, which confounds large ids.
    """
    return labels.view(np.int64) if labels.dtype == np.uint64 else labels


def _sequence(value: Any, ndim: int, name: str) -> tuple[Any, ...]:
    if np.ndim(value) == 0:
        return (value,) * ndim
    numbers = tuple(value)
    if len(numbers) != ndim:
        raise ValueError(
            f"{name} {numbers} has {len(numbers)} number{'s'[: len(numbers) != 1]}, but"
            f" the image has {ndim} axes; give a number, or a list of one for each axis"
        )
    return numbers


def _integer(value: Any, name: str) -> int:
    try:
        return _index(value)
    except TypeError:
        raise TypeError(f"{name} holds {value!r}, but must be an integer") from None


def _index(value: Any) -> int:
    """Return an integer; raise `TypeError` for all else, also for True and False."""
    if isinstance(value, _FLAGS):
        raise TypeError
    return operator.index(value)


def _require_least(numbers: Sequence[float], least: float, name: str) -> None:
    for axis, number in enumerate(numbers):
        if number < least:
            raise ValueError(
                f"{name} is {number} on axis {axis}, but must be at least {least}"
            )
