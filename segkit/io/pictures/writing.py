"""Write a picture: pixels that its format holds without loss."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.errors import ImageRequestError
from segkit.io.pictures.png import encoded_png
from segkit.io.targets import fitted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.image import Image
    from segkit.io.options import SaveOptions

GREY = 2
"""How many axes a picture has; one in colour has one more."""
LOSSY = (".jpg", ".jpeg")
"""Suffixes of formats that mix neighbouring values."""
_FEW = 16
"""Grey values of which no picture of a camera has so few."""
_SAMPLES = {
    ".png": (2, 3, 4),
    ".jpg": (3,),
    ".jpeg": (3,),
    ".bmp": (3,),
    ".webp": (3,),
}
"""How many each format holds and gives back; grey is no sample."""
_HOLDS_GREY = {suffix: suffix != ".webp" for suffix in _SAMPLES}


def save_picture(path: Path, image: Image, options: SaveOptions) -> None:
    """Write one plane.

    Raises
    ------
    ImageRequestError
        If it is none, or the format cannot hold it, or would change a mask or labels.
    """
    if image.ndim != GREY + image.axes.endswith("s") or image.axes[:GREY] != "yx":
        raise ImageRequestError(
            path,
            f"a picture cannot hold shape {image.shape} (axes {image.axes!r}); save a"
            " volume as .tif, .zarr or a folder",
        )
    path.write_bytes(encoded(path, image.read(), labels=options.labels))


def encoded(path: Path, array: NDArray[Any], *, labels: bool = False) -> bytes:
    """Return the bytes of a picture file."""
    suffix = path.suffix.lower()
    pixels = picture_pixels(path, array, labels=labels)
    if suffix == ".png":
        return encoded_png(pixels)
    from PIL import Image as Pillow

    stream = BytesIO()
    options: dict[str, Any] = {}
    if suffix == ".webp":  # else it changes what it stores, also where nothing is seen
        options = {"lossless": True, "exact": True}
    kind = Pillow.registered_extensions()[suffix]
    try:
        Pillow.fromarray(pixels).save(stream, format=kind, **options)
    except (OSError, ValueError) as error:  # such as too many pixels in a row
        raise ImageRequestError(
            path,
            f"{suffix} cannot hold shape {pixels.shape}: {error}; save .png or .tif",
        ) from error
    return stream.getvalue()


def picture_pixels(
    path: Path, array: NDArray[Any], *, labels: bool = False
) -> NDArray[Any]:
    """Return pixels as a picture file holds them: uint8 or uint16.

    Raises
    ------
    ImageRequestError
        If values would be lost: floats, integers beyond the format's range, masks and
        labels where neighbouring values are mixed, samples that it has no place for.
    """
    suffix = path.suffix.lower()
    if suffix in LOSSY:
        _require_no_objects(path, array, labels=labels)
    if array.ndim > GREY or not _HOLDS_GREY[suffix]:
        samples = array.shape[GREY:] or (1,)
        if samples[0] not in _SAMPLES[suffix]:
            raise ImageRequestError(
                path,
                f"a picture in {suffix} has no place for {samples[0]} samples; save"
                " .png or .tif",
            )
    if array.size == 0:
        raise ImageRequestError(path, f"a picture cannot be empty: {array.shape}")
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iu":
        raise ImageRequestError(
            path, f"a picture cannot hold {array.dtype}; scale to uint8, or save .tif"
        )
    if array.dtype == np.uint8:
        return array
    deepest = np.uint16 if suffix == ".png" else np.uint8
    return fitted(str(path), array, np.dtype(deepest))


def _require_no_objects(path: Path, array: NDArray[Any], *, labels: bool) -> None:
    """Raise for a mask or labels, which JPEG turns into others along every edge."""
    kind = "labels" if labels else ""
    if array.dtype == bool:
        kind = "a mask"
    elif array.dtype != np.uint8:
        kind = f"{array.dtype}"
    elif array.ndim == GREY and 1 < (count := _count_values(array)) <= _FEW:
        kind = f"a mask or classes ({count} values)"
    if kind:
        raise ImageRequestError(
            path, f"this format loses details of {kind}; save .png or .tif"
        )


def _count_values(array: NDArray[Any]) -> int:
    return int(np.count_nonzero(np.bincount(array.ravel(), minlength=256)))
