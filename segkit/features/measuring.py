"""Features of regions, of a whole image, and of single pixels.

Regions are measured tile by tile: those that begin in a tile, from what the tile reads,
which is the box of them all and the reach of the features. A region's numbers are
computed from its own voxels, in their order, and so are the same for any tiles.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import in_space
from segkit.features.families import Codes, Maps, Members, OfRegion, Patch
from segkit.names import known_as
from segkit.partitions.partition import Partition, grid_regions
from segkit.tiling.boxes import Box
from segkit.tiling.cutting import tiles
from segkit.tiling.threads import in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array, Table
    from segkit.features.families import Family
    from segkit.tiling.boxes import Tile

_STATISTICS = ("mean", "std")


@known_as("segkit.features")
def region_features(
    image: Any,
    partition: Partition,
    families: Sequence[Family],
    *,
    tile: int | Sequence[int] | None = None,
    workers: int | None = None,
) -> Table:
    """Return a table of features, one row for each region.

    Parameters
    ----------
    image : array or Image, real
        Grey image of the partition's shape.
    partition : Partition
        The regions, see `segkit.partitions`.
    families : sequence
        What to measure: `Intensities`, `Shapes`, `FilterBank`, `Haralick`,
        `BinaryPatterns`, `ThresholdAdjacency`, `Zernike`, `WordCounts`; with their
        options.
    tile : optional
        Size of the tiles that are measured one by one; a tile holds its regions in
        memory, with what the filters make of it. None measures the whole at once. No
        number depends on it.
    workers : int, optional
        Number of threads, one tile each; see `segkit.tiling.threads`.

    Returns
    -------
    dict of str to ndarray
        "label", the ids of the partition (int64), then a column of float64 for each
        feature, by its family's name: ``haralick_contrast_1``, ``gaussian_2_mean``.
        A number that is not defined for a region is NaN, as each family says; nothing
        else is.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, grey and finite, or of another shape; if no family is
        given, or one twice; if one is for images of other axes.

    Examples
    --------
    >>> from segkit.features import FilterBank, Intensities
    >>> from segkit.partitions import grid_regions
    >>> image = np.arange(64.0).reshape(8, 8)
    >>> table = region_features(image, grid_regions((8, 8), 4), [Intensities((0.5,))])
    >>> {name: column.tolist() for name, column in table.items() if name[-3:] != "std"}
    {'label': [1, 2, 3, 4], 'intensity_mean': [13.5, 17.5, 45.5, 49.5],
     'intensity_q0.5': [13.5, 17.5, 45.5, 49.5]}
    """
    source = "segkit.partitions.grid_regions(...)"
    checks.require_kind(partition, Partition, name="partition", source=source)
    grey = checks.as_image(in_space(image))
    if tuple(grey.shape) != partition.shape:
        raise ValueError(
            f"image has shape {tuple(grey.shape)}, the partition {partition.shape};"
            " they differ"
        )
    names = column_names(families)
    limits = float(grey.min()), float(grey.max())
    grid = tiles(grey.shape, grey.shape if tile is None else tile)
    run = partial(_measured, grey, partition, families, limits)
    parts = in_threads(run, grid, thread_count(workers, grey.size))
    table: Table = {"label": partition.ids.copy()}
    rows = np.full((len(partition), len(names)), np.nan)
    for one, part in zip(grid, parts, strict=True):
        rows[partition.owned_by(one)] = part
    return table | {name: rows[:, k].copy() for k, name in enumerate(names)}


@known_as("segkit.features")
def image_features(
    image: Any, families: Sequence[Family], *, mask: Any = None
) -> dict[str, float]:
    """Return the features of a whole image, by name.

    Parameters
    ----------
    image, families
        As for `region_features`.
    mask : array of the shape of the image, optional
        What is not 0 is measured.

    Examples
    --------
    >>> from segkit.features import Intensities
    >>> image_features(np.eye(4), [Intensities(())])["intensity_mean"]
    0.25
    """
    shape = checks.as_image(in_space(image)).shape
    one = grid_regions(shape, shape)
    if mask is not None:
        one = one.within(mask, least=0)
    table = region_features(image, one, families)
    return {name: float(column[0]) for name, column in table.items() if name != "label"}


@known_as("segkit.features")
def pixel_features(image: Any, families: Sequence[Maps]) -> NDArray[np.float64]:
    """Return the features of each pixel: the images that families make of an image.

    Parameters
    ----------
    image : array or Image, real
        Grey image of any number of axes.
    families : sequence
        Families of maps: `FilterBank`, `VesselMaps`.

    Returns
    -------
    float64 array of shape ``(features,) + image.shape``
        In the order of ``family.names()``.

    Examples
    --------
    >>> from segkit.features import FilterBank
    >>> pixel_features(np.eye(6), [FilterBank((1,), ("gaussian", "gradient"))]).shape
    (2, 6, 6)
    """
    grey = checks.as_image(in_space(image)).astype(np.float64)
    require_maps(families)
    return np.concatenate([family.maps(grey) for family in families])


def require_maps(families: Sequence[Maps]) -> None:
    """Raise unless all families make images, which single pixels have values of."""
    _require_list(families)
    if not families:
        raise ValueError("families are empty; give what to compute, as [FilterBank()]")
    for family in families:
        if not isinstance(family, Maps):
            raise TypeError(
                f"{family!r} makes no image, and single pixels have no such feature;"
                " give FilterBank() or VesselMaps()"
            )


def column_names(families: Sequence[Family]) -> list[str]:
    """Return the columns of families, in order; raise if one is there twice.

    Examples
    --------
    >>> from segkit.features import FilterBank
    >>> column_names([FilterBank((1,), ("gaussian",))])
    ['gaussian_1_mean', 'gaussian_1_std']
    """
    _require_list(families)
    if not families:
        raise ValueError(
            "families are empty; give what to measure, as [Intensities(), Haralick()]"
        )
    names: list[str] = []
    for family in families:
        if isinstance(family, Maps):
            names += [f"{name}_{s}" for name in family.names() for s in _STATISTICS]
        elif isinstance(family, (Codes, OfRegion)):
            names += family.names()
        else:
            raise TypeError(
                f"{family!r} is no family of features; give those of segkit.features,"
                " as FilterBank()"
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"families have the feature {twice[0]} twice; leave one out")
    return names


def _require_list(families: Any) -> None:
    if not isinstance(families, list | tuple):
        raise TypeError(
            f"families are {families!r}; give a list, of one, too, as [FilterBank()]"
        )
    for family in families:
        if isinstance(family, type):
            raise TypeError(
                f"{family.__name__} is a class; write {family.__name__}(), with what"
                " it is to measure in the brackets"
            )


def _measured(
    grey: Array,
    partition: Partition,
    families: Sequence[Family],
    limits: tuple[float, float],
    tile: Tile,
) -> NDArray[np.float64]:
    """Return the features of the regions that begin in a tile, a row for each."""
    own = partition.only(partition.owned_by(tile))
    if len(own) == 0:
        return np.empty((0, len(column_names(families))))
    reach = max((_reach(family) for family in families), default=0)
    start = np.maximum(own.starts.min(axis=0) - reach, 0)
    stop = np.minimum(own.stops.max(axis=0) + reach, partition.shape)
    box = Box(tuple(start.tolist()), tuple(stop.tolist()))
    voxels = grey[box.slices].astype(np.float64)
    members = _members(own, box)
    with checks.inside_tile():
        parts = [
            _of_family(family, voxels, own, box, members, limits) for family in families
        ]
    return np.concatenate(parts, axis=1)


def _reach(family: Family) -> int:
    return family.reach() if isinstance(family, (Maps, Codes)) else 0


def _members(own: Partition, box: Box) -> Members:
    """Return the voxels of regions, by their places in a box."""
    places, which = [], []
    numbers = np.arange(box.size).reshape(box.shape)
    for place in range(len(own)):
        region = own.box(place).within(box)
        found = numbers[region.slices][own.inside(place)]
        places.append(found)
        which.append(np.full(found.size, place))
    return Members(np.concatenate(places), np.concatenate(which), len(own))


def _of_family(
    family: Family,
    voxels: NDArray[np.float64],
    own: Partition,
    box: Box,
    members: Members,
    limits: tuple[float, float],
) -> NDArray[np.float64]:
    """Return what a family makes of regions, one row each."""
    if isinstance(family, Maps):
        columns = []
        for image in family.maps(voxels):
            means = members.means(image)
            columns += [means, members.deviations(image, means)]
        return np.stack(columns, axis=1)
    if isinstance(family, Codes):
        codes = family.codes(voxels, *limits)
        return members.shares(codes, len(family.names()))
    rows = [
        family.of_region(
            Patch(voxels[own.box(k).within(box).slices], own.inside(k), *limits)
        )
        for k in range(len(own))
    ]
    return np.array(rows, np.float64)
