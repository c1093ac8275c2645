"""Files that tasks write: a Zarr by many workers at once, all others by one.

Writing is a task, so that it happens once. What it wrote is remembered by its stamp:
if the file is gone or was replaced when the pipeline is written down again, it is
written again, as the next `attempt`, from what the store has.

Nobody's file is lost: a name is reserved for one content, and what lies there then is
replaced only if this store's tasks wrote it, or the user said so. It is looked at once
more just before it is replaced.
"""

from __future__ import annotations

import filecmp
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit.tiling import Box
from segkit.workflows.inputs import ArrayInput, FileInput
from segkit.workflows.stored import Reader, StoredArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from segkit.io import Image
    from taskgraph.results import Results

Array: TypeAlias = NDArray[Any]
Readable: TypeAlias = StoredArray | FileInput | ArrayInput
Options: TypeAlias = tuple[tuple[str, Any], ...]
Mark: TypeAlias = tuple[int, int]

# For finishing, the rest is for creating.
_FINISHING = ("levels", "downscale", "durable")
ABSENT: Mark = (-1, 0)
_SAVING = ("segkit.save_image", "segkit.save_table", "segkit.finish_file")


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
        that somebody else's file lies there, or that a worker wrote ours and died
        before it could say so.
    overwrite : bool
        Whatever lies there may be replaced.
    """

    path: str
    before: Mark
    overwrite: bool = False

    @property
    def untouched(self) -> bool:
        """Whether what lies there now may be replaced."""
        now = mark_of(file_of(self.path))
        return self.overwrite or now in (ABSENT, self.before)


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
    mark: Mark

    @classmethod
    def at(cls, path: str | Path) -> Saved:
        """Return the record of a file that is there now."""
        return cls(str(path), mark_of(Path(path)))

    @property
    def there(self) -> bool:
        """Whether the file is there, as it was written."""
        return mark_of(Path(self.path)) == self.mark


def file_of(path: str) -> Path:
    """Return the file of a path that may name something inside it by ``::``."""
    return Path(path.partition("::")[0])


def mark_of(path: Path) -> Mark:
    """Return size and modification time of what is there, or that nothing is."""
    where = path
    for name in ("zarr.json", ".zattrs"):
        if (path / name).is_file():
            where = path / name
            break
    try:
        found = where.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    return (0 if where.is_dir() else found.st_size, found.st_mtime_ns)


def marks_of_ours(results: Results, path: str) -> frozenset[Mark]:
    """Return the marks of all files that this store's tasks wrote at a path."""
    results.backend.poll()
    marks = _marks_of_ours(results, len(results.backend.keys()))
    return frozenset(marks.get(str(file_of(path)), ()))


@lru_cache(maxsize=1)
def _marks_of_ours(
    results: Results,
    count: int,  # noqa: ARG001 - looked at anew when there are more
) -> Mapping[str, set[Mark]]:
    marks: dict[str, set[Mark]] = {}
    for key, record in results.records(iter(results.backend.keys())):
        if record.name in _SAVING and record.failure is None:
            saved: Saved = results.decode(record.payload, key)
            marks.setdefault(saved.path, set()).add(saved.mark)
    return marks


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
    content: str = "",  # noqa: ARG001 - part of the key
    ours: frozenset[Mark] = frozenset(),
) -> Reserved:
    """Check that a file may be written, before anything is computed for it.

    Parameters
    ----------
    path : str
        Where.
    overwrite : bool
        Replace whatever lies there.
    attempt : int
        The how-manieth reservation it is.
    content : str
        What will be written: other content wants another reservation.
    ours : frozenset of tuple of int
        The marks of files that the store's tasks wrote there, which may be replaced;
        no part of the key.

    Raises
    ------
    FileExistsError
        If something lies there and is not to be replaced, or a folder that holds
        what segkit did not write.
    OSError
        If nothing can be written there.
    """
    from segkit.io.publishing import make_folder
    from segkit.io.replacing import require_free

    before = mark_of(file_of(path))
    if before == ABSENT:
        make_folder(file_of(path).parent)
    if before != ABSENT and before not in ours and not overwrite:
        raise _in_the_way(path)
    require_free(file_of(path), overwrite=True)
    return Reserved(path, before, overwrite)


def _in_the_way(path: str | Path) -> FileExistsError:
    return FileExistsError(
        f"{path}: exists already; choose another name, or say overwrite=True"
        " (segkit run --overwrite)"
    )


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
    with _replacing(reserved) as private:
        io.save(private, whole, **dict(options))
    return Saved.at(file_of(reserved.path))


def save_objects(
    reserved: Reserved, table: dict[str, Array], options: Options
) -> Saved:
    """Write a table of objects; see `segkit.save_table`."""
    from segkit import io

    with _replacing(reserved) as private:
        io.save_table(private, table, **dict(options))
    return Saved.at(file_of(reserved.path))


@contextmanager
def _replacing(reserved: Reserved) -> Iterator[str]:
    """Yield a path to write at; what lies at the reserved one is looked at last."""
    from segkit.io.errors import ImageError, writing
    from segkit.io.publishing import make_folder, of_path, publish, remove

    path = file_of(reserved.path)
    make_folder(path.parent)
    folder = path.with_name(f".{os.urandom(6).hex()}.saving")
    folder.mkdir()
    private = folder / path.name
    try:
        with writing(path):  # whatever name it has now
            yield reserved.path.replace(str(path), str(private), 1)
        if reserved.untouched:
            fresh = reserved.before == ABSENT and not reserved.overwrite
            publish(private, path, overwrite=not fresh)
        elif not _same(private, path):
            raise _in_the_way(path)
    except ImageError as error:
        raise of_path(error, private, path) from error.__cause__
    finally:
        remove(folder)


def _same(one: Path, other: Path) -> bool:
    """Return whether two files, or all files of two folders, hold the same bytes."""
    if not (one.is_dir() and other.is_dir()):
        both = one.is_file() and other.is_file()
        return both and filecmp.cmp(one, other, shallow=False)
    names = {path.relative_to(one) for path in one.rglob("*")}
    if names != {path.relative_to(other) for path in other.rglob("*")}:
        return False
    return all(_same(one / n, other / n) for n in names if (one / n).is_file())


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
    return not partial_path(path).exists() and mark_of(path) in (ABSENT, created.before)


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
    if not created.untouched:
        raise _in_the_way(path)
    given = dict(options)
    finishing = {name: given[name] for name in _FINISHING if name in given}
    finishing.setdefault("downscale", "mode" if given.get("labels") else "mean")
    fresh = created.before == ABSENT and not created.overwrite
    return Saved.at(io.open_writer(path, overwrite=not fresh).finish(**finishing))
