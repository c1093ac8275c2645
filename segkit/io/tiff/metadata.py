"""Physical spacing in TIFF files: OME-XML, ImageJ, our own, microscopes', or tags."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from segkit.io.arranged.channels import CHANNELS, stated_names
from segkit.io.axes import BY_NUMBER
from segkit.io.calibration import (
    MICROMETER,
    UNKNOWN_UNIT,
    doubt_length,
    physical,
    unit_name,
    usable,
)
from segkit.io.tiff.ome import channels_by_ome, stated_by_ome
from segkit.io.tiff.vendors import stated_by_vendor

if TYPE_CHECKING:
    import tifffile

    from segkit.io.calibration import Physical

    Stated = dict[str, tuple[Any, str | None]]

_INCHES, _CENTIMETERS = 2, 3
_PLACE = re.compile(r"^([czt]:\d+/\d+[\s;,-]*)+")
"""What ImageJ writes before the label of a plane: where it is."""


def spacing_of(tif: tifffile.TiffFile, series: int, axes: str) -> Physical:
    """Return spacing and units per axis, 1 and 'pixel' where the file is silent."""
    stated = (
        stated_by_ome(tif, series)
        or _from_imagej(tif)
        or _from_own(tif, series)
        or stated_by_vendor(tif)
        or _from_tags(tif)
    )
    return physical(axes, stated)


def _from_imagej(tif: tifffile.TiffFile) -> Stated:
    """Return what ImageJ shows, also where it counts in pixels; a depth has no sign."""
    if not tif.is_imagej:
        return {}
    metadata: dict[str, Any] = tif.imagej_metadata or {}
    unit, tag = unit_name(metadata.get("unit")), _resolution_unit(tif)
    said = metadata.get("spacing")
    steps, depth = _resolution(tif), _absolute(said)
    if unit == "inch" or (unit == UNKNOWN_UNIT and tag == _INCHES):
        # Inches are a printer's default; what holds is the depth beside the width.
        depth /= usable(steps.get("x")) or 1.0 if unit == "inch" else 1.0
        steps, unit = {}, UNKNOWN_UNIT
    elif unit == UNKNOWN_UNIT and tag == _CENTIMETERS:
        steps = {name: step * 1e4 for name, step in steps.items()}
        depth, unit = depth * 1e4, MICROMETER
    known = {**steps, **({} if said is None else {"z": depth})}
    return {name: (step, unit) for name, step in known.items()}


def channels_of(
    tif: tifffile.TiffFile, series: int, axes: str, shape: tuple[int, ...]
) -> tuple[str, ...]:
    """Return the names of the channels of a series; none if the file states none."""
    if "s" in axes:
        return ()  # one name for a colour
    count = shape[axes.index("c")] if "c" in axes else 1
    names = channels_by_ome(tif, series) or _labels_by_imagej(tif, count)
    if not names:
        names = _own(tif, series).get(CHANNELS, [])
    return stated_names(names, count)


def _labels_by_imagej(tif: tifffile.TiffFile, count: int) -> list[str | None]:
    """Return the labels of planes that are the same in each plane of a channel.

    Channels come fastest; labels that do not tell them apart are no names of theirs.
    """
    labels = (tif.imagej_metadata or {}).get("Labels") if tif.is_imagej else None
    if not isinstance(labels, (list, tuple)) or count < 2 or len(labels) % count:
        return []
    bare = [_PLACE.sub("", str(label or "")).strip() for label in labels]
    kinds = [{*bare[k::count]} for k in range(count)]
    names = [kind.pop() for kind in kinds if len(kind) == 1]
    return [*names] if len({*names}) == count else []


def _absolute(depth: Any) -> float:
    try:
        return abs(float(depth))
    except (TypeError, ValueError):
        return math.nan


def _from_own(tif: tifffile.TiffFile, series: int) -> Stated:
    """Return what `segkit.save` wrote into the description."""
    metadata = _own(tif, series)
    steps, units = metadata.get("spacing"), metadata.get("units")
    axes = str(metadata.get("axes", "")).lower()
    if steps and units and len(steps) == len(units) == len(axes):
        return dict(zip(axes, zip(steps, units, strict=True), strict=True))
    if isinstance(steps, list) and isinstance(units, list):
        doubt_length(axes, [*steps, *units])
    return {}


def _own(tif: tifffile.TiffFile, series: int) -> dict[str, Any]:
    """Return what the description of a series says as tifffile and we write it."""
    return next(iter((tif.shaped_metadata or ())[series : series + 1]), {})


def named_by_number(tif: tifffile.TiffFile, series: int) -> bool:
    """Return whether `segkit.save` was not told which axes these are."""
    return bool(_own(tif, series).get(BY_NUMBER))


def _from_tags(tif: tifffile.TiffFile) -> Stated:
    # Dots per inch are a printer's default, not a microscope's; centimetres are meant.
    if _resolution_unit(tif) != _CENTIMETERS:
        return {}
    return {name: (step * 1e4, MICROMETER) for name, step in _resolution(tif).items()}


def _resolution_unit(tif: tifffile.TiffFile) -> int | None:
    found: int | None = tif.pages.first.tags.valueof("ResolutionUnit")
    return found


def _resolution(tif: tifffile.TiffFile) -> dict[str, float]:
    """Return the length of a pixel in the file's own unit, by axis."""
    tags = tif.pages.first.tags
    found = {}
    for name in "xy":
        value = tags.valueof(f"{name.upper()}Resolution")
        if value and any(value):  # 0/0 stands for none
            found[name] = value[1] / value[0] if value[0] else math.inf
    return found
