"""Write TIFF and OME-TIFF: whole arrays, or a prepared file for many writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from segkit.io.errors import ImageRequestError
from segkit.io.image import SPATIAL, UNKNOWN_UNIT
from segkit.io.npy import reserve
from segkit.io.tiff.metadata import MICROMETER, unit_symbol

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.image import Image

Compression = Literal["zlib", "zstd", "lzw"]
_RGB = (3, 4)
_LARGEST = 8  # bytes of a number


def create_tiff(path: Path, image: Image, *, ome: bool) -> None:
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
        path, shape=image.shape, dtype=image.dtype, **_options(path, image, ome)
    )
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(0)
        reserve(file, size)


def write_tiff(
    path: Path,
    array: NDArray[Any],
    image: Image,
    *,
    ome: bool,
    compression: Compression | None,
) -> None:
    """Write a whole array; booleans take one bit each."""
    import tifffile

    options = _options(path, image, ome)
    if compression is not None:
        options["compression"] = compression
        # Tiles, so that a box can be read without decoding whole planes.
        if image.ndim > 1 and image.axes[-1] == "x" and min(array.shape[-2:]) > _TILE:
            options["tile"] = (_TILE, _TILE)
    tifffile.imwrite(path, array, **options)


_TILE = 256


def _options(path: Path, image: Image, ome: bool) -> dict[str, Any]:
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
    colour = image.axes.endswith("s")
    options: dict[str, Any] = {
        "photometric": "rgb" if colour and image.shape[-1] in _RGB else "minisblack",
        "ome": ome,
        "metadata": _ome(path, image) if ome else _own(image),
    }
    if colour and image.shape[-1] in _RGB:
        options["planarconfig"] = "contig"
    by_name = dict(
        zip(image.axes, zip(image.spacing, image.units, strict=True), strict=True)
    )
    if all(by_name.get(name, (1, ""))[1] == MICROMETER for name in "yx"):
        options["resolution"] = (1e4 / by_name["x"][0], 1e4 / by_name["y"][0])
        options["resolutionunit"] = "CENTIMETER"
    return options


def _own(image: Image) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": image.axes.upper()}
    if any(unit != UNKNOWN_UNIT for unit in image.units) or set(image.spacing) != {1.0}:
        metadata["spacing"] = list(image.spacing)
        metadata["units"] = list(image.units)
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
    metadata: dict[str, Any] = {"axes": image.axes.upper()}
    for name, step, unit in zip(image.axes, image.spacing, image.units, strict=True):
        if name in SPATIAL and (unit != UNKNOWN_UNIT or step != 1):
            metadata[f"PhysicalSize{name.upper()}"] = step
            metadata[f"PhysicalSize{name.upper()}Unit"] = unit_symbol(unit)
    return metadata
