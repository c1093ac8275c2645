"""Images and tables on disk: opened lazily, read by box, written by many workers."""

from segkit.io.errors import (
    ColourError,
    DamagedImageError,
    ImageError,
    ImageRequestError,
    MisalignedWriteError,
    MissingExtraError,
    NotAnImageError,
    UnfinishedImageError,
)
from segkit.io.image import Image, as_image
from segkit.io.opening import open_image
from segkit.io.plates import Plate, open_plate
from segkit.io.saving import save
from segkit.io.tables import save_table
from segkit.io.writing import ImageWriter, create_image, open_writer

__all__ = [
    "ColourError",
    "DamagedImageError",
    "Image",
    "ImageError",
    "ImageRequestError",
    "ImageWriter",
    "MisalignedWriteError",
    "MissingExtraError",
    "NotAnImageError",
    "Plate",
    "UnfinishedImageError",
    "as_image",
    "create_image",
    "open_image",
    "open_plate",
    "open_writer",
    "save",
    "save_table",
]
