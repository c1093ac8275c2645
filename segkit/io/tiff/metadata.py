"""Physical spacing in TIFF files: OME-XML, ImageJ, our own description, or tags."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from segkit.io.image import MICROMETER, SPATIAL, UNKNOWN_UNIT

if TYPE_CHECKING:
    import tifffile

_UNITS = {
    "µm": MICROMETER,
    "μm": MICROMETER,
    "um": MICROMETER,
    "micron": MICROMETER,
    "microns": MICROMETER,
    "\\u00B5m": MICROMETER,
    "nm": "nanometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "Å": "angstrom",
    "pm": "picometer",
}
_SYMBOLS = {
    MICROMETER: "µm",
    "nanometer": "nm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "angstrom": "Å",
    "picometer": "pm",
}
_RESOLUTION_IN_CENTIMETERS = 3

Physical = tuple[tuple[float, ...], tuple[str, ...]]


def unit_name(symbol: str | None) -> str:
    """Return the full name of a unit's symbol.

    Examples
    --------
    >>> unit_name("um"), unit_name("nm"), unit_name(None)
    ('micrometer', 'nanometer', 'pixel')
    """
    if not symbol:
        return UNKNOWN_UNIT
    return _UNITS.get(symbol, symbol)


def unit_symbol(name: str) -> str:
    """Return the symbol that OME-XML uses for a unit's name."""
    return _SYMBOLS.get(name, name)


def physical(tif: tifffile.TiffFile, series: int, axes: str) -> Physical:
    """Return spacing and units per axis, 1 and 'pixel' where the file is silent."""
    by_name = (
        _from_ome(tif, series) or _from_imagej(tif) or _from_own(tif) or _from_tags(tif)
    )
    steps = []
    units = []
    for name in axes:
        step, unit = by_name.get(name, (1.0, UNKNOWN_UNIT))
        usable = name in SPATIAL and step > 0 and math.isfinite(step)
        steps.append(step if usable else 1.0)
        units.append(unit if usable else UNKNOWN_UNIT)
    return tuple(steps), tuple(units)


ByName = dict[str, tuple[float, str]]


def _from_ome(tif: tifffile.TiffFile, series: int) -> ByName:
    if not tif.is_ome or not tif.ome_metadata:
        return {}
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(tif.ome_metadata)
    except ElementTree.ParseError:
        return {}
    pixels = root.findall(".//{*}Pixels")
    if series >= len(pixels):
        return {}
    found: ByName = {}
    for name in SPATIAL:
        size = pixels[series].get(f"PhysicalSize{name.upper()}")
        if size is not None:
            unit = pixels[series].get(f"PhysicalSize{name.upper()}Unit", "µm")
            found[name] = (float(size), unit_name(unit))
    return found


def _from_imagej(tif: tifffile.TiffFile) -> ByName:
    metadata: dict[str, Any] = tif.imagej_metadata or {}
    if not tif.is_imagej or metadata.get("unit") in (None, "", "pixel", "inch"):
        return {}
    unit = unit_name(str(metadata["unit"]))
    found = {name: (step, unit) for name, step in _resolution(tif).items()}
    if "spacing" in metadata:
        found["z"] = (float(metadata["spacing"]), unit)
    return found


def _from_own(tif: tifffile.TiffFile) -> ByName:
    """Return what `segkit.save` wrote into the description."""
    for metadata in tif.shaped_metadata or ():
        steps, units = metadata.get("spacing"), metadata.get("units")
        axes = str(metadata.get("axes", "")).lower()
        if steps and units and len(steps) == len(units) == len(axes):
            pairs = zip(axes, zip(map(float, steps), map(str, units), strict=True))  # noqa: B905
            return dict(pairs)
    return {}


def _from_tags(tif: tifffile.TiffFile) -> ByName:
    # Dots per inch are a printer's default, not a microscope's; centimetres are meant.
    if tif.pages.first.tags.valueof("ResolutionUnit") != _RESOLUTION_IN_CENTIMETERS:
        return {}
    return {name: (step * 1e4, MICROMETER) for name, step in _resolution(tif).items()}


def _resolution(tif: tifffile.TiffFile) -> dict[str, float]:
    """Return the length of a pixel in the file's own unit, by axis."""
    tags = tif.pages.first.tags
    found = {}
    for name in "xy":
        value = tags.valueof(f"{name.upper()}Resolution")
        if value and value[0] > 0 and value[1] > 0:
            found[name] = value[1] / value[0]
    return found
