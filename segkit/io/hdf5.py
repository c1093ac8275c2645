"""HDF5 datasets, by box. Reading only by many processes; writing by one (save)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.arranged.channels import CHANNELS, stated_names
from segkit.io.axes import BY_NUMBER, is_nameless, letters_of, require_axes
from segkit.io.calibration import MICROMETER, SPATIAL, doubt_length, physical
from segkit.io.described import described
from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    NotAnImageError,
    parsing,
)
from segkit.io.formats import Format
from segkit.io.mapped import FileMark
from segkit.io.sources import stated_nodata
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segkit.io.image import Image
    from segkit.io.options import OpenOptions, SaveOptions

MAGIC = b"\x89HDF\r\n\x1a\n"
HDF5_SUFFIXES = (".h5", ".hdf5")
_SPACING_ATTRIBUTES = ("element_size_um", "spacing")
_KINDS = {1: "channel", 2: "space", 8: "time"}
"""What vigra's flags of an axis mean, as OME-Zarr calls it."""


def open_hdf5(path: Path, options: OpenOptions) -> Image:
    """Return one dataset of an HDF5 file as an image.

    Axes are those of the attribute ``axistags`` (ilastik, vigra) or ``axes``, or the
    labels of the dimensions.

    Parameters
    ----------
    path : Path
        The file.
    options : OpenOptions
        The key is the dataset's, or a link's; it may be left out when the file holds
        one dataset only, or one with ``axistags``.

    Raises
    ------
    ImageRequestError
        If the dataset is not there or must be chosen; the message lists them. If the
        stated axes are not those of the dataset, and none are given.
    """
    with parsing(path, "HDF5"), _open(path) as file:
        name = _dataset_name(path, file, options.key)
        dataset = file[name]
        if dataset.dtype.kind not in "biufc":
            raise NotAnImageError(path, f"{dataset.name} holds {dataset.dtype}")
        others = _files_of(path, dataset)
        source = Hdf5Dataset(path, name, dataset.dtype, dataset.shape, others)
        attributes, where = dict(dataset.attrs), f"{path}::/{name}"
        labels = [_label(dimension) for dimension in dataset.dims]
        stated = stated_axes(attributes, labels)
    axes = options.axes or stated
    if axes is None and "axistags" in attributes:
        raise ImageRequestError(
            where, "has axistags that cannot be read; give axes=, one letter for each"
        )
    if axes is not None:
        require_axes(where, axes, source.shape)
    image = described(where, source, axes=axes)
    with parsing(path, "HDF5"):
        by_place = stated_steps(attributes, stated or image.axes, image.axes)
    spacing, units = physical(image.axes, by_place)
    named = image.stated and (options.axes or not attributes.get(BY_NUMBER))
    said = bool(named) or set(spacing) != {1.0}
    nodata = stated_nodata(attributes, image.dtype)
    count = image.shape[image.axes.index("c")] if "c" in image.axes else 1
    names = stated_names(_texts(attributes.get(CHANNELS)), count)
    known = replace(image, spacing=spacing, units=units, channels=names)
    return replace(known, stated=said, nodata=nodata)


def stated_axes(attributes: Mapping[str, Any], labels: Sequence[str]) -> str | None:
    """Return our letters for the axes that a dataset states; None if it states none.

    Parameters
    ----------
    attributes : mapping
        Of the dataset.
    labels : sequence of str
        Of its dimensions, empty where there is none.

    Examples
    --------
    >>> tags = '{"axes": [{"key": "z"}, {"key": "y"}, {"key": "x"}, {"key": "c"}]}'
    >>> stated_axes({"axistags": tags}, []), stated_axes({"axes": ["T", "Y", "X"]}, [])
    ('zyxc', 'tyx')
    """
    tags = _axistags(attributes)
    if tags or "axistags" in attributes:
        kinds = [_KINDS.get(tag.get("typeFlags", 0)) for tag in tags]
        return letters_of([str(tag.get("key", "")) for tag in tags], kinds) or None
    named = _texts(attributes.get("axes"))
    if len(named) == 1:  # one text of a letter for each axis
        named = list(named[0].strip())
    if not named and any(labels):
        named = list(labels)
    return letters_of(named) if named else None


def stated_steps(
    attributes: Mapping[str, Any], stated: str, axes: str
) -> dict[str, tuple[Any, str | None]]:
    """Return step and unit by axis, as attributes give them for the axes `stated`.

    ``element_size_um`` is (z, y, x) by its convention; other lists have a value for
    each axis, or for each of space. A list of another length is noted as a doubt.
    """
    tags = _axistags(attributes)
    if tags and len(tags) == len(axes):
        units = [tag.get("unit") or tag.get("units") for tag in tags]
        steps = [tag.get("resolution") or None for tag in tags]  # 0 if not known
        return dict(zip(axes, zip(steps, units, strict=True), strict=True))
    name = next((n for n in _SPACING_ATTRIBUTES if n in attributes), None)
    if name is None:
        return {}
    steps = list(np.ravel(attributes[name]))
    if name == "element_size_um" and len(steps) == len(SPATIAL):
        return {
            axis: (step, MICROMETER) for axis, step in zip(SPATIAL, steps, strict=True)
        }
    places = [k for k, axis in enumerate(stated) if axis in SPATIAL]
    if len(steps) == len(axes):
        places = list(range(len(axes)))
    said = _texts(attributes.get("units")) or [MICROMETER]
    said = said * len(steps) if len(said) == 1 else said
    if not len(steps) == len(places) == len(said) or len(stated) != len(axes):
        doubt_length(axes, [*steps, *(said if len(said) != len(steps) else ())])
        return {}
    by_place = zip(places, steps, said, strict=True)
    return {axes[place]: (step, unit) for place, step, unit in by_place}


def _label(dimension: Any) -> str:
    """Return the label of a dimension, or the name of its scale, as netCDF has it."""
    names = [dimension[0].name.rpartition("/")[2]] if len(dimension) else [""]
    return str(dimension.label or names[0])


def _axistags(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what ilastik and vigra say of each axis, nothing if it is damaged."""
    for text in _texts(attributes.get("axistags")):
        try:
            found = json.loads(text)["axes"]
        except (ValueError, LookupError, TypeError):
            continue
        if isinstance(found, list) and all(isinstance(tag, dict) for tag in found):
            return found
    return []


def _texts(value: Any) -> list[str]:
    """Return an attribute as a list of texts."""
    if value is None:
        return []
    each = np.ravel(np.asarray(value, object))
    return [one.decode() if isinstance(one, bytes) else str(one) for one in each]


def _files_of(path: Path, dataset: Any) -> tuple[str, ...]:
    """Return the paths of other files that the voxels of a dataset lie in.

    Raises
    ------
    DamagedImageError
        If a file of a virtual dataset is not there: it would read as fill values.
    """
    own = Path(dataset.file.filename)
    found = set() if own.samefile(path) else {str(own)}
    if dataset.is_virtual:
        names = {source.file_name for source in dataset.virtual_sources()} - {"."}
        for name in (own.parent / name for name in names if "%" not in name):
            if not name.is_file():
                raise DamagedImageError(
                    path, f"lies in {name.name} too, which is not there; put it back"
                )
            found.add(str(name))
    return tuple(sorted(found))


def _open(path: Path) -> Any:
    import h5py

    try:
        return h5py.File(path, "r")
    except PermissionError:
        raise
    except OSError as error:
        raise DamagedImageError(
            path, f"cannot be read as HDF5: {error}; copy or write it again"
        ) from error


def _dataset_names(file: Any) -> list[str]:
    """Return the paths of all datasets, under links only if under no name of theirs."""
    import h5py

    names: list[str] = []
    linked: list[str] = []

    def note(name: str, link: Any) -> None:
        hard = isinstance(link, h5py.HardLink)
        if isinstance(file.get(name), h5py.Dataset):
            (names if hard else linked).append(name)

    file.visititems_links(note)
    known = {file[name] for name in names}
    return names + [name for name in linked if file[name] not in known]


def _dataset_name(path: Path, file: Any, key: str | None) -> str:
    import h5py

    if key is not None and isinstance(file.get(key), h5py.Dataset):
        return key.strip("/")
    names = _dataset_names(file)
    if key is not None:
        link = file.get(key, getlink=True) if key in file else None
        leads = " that its link leads to" if link is not None else ""
        raise ImageRequestError(path, f"has no dataset {key!r}{leads}, only {names}")
    tagged = [name for name in names if "axistags" in file[name].attrs]
    if len(names) > 1 and len(tagged) == 1:  # what ilastik exported, beside others
        return tagged[0]
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
    files: tuple[str, ...] = ()
    mark: FileMark | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)
    _opened: tuple[int, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.mark = FileMark.of(self.path) if self.mark is None else self.mark

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.path, self.key, self.dtype, self.shape, self.files, self.mark)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.path, self.key, self.dtype, self.shape, self.files = state[:5]
        self.mark = state[5] if len(state) > 5 else None  # of an older store
        self._lock = Lock()
        self._opened = None

    def read(self, box: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        """Return the voxels of the box."""
        with self._lock, parsing(self.path, f"dataset {self.key} at {box}"):
            held = self._opened is not None and self._opened[0] == os.getpid()
            if self.mark is not None:
                self.mark.require_same(self.path, held=held)
            if self._opened is None or not held:
                self._opened = (os.getpid(), _open(self.path))
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
    import h5py

    voxels = image.read()
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(_given(options.key), data=voxels)
        dataset.attrs["axes"] = image.axes
        if is_nameless(image):
            dataset.attrs[BY_NUMBER] = True
        dataset.attrs["spacing"] = image.spacing
        dataset.attrs["units"] = list(image.units)
        if any(image.channels):
            dataset.attrs[CHANNELS] = list(image.channels)


HDF5 = Format(
    name="hdf5",
    title="HDF5",
    suffixes=HDF5_SUFFIXES,
    magic=(MAGIC,),
    open_options=frozenset({"key"}),
    save_options=frozenset({"key"}),
    library="h5py",
    open=open_hdf5,
    save=save_hdf5,
    no_boxes="HDF5 is corrupted by several writers; create .zarr, .tif or .npy, or save"
    " the whole array at once by segkit.save",
    require_replaceable=require_only,
)
