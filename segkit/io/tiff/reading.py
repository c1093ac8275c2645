"""Open TIFF, BigTIFF, OME-TIFF and ImageJ stacks.

A stack whose voxels lie in one piece is memory-mapped; any other is read by its strips
or tiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segkit.io.errors import NotAnImageError, parsing
from segkit.io.image import AXES_BY_DIMENSION, Image, complete_spacing
from segkit.io.mapped import Mapped, require_length
from segkit.io.tiff.chain import check_chain
from segkit.io.tiff.metadata import physical
from segkit.io.tiff.pages import TiffPages, chosen_series, parse

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile

    from segkit.io.options import OpenOptions


def open_tiff(path: Path, options: OpenOptions) -> Image:
    """Return the image of one series and pyramid level of a TIFF file.

    Values are as stored, also where the file says that 0 is white, or has a palette.

    Raises
    ------
    DamagedImageError
        If the chain of pages or the voxels end beyond the end of the file.
    ImageRequestError
        If there is no such series or level.
    """
    check_chain(path)
    with parsing(path, "its TIFF header"), parse(path) as tif:
        return _described(path, tif, options.series, options.level)


def _described(path: Path, tif: tifffile.TiffFile, series: int, level: int) -> Image:
    chosen = chosen_series(path, tif, series, level)
    axes = _axes(chosen)
    spacing, units = physical(tif, series, axes)
    base = tif.series[series]
    if level:
        zoom = [b / n for b, n in zip(base.shape, chosen.shape, strict=True)]
        spacing = tuple(s * z for s, z in zip(spacing, zoom, strict=True))
    source = _source(path, chosen, series, level)
    spacing = complete_spacing(str(path), axes, spacing)
    return Image(str(path), source, axes, spacing, units, len(base.levels))


def _axes(series: tifffile.TiffPageSeries) -> str:
    """Return our letters for the axes of a series."""
    axes = str(series.axes).lower()
    # A plain stack of pages is taken as planes along z; unnamed axes by their number.
    names = axes.translate(str.maketrans("iq", "zz"))
    known = set("tczyxs")
    if len(set(names)) == len(names) and set(names) <= known:
        return names
    tail = "s" if axes.endswith("s") else ""
    count = len(axes) - len(tail)
    if count < len(AXES_BY_DIMENSION):
        return AXES_BY_DIMENSION[count] + tail
    return "abdefg"[: count - 5] + AXES_BY_DIMENSION[5] + tail


def _source(
    path: Path, chosen: tifffile.TiffPageSeries, series: int, level: int
) -> Mapped | TiffPages:
    keyframe = chosen.keyframe
    if np.dtype(chosen.dtype).kind not in "biufc":
        raise NotAnImageError(path, f"holds voxels of type {chosen.dtype}")
    dtype = np.dtype(chosen.dtype)
    shape = tuple(int(n) for n in chosen.shape)
    if chosen.dataoffset is not None and keyframe.is_memmappable:
        stored = dtype.newbyteorder(keyframe.parent.byteorder)
        require_length(path, chosen.dataoffset + chosen.nbytes)
        return Mapped(path, stored, shape, chosen.dataoffset)
    if keyframe.shaped[1] != 1:
        raise NotAnImageError(path, "is a TIFF of volumetric tiles; convert it first")
    return TiffPages(path, dtype, shape, series, level)
