"""Open TIFF, BigTIFF, OME-TIFF and ImageJ stacks.

A stack whose voxels lie in one piece is memory-mapped; any other is read by its strips
or tiles.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.axes import by_number, letters_of, require_axes
from segkit.io.calibration import UNKNOWN_UNIT
from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    NotAnImageError,
    parsing,
)
from segkit.io.image import Image
from segkit.io.mapped import Mapped, require_length
from segkit.io.sources import exact
from segkit.io.tiff.chain import check_chain
from segkit.io.tiff.metadata import channels_of, named_by_number, spacing_of
from segkit.io.tiff.ome import axes_meant, require_fitting
from segkit.io.tiff.pages import TiffPages, chosen_series, files_of, parse

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile

    from segkit.io.options import OpenOptions

_SLIDES = {"svs", "ndpi", "scn", "bif", "philips", "avs", "qpi", "lsm"}
"""Kinds of which the first series is the image, and others show what it is of."""
_MIXED = {2, 6}
"""Photometric interpretations whose samples make a colour: RGB, YCbCr."""
_FIRST_INKS = 5
_GDAL_NODATA = 42113
_UNNAMED = "iq"
"""Letters of tifffile for pages one after the other, and for axes that nobody named."""


def open_tiff(path: Path, options: OpenOptions) -> Image:
    """Return the image of one series and pyramid level of a TIFF file.

    Values are as stored, also where the file says that 0 is white, or has a palette.

    Raises
    ------
    DamagedImageError
        If the chain of pages or the voxels end beyond the end of the file.
    ImageRequestError
        If there is no such series or level, or several series and none is chosen.
    """
    check_chain(path)
    with parsing(path, "its TIFF header"), parse(path) as tif:
        require_fitting(path, tif)
        _require_planes(path, tif)
        series = options.series
        if series is None:
            series = _only_series(path, tif)
        return _described(path, tif, series, options)


def _require_planes(path: Path, tif: tifffile.TiffFile) -> None:
    """Raise if an ImageJ stack has lost planes: it wrote one directory for all."""
    if not tif.is_imagej or len(tif.pages) > 1:
        return
    said = tif.imagej_metadata or {}
    first = tif.series[0]
    planes = int(np.prod(first.shape)) // max(int(np.prod(first.keyframe.shape)), 1)
    by_axes = [int(said.get(name, 1)) for name in ("frames", "slices", "channels")]
    inks = first.keyframe.shaped[0] * first.keyframe.shaped[4]
    stated = max(int(np.prod(by_axes)) // inks, int(said.get("images", 1)))
    if planes < stated and planes * inks < stated:
        raise DamagedImageError(
            path,
            f"is cut short: it states {stated} planes of {first.keyframe.shape} and"
            f" holds {planes}; copy or write it again",
        )


def _only_series(path: Path, tif: tifffile.TiffFile) -> int:
    """Return the number of the one series that is no thumbnail; ask if several are."""
    found = list(enumerate(tif.series))
    if any(getattr(tif, f"is_{kind}", False) for kind in _SLIDES):
        found = found[:1]
    full = [number for number, one in found if not one.keyframe.is_reduced]
    if len(full) <= 1:
        return full[0] if full else 0
    kinds = [f"{k}: {tif.series[k].shape} {tif.series[k].dtype}" for k in full[:12]]
    raise ImageRequestError(
        path,
        f"holds {len(full)} series ({'; '.join(kinds)}{' ...' if full[12:] else ''});"
        " choose one by series=",
    )


def _described(
    path: Path, tif: tifffile.TiffFile, series: int, options: OpenOptions
) -> Image:
    chosen = chosen_series(path, tif, series, options.level)
    axes, shape, stated = _axes_and_shape(tif, chosen, series, options.level)
    stated = stated and not named_by_number(tif, series)
    if options.axes is not None:
        axes, stated = options.axes, True
    require_axes(str(path), axes, shape)
    spacing, units = spacing_of(tif, series, axes)
    base = tif.series[series]
    if options.level:
        zoom = [b / n for b, n in zip(_shape(base, shape), shape, strict=True)]
        spacing = tuple(s * z for s, z in zip(spacing, zoom, strict=True))
    others = files_of(path, base)
    source = _source(path, chosen, shape, (series, options.level, others))
    stated = stated or ("z", UNKNOWN_UNIT, 1.0) not in zip(
        axes, units, spacing, strict=True
    )
    said = chosen.keyframe.tags.get(_GDAL_NODATA)
    nodata = None if said is None else exact(said.value, np.dtype(chosen.dtype))
    image = Image(str(path), source, axes, spacing, units, len(base.levels), stated)
    return replace(image, nodata=nodata, channels=channels_of(tif, series, axes, shape))


def _shape(series: tifffile.TiffPageSeries, like: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a series with the axes of length 1 that another has."""
    found = [int(n) for n in series.shape]
    if len(found) == len(like):
        return tuple(found)
    longer = iter(n for n in found if n != 1)
    return tuple(1 if n == 1 else next(longer) for n in like)


def _axes_and_shape(
    tif: tifffile.TiffFile, series: tifffile.TiffPageSeries, number: int, level: int
) -> tuple[str, tuple[int, ...], bool]:
    """Return our letters for the axes, the length of each, and if the file says so."""
    shape = tuple(int(n) for n in series.shape)
    meant, named = axes_meant(tif)
    if meant is not None:
        whole = dict(
            zip(*_with_axes_of_length_1(tif, series, number, level), strict=True)
        )
        kept = {name: int(n) for name, n in whole.items() if name in meant}
        if "".join(kept) == meant and np.prod([*kept.values()]) == np.prod(shape):
            return meant, tuple(kept.values()), named
    letters = _letters(series)
    return letters, shape, len({*series.axes.lower()} - {*letters, "s"}) == 0


def _with_axes_of_length_1(
    tif: tifffile.TiffFile, series: Any, number: int, level: int
) -> tuple[str, tuple[int, ...]]:
    """Return all axes that a series has in its file, in small letters, and lengths."""
    if hasattr(series, "get_axes"):  # tifffile before 2026.5.2
        return series.get_axes(False).lower(), series.get_shape(False)
    every: Any = tif.series
    whole = every(squeeze=False)[number].levels[level]
    return whole.axes.lower(), whole.shape


def _letters(series: tifffile.TiffPageSeries) -> str:
    """Return the letters that the file states; unnamed axes are told by their number.

    A plain stack of pages is taken as planes along z.
    """
    axes = str(series.axes).lower()
    if set("yx") <= set(axes) <= set("yxs" + _UNNAMED):
        names = iter(by_number(sum(name in _UNNAMED for name in axes) + 2))
        axes = "".join(next(names) if name in _UNNAMED else name for name in axes)
    if _is_ink(series.keyframe) and "c" not in axes:
        axes = axes.replace("s", "c")
    return letters_of(axes)


def _is_ink(keyframe: tifffile.TiffPage) -> bool:
    """Say whether samples are of another kind than red, green, blue."""
    kind = int(keyframe.photometric)
    return kind >= _FIRST_INKS and kind not in _MIXED


def _source(
    path: Path,
    chosen: tifffile.TiffPageSeries,
    shape: tuple[int, ...],
    which: tuple[int, int, tuple[str, ...]],
) -> Mapped | TiffPages:
    """Return where voxels come from; `which` is series, level and other files."""
    keyframe = chosen.keyframe
    if np.dtype(chosen.dtype).kind not in "biufc":
        raise NotAnImageError(path, f"holds voxels of type {chosen.dtype}")
    dtype = np.dtype(chosen.dtype)
    if not which[-1] and chosen.dataoffset is not None and keyframe.is_memmappable:
        stored = dtype.newbyteorder(keyframe.parent.byteorder)
        require_length(path, chosen.dataoffset + chosen.nbytes)
        return Mapped(path, stored, shape, chosen.dataoffset)
    if keyframe.shaped[1] != 1:
        raise NotAnImageError(path, "is a TIFF of volumetric tiles; convert it first")
    return TiffPages(path, dtype, shape, *which)
