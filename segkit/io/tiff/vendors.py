"""Sizes of pixels where programs of microscopes write them, as tifffile finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.calibration import MICROMETER, usable

if TYPE_CHECKING:
    from collections.abc import Callable

    import tifffile

    Stated = dict[str, tuple[Any, str | None]]


def stated_by_vendor(tif: tifffile.TiffFile) -> Stated:
    """Return step and unit by axis, nothing of files of no known program.

    These programs write 0 where they do not know.
    """
    for name, read in _READERS.items():
        known = f"is_{name}"  # of a file, tifffile says it of slides in tiles only
        if getattr(tif, known, False) or getattr(tif.pages.first, known, False):
            return {
                name: (step or None, unit) for name, (step, unit) in read(tif).items()
            }
    return {}


def _metaseries(tif: tifffile.TiffFile) -> Stated:
    """MetaMorph, MetaXpress: properties of the plane."""
    said = (tif.metaseries_metadata or {}).get("PlaneInfo", {})
    if not said.get("spatial-calibration-state", True):
        return {}
    unit = said.get("spatial-calibration-units")
    return _of("xy", lambda name: said.get(f"spatial-calibration-{name}"), unit)


def _stk(tif: tifffile.TiffFile) -> Stated:
    """MetaMorph stacks: tags of the first page, the distance of each plane."""
    said = tif.stk_metadata or {}
    unit = said.get("CalibrationUnits")
    found: Stated = {}
    if said.get("SpatialCalibration", 1):
        found = _of("xy", lambda name: said.get(f"{name.upper()}Calibration"), unit)
    steps = np.unique(np.abs(np.ravel(said.get("ZDistance", ()))[1:]))
    if len(steps) == 1:  # otherwise the planes lie unevenly
        found["z"] = (float(steps[0]), unit)
    return found


def _lsm(tif: tifffile.TiffFile) -> Stated:
    """Zeiss LSM: meters."""
    said = tif.lsm_metadata or {}
    found = _of_meters("zyx", lambda name: said.get(f"VoxelSize{name.upper()}"))
    found["t"] = (said.get("TimeIntervall"), "s")
    return found


def _svs(tif: tifffile.TiffFile) -> Stated:
    """Aperio slides: MPP, micrometers per pixel."""
    import tifffile

    said = tifffile.tifffile.svs_description_metadata(tif.pages.first.description)
    return _of("xy", lambda _: said.get("MPP"), "um")


def _micromanager(tif: tifffile.TiffFile) -> Stated:
    """Micro-Manager stacks: what is said of the first plane, else the summary."""
    first = tif.pages.first.tags.valueof(51123) or {}
    said = (tif.micromanager_metadata or {}).get("Summary") or {}
    step = first.get("PixelSizeUm") or said.get("PixelSize_um")
    found = _of("xy", lambda _: step, "um")
    found["z"] = (_absolute(said.get("z-step_um")), "um")
    return found


def _fei(tif: tifffile.TiffFile) -> Stated:
    """FEI and Thermo Fisher electron microscopes: meters."""
    said = (tif.fei_metadata or {}).get("Scan") or {}
    by_name = {"x": said.get("PixelWidth"), "y": said.get("PixelHeight")}
    return _of_meters("xy", by_name.get)


def _sem(tif: tifffile.TiffFile) -> Stated:
    """Zeiss electron microscopes: name, size, unit."""
    said = (tif.sem_metadata or {}).get("ap_image_pixel_size") or ("", None, None)
    return _of("xy", lambda _: said[1], said[2]) if len(said) > 2 else {}


def _sis(tif: tifffile.TiffFile) -> Stated:
    """Olympus: meters."""
    said = tif.sis_metadata or {}
    return _of_meters("xy", lambda name: said.get(f"pixelsize{name}"))


def _of(axes: str, step: Callable[[str], Any], unit: str | None) -> Stated:
    return {name: (step(name), unit) for name in axes}


def _of_meters(axes: str, step: Callable[[str], Any]) -> Stated:
    """Return steps in micrometers, without the last digits of a float."""
    found: Stated = {}
    for name in axes:
        meters = usable(step(name))
        found[name] = (
            float(f"{meters * 1e6:.12g}") if meters else step(name),
            MICROMETER,
        )
    return found


def _absolute(step: Any) -> Any:
    """Return the distance of a step, which is negative where the stage moved down."""
    try:
        return abs(float(step))
    except (TypeError, ValueError):
        return step


_READERS: dict[str, Callable[[tifffile.TiffFile], Stated]] = {
    "metaseries": _metaseries,
    "stk": _stk,
    "lsm": _lsm,
    "svs": _svs,
    "micromanager": _micromanager,
    "fei": _fei,
    "sem": _sem,
    "sis": _sis,
}
