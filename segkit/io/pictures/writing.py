"""Write a picture: pixels that its format holds without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.errors import ImageRequestError
from segkit.io.targets import fitted

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.image import Image
    from segkit.io.options import SaveOptions

GREY = 2
"""How many axes a picture has; one in colour has one more."""


def save_picture(path: Path, image: Image, options: SaveOptions) -> None:  # noqa: ARG001 (all formats')
    """Write one plane."""
    if image.ndim != GREY + image.axes.endswith("s"):
        raise ImageRequestError(
            path,
            f"a picture cannot hold shape {image.shape}; save a volume as .tif, .zarr"
            " or a folder",
        )
    path.write_bytes(encoded(path, image.read()))


def encoded(path: Path, array: NDArray[Any]) -> bytes:
    """Return the bytes of a picture file; imageio prints what fails at its files."""
    import imageio.v3

    pixels = picture_pixels(path, array)
    found: bytes = imageio.v3.imwrite("<bytes>", pixels, extension=path.suffix.lower())
    return found


def picture_pixels(path: Path, array: NDArray[Any]) -> NDArray[Any]:
    """Return pixels as a picture file holds them: uint8 or uint16.

    Raises
    ------
    ImageRequestError
        If values would be lost: floats, or integers beyond the format's range.
    """
    lossy = path.suffix.lower() in (".jpg", ".jpeg", ".webp")
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind not in "iu":
        raise ImageRequestError(
            path, f"a picture cannot hold {array.dtype}; scale to uint8, or save .tif"
        )
    if lossy and array.dtype != np.uint8:
        raise ImageRequestError(
            path, f"this format loses details of {array.dtype}; save .png or .tif"
        )
    if array.dtype == np.uint8:
        return array
    if array.ndim > GREY or path.suffix.lower() != ".png":
        return fitted(str(path), array, np.dtype(np.uint8))
    return fitted(str(path), array, np.dtype(np.uint16))
