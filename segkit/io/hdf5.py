"""HDF5 datasets, by box. Reading only by many processes; writing by one (save)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    NotAnImageError,
    missing_extra,
    parsing,
)
from segkit.io.formats import Format
from segkit.io.image import MICROMETER, Image, described
from segkit.names import known_as

if TYPE_CHECKING:
    from pathlib import Path

    from segkit.io.options import OpenOptions, SaveOptions

MAGIC = b"\x89HDF\r\n\x1a\n"
HDF5_SUFFIXES = (".h5", ".hdf5")
_SPACING_ATTRIBUTES = ("element_size_um", "spacing")


def open_hdf5(path: Path, options: OpenOptions) -> Image:
    """Return one dataset of an HDF5 file as an image.

    Parameters
    ----------
    path : Path
        The file.
    options : OpenOptions
        The key is the dataset's; it may be left out when the file holds one only.

    Raises
    ------
    ImageRequestError
        If the dataset is not there or must be chosen; the message lists them.
    """
    with parsing(path, "HDF5"), _open(path) as file:
        dataset = file[_dataset_name(path, file, options.key)]
        if dataset.dtype.kind not in "biufc":
            raise NotAnImageError(path, f"{dataset.name} holds {dataset.dtype}")
        source = Hdf5Dataset(path, dataset.name, dataset.dtype, dataset.shape)
        names = options.axes or _text(dataset.attrs.get("axes"))
        spacing = next(
            (
                [float(step) for step in np.ravel(dataset.attrs[name])]
                for name in _SPACING_ATTRIBUTES
                if name in dataset.attrs
            ),
            None,
        )
        units: Any = None if spacing is None else MICROMETER
        if "units" in dataset.attrs:
            units = [str(_text(unit)) for unit in dataset.attrs["units"]]
    return described(
        f"{path}::{source.key}", source, axes=names, spacing=spacing, units=units
    )


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise missing_extra(path, "h5py", "hdf5") from error
    try:
        return h5py.File(path, "r")
    except PermissionError:
        raise
    except OSError as error:
        raise DamagedImageError(
            path, f"cannot be read as HDF5: {error}; copy or write it again"
        ) from error


def _dataset_names(file: Any) -> list[str]:
    import h5py

    names: list[str] = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            names.append(name)

    file.visititems(note)
    return names


def _dataset_name(path: Path, file: Any, key: str | None) -> str:
    names = _dataset_names(file)
    if key is not None:
        if key.strip("/") not in names:
            raise ImageRequestError(path, f"has no dataset {key!r}, only {names}")
        return key.strip("/")
    if len(names) != 1:
        raise ImageRequestError(
            path,
            f"holds {len(names)} datasets {names}; choose one by key= or by"
            f" '{path.name}::{names[0] if names else 'dataset'}'",
        )
    return names[0]


@known_as("segkit.names")
@dataclass(slots=True)
class Hdf5Dataset:
    """The voxels of a dataset in a file opened once per process."""

    path: Path
    key: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    _lock: Lock = field(default_factory=Lock, repr=False)
    _opened: tuple[int, Any] | None = field(default=None, repr=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.path, self.key, self.dtype, self.shape)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.path, self.key, self.dtype, self.shape = state
        self._lock = Lock()
        self._opened = None

    def read(self, box: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        """Return the voxels of the box."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), _open(self.path))
            with parsing(self.path, f"dataset {self.key} at {box}"):
                voxels = self._opened[1][self.key][box]
        return np.asarray(voxels)


def require_only(path: Path, key: str) -> None:
    """Raise if replacing a file would lose other datasets than the one that is meant.

    Raises
    ------
    FileExistsError
        If it holds others.
    """
    try:
        with parsing(path, "HDF5"), _open(path) as file:
            others = [name for name in _dataset_names(file) if name != _given(key)]
    except (FileNotFoundError, DamagedImageError):
        return  # nothing, or no HDF5, whatever its name
    if others:
        raise FileExistsError(
            f"{path}: holds the dataset {others[0]!r} besides, which would be lost;"
            " choose another file, or remove it yourself"
        )


def _given(key: str) -> str:
    return (key or "image").strip("/")


def save_hdf5(path: Path, image: Image, options: SaveOptions) -> None:
    """Write a whole image as the only dataset of a new file, by default ``image``."""
    voxels = image.read()
    try:
        import h5py
    except ImportError as error:
        raise missing_extra(path, "h5py", "hdf5") from error
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(_given(options.key), data=voxels)
        dataset.attrs["axes"] = image.axes
        dataset.attrs["spacing"] = image.spacing
        dataset.attrs["units"] = list(image.units)


HDF5 = Format(
    name="hdf5",
    title="HDF5",
    suffixes=HDF5_SUFFIXES,
    magic=(MAGIC,),
    open_options=frozenset({"key"}),
    save_options=frozenset({"key"}),
    open=open_hdf5,
    save=save_hdf5,
    no_boxes="HDF5 is corrupted by several writers; create .zarr, .tif or .npy, or save"
    " the whole array at once by segkit.save",
    require_replaceable=require_only,
)
