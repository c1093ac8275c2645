"""The npy format: memory-mapped reading, and preparing a file for many writers."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from segkit.io.errors import DamagedImageError, NotAnImageError, parsing
from segkit.io.image import Image, described
from segkit.io.sources import Mapped

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x93NUMPY"


def open_npy(path: Path, *, axes: str | None = None) -> Image:
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
    size = path.stat().st_size
    end = offset + dtype.itemsize * int(np.prod(shape, dtype=object))
    if end > size:
        raise DamagedImageError(
            path,
            f"is cut short: its voxels end at byte {end}, the file at {size};"
            " copy or write it again",
        )
    order = "F" if fortran else "C"
    return described(str(path), Mapped(path, dtype, shape, offset, order), axes=axes)


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


def create_npy(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Write an npy file of zeros, with its blocks reserved on the disk."""
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    with path.open("xb") as file:
        np.lib.format.write_array_header_2_0(file, header)
        reserve(file, dtype.itemsize * int(np.prod(shape, dtype=object)))


def reserve(file: BinaryIO, count: int) -> None:
    """Append `count` zero bytes; a full disk is an error now, not a crash later.

    A sparse file that is memory-mapped kills its writer (SIGBUS) when the disk fills.
    """
    end = file.tell() + count
    file.flush()
    file.truncate(end)
    if count == 0:
        return
    try:
        os.posix_fallocate(file.fileno(), 0, end)
    except OSError as error:
        # Filesystems without reservation keep the sparse file.
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
