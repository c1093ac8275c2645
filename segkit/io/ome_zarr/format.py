"""OME-Zarr as a format; plain Zarr arrays and plates are read with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit.io.errors import NotAnImageError
from segkit.io.formats import Format
from segkit.io.ome_zarr.layout import zarr_layout
from segkit.io.ome_zarr.metadata import MARKS, is_zarr
from segkit.io.ome_zarr.plates import inside_plate
from segkit.io.ome_zarr.reading import open_zarr
from segkit.io.ome_zarr.writing import ZarrTarget, create_zarr, save_zarr

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from segkit.io.elsewhere.place import Node
    from segkit.io.formats import Entries
    from segkit.io.image import Image
    from segkit.io.options import OpenOptions
    from segkit.io.targets import Target

_METADATA = {"zarr.json", ".zgroup", ".zattrs", ".zmetadata"}
_ARRAY = ("zarr.json", ".zarray")


def _open(path: Node, options: OpenOptions) -> Image:
    if not is_zarr(path):
        raise NotAnImageError(path, "is a folder without Zarr metadata")
    series, level, missing = options.series, options.level, options.missing
    if options.well is not None:
        path = inside_plate(path, options.well)
    return open_zarr(
        path,
        key=options.key,
        series=series,
        level=level,
        missing=missing,
        axes=options.axes,
    )


def _reopen(path: Path) -> tuple[Image, Target]:
    image = open_zarr(path, missing="fill")
    return image, ZarrTarget(path, image)


def _ours(folder: Path, entries: Entries) -> Container[str]:
    """Return the names of metadata and of the levels of a pyramid."""
    levels = {
        name
        for name, inner in entries.items()
        if inner
        and name.isdecimal()
        and any((folder / name / file).is_file() for file in _ARRAY)
    }
    return levels | {name for name in _METADATA if not entries.get(name, True)}


OME_ZARR = Format(
    name="zarr",
    title="OME-Zarr",
    suffixes=(".zarr",),
    marks=MARKS,
    folder=True,
    elsewhere=True,
    open_options=frozenset({"key", "series", "level", "well", "missing"}),
    save_options=frozenset({"chunks", "labels", "levels", "downscale", "ome_version"}),
    library="zarr",
    open=_open,
    save=save_zarr,
    create=create_zarr,
    reopen=_reopen,
    layout=zarr_layout,
    ours=_ours,
)
