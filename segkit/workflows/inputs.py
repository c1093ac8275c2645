"""What tasks work on: files known by their stamp or content, and arrays.

The key of a task must change when its input does. A file is known by its absolute
path, size and modification time (`FileStamp`), which costs one look at the file, or by
a digest of its content, which reads it once (see `content_of`) but lets it be moved or
copied. A folder (Zarr, planes) is known by the same of all files in it. A worker that
reads compares the stamps again: what was changed after the tasks were written down is
refused. A volume elsewhere is known by its address and the versions of its objects
(`AddressStamp`), or by a digest of its voxels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np

from segkit.io.plates.fields import Field
from segkit.io.sources import brief_of
from segkit.names import known_as
from segkit.pipeline.stage_work import as_voxels
from segkit.pipeline.steps import PipelineError
from taskgraph.extending import content_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segkit.arrays import Array
    from segkit.io import Image
    from segkit.io.elsewhere.voxels import StoredVoxels
    from segkit.tiling.boxes import Box

KnownBy = Literal["stamp", "content"]


@known_as("segkit.workflows")
class ImageChangedError(PipelineError):
    """A file is not the one any more that tasks were written down for."""


class BoxReader(Protocol):
    """Reads boxes of an image, one after the other."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the voxels."""

    def read(self, box: Box) -> Array:
        """Return the voxels of a box."""


class Readable(Protocol):
    """An image, in a file, in memory or of tasks, of which a task reads boxes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    def read(self, box: Box) -> Array:
        """Return the voxels of a box."""

    def cut(self, box: Box) -> Readable:
        """Return it as an argument of a task that reads no more than a box."""

    def reader(self) -> BoxReader:
        """Return what reads many boxes of it, and keeps what it will need again."""


@known_as("segkit.workflows")
@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells a file from an earlier or another one.

    Attributes
    ----------
    path : str
        Absolute.
    size : int
        Bytes; for a folder of all files in it.
    mtime_ns : int
        Time of the last modification in nanoseconds; for a folder the latest.
    digest : str
        Of the content where that is asked for, else of names, sizes and times of all
        files in a folder, or of all others of an image.
    by_content : bool
        Whether the digest alone says which file it is.
    others : tuple of (str, int, int)
        Path, size and time of each; in a key it is `digest`.
    """

    path: str
    size: int
    mtime_ns: int
    digest: str = ""
    by_content: bool = False
    others: tuple[tuple[str, int, int], ...] = field(default=(), compare=False)

    @classmethod
    def of(
        cls, path: str | Path, known_by: KnownBy = "stamp", beside: Sequence[str] = ()
    ) -> FileStamp:
        """Return the stamp that a file or folder has now.

        Parameters
        ----------
        path : path
            Of the file or folder.
        known_by : {'stamp', 'content'}
            Whether all bytes are read.
        beside : sequence of str
            Other files that the image lies in, such as those of a set.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """
        if known_by not in ("stamp", "content"):
            raise PipelineError(f"known_by={known_by!r} must be 'stamp' or 'content'")
        where = Path(path).resolve()
        folder = where.is_dir()
        more = () if folder else map(Path.resolve, map(Path, beside))
        files = sorted(_files(where)) if folder else [where, *more]
        marks = [(str(file), *_mark(file)) for file in files]
        own, told = (marks, marks) if folder else (marks[:1], marks[1:])
        digest = ""
        if known_by == "content":
            digest = _digest_of_content(where, files)
        elif told:
            lines = [
                f"{_name(Path(file), where)}\0{size}\0{mtime_ns}\n"
                for file, size, mtime_ns in told
            ]
            digest = _digest("".join(lines).encode(errors="surrogateescape"))
        return cls(
            str(where),
            sum(size for _, size, _ in own),
            max((mtime_ns for _, _, mtime_ns in own), default=0),
            digest,
            known_by == "content",
            () if folder else tuple(told),
        )

    def require_same(self) -> None:
        """Refuse a file that is another one now; of a folder only its presence.

        Raises
        ------
        ImageChangedError
            If size or time of one of its files differ, or there is no such file.
        """
        first = self.path, self.size, self.mtime_ns
        for name, size, mtime_ns in (first, *self.others):
            path = Path(name)
            try:
                found = _mark(path)
            except FileNotFoundError:
                raise ImageChangedError(
                    f"{path}: is gone; put it back, or run again"
                ) from None
            if found != (size, mtime_ns) and not path.is_dir():
                raise ImageChangedError(
                    f"{path}: was changed after the tasks were written down; run again,"
                    " and what depends on it is computed anew"
                )

    def __taskgraph_files__(self) -> list[str]:
        """Return the paths of what `tg status` looks at."""
        where = Path(self.path)
        inside = map(str, _files(where)) if where.is_dir() else ()
        return [self.path, *inside, *(path for path, _, _ in self.others)]

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows of the file."""
        if self.by_content:
            return self.digest
        return self.path, self.size, self.mtime_ns, self.digest


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class AddressStamp:
    """What tells a volume elsewhere from an earlier or another one.

    Attributes
    ----------
    path : str
        Its address, as it was opened.
    digest : str
        Of names, sizes and versions of its objects in a bucket; of its metadata on a
        web server, which lists nothing; or of all voxels where that is asked for.
    by_content : bool
        Whether the digest alone says which volume it is.
    voxels : StoredVoxels
        What is looked at; no part of the key.
    """

    path: str
    digest: str
    by_content: bool = False
    voxels: StoredVoxels | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, image: Image, voxels: StoredVoxels, known_by: KnownBy) -> AddressStamp:
        """Return the stamp that an opened volume has now."""
        by_content = known_by == "content"
        digest = voxels.content() if by_content else voxels.version()
        return cls(image.path, digest, by_content, voxels)

    def require_same(self) -> None:
        """Leave it to who reads: each look at the metadata is a request."""

    def __taskgraph_files__(self) -> list[str]:
        """Return nothing: what lies elsewhere is looked at when tasks are written."""
        return []

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows of the volume."""
        return self.digest if self.by_content else (self.path, self.digest)


def _mark(file: Path) -> tuple[int, int]:
    """Return what changes when somebody writes a file: its size and time."""
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _name(file: Path, where: Path) -> str:
    """Return the path of a file within a folder, or as seen from another file."""
    return os.path.relpath(file, where if where.is_dir() else where.parent)


def _digest(data: bytes) -> str:
    from blake3 import blake3

    return blake3(data).hexdigest(32)


def _digest_of_content(where: Path, files: list[Path]) -> str:
    from blake3 import blake3

    total = blake3()
    for file in files:
        name = "" if file == where else _name(file, where)
        own = bytes.fromhex(content_of(str(file)))
        total.update(f"{name}\0".encode(errors="surrogateescape") + own)
    digest: str = total.hexdigest(32)
    return digest


class _Input:
    """An image that is an argument as it is."""

    __slots__ = ()

    def cut(self, box: Box) -> Self:  # noqa: ARG002 - a worker opens all of it
        """Return itself."""
        return self

    def reader(self) -> Self:
        """Return itself."""
        return self

    def __taskgraph_value__(self) -> Self:
        """Return itself: there is no task in it."""
        return self


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class FileInput(_Input):
    """An image in a file.

    Attributes
    ----------
    stamp : FileStamp or AddressStamp
        Which file, or which volume elsewhere.
    inside : str
        What is meant in it, as after ``::``.
    options : tuple of (str, object)
        Of `segkit.open_image`.
    image : Image
        The opened image; no part of the key.
    view : tuple
        What is taken of the file, if it is not taken whole.
    """

    stamp: FileStamp | AddressStamp
    inside: str
    options: tuple[tuple[str, Any], ...]
    image: Image = field(repr=False, compare=False)
    view: tuple[object, ...] = ()

    def __taskgraph_brief__(self) -> str:
        return brief_of(self.image)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image."""
        return self.image.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the voxels."""
        return np.dtype(self.image.dtype)

    def read(self, box: Box) -> Array:
        """Return the voxels of a box."""
        self.stamp.require_same()
        return self.image.read(box)

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows of the image."""
        own = self.stamp, self.inside, self.options
        return (*own, self.view) if self.view else own


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class ArrayInput(_Input):
    """An image in memory, known by its content."""

    image: Image = field(repr=False)
    array: Array = field(repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image."""
        return self.image.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the voxels."""
        return np.dtype(self.image.dtype)

    def read(self, box: Box) -> Array:
        """Return the voxels of a box."""
        return self.image.read(box)

    def __taskgraph_hash__(self) -> object:
        """Return what a key knows of the image."""
        return self.array


def opened_whole(image: Any, options: dict[str, Any]) -> Image:
    """Return an image as it lies, of which tasks can tell when it changes.

    Parameters
    ----------
    image : path, Image, ndarray or field of a plate
        Where it is.
    options : dict
        Of `segkit.open_image`, for a path.

    Raises
    ------
    PipelineError
        If it is several, none, or opened from a file.
    """
    from segkit import io

    if isinstance(image, (str, Path)):
        return io.open_image(image, **options)
    if isinstance(image, Field):
        return image.open(options)
    if isinstance(image, (list, tuple)):
        raise PipelineError(
            "several images are given for one; write the tasks of each down by itself:"
            " [pipeline_tasks(pipeline, image) for image in images]"
        )
    if isinstance(image, io.Image) and image.asked is None:  # an array, described
        return image
    if isinstance(image, io.Image):
        raise PipelineError(
            f"{image.path}: give the path instead of an opened image, so that tasks can"
            " tell when it changes; its options belong into load(...)"
        )
    return io.as_image(as_voxels(image))


def stamp_of(
    path: str | Path, opened: Image, known_by: KnownBy
) -> tuple[FileStamp | AddressStamp, str]:
    """Return what an image is known by, and what is meant in its file."""
    from segkit.io.elsewhere.address import local_path
    from segkit.io.elsewhere.voxels import stored_voxels

    voxels = stored_voxels(opened)
    if voxels is not None:
        return AddressStamp.of(opened, voxels, known_by), ""
    file, _, inside = local_path(path).partition("::")
    return FileStamp.of(file, known_by, beside=opened.files), inside
