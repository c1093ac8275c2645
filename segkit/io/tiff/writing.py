"""Write TIFF and OME-TIFF: whole arrays, or a prepared file for many writers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from segkit.io.arranged.channels import CHANNELS
from segkit.io.axes import BY_NUMBER, is_nameless
from segkit.io.calibration import MICROMETER, SPATIAL, UNKNOWN_UNIT, unit_symbol
from segkit.io.errors import ImageRequestError
from segkit.io.mapped import reserve
from segkit.io.tiff.ome import annotated
from segkit.io.writing import copy_into

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.image import Image
    from segkit.io.options import Compression, SaveOptions

_RGB = (3, 4)
_OME_STEPS = {name: f"PhysicalSize{name.upper()}" for name in SPATIAL} | {
    "t": "TimeIncrement"
}
_NO_XML = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LARGEST = 8  # bytes of a number
_TILE = 256


def save_tiff(path: Path, image: Image, options: SaveOptions, *, ome: bool) -> None:
    """Write a whole image: in one piece, unless it is compressed or of booleans."""
    if options.compression is not None or image.dtype == bool:
        _write_whole(path, image, ome=ome, compression=options.compression)
    else:
        create_tiff(path, image, options, ome=ome)
        copy_into(path, image)


def create_tiff(
    path: Path,
    image: Image,
    options: SaveOptions,  # noqa: ARG001 (all formats')
    *,
    ome: bool,
) -> None:
    """Write an uncompressed file of zeros in one piece (BigTIFF beyond 4 GB).

    Raises
    ------
    ImageRequestError
        For booleans (eight voxels share a byte) and axes of length 0.
    """
    if image.dtype == bool:
        raise ImageRequestError(
            path, "a TIFF of booleans cannot be written by box; create it as uint8"
        )
    import tifffile

    tifffile.imwrite(
        path, shape=image.shape, dtype=image.dtype, **_arguments(path, image, ome)
    )
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(0)
        reserve(file, size)


def _write_whole(
    path: Path, image: Image, *, ome: bool, compression: Compression | None
) -> None:
    """Write all voxels at once; booleans take one bit each."""
    import tifffile

    voxels = image.read()
    arguments = _arguments(path, image, ome)
    if compression is not None:
        arguments["compression"] = compression
        # Tiles, so that a box can be read without decoding whole planes.
        if image.ndim > 1 and image.axes[-1] == "x" and min(image.shape[-2:]) > _TILE:
            arguments["tile"] = (_TILE, _TILE)
    tifffile.imwrite(path, voxels, **arguments)


def _arguments(path: Path, image: Image, ome: bool) -> dict[str, Any]:
    """Return what tifffile is told of an image."""
    _require_planes(path, image)
    arguments: dict[str, Any] = {
        "photometric": "minisblack",
        "ome": ome,
        "metadata": _ome(path, image) if ome else _own(image),
    }
    # Samples of one bit come back as others: booleans are written as planes.
    if image.axes.endswith("s") and image.shape[-1] in _RGB and image.dtype != bool:
        arguments.update(photometric="rgb", planarconfig="contig")
    steps = dict(zip(image.axes, image.spacing, strict=True))
    units = dict(zip(image.axes, image.units, strict=True))
    if all(units.get(name) == MICROMETER for name in "yx"):
        arguments["resolution"] = (1e4 / steps["x"], 1e4 / steps["y"])
        arguments["resolutionunit"] = "CENTIMETER"
    return arguments


def _require_planes(path: Path, image: Image) -> None:
    """Raise `ImageRequestError` unless TIFF can hold the type, shape and axes."""
    if image.dtype.kind not in "biuf" or image.dtype.itemsize > _LARGEST:
        raise ImageRequestError(
            path, f"TIFF cannot hold {image.dtype}; convert to float64"
        )
    if 0 in image.shape:
        raise ImageRequestError(path, f"TIFF cannot hold the empty shape {image.shape}")
    if image.ndim < 2:
        raise ImageRequestError(
            path, "TIFF holds planes, not one axis; save .npy, or array[None]"
        )
    if not image.axes.rstrip("s").endswith("x"):
        raise ImageRequestError(path, f"TIFF wants axes that end in x: {image.axes!r}")


def _own(image: Image) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": image.axes.upper()}
    if is_nameless(image):
        metadata[BY_NUMBER] = True
    if any(unit != UNKNOWN_UNIT for unit in image.units) or set(image.spacing) != {1.0}:
        metadata["spacing"] = list(image.spacing)
        metadata["units"] = list(image.units)
    if any(image.channels):
        metadata[CHANNELS] = list(image.channels)
    return metadata


def _ome(path: Path, image: Image) -> dict[str, Any]:
    if image.dtype.kind in "iu" and image.dtype.itemsize == 8:
        raise ImageRequestError(
            path, f"OME-TIFF cannot hold {image.dtype}; convert, or save a plain .tif"
        )
    if image.dtype == "float16":
        raise ImageRequestError(
            path,
            "OME-TIFF cannot hold float16; convert to float32, or save a plain .tif",
        )
    _require_ome_axes(path, image)
    metadata: dict[str, Any] = {"axes": image.axes.upper()}
    for name, step, unit in zip(image.axes, image.spacing, image.units, strict=True):
        if unit == UNKNOWN_UNIT and step == 1:
            continue
        if name not in _OME_STEPS:
            raise ImageRequestError(
                path,
                f"OME-TIFF cannot hold the spacing {step:g} {unit} along {name!r}; give"
                " spacing= of space only, or save a plain .tif",
            )
        metadata[_OME_STEPS[name]] = step
        metadata[f"{_OME_STEPS[name]}Unit"] = unit_symbol(unit)
    if any(map(_NO_XML.search, image.channels)):
        raise ImageRequestError(
            path,
            f"OME-TIFF cannot hold the names of channels {[*image.channels]}: XML has"
            " no such characters; rename them, or save a plain .tif",
        )
    if any(image.channels):
        metadata["Channel"] = {"Name": list(image.channels)}
    return metadata | annotated(image.axes, named=not is_nameless(image))


def _require_ome_axes(path: Path, image: Image) -> None:
    order = [name for name in image.axes if name in "tczyx"]
    colours = image.shape[-1] in _RGB and image.dtype != bool
    colours = colours or not image.axes.endswith("s")
    if "".join(order) != image.axes.removesuffix("s") or not colours:
        raise ImageRequestError(
            path,
            f"OME-TIFF cannot hold axes {image.axes!r} of shape {image.shape}, only"
            " some of 'tczyx', and 3 or 4 samples as last axis; save a plain .tif",
        )
    if not "".join(order).endswith("yx"):
        raise ImageRequestError(
            path, f"OME-TIFF wants axes that end in yx: {image.axes!r}; save a .tif"
        )
