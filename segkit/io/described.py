"""Voxels as an image: axes, spacing and units made complete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.io.axes import guessed, require_axes
from segkit.io.errors import ImageRequestError
from segkit.io.image import Image
from segkit.io.sources import InMemory
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.io.sources import Source


@known_as("segkit.io")
def as_image(
    array: NDArray[Any],
    *,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
    units: str | Sequence[str] | None = None,
    path: str = "<array>",
) -> Image:
    """Return an array in memory with the interface of an opened image.

    Parameters
    ----------
    array : ndarray
        Any shape and real dtype; it is not copied.
    axes : str, optional
        One letter per axis; ``'zyx'`` and the like by the number of axes.
    spacing : sequence of float, optional
        One value per axis, or per axis of space (z, y, x).
    units : str or sequence of str, optional
        Unit of the spacing; ``'pixel'`` when no spacing is given.
    path : str
        The name in messages.

    Examples
    --------
    >>> import numpy as np
    >>> as_image(np.zeros((4, 5)), spacing=(0.5, 0.5), units="micrometer")
    <Image <array> float64 (4, 5) (y: 0.5 micrometer, x: 0.5 micrometer)>
    """
    if not hasattr(array, "shape"):
        raise TypeError(f"array is {array!r:.40}; give numpy.asarray(...) of numbers")
    return described(path, array, axes=axes, spacing=spacing, units=units)


def described(
    path: str,
    source: Source | NDArray[Any],
    *,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
    units: str | Sequence[str] | None = None,
) -> Image:
    """Return an Image of `source` with axes, spacing and units made complete."""
    voxels: Source = InMemory(source) if isinstance(source, np.ndarray) else source
    shape = voxels.shape
    names = guessed(shape, voxels.dtype) if axes is None else axes
    require_axes(path, names, shape)
    blank = Image(str(path), voxels, names, (1.0,) * len(names), ())
    image = blank.respaced([1.0] * len(names) if spacing is None else spacing, units)
    said = spacing is not None
    return replace(image, stated=axes is not None or said, cubes=said and image.cubes)


def blank(path: str, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an image of zeros that take no memory.

    Raises
    ------
    ImageRequestError
        If no image has such a type or shape.
    """
    if dtype.kind not in "biufc":
        raise ImageRequestError(path, f"cannot hold {dtype}; choose a dtype of numbers")
    given = tuple(np.atleast_1d(np.asarray(shape, object)))
    lengths = checks.per_axis(given, len(given), name="shape")
    if not lengths:
        raise ImageRequestError(path, "a single number is no image; give it axes")
    return np.broadcast_to(np.zeros((), dtype), lengths)
