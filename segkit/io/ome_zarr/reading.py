"""Open Zarr arrays, OME-Zarr images (0.4 and 0.5), and series of converted files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segkit.io.errors import DamagedImageError, ImageRequestError, parsing
from segkit.io.image import UNKNOWN_UNIT, Image, described
from segkit.io.ome_zarr.chunks import ZarrChunks
from segkit.io.ome_zarr.metadata import (
    attributes,
    dimension_names,
    inside,
    is_array,
    is_zarr,
    listed,
    scale_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.options import Missing


def open_zarr(
    path: Path,
    *,
    key: str | None = None,
    series: int = 0,
    level: int = 0,
    missing: Missing = "error",
    axes: str | None = None,
) -> Image:
    """Return an array, or one level of a multiscale image, of a Zarr folder.

    Raises
    ------
    ImageRequestError
        If the path is a plate or a group and does not say which image is meant.
    """
    if key:
        path = inside(path, key)
    if is_array(path):
        return _bare(path, missing, axes)
    found = attributes(path)
    if "multiscales" in found:
        with parsing(path, "multiscales metadata"):
            return _multiscale(path, found["multiscales"], level, missing)
    if "plate" in found:
        wells = [str(well["path"]) for well in found["plate"].get("wells", [])]
        raise ImageRequestError(
            path, f"is a plate; choose a well by well='...': {listed(wells)}"
        )
    if "well" in found:
        return open_zarr(
            inside(path, _field(path, found["well"], series)),
            level=level,
            missing=missing,
        )
    if "bioformats2raw.layout" in found:
        return open_zarr(inside(path, str(series)), level=level, missing=missing)
    images = sorted(
        child.name for child in path.iterdir() if child.is_dir() and is_zarr(child)
    )
    raise ImageRequestError(
        path,
        f"is a group without an image of its own; choose by key=: {listed(images)}",
    )


def _field(path: Path, well: dict[str, Any], number: int) -> str:
    fields = [str(image["path"]) for image in well.get("images", [])]
    if not 0 <= number < len(fields):
        raise ImageRequestError(
            path,
            f"has {len(fields)} fields ({listed(fields)}); field {number} is not one"
            " of them",
        )
    return fields[number]


def _bare(path: Path, missing: Missing, axes: str | None) -> Image:
    source = ZarrChunks.of(path, missing)
    names = axes or dimension_names(path)
    if names is not None and len(names) != len(source.shape):
        names = None
    return described(str(path), source, axes=names)


def _multiscale(
    path: Path, multiscales: list[dict[str, Any]], level: int, missing: Missing
) -> Image:
    try:
        described_axes = multiscales[0]["axes"]
        datasets = multiscales[0]["datasets"]
        axes = "".join(
            axis["name"] if isinstance(axis, dict) else axis for axis in described_axes
        )
    except (LookupError, TypeError) as error:
        raise DamagedImageError(
            path, f"has multiscales metadata without axes or datasets: {error}"
        ) from error
    if not 0 <= level < len(datasets):
        raise ImageRequestError(
            path, f"has {len(datasets)} pyramid levels; level={level} is none of them"
        )
    units = tuple(
        str(axis.get("unit") or UNKNOWN_UNIT)
        if isinstance(axis, dict)
        else UNKNOWN_UNIT
        for axis in described_axes
    )
    scale = scale_of(multiscales[0], datasets[level], len(axes))
    source = ZarrChunks.of(inside(path, str(datasets[level]["path"])), missing)
    image = described(str(path), source, axes=axes, spacing=scale, units=units)
    return replace(image, levels=len(datasets))
