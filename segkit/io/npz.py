"""The npz format: arrays by name, each decoded whole."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.described import described
from segkit.io.errors import ImageRequestError, NotAnImageError, parsing
from segkit.io.formats import Format

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.lib.npyio import NpzFile

    from segkit.io.image import Image
    from segkit.io.options import OpenOptions, SaveOptions

MAGIC = b"PK\x03\x04"


def open_npz(path: Path, options: OpenOptions) -> Image:
    """Return one array of an npz file; its axes are told by their number, as of npy.

    Parameters
    ----------
    path : Path
        The file.
    options : OpenOptions
        The key is the array's; it may be left out when the file holds one only.

    Raises
    ------
    ImageRequestError
        If the array is not there or must be chosen; the message lists them.
    NotAnImageError
        If it is another zip file, or holds objects or text.
    """
    with parsing(path, "npz"), _opened(path) as arrays:
        key = _chosen(path, arrays.files, options.key)
        try:
            voxels: Any = arrays[key]
        except ValueError as error:  # objects, which could run anything
            raise NotAnImageError(path, f"{key} holds no numbers: {error}") from error
    if not isinstance(voxels, np.ndarray) or voxels.dtype.kind not in "biufc":
        raise NotAnImageError(path, f"{key} holds {getattr(voxels, 'dtype', 'bytes')}")
    return described(f"{path}::{key}", voxels, axes=options.axes)


@contextmanager
def _opened(path: Path) -> Iterator[NpzFile]:
    with np.load(path, allow_pickle=False) as arrays:
        if not any(name.endswith(".npy") for name in arrays.zip.namelist()):
            raise NotAnImageError(path, "is a zip file without arrays; unpack it first")
        yield arrays


def _chosen(path: Path, names: list[str], key: str | None) -> str:
    if key in names:
        return str(key)
    if key is not None:
        raise ImageRequestError(path, f"has no array {key!r}, only {names}")
    if len(names) != 1:
        raise ImageRequestError(
            path,
            f"holds {len(names)} arrays {names}; choose one by key= or by"
            f" '{path.name}::{names[0]}'",
        )
    return names[0]


def _require_only(path: Path, key: str) -> None:
    """Raise if replacing a file would lose other arrays than the one that is meant."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
    others = [name for name in names if name != (key or "image")]
    if others:
        raise FileExistsError(
            f"{path}: holds the array {others[0]!r} besides, which would be lost;"
            " choose another file, or remove it yourself"
        )


def _save(path: Path, image: Image, options: SaveOptions) -> None:
    """Write a whole image as the only array of a new file, by default ``image``."""
    with path.open("wb") as file:
        arrays: dict[str, Any] = {options.key or "image": image.read()}
        np.savez_compressed(file, **arrays)


NPZ = Format(
    name="npz",
    title="npz",
    suffixes=(".npz",),
    magic=(MAGIC,),
    open_options=frozenset({"key"}),
    save_options=frozenset({"key"}),
    unstated=frozenset({"axes", "spacing", "channels"}),
    open=open_npz,
    save=_save,
    no_boxes="npz cannot be written by box; create .zarr, .tif or .npy",
    require_replaceable=_require_only,
)
