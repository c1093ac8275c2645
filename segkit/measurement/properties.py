"""Properties of objects, computed from their sums."""

# All properties have one signature, also those that need no spacing.
# ruff: noqa: ARG001

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from segkit.io.axes import by_number
from segkit.io.calibration import is_length, unit_name
from segkit.measurement import crofton, intensities, shapes, weighted
from segkit.measurement.intensities import of_intensity
from segkit.other_names import nearest, other_property

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.measurement.partial_table import PartialTable

Spacing: TypeAlias = Sequence[float]

PHYSICAL: Final = (
    "area",
    "centroid",
    "covariance",
    "axis_major_length",
    "axis_minor_length",
    "equivalent_diameter",
    "surface",
    "area_bbox",
    "area_convex",
    "area_filled",
    "feret_diameter_max",
    "perimeter",
    *("moments", "moments_central", "moments_weighted", "moments_weighted_central"),
    *("centroid_local", "centroid_weighted", "centroid_weighted_local"),
    *("inertia_tensor", "inertia_tensor_eigvals"),
    *("depth_physical", "height_physical", "width_physical"),
)
"""Properties in units of the spacing: lengths, or products of them."""
_PLACES: Final = tuple(name for name in PHYSICAL if name.startswith("centroid"))
NAMED: Final = frozenset(
    {
        *shapes.NEEDS,
        *("area_bbox", "depth_physical", "height_physical", "width_physical"),
        *("centroid_local", "inertia_tensor", "inertia_tensor_eigvals"),
    }
)
"""What a table has only if it is asked for by name."""
# Along which axis the sides of an object's box are.
_SIDES: Final[Mapping[str, str]] = {
    "depth": "z",
    "height": "y",
    "width": "x",
    "depth_physical": "z",
    "height_physical": "y",
    "width_physical": "x",
}
# Of what takes apart: where an object is along an axis that is none of space.
_FRAMES: Final[Mapping[str, str]] = {"frame": "t", "channel": "c"}
_OF_SPACE: Final = frozenset(
    {
        *("covariance", "inertia_tensor", "inertia_tensor_eigvals"),
        *("axis_major_length", "axis_minor_length", "eccentricity", "orientation"),
        *("equivalent_diameter", "touches_border"),
        *(name for name in shapes.NEEDS if not name.startswith("intensity_")),
    }
)
"""What means nothing along time or channels."""


def wanted(
    properties: Sequence[str] | None, axes: str, has_intensity: bool
) -> list[str]:
    """Return the names asked for; raise `ValueError` for what cannot be given.

    Parameters
    ----------
    properties
        Names; None for all.
    axes
        One letter per axis of the image: its own, or as by `segkit.io.axes.by_number`.
    has_intensity
        Whether there is an intensity image.
    """
    beside = "" if axes == by_number(len(axes)) else _beside_space(axes)
    if properties is None:
        return [
            name
            for name in _COLUMNS
            if name not in NAMED
            and (has_intensity or not of_intensity(name))
            and _SIDES.get(name, "") in axes
            and (name not in _FRAMES or _FRAMES[name] in beside)
            and not (beside and name in _OF_SPACE)
        ]
    require_known(properties)
    for name in properties:
        if of_intensity(name) and not has_intensity:
            raise ValueError(f"property {name!r} needs an intensity image")
        _require_axis(name, axes, beside)
        shapes.require_dimensions(name, len(axes))
    return list(properties)


def require_known(properties: Sequence[str]) -> None:
    """Raise `TypeError` unless names are a list, `ValueError` unless there are such."""
    if isinstance(properties, str):
        raise TypeError(f"properties is {properties!r}; give a list of names")
    for name in properties:
        if name not in _COLUMNS:
            raise ValueError(f"property {name!r} is unknown{meant(str(name))}")


def meant(word: str, known: Sequence[str] = ()) -> str:
    """Return what to say of an unknown property: the nearest, else all there are.

    Examples
    --------
    >>> meant("eccentricty"), meant("depth_um")
    (' (did you mean eccentricity?)', " (here it is 'depth_physical')")
    """
    side, _, unit = word.rpartition("_")
    if side in _SIDES and is_length(unit_name(unit)):
        return f" (here it is '{side}_physical')"
    several = f"; there are {', '.join(_COLUMNS)}"
    return other_property(word) or nearest(word, known or [*_COLUMNS]) or several


def by_name_only(axes: str) -> list[str]:
    """Return the properties that images of such axes have only by name.

    Examples
    --------
    >>> [name for name in by_name_only("yx") if name.startswith("p")]
    ['perimeter']
    """
    found = []
    for name in _COLUMNS:
        if name in NAMED:
            with suppress(ValueError):
                found += wanted([name], axes, has_intensity=True)
    return found


def _require_axis(name: str, axes: str, beside: str) -> None:
    """Raise `ValueError` if an image lacks the axis of a property, or has others."""
    if (side := _SIDES.get(name, "")) not in axes:
        raise ValueError(
            f"property {name!r} is for images with an axis {side!r}, not for"
            f" {axes!r}; leave it out"
        )
    if name in _FRAMES and _FRAMES[name] not in beside:
        raise ValueError(
            f"property {name!r} is for images with an axis {_FRAMES[name]!r}, said"
            f" by the file or axes=, not for {axes!r}; leave it out"
        )
    if beside and name in _OF_SPACE:
        raise ValueError(
            f"property {name!r} is one of space, and the axis {beside!r} of"
            f" {axes!r} is not; leave it out, or measure one image along that axis"
        )


def _beside_space(axes: str) -> str:
    """Return the letters of time and channels that there are."""
    return "".join(name for name in axes if name in "tc")


def column_names(properties: Sequence[str], ndim: int) -> list[str]:
    """Return the names of the columns of properties in `ndim` dimensions.

    Examples
    --------
    >>> column_names(["area", "centroid"], 2)
    ['area', 'centroid-0', 'centroid-1']
    """
    lengths = {
        "bbox": (2 * ndim,),
        **dict.fromkeys((*_PLACES, "inertia_tensor_eigvals"), (ndim,)),
        **dict.fromkeys(("covariance", "inertia_tensor"), (ndim, ndim)),
        "orientation": () if ndim == 2 else (ndim,),
        **dict.fromkeys(("moments_hu", "moments_weighted_hu"), (7,)),
        **dict.fromkeys(shapes.MOMENTS, (4,) * ndim),
    }
    return [one for name in properties for one in _names(name, lengths.get(name, ()))]


def columns_of(
    name: str, table: PartialTable, spacing: Spacing, axes: str
) -> dict[str, Array]:
    """Return the columns of one property; `axes` as `wanted` takes them."""
    if name in _SIDES:
        axis = axes.index(_SIDES[name])
        sides = _sides(table)[:, axis]
        return {name: sides * spacing[axis] if name in PHYSICAL else sides}
    if name in _FRAMES:
        return {name: table.columns["low"][:, axes.index(_FRAMES[name])]}
    found = _COLUMNS[name](table, spacing)
    if found.ndim == 1:
        return {name: found}
    names = _names(name, found.shape[1:])
    return dict(zip(names, found.reshape(-1, len(names)).T, strict=True))


@functools.cache
def _names(name: str, shape: tuple[int, ...]) -> list[str]:
    return ["-".join(map(str, (name, *at))) for at in np.ndindex(*shape)]


def with_shared(
    table: PartialTable, properties: Sequence[str], spacing: Spacing
) -> PartialTable:
    """Return a table with what several of the properties are computed from."""
    more = shapes.shared(table, properties, spacing)
    more |= weighted.shared(table, properties)
    return replace(table, details={**table.details, **more}) if more else table


def _labels(table: PartialTable, spacing: Spacing) -> Array:
    return table.labels


def _count(table: PartialTable, spacing: Spacing) -> Array:
    return table.columns["count"]


def _area(table: PartialTable, spacing: Spacing) -> Array:
    area: Array = table.columns["count"] * math.prod(spacing)
    return area


def _bbox(table: PartialTable, spacing: Spacing) -> Array:
    return np.concatenate([table.columns["low"], table.columns["high"]], axis=1)


def _relative_mean(table: PartialTable) -> Array:
    """Return mean positions in voxels from the box's first voxel."""
    columns = table.columns
    count = columns["count"][:, None]
    mean: Array = (columns["sums"] - count * columns["low"]) / count
    return mean


def _centroid(table: PartialTable, spacing: Spacing) -> Array:
    centroid: Array = (table.columns["low"] + _relative_mean(table)) * spacing
    return centroid


def _covariance(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    count, low, sums = columns["count"], columns["low"], columns["sums"]
    mean = _relative_mean(table)
    ndim = len(spacing)
    result = np.empty((len(table), ndim, ndim))
    pairs = itertools.combinations_with_replacement(range(ndim), 2)
    for k, (a, b) in enumerate(pairs):
        # Integers modulo 2**64 up to here: relative to the box they are small again.
        shift = low[:, a] * sums[:, b] + low[:, b] * (sums[:, a] - count * low[:, a])
        product = (columns["products"][:, k] - shift) / count
        value = (product - mean[:, a] * mean[:, b]) * (spacing[a] * spacing[b])
        result[:, a, b] = result[:, b, a] = value
    return result


def _centroid_local(table: PartialTable, spacing: Spacing) -> Array:
    centroid: Array = _relative_mean(table) * spacing
    return centroid


def _inertia(table: PartialTable, spacing: Spacing) -> Array:
    covariance = _covariance(table, spacing)
    trace = np.trace(covariance, axis1=1, axis2=2)
    tensor: Array = trace[:, None, None] * np.eye(len(spacing)) - covariance
    return tensor


def _inertia_eigenvalues(table: PartialTable, spacing: Spacing) -> Array:
    """Return them falling, of which rounding makes none negative."""
    values = np.linalg.eigvalsh(_inertia(table, spacing))[:, ::-1]
    falling: Array = np.maximum(values, 0)
    return falling


def _axis_lengths(table: PartialTable, spacing: Spacing) -> Array:
    """Return the full axes of the ellipsoid of the same moments, rising."""
    values = np.linalg.eigvalsh(_covariance(table, spacing))
    lengths: Array = 2 * np.sqrt((len(spacing) + 2) * np.maximum(values, 0))
    return lengths


def _major(table: PartialTable, spacing: Spacing) -> Array:
    major: Array = _axis_lengths(table, spacing)[:, -1]
    return major


def _minor(table: PartialTable, spacing: Spacing) -> Array:
    minor: Array = _axis_lengths(table, spacing)[:, 0]
    return minor


def _eccentricity(table: PartialTable, spacing: Spacing) -> Array:
    lengths = _axis_lengths(table, spacing)
    with np.errstate(invalid="ignore"):
        squared = 1 - (lengths[:, 0] / lengths[:, -1]) ** 2
    # A single voxel has no axes; it is as round as can be.
    eccentricity: Array = np.sqrt(np.nan_to_num(np.maximum(squared, 0)))
    return eccentricity


def _orientation(table: PartialTable, spacing: Spacing) -> Array:
    covariance = _covariance(table, spacing)
    if len(spacing) == 2:
        across = covariance[:, 0, 0] - covariance[:, 1, 1]
        angle: Array = np.arctan2(2 * covariance[:, 0, 1], across) / 2
        return angle
    vector: Array = np.linalg.eigh(covariance)[1][:, :, -1]
    # Of the two opposite vectors, the one whose largest component is positive.
    largest = np.argmax(np.abs(vector), axis=1)
    sign = np.sign(np.take_along_axis(vector, largest[:, None], axis=1))
    oriented: Array = vector * sign
    return oriented


def _equivalent_diameter(table: PartialTable, spacing: Spacing) -> Array:
    ndim = len(spacing)
    unit_ball = math.pi ** (ndim / 2) / math.gamma(ndim / 2 + 1)
    diameter: Array = 2 * (_area(table, spacing) / unit_ball) ** (1 / ndim)
    return diameter


def _sides(table: PartialTable, spacing: Spacing = ()) -> Array:
    """Return the lengths of the boxes in voxels, one column for each axis."""
    sides: Array = table.columns["high"] - table.columns["low"]
    return sides


def _area_bbox(table: PartialTable, spacing: Spacing) -> Array:
    area: Array = _sides(table).astype(float).prod(axis=1) * math.prod(spacing)
    return area


def _extent(table: PartialTable, spacing: Spacing) -> Array:
    volume = _sides(table).astype(float).prod(axis=1)
    extent: Array = table.columns["count"] / volume
    return extent


def _touches_border(table: PartialTable, spacing: Spacing) -> Array:
    start = table.columns["low"] == 0
    stop = table.columns["high"] == np.array(table.shape)
    touches: Array = (start | stop).any(axis=1)
    return touches


def _surface(table: PartialTable, spacing: Spacing) -> Array:
    return crofton.measure_of_crossings(table.columns["crossings"], spacing)


_COLUMNS: Final[Mapping[str, Callable[[PartialTable, Spacing], Array]]] = {
    "label": _labels,
    "frame": _bbox,
    "channel": _bbox,
    "count": _count,
    "area": _area,
    "bbox": _bbox,
    "area_bbox": _area_bbox,
    "depth_physical": _sides,
    "height_physical": _sides,
    "width_physical": _sides,
    "depth": _sides,
    "height": _sides,
    "width": _sides,
    "centroid": _centroid,
    "covariance": _covariance,
    "centroid_local": _centroid_local,
    "inertia_tensor": _inertia,
    "inertia_tensor_eigvals": _inertia_eigenvalues,
    "axis_major_length": _major,
    "axis_minor_length": _minor,
    "eccentricity": _eccentricity,
    "orientation": _orientation,
    "equivalent_diameter": _equivalent_diameter,
    "extent": _extent,
    "touches_border": _touches_border,
    "surface": _surface,
    **intensities.COLUMNS,
    **shapes.COLUMNS,
    **weighted.COLUMNS,
}
KNOWN: Final = frozenset(_COLUMNS)
