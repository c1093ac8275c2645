"""The npy format: memory-mapped reading, and preparing a file for many writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.described import described
from segkit.io.errors import NotAnImageError, parsing
from segkit.io.formats import Format
from segkit.io.mapped import Mapped, MappedTarget, require_length, reserve
from segkit.io.options import OpenOptions, SaveOptions
from segkit.io.writing import copy_into

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.image import Image
    from segkit.io.targets import Target

MAGIC = b"\x93NUMPY"


def open_npy(path: Path, options: OpenOptions) -> Image:
    """Return the image of an npy file, memory-mapped.

    Raises
    ------
    DamagedImageError
        If the file is shorter than its header says.
    NotAnImageError
        If it holds objects, text or records.
    """
    shape, dtype, fortran, offset = _header(path)
    if dtype.kind not in "biufc" or dtype.hasobject:
        raise NotAnImageError(path, f"holds {dtype}, not numbers")
    require_length(path, offset + dtype.itemsize * int(np.prod(shape, dtype=object)))
    order = "F" if fortran else "C"
    source = Mapped(path, dtype, shape, offset, order)
    return described(str(path), source, axes=options.axes)


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    with path.open("rb") as file:
        with parsing(path, "its header"):
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read(file)
        return shape, dtype, fortran, file.tell()


def create_npy(path: Path, image: Image, options: SaveOptions) -> None:  # noqa: ARG001 (all formats')
    """Write an npy file of zeros, with its blocks reserved on the disk."""
    header = {
        "descr": np.lib.format.dtype_to_descr(image.dtype),
        "fortran_order": False,
        "shape": image.shape,
    }
    with path.open("xb") as file:
        np.lib.format.write_array_header_2_0(file, header)
        reserve(file, image.nbytes)


def _reopen(path: Path) -> tuple[Image, Target]:
    image = open_npy(path, OpenOptions())
    return image, MappedTarget(image)


def _save(path: Path, image: Image, options: SaveOptions) -> None:
    create_npy(path, image, options)
    copy_into(path, image)


NPY = Format(
    name="npy",
    title="npy",
    suffixes=(".npy",),
    magic=(MAGIC,),
    unstated=frozenset({"axes", "spacing", "channels"}),
    open=open_npy,
    save=_save,
    create=create_npy,
    reopen=_reopen,
)
