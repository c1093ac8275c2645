"""Measure objects, whole or tile by tile, with the same numbers.

Everything is computed from sums that add over tiles: counts, positions, products of
positions, intensities and their squares, boundary crossings. `measure_tile` returns
them for one tile, `combine` adds them in any order and grouping, `properties_table`
computes what is asked for. Integers (also intensities of up to 16 bits) are summed
exactly; sums of other intensities are accurate to rounding.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from segkit import checks, extents
from segkit.arrays import axes_of, require_no_mask, spacing_of
from segkit.io.axes import by_number
from segkit.measurement import properties as object_properties, shapes
from segkit.measurement.intensities import checked, of_intensity
from segkit.measurement.partial_table import (
    PartialTable,
    is_exact,
    sum_box,
)
from segkit.measurement.summing import summed_over
from segkit.names import known_as
from segkit.tiling.boxes import Box, require_tile
from segkit.tiling.cutting import tiles
from segkit.tiling.threads import in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.arrays import Array, Table
    from segkit.tiling.boxes import Tile


_PART = 2**20  # voxels that are measured at once, if their sums are rounded
_MOST_PARTS = 64
_PLANS = 64  # that are remembered


@known_as("segkit")
def region_properties(
    labels: Any,
    intensity: Any = None,
    *,
    properties: Sequence[str] | None = None,
    spacing: float | Sequence[float] | None = None,
    axes: str | None = None,
    tile: int | Sequence[int] | None = None,
    workers: int | None = None,
) -> Table:
    """Return a table of the properties of all objects, one row for each label.

    Parameters
    ----------
    labels
        Integers, 0 = background; any number of axes.
    intensity
        Image of the same shape, or None. Floats of more than 64 bits are rounded.
    properties
        Names from the list below, columns in this order; None takes all that the
        input allows, but those that are taken by name only.
    spacing
        Distance of voxel centres, one number or one per axis, in any unit; None is that
        of opened images (`segkit.open_image`), else 1.
    axes
        A letter for each axis, such as ``'xyz'``; None is those that opened images
        state, else (..., z, y, x).
    tile
        Size of the tiles that are measured in parallel; None chooses. No column
        depends on it but the sum, mean, standard deviation and what is weighted, of
        floats and of integers of 32 and 64 bits, by rounding.
    workers
        Number of threads; None takes this process's share of the processors (see
        `segkit.tiling.threads`).

    Returns
    -------
    dict of str to ndarray
        Columns of equal length, in rising order of label. Properties of several
        numbers have columns `name-0`, `name-1`, ... in axis order.

        - "label"; "count": number of voxels (int64).
        - "area": length, area or volume, in units of `spacing`.
        - "bbox": start on each axis, then stop (exclusive), in voxels.
        - "frame", "channel": index along t and c, where `axes` has them
        - "depth", "height", "width": length of the box along z, y and x, in voxels
          (int64); of images that have these axes. Along time or channels, if `axes`
          or opened images say them, shape means nothing: covariance and what follows
          from it, the diameter, border and surface are left out, and refused by name.
        - "centroid": in units of `spacing` from the centre of voxel 0.
        - "covariance": central second moments over count, columns `covariance-a-b`.
        - "axis_major_length", "axis_minor_length": full axes of the ellipsoid with the
          same second moments, 2 sqrt((n + 2) v), v an eigenvalue of the covariance.
        - "eccentricity": of the ellipse of major and minor axis.
        - "orientation": in 2-D the angle from axis 0 to the major axis, in radians in
          (-pi/2, pi/2]; else the major axis as a unit vector.
        - "equivalent_diameter": of the ball of the same area.
        - "extent": fraction of the box that is filled.
        - "touches_border": whether the box reaches the image's border.

        By name only, for they take more time and memory:

        - "area_bbox", "depth_physical", "height_physical", "width_physical": of the
          box, in units of `spacing`.
        - "centroid_local": "centroid" from the centre of the first voxel of the box.
        - "inertia_tensor": trace(C) times the unit matrix less C, the covariance;
          columns `inertia_tensor-a-b`. "inertia_tensor_eigvals": falling.
        - "perimeter": in planes, of a line through the centres of the voxels at the
          rim, as by scikit-image; 4 % short of "surface" for a disc.
        - "euler_number": pieces less holes (2-D), plus cavities (3-D); pieces that
          touch by a corner are one.
        - "area_convex": of all voxels whose centres lie in the convex hull of the
          object; "solidity": count over theirs. In 3-D flat objects have one, too,
          where scikit-image has no hull.
        - "area_filled": with holes, out of which no step leads, also across corners.
        - "feret_diameter_max": the largest distance of two middles of voxel faces of
          the convex object.
        - "moments", "moments_central", "moments_normalized": columns `moments-p-q` of
          powers 0 to 3 of the places on each axis, from the start of the box, or the
          centroid; "moments_hu": seven of planes that rotation leaves.
        - "centroid_weighted", "centroid_weighted_local", "moments_weighted",
          "moments_weighted_central", "moments_weighted_normalized",
          "moments_weighted_hu": voxels weigh as much as their intensities; NaN where
          these add up to 0.
        - "intensity_median", "intensity_q5", "intensity_q25", "intensity_q75",
          "intensity_q95": quantiles, between two values as by `numpy.quantile`.
        - "surface": perimeter (2-D) or surface area (3-D) by the Crofton formula with
          4 or 13 directions; the image's border counts as surface.
        - "intensity_sum", "intensity_mean", "intensity_min", "intensity_max",
          "intensity_std" (of the population).

    Raises
    ------
    TypeError, ValueError
        If labels are no non-negative integers, or a mask of 8 bits (0 and 1, or 0 and
        255) with several pieces, shapes differ, a property is unknown or
        not defined for the input, or intensities are not finite, or integers beyond
        2**53, which floats would confound.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 2]])
    >>> table = region_properties(labels, properties=["label", "area", "centroid"])
    >>> for name, column in table.items():
    ...     print(name, column)
    label [1 2]
    area [4. 1.]
    centroid-0 [0.5 2. ]
    centroid-1 [0.5 2. ]
    """
    spacing = spacing_of(spacing, labels, intensity)
    axes = axes_of(axes, labels, intensity)
    array = _labels(labels)
    if array.ndim == 0:
        raise ValueError("labels are a single number; give an array of labels")
    checks.require_no_picture(array)
    require_no_mask(array)
    image = checked(intensity, array.shape)
    axes = _letters(axes, array.ndim)
    if properties is not None and not isinstance(properties, str):
        properties = tuple(properties)
    wanted, needs, weighs = _plan(properties, axes, image is not None)
    intensities = image if weighs else None
    threads = thread_count(workers, array.size // 4)
    parts = threads if is_exact(intensities) else _parts(array.size)
    boxes, origin = _boxes(array.shape, tile, parts), (0,) * array.ndim
    given = (origin, array.shape, needs)

    def summed(known: Array, largest: int | None) -> list[PartialTable]:
        def run(box: Box) -> PartialTable:
            return sum_box(known, intensities, box, *given, largest)

        return in_threads(run, boxes, threads)

    table = summed_over(array, summed)
    return _columns(table, wanted, _steps(spacing, array.ndim), axes)


@functools.lru_cache(_PLANS)
def _plan(
    properties: tuple[str, ...] | None, axes: str, has_intensity: bool
) -> tuple[list[str], frozenset[str], bool]:
    """Return what is asked for, what it needs, and whether that is intensities."""
    wanted = object_properties.wanted(properties, axes, has_intensity)
    return wanted, shapes.needs(wanted), any(map(of_intensity, wanted))


@known_as("segkit")
def measure_tile(
    labels: Any,
    tile: Tile,
    shape: Sequence[int],
    *,
    intensity: Any = None,
    properties: Sequence[str] = (),
) -> PartialTable:
    """Return the sums over the objects of one tile, for `combine`.

    Parameters
    ----------
    labels
        The voxels of `tile.read`, with the ids of the whole image.
    tile
        Where they are; only the voxels of `tile.write` are measured.
    shape
        Shape of the whole image.
    intensity
        Image of the same voxels, or None.
    properties
        Names of those that are to be computed. They need say nothing but what takes
        more than sums: "surface" and "euler_number" (a halo of 1), "perimeter" (of 2),
        hulls, holes, moments, and quantiles of intensities.

    Raises
    ------
    TypeError, ValueError
        As `region_properties`, or if the array does not have the shape of the tile, or
        the halo is too small.

    Examples
    --------
    >>> import numpy as np
    >>> from segkit import combine
    >>> labels = np.array([[1, 1, 0, 2], [0, 1, 0, 2]])
    >>> grid = tiles(labels.shape, 2, halo=1)
    >>> parts = [
    ...     measure_tile(
    ...         labels[t.read.slices], t, labels.shape, properties=["surface"]
    ...     )
    ...     for t in grid
    ... ]
    >>> table = properties_table(combine(parts), properties=["label", "count"])
    >>> {name: column.tolist() for name, column in table.items()}
    {'label': [1, 2], 'count': [3, 2]}
    """
    array = _labels(labels)
    require_tile(tile)
    whole = extents.as_shape(shape, array.ndim)
    if array.shape != tile.read.shape:
        raise ValueError(
            f"labels have shape {array.shape}, the tile {tile.read.shape}; give the "
            "voxels of tile.read"
        )
    object_properties.require_known(properties)
    for name in properties:
        shapes.require_dimensions(name, array.ndim)
    needs = shapes.needs(properties)
    shapes.require_halo(tile, whole, shapes.reach(needs))
    with checks.inside_tile():
        intensities = checked(intensity, array.shape)
    given = (tile.write.within(tile.read), tile.read.start, whole, needs)

    def summed(known: Array, largest: int | None) -> list[PartialTable]:
        return [sum_box(known, intensities, *given, largest)]

    return summed_over(array, summed)


@known_as("segkit")
def properties_table(
    table: PartialTable,
    *,
    properties: Sequence[str] | None = None,
    spacing: float | Sequence[float] | None = None,
    axes: str | None = None,
) -> Table:
    """Return properties of objects from their sums; see `region_properties`.

    None as `properties` takes all for which there are sums. Of tables that do not
    cover the image (`PartialTable.voxels` tells), the properties are those of the parts
    of objects that they cover.
    """
    checks.require_kind(
        table, PartialTable, name="table", source="segkit.measure_tile(...)"
    )
    ndim = len(table.shape)
    letters = _letters(axes, ndim)
    wanted = object_properties.wanted(properties, letters, "least" in table.columns)
    if properties is None and "crossings" in table.columns:
        wanted = [*wanted, "surface"]
    have = {*table.columns, *table.details}
    for name in wanted:
        if name in shapes.NEEDS and shapes.NEEDS[name] not in have:
            raise ValueError(
                f"property {name!r} takes what was not gathered; measure with"
                f" properties=[{name!r}]"
            )
    return _columns(table, wanted, _steps(spacing, ndim), letters)


def _columns(
    table: PartialTable, names: Sequence[str], steps: tuple[float, ...], letters: str
) -> Table:
    if table.details:
        table = object_properties.with_shared(table, names, steps)
    result: Table = {}
    for name in names:
        result |= object_properties.columns_of(name, table, steps, letters)
    return result


def _steps(spacing: Any, ndim: int) -> tuple[float, ...]:
    """Return the distance of voxel centres on each axis; None is 1."""
    return (1.0,) * ndim if spacing is None else extents.as_spacing(spacing, ndim)


def _letters(axes: str | None, ndim: int) -> str:
    """Return one letter per axis: those given, or by the number of axes."""
    if not axes:
        return by_number(ndim)
    if len(axes) != ndim or len(set(axes)) != ndim:
        raise ValueError(
            f"axes is {axes!r}; give one letter, of its own, for each of {ndim} axes"
        )
    return axes


def _boxes(shape: tuple[int, ...], tile: Any, parts: int) -> list[Box]:
    """Return what is measured at once: tiles, or so many parts of an image."""
    if tile is None and parts == 1:
        return [Box((0,) * len(shape), shape)]
    if tile is None:
        tile = (-(-shape[0] // parts), *shape[1:])
    return [one.write for one in tiles(shape, tile)]


def _parts(voxels: int) -> int:
    """Return in how many parts sums are rounded, however many threads there are."""
    return min(max(voxels // _PART, 1), _MOST_PARTS)


def _labels(labels: Any) -> Array:
    """Return labels that are integers; whether any is negative, `_largest` tells."""
    array = checks.as_array(labels, name="labels")
    if array.dtype.kind not in "iu" or array.size == 0:
        checks.require_labels(array)
    return checks.native(array)
