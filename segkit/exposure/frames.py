"""Images made smaller or larger at their borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks, extents
from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import Resized

Margins: TypeAlias = int | Sequence[int] | Sequence[Sequence[int]]
"""Voxels at both ends of all axes, of each axis, or at each of both ends of each."""
PadMode: TypeAlias = Literal["constant", "edge", "reflect", "symmetric", "wrap"]


@known_as("segkit")
def crop(image: ArrayLike, margins: Margins) -> Resized:
    """Return an image without its margins.

    It is no step of a pipeline, in which all images have one shape.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float.
    margins : int, sequence of int or of pairs of int
        Voxels that go at both ends of all axes, of each axis, or at the start and at
        the end of each.

    Returns
    -------
    ndarray, dtype of `image`
        A copy.

    Raises
    ------
    TypeError, ValueError
        If margins are no integers from 0 on, there is not one (or a pair) for each
        axis, or nothing would be left.

    Examples
    --------
    >>> import numpy as np
    >>> crop(np.arange(12).reshape(3, 4), [(1, 0), (2, 1)])
    array([[ 6],
           [10]])
    """
    array = checks.as_image(image, finite=False)
    ends = as_margins(margins, array.ndim)
    for axis, ((start, stop), length) in enumerate(zip(ends, array.shape, strict=True)):
        if start + stop >= length:
            raise ValueError(
                f"margins of {start} and {stop} leave nothing of the {length} voxels"
                f" along axis {axis}; give smaller ones"
            )
    inner = (
        slice(start, length - stop)
        for (start, stop), length in zip(ends, array.shape, strict=True)
    )
    return array[tuple(inner)].copy()


@known_as("segkit")
def pad(
    image: ArrayLike, margins: Margins, *, mode: PadMode = "constant", value: float = 0
) -> Resized:
    """Return an image with margins added.

    It is no step of a pipeline, in which all images have one shape.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Bool, integer or float.
    margins : int, sequence of int or of pairs of int
        Voxels that are added at both ends of all axes, of each axis, or at the start
        and at the end of each.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}
        What they hold: `value`, or what `numpy.pad` says.
    value : float
        For "constant".

    Returns
    -------
    ndarray, dtype of `image`

    Raises
    ------
    TypeError, ValueError
        If margins are no integers from 0 on, there is not one (or a pair) for each
        axis, the mode is unknown, or the dtype does not hold the value.

    Examples
    --------
    >>> import numpy as np
    >>> pad(np.array([4, 5, 6]), [(1, 2)], mode="edge")
    array([4, 4, 5, 6, 6, 6])
    """
    array = checks.as_image(image, finite=False)
    ends = as_margins(margins, array.ndim)
    padded = [n + sum(end) for n, end in zip(array.shape, ends, strict=True)]
    extents.require_room(padded, name="margins", most=2.0**40)
    checks.one_of(mode, get_args(PadMode), name="mode")
    if mode != "constant":
        return np.pad(array, ends, mode=mode)
    number = checks.as_finite(value, name="value")
    if array.dtype.kind in "iu":
        limits = np.iinfo(array.dtype)
        if number != int(number) or not limits.min <= number <= limits.max:
            raise ValueError(
                f"value is {value}, which {array.dtype} does not hold; give a whole"
                f" number from {limits.min} to {limits.max}"
            )
    filling: Any = int(number) if array.dtype.kind in "iu" else number
    return np.pad(array, ends, constant_values=filling)


def as_margins(margins: Any, ndim: int) -> list[tuple[int, int]]:
    """Return the voxels at the start and at the end of each axis.

    Examples
    --------
    >>> as_margins(2, 2), as_margins([(1, 0), (0, 3)], 2)
    ([(2, 2), (2, 2)], [(1, 0), (0, 3)])
    """
    if isinstance(margins, (str, bytes)):
        raise TypeError(f"margins is {margins!r}, but must be integers")
    if np.ndim(margins) == 0 or all(np.ndim(one) == 0 for one in margins):
        ends = checks.per_axis(margins, ndim, name="margins")
        return [(end, end) for end in ends]
    if len(margins) != ndim:
        raise ValueError(
            f"margins has {len(margins)} pairs, but the image has {ndim} axes; give a"
            " pair for each"
        )
    pairs = [checks.per_axis(one, 2, name="margins") for one in margins]
    return [(start, stop) for start, stop in pairs]
