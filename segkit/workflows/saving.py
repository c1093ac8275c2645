"""Files that tasks write: a Zarr by many workers at once, all others by one.

Writing is a task, so that it happens once. What it wrote is remembered by its stamp:
if the file is gone or was replaced when the pipeline is written down again, it is
written again, as the next `attempt`, from what the store has.
"""

from __future__ import annotations

import filecmp
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segkit.io.axes import is_nameless
from segkit.names import known_as
from segkit.tiling.boxes import Box
from segkit.workflows.reserving import (
    ABSENT,
    Reserved,
    Saved,
    SavedElsewhere,
    SavedElsewhereOf,
    file_of,
    in_the_way,
    mark_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segkit.arrays import Array, Table
    from segkit.io import Image
    from segkit.io.formats import Format
    from segkit.io.options import Downscale, SaveOptions
    from segkit.io.writing import ImageWriter
    from segkit.workflows.inputs import Readable

Options: TypeAlias = tuple[tuple[str, Any], ...]

# For finishing, the rest is for creating.
_FINISHING = ("levels", "downscale", "durable")
# What is said in the place of what is known of the image.
_DESCRIBING = ("axes", "spacing", "units", "channels")


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Described:
    """What a file says of its image besides voxels.

    Attributes
    ----------
    axes : str
        One letter per axis; '' of three or more that nobody named.
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
        axes = "" if is_nameless(image) else image.axes
        if not colours:
            return cls(axes, image.spacing, image.units)
        spacing, units = (*image.spacing, 1.0), (*image.units, "pixel")
        return cls(axes and axes + "s", spacing, units, colours=True)

    def shape(self, image: Readable) -> tuple[int, ...]:
        """Return the shape of what is written."""
        return (*image.shape, 3) if self.colours else image.shape


class _WrittenImage:
    """Voxels of what is written, as `segkit.io` reads them."""

    def __init__(self, image: Readable, *, colours: bool) -> None:
        reader = image.reader()
        self._read = reader.read
        self._colours = colours
        self.shape = (*image.shape, 3) if colours else image.shape
        self.dtype = np.dtype(np.uint8) if colours else reader.dtype

    def read(self, box: tuple[slice, ...]) -> Array:
        """Return the voxels of a box."""
        spatial = box[:-1] if self._colours else box
        start = tuple(part.start for part in spatial)
        voxels: Array = self._read(Box(start, tuple(part.stop for part in spatial)))
        if not self._colours:
            return voxels
        from segkit.measurement.classification import paint_classes

        painted: Array = paint_classes(voxels)[..., box[-1]]
        return painted


def _as_written(path: str, image: Readable, described: Described) -> Image:
    from segkit.io.axes import by_number
    from segkit.io.described import described as as_described

    voxels = _WrittenImage(image, colours=described.colours)
    whole = as_described(
        path,
        voxels,
        axes=described.axes or by_number(len(image.shape)) + "s" * described.colours,
        spacing=described.spacing,
        units=described.units,
    )
    return replace(whole, stated=bool(described.axes))


def save_image(
    reserved: Reserved,
    image: Readable,
    described: Described,
    options: Options,
    of: str = "",
) -> Saved:
    """Write an image by one worker, in slabs; see `segkit.save`.

    `of` is where the image lies that it was made of, of which no key knows.
    """
    from segkit import io

    whole = _as_written(reserved.path, image, described)
    with _replacing(reserved) as private:
        io.save(private, whole, **dict(options))
    return Saved.at(file_of(reserved.path), of)


def save_objects(
    reserved: Reserved, table: Table, options: Options, of: str = ""
) -> Saved:
    """Write a table of objects; see `segkit.save_table`."""
    from segkit import io

    with _replacing(reserved) as private:
        io.save_table(private, table, **dict(options))
    return Saved.at(file_of(reserved.path), of)


def save_overlay(
    reserved: Reserved,
    image: Readable,
    labels: Readable,
    options: Options,
    of: str = "",
) -> Saved:
    """Write a picture of labels over an image; see `segkit.overlay`.

    Of a volume the plane that is shown is read, and no other.
    """
    from segkit.pictures.drawing import overlay, save_png

    given, shape = dict(options), image.shape
    start, stop = [0] * len(shape), [*shape]
    if len(shape) == 3:
        plane = given.pop("plane", None)
        if plane is not None and plane not in range(-shape[0], shape[0]):
            raise ValueError(f"plane is {plane}, but there are 0 to {shape[0] - 1}")
        start[0] = shape[0] // 2 if plane is None else plane % shape[0]
        stop[0] = start[0] + 1
    box = Box(tuple(start), tuple(stop))
    picture = overlay(image.read(box), labels.reader().read(box), **given)
    with _replacing(reserved) as private:
        save_png(private, picture)
    return Saved.at(file_of(reserved.path), of)


@contextmanager
def _replacing(reserved: Reserved) -> Iterator[str]:
    """Yield a path to write at; what lies at the reserved one is looked at last."""
    from segkit.io.errors import ImageError, full_disk_explained
    from segkit.io.publishing import make_folder, of_path, publish, remove

    path = file_of(reserved.path)
    make_folder(path.parent)
    folder = path.with_name(f".{os.urandom(6).hex()}.saving")
    folder.mkdir()
    private = folder / path.name
    try:
        with full_disk_explained(path):  # whatever name it has now
            yield reserved.path.replace(str(path), str(private), 1)
        if reserved.untouched:
            fresh = reserved.before == ABSENT and not reserved.overwrite
            publish(private, path, overwrite=not fresh)
        elif not _same(private, path):
            raise in_the_way(path)
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
    """Create an image without chunks, of the type that the first tile has.

    Its unfinished image has a name of the store and the content, so that runs that
    write one file never write into each other's. Of one store, the last to begin goes
    on: what it began of other content is removed, and is not finished.
    """
    from segkit.io.arranged.views import with_names
    from segkit.io.formats import format_of
    from segkit.io.options import SaveOptions
    from segkit.io.publishing import make_folder, remove
    from segkit.io.sources import InMemory

    format_ = format_of(reserved.path)
    given = {name: value for name, value in options if name not in _FINISHING}
    own = {name: given.pop(name) for name in _DESCRIBING if name in given}
    unknown = sorted(given.keys() - format_.save_options)
    if unknown:
        raise TypeError(f"{format_.title} has no options {unknown}; leave them out")
    axes, names = own.pop("axes", described.axes), own.pop("channels", None)
    blank = _as_written(reserved.path, first, replace(described, axes=axes))
    blank = blank.respaced(**own) if own else blank
    zeros = InMemory(np.broadcast_to(np.zeros((), blank.dtype), blank.shape))
    blank = replace(blank, source=zeros)
    blank = blank if names is None else with_names(blank, names)
    how = SaveOptions(chunks=chunks, **given)
    if reserved.construction is not None:
        return _create_elsewhere(reserved, format_, blank, how, dict(options))
    if format_.create is None:
        raise TypeError(f"{format_.title} is not written by many")
    partial = reserved.partial
    make_folder(partial.parent)
    remove(partial)
    format_.create(partial, blank, how)
    for other in reserved.overtaken:  # not before, or this one could get its inode
        remove(other)
    return replace(reserved, node=partial.stat().st_ino)


def _create_elsewhere(
    reserved: Reserved,
    format_: Format,
    blank: Image,
    how: SaveOptions,
    options: dict[str, Any],
) -> Reserved:
    """Begin an image at an address."""
    from segkit.io.elsewhere.constructing import final_mark
    from segkit.io.elsewhere.layout import Layout

    construction = reserved.construction
    if format_.layout is None or construction is None:
        raise TypeError(f"{format_.title} is not written at addresses")
    layout = Layout.of(format_.layout, blank, how)
    levels, downscale = _pyramid(options)
    final = layout.with_levels(format_.layout, levels, downscale)
    construction.create(layout, overwrite=True)  # which `reserve` has looked at
    return replace(reserved, expected=final_mark(final))


def _pyramid(options: dict[str, Any]) -> tuple[int, Downscale]:
    """Return how many levels a file has, and how the coarser ones are made."""
    usual: Downscale = "mode" if options.get("labels") else "mean"
    return options.get("levels", 1), options.get("downscale") or usual


def is_lost(created: Reserved) -> bool:
    """Return whether a file under construction was removed."""
    return not is_begun(created) and not _is_named(created)


def is_begun(created: Reserved) -> bool:
    """Return whether a file is under construction."""
    construction = created.construction
    if construction is not None:
        return construction.is_there
    return created.partial.exists()


def _is_named(created: Reserved) -> bool:
    """Return whether what lies at the path is what lay under construction."""
    if created.construction is not None:
        return mark_of(created.path) == created.expected
    try:
        return Path(created.path).stat().st_ino == created.node
    except FileNotFoundError:
        return False


def write_tile(created: Reserved, image: Readable, box: Box, colours: bool) -> int:
    """Write the voxels of a box that owns its chunks; return how many."""
    slices = (*box.slices, slice(0, 3)) if colours else box.slices
    voxels = _WrittenImage(image, colours=colours).read(slices)
    _writer(created).write(slices, voxels)
    return box.size


def _writer(created: Reserved, *, overwrite: bool = False) -> ImageWriter:
    from segkit.io.errors import UnfinishedImageError
    from segkit.io.writing import ImageWriter

    if not is_begun(created):
        raise UnfinishedImageError(
            created.path,
            f"was removed while it was written ({created.partial.name}); run again",
        )
    if created.construction is not None:
        return ImageWriter(created.path, construction=created.construction)
    path = Path(created.path)
    return ImageWriter(path, target=created.partial, overwrite=overwrite)


def finish_file(
    created: Reserved,
    written: Sequence[int],  # noqa: ARG001 - all of them come first
    options: Options,
    of: str = "",
) -> Saved:
    """Check that all chunks are there and give the file its name.

    If that is taken meanwhile, what was written for it is removed.
    """
    from segkit.io.publishing import remove

    path = created.path
    if not is_begun(created) and _is_named(created):
        return Saved.at(path, of)  # a worker died between naming it and saying so
    given = dict(options)
    finishing = {name: given[name] for name in _FINISHING if name in given}
    finishing["downscale"] = _pyramid(given)[1]
    fresh = created.before == ABSENT and not created.overwrite
    try:
        if not created.untouched:
            raise in_the_way(path)
        named = _writer(created, overwrite=not fresh).finish(**finishing)
        return Saved.at(named, of)
    except FileExistsError:
        if created.construction is None:
            remove(created.partial)
        raise


def finish_elsewhere(
    created: Reserved,
    written: Sequence[int],  # noqa: ARG001 - all of them come first
    options: Options,
    of: str = "",
) -> SavedElsewhere:
    """Check that all chunks of an image elsewhere are there, and make them an image."""
    if is_begun(created):
        if not created.untouched and not _is_named(created):
            raise in_the_way(created.path)
        levels, downscale = _pyramid(dict(options))
        _writer(created).finish(levels=levels, downscale=downscale)
    elif not _is_named(created):
        _writer(created)
    if of:
        return SavedElsewhereOf(created.path, created.expected, of)
    return SavedElsewhere(created.path, created.expected)
