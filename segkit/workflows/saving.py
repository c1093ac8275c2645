"""Files that tasks write: a Zarr by many workers at once, all others by one.

Writing is a task, so that it happens once. What it wrote is remembered by its stamp:
if the file is gone or was replaced when the pipeline is written down again, it is
written again, as the next `attempt`, from what the store has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit.tiling import Box
from segkit.workflows.inputs import ArrayInput, FileInput
from segkit.workflows.stored import Reader, StoredArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.io import Image

Array: TypeAlias = NDArray[Any]
Readable: TypeAlias = StoredArray | FileInput | ArrayInput
Options: TypeAlias = tuple[tuple[str, Any], ...]

# For finishing, the rest is for creating.
_FINISHING = ("levels", "downscale", "durable")
_ABSENT = (-1, 0)


@dataclass(frozen=True, slots=True)
class Described:
    """What a file says of its image besides voxels.

    Attributes
    ----------
    axes : str
        One letter per axis.
    spacing : tuple of float
        One per axis.
    units : tuple of str
        One per axis.
    colours : bool
        Classes are written as colours, with a last axis of 3.
    """

    axes: str
    spacing: tuple[float, ...]
    units: tuple[str, ...]
    colours: bool = False

    @classmethod
    def of(cls, image: Image, *, colours: bool = False) -> Described:
        """Return what is known of an image of the same space."""
        if not colours:
            return cls(image.axes, image.spacing, image.units)
        spacing, units = (*image.spacing, 1.0), (*image.units, "pixel")
        return cls(image.axes + "s", spacing, units, colours=True)

    def shape(self, image: Readable) -> tuple[int, ...]:
        """Return the shape of what is written."""
        return (*image.shape, 3) if self.colours else image.shape


@dataclass(frozen=True, slots=True)
class Reserved:
    """A name that a file will get.

    Attributes
    ----------
    path : str
        Where it will be.
    before : tuple of int
        The mark of what lay there, which may be replaced. Another mark later means
        that a worker wrote the file and died before it could say so.
    """

    path: str
    before: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that was written.

    Attributes
    ----------
    path : str
        Where.
    mark : tuple of int
        Size and modification time (ns) of it, or of a folder's metadata.
    """

    path: str
    mark: tuple[int, int]

    @classmethod
    def at(cls, path: str | Path) -> Saved:
        """Return the record of a file that is there now."""
        return cls(str(path), _mark(Path(path)))

    @property
    def there(self) -> bool:
        """Whether the file is there, as it was written."""
        return _mark(Path(self.path)) == self.mark


def _mark(path: Path) -> tuple[int, int]:
    where = path
    for name in ("zarr.json", ".zattrs"):
        if (path / name).is_file():
            where = path / name
            break
    try:
        found = where.stat()
    except FileNotFoundError:
        return _ABSENT
    return (0 if where.is_dir() else found.st_size, found.st_mtime_ns)


class _Source:
    """Voxels as `segkit.io` reads them."""

    def __init__(self, image: Readable, *, colours: bool) -> None:
        self._read = _reader(image).read
        self._colours = colours
        self.shape = (*image.shape, 3) if colours else image.shape
        self.dtype = np.dtype(np.uint8) if colours else _dtype(image)

    def read(self, box: tuple[slice, ...]) -> Array:
        """Return the voxels of a box."""
        spatial = box[:-1] if self._colours else box
        start = tuple(part.start for part in spatial)
        voxels: Array = self._read(Box(start, tuple(part.stop for part in spatial)))
        if not self._colours:
            return voxels
        from segkit.classification import paint_classes

        painted: Array = paint_classes(voxels)[..., box[-1]]
        return painted


def _dtype(image: Readable) -> np.dtype[Any]:
    if isinstance(image, StoredArray):
        return Reader(image).dtype
    return np.dtype(image.image.dtype)


def _reader(image: Readable) -> Any:
    return Reader(image) if isinstance(image, StoredArray) else image


def reserve(
    path: str,
    overwrite: bool,
    attempt: int,  # noqa: ARG001 - part of the key
) -> Reserved:
    """Check that a file may be written, before anything is computed for it.

    Raises
    ------
    FileExistsError
        If something lies there and is not to be replaced.
    """
    before = _mark(Path(path))
    if before != _ABSENT and not overwrite:
        raise FileExistsError(
            f"{path}: exists already; choose another name, or say overwrite=True"
            " (segkit run --overwrite)"
        )
    return Reserved(path, before)


def save_image(
    reserved: Reserved, image: Readable, described: Described, options: Options
) -> Saved:
    """Write an image by one worker, in slabs; see `segkit.save`."""
    from segkit import io
    from segkit.io.image import described as as_described

    whole = as_described(
        reserved.path,
        _Source(image, colours=described.colours),
        axes=described.axes,
        spacing=described.spacing,
        units=described.units,
    )
    given = {**dict(options), "overwrite": True}
    return Saved.at(io.save(reserved.path, whole, **given))


def save_objects(
    reserved: Reserved, table: dict[str, Array], options: Options
) -> Saved:
    """Write a table of objects; see `segkit.save_table`."""
    from segkit import io

    given = {**dict(options), "overwrite": True}
    return Saved.at(io.save_table(reserved.path, table, **given))


def create_file(
    reserved: Reserved,
    first: Readable,
    described: Described,
    chunks: tuple[int, ...],
    options: Options,
) -> Reserved:
    """Create an empty Zarr of the type that the first tile has."""
    from segkit import io

    given = {name: value for name, value in options if name not in _FINISHING}
    io.create_image(
        reserved.path,
        described.shape(first),
        _Source(first, colours=described.colours).dtype,
        **{**given, "chunks": chunks, "overwrite": True},
        axes=described.axes,
        spacing=described.spacing,
        units=described.units,
    )
    return reserved


def is_lost(created: Reserved) -> bool:
    """Return whether a file under construction was removed."""
    from segkit.io.opening import partial_path

    path = Path(created.path)
    return not partial_path(path).exists() and _mark(path) in (_ABSENT, created.before)


def write_tile(created: Reserved, image: Readable, box: Box, colours: bool) -> int:
    """Write the voxels of a box that owns its chunks; return how many."""
    from segkit import io

    slices = (*box.slices, slice(0, 3)) if colours else box.slices
    voxels = _Source(image, colours=colours).read(slices)
    io.open_writer(created.path).write(slices, voxels)
    return box.size


def finish_file(
    created: Reserved,
    written: Sequence[int],  # noqa: ARG001 - all of them come first
    options: Options,
) -> Saved:
    """Check that all chunks are there and give the file its name."""
    from segkit import io
    from segkit.io.opening import partial_path

    path = Path(created.path)
    if not partial_path(path).exists() and not is_lost(created):
        return Saved.at(path)  # a worker died between naming it and saying so
    given = dict(options)
    finishing = {name: given[name] for name in _FINISHING if name in given}
    finishing.setdefault("downscale", "mode" if given.get("labels") else "mean")
    return Saved.at(io.open_writer(path, overwrite=True).finish(**finishing))
