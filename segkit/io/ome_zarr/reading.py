"""Open Zarr arrays, OME-Zarr images (0.1 to 0.6), and series of converted files."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from segkit.io.arranged.channels import stated_names
from segkit.io.axes import BY_NUMBER, letters_of, require_axes
from segkit.io.calibration import physical
from segkit.io.described import described
from segkit.io.elsewhere.place import Place, below, folders
from segkit.io.errors import DamagedImageError, ImageRequestError, parsing
from segkit.io.image import Image
from segkit.io.ome_zarr.chunks import ZarrChunks
from segkit.io.ome_zarr.metadata import (
    attributes,
    channel_labels,
    dimension_names,
    inside,
    is_array,
    is_zarr,
    listed,
    multiscale_axes,
    scale_of,
)
from segkit.io.sources import stated_nodata

if TYPE_CHECKING:
    from segkit.io.elsewhere.place import Node
    from segkit.io.options import Missing
    from segkit.io.sources import Source

_DEEPEST = 3
"""How many folders above a level its image is looked for."""


def open_zarr(
    path: Node,
    *,
    key: str | None = None,
    series: int | None = None,
    level: int = 0,
    missing: Missing = "error",
    axes: str | None = None,
) -> Image:
    """Return an array, or one level of a multiscale image, of a Zarr folder.

    Raises
    ------
    DamagedImageError
        If the metadata contradict the format.
    ImageRequestError
        If the path is a plate or a group and does not say which image is meant, or
        the axes are not those of the array.
    """
    with parsing(path, "its Zarr metadata"):
        where = inside(path, key) if key else path
        return _opened(where, series, level, missing, axes)


def _opened(
    path: Node, series: int | None, level: int, missing: Missing, axes: str | None
) -> Image:
    if is_array(path):
        return _array(path, missing, axes)
    found = attributes(path)
    if "multiscales" in found:
        return _multiscale(path, found, level, missing, axes)
    if "plate" in found:
        wells = [str(well["path"]) for well in found["plate"].get("wells", [])]
        raise ImageRequestError(
            path, f"is a plate; choose a well by well='...': {listed(wells)}"
        )
    if "well" in found:
        inner = inside(path, _field(path, found["well"], series))
        return open_zarr(inner, level=level, missing=missing, axes=axes)
    images = [name for name in folders(path) if is_zarr(path / name)]
    if "bioformats2raw.layout" in found:
        numbers = [name for name in images if name.isdecimal()]
        inner = inside(path, _chosen(path, "images", numbers, series))
        return open_zarr(inner, level=level, missing=missing, axes=axes)
    raise ImageRequestError(
        path,
        f"is a group without an image of its own; choose by key=: {listed(images)}",
    )


def _field(path: Node, well: dict[str, Any], number: int | None) -> str:
    fields = [str(image["path"]) for image in well.get("images", [])]
    return _chosen(path, "fields", fields, number)


def _chosen(path: Node, kind: str, names: list[str], number: int | None) -> str:
    """Return the name of one of several images; ask if none is chosen."""
    if number is None and len(names) == 1:
        return names[0]
    if number is None or not 0 <= number < len(names):
        none = "choose one by" if number is None else f"there is no {number}, give"
        raise ImageRequestError(
            path, f"has {len(names)} {kind} ({listed(names)}); {none} series="
        )
    return names[number]


def _array(path: Node, missing: Missing, axes: str | None) -> Image:
    """Return an array; what it belongs to says more of it than itself."""
    for group in takewhile(is_zarr, [*path.parents][:_DEEPEST]):
        for multiscale in attributes(group).get("multiscales", ())[:1]:
            names = [str(one["path"]).strip("/") for one in multiscale["datasets"]]
            name = below(path, group)
            if name in names:
                level = names.index(name)
                image = _multiscale(group, attributes(group), level, missing, axes)
                return replace(image, path=str(path), levels=1)
    source = _voxels(path, missing)
    image = described(str(path), source, axes=axes or dimension_names(path))
    return replace(image, nodata=stated_nodata(attributes(path), source.dtype))


def _multiscale(
    path: Node, found: dict[str, Any], level: int, missing: Missing, axes: str | None
) -> Image:
    multiscale = {"version": found.get("version"), **found["multiscales"][0]}
    datasets = multiscale["datasets"]
    if not 0 <= level < len(datasets):
        raise ImageRequestError(
            path, f"has {len(datasets)} pyramid levels; level={level} is none of them"
        )
    where = inside(path, str(datasets[level]["path"]))
    if not is_array(where):
        raise DamagedImageError(
            path, f"names {where.name!r} as level {level}, which is no array"
        )
    source = _voxels(where, missing)
    scale = scale_of(multiscale, datasets[level], len(source.shape))
    stated = _stated_axes(path, multiscale, axes)
    names = axes or letters_of(
        [one.get("name") for one in stated], [one.get("type") for one in stated]
    )
    require_axes(str(path), names, source.shape)
    units = [one.get("unit") for one in stated] + [None] * len(names)
    steps = {name: (scale[k], units[k]) for k, name in enumerate(names)}
    spacing, units_of_axes = physical(names, steps)
    image = Image(str(path), source, names, spacing, units_of_axes, len(datasets))
    named = bool(axes) or not found.get(BY_NUMBER) or set(spacing) != {1.0}
    nodata = stated_nodata(attributes(where), source.dtype)
    count = source.shape[names.index("c")] if "c" in names else 1
    channels = stated_names(channel_labels(found), count)
    return replace(image, nodata=nodata, stated=named, channels=channels)


def _stated_axes(
    path: Node, multiscale: dict[str, Any], given: str | None
) -> list[dict[str, Any]]:
    try:
        return multiscale_axes(multiscale)
    except ValueError as error:
        if given is not None:
            return []
        raise ImageRequestError(path, f"is an OME-Zarr of {error}") from error


def _voxels(path: Node, missing: Missing) -> Source:
    """Return the voxels of an array, here or elsewhere."""
    if not isinstance(path, Place):
        return ZarrChunks.of(path, missing)
    from segkit.io.elsewhere.voxels import StoredVoxels

    new = path / "zarr.json"
    driver, file = ("zarr3", new) if new.is_file() else ("zarr", path / ".zarray")
    return StoredVoxels.at(path, {"driver": driver}, (file,), missing=missing)
