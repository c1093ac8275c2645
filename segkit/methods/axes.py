"""Which axes of an image objects extend along; along the others it is taken apart.

An array says nothing about its axes: three of them may be a volume, a movie or the
channels of a plane. Objects joined through time look as good as any, so a method asks.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit import checks, extents
from segkit.io.axes import require_said
from segkit.io.calibration import SPATIAL
from segkit.io.errors import ColourError
from segkit.io.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Spacing: TypeAlias = tuple[float, ...]
"""Distance of voxels along each axis, in units of that of the finest axis."""

# Axes that are no more than this much coarser than the finest one have neighbours
# that are as good as those of the finest.
_FINE = 1.5


_SEEMING = (
    "nobody says how far planes are apart: {0:.2g} pixels by the outlines in them, and"
    " so they are taken; say spacing={1}, or spacing=1 for cubes, or what is right"
)


def is_fine(spacing: Spacing) -> tuple[bool, ...]:
    """Return which axes are sampled nearly as closely as the finest."""
    return tuple(distance < _FINE for distance in spacing)


def in_voxels(length: float, spacing: Spacing) -> tuple[float, ...]:
    """Return a length, in voxels of the finest axis, in voxels of each axis.

    Examples
    --------
    >>> in_voxels(6, (4.0, 1.0, 1.0))
    (1.5, 6.0, 6.0)
    """
    return tuple(length / distance for distance in spacing)


def relative(spacing: Sequence[float]) -> Spacing:
    """Return distances in units of the smallest.

    Examples
    --------
    >>> relative((2, 0.5, 0.5))
    (4.0, 1.0, 1.0)
    """
    finest = min(spacing)
    return tuple(distance / finest for distance in spacing)


def by_space(
    image: Any,
    axes: str | None,
    spacing: float | Sequence[float] | None,
    segment: Callable[[NDArray[Any], Spacing, float], NDArray[np.int32]],
    *,
    apparent: Callable[[NDArray[Any], int], float] | None = None,
) -> NDArray[np.int32]:
    """Return what a method makes of an image, of each plane or volume by itself.

    Parameters
    ----------
    image : array or Image
        Of two or more axes. An opened image says its axes and spacing, if its file
        does; one with time or channels is refused unless `axes` names them.
    axes : str, optional
        One letter per axis. Objects extend along z, y and x, in any order; along others
        the image is taken apart.
    spacing : float or sequence of float, optional
        Along each axis of space. By default that which the image states, or 1, but for
        what is `apparent`.
    segment : callable
        Takes an array with axes of space only, their `Spacing`, and the distance of
        voxels along the finest of them.
    apparent : callable, optional
        Takes a volume whose spacing nobody said and which of its axes is z; returns
        the distance of planes in pixels. That of several volumes is the median.

    Returns
    -------
    int32 array
        Labels of the shape of the image; no id stands in two of its parts.

    Raises
    ------
    TypeError, ValueError
        If three axes or more are not named, or names or spacing do not fit the image.

    Warns
    -----
    UserWarning
        If planes seem to be farther apart than pixels.
    """
    array, names, said = _described(image, axes, spacing)
    apart = [place for place, name in enumerate(names) if name not in SPATIAL]
    fronts = range(len(apart))
    parts = np.moveaxis(array, apart, fronts)
    places = [*np.ndindex(parts.shape[: len(apart)])]
    space = [name for name in names if name in SPATIAL]
    distances = said or (1.0,) * len(space)
    if said is None and apparent is not None and min(parts.shape[len(apart) :]) > 1:
        distances = _seeming([parts[place] for place in places], space, apparent)
    labels = np.zeros(parts.shape, np.int32)
    found = 0
    for place in places:
        own = _part(segment, distances, parts[place])
        labels[place] = np.where(own > 0, own + np.int32(found), 0)
        found += int(own.max(initial=0))
    return np.ascontiguousarray(np.moveaxis(labels, fronts, apart))


def _part(
    segment: Callable[[NDArray[Any], Spacing, float], NDArray[np.int32]],
    distances: tuple[float, ...],
    array: NDArray[Any],
) -> NDArray[np.int32]:
    """Return what a method makes of a plane or a volume; one plane is a plane."""
    places = [place for place, n in enumerate(array.shape) if n != 1]
    if len(places) < 2:
        places = list(range(array.ndim))
    flat = array.reshape([array.shape[place] for place in places])
    known = [distances[place] for place in places]
    return segment(flat, relative(known), min(known)).reshape(array.shape)


def _seeming(
    volumes: Sequence[NDArray[Any]],
    names: Sequence[str],
    apparent: Callable[[NDArray[Any], int], float],
) -> tuple[float, ...]:
    """Return distances along axes of space, and say so unless voxels seem to be cubes.

    All volumes of an image have the same ones.
    """
    distances = [1.0] * len(names)
    if volumes and "z" in names and len(names) == len(SPATIAL):
        across = names.index("z")
        step = float(np.median([apparent(volume, across) for volume in volumes]))
        distances[across] = step
        if step != 1:
            told = tuple(round(distance, 2) for distance in distances)
            warnings.warn(_SEEMING.format(step, told), stacklevel=4)
    return tuple(distances)


def _described(
    image: Any, axes: str | None, spacing: float | Sequence[float] | None
) -> tuple[NDArray[Any], str, tuple[float, ...] | None]:
    """Return the voxels, a name for each axis, and distances along those of space.

    No distances, if nobody said any.
    """
    checks.require_unmasked(image)
    names = axes
    if isinstance(image, Image):
        image = image.measured() if axes else _in_space(image)
        if axes is None:
            names = image.axes if image.stated else None
        if spacing is None and names is None:
            require_said(image.ndim, None, None)
        same = sorted(image.axes) == sorted(names or "")
        if spacing is None and same and image.spaced:
            known = dict(zip(image.axes, image.physical_spacing(), strict=True))
            spacing = [known[name] for name in names or "" if name in SPATIAL]
    array = np.asarray(image)
    if names is None:
        checks.require_grey(array)
        require_said(array.ndim, axes, spacing)
        names = SPATIAL[max(0, len(SPATIAL) - array.ndim) :]
    _require_names(names, array)
    count = sum(name in SPATIAL for name in names)
    if spacing is None:
        return array, names, None
    return array, names, tuple(map(float, extents.as_spacing(spacing, count)))


def _in_space(image: Image) -> Image:
    """Return an opened image without axes other than those of space.

    Raises
    ------
    ColourError
        If there are others; frames and channels may be taken each by itself.
    """
    try:
        return image.spatial()
    except ColourError as error:
        if "s" in image.axes:
            raise
        own = f"{error.message}; here axes={image.axes!r} does so, too"
        raise ColourError(error.path, own) from None


def _require_names(names: str, array: NDArray[Any]) -> None:
    if not isinstance(names, str):
        raise TypeError(f"axes is {names!r}; give a letter for each axis, as 'tyx'")
    space = [name for name in names if name in SPATIAL]
    if array.ndim < 2 or len(names) != array.ndim or len(set(names)) < len(names):
        raise ValueError(
            f"image of shape {array.shape} has axes {names!r}; give two or more, and"
            " each a letter of its own"
        )
    if len(space) < 2:
        raise ValueError(
            f"axes {names!r} of an image name {len(space)} of space; objects need y and"
            " x, or z, y and x"
        )
