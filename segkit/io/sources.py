"""Where the voxels of an image come from, and which box of them is meant."""

from __future__ import annotations

import hashlib
import time
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from segkit.io.errors import ImageRequestError
from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Nanoseconds; no file system's times are coarser.
_COARSE = 2 * 10**9
# Rec. 709, the weights of a linear RGB picture's luminance.
LUMINANCE = (0.2125, 0.7154, 0.0721)


class HasSlices(Protocol):
    """A box of an image, such as `segkit.tiling.Box`."""

    @property
    def slices(self) -> tuple[slice, ...]:
        """One slice per axis."""


Region: TypeAlias = (
    HasSlices | slice | int | EllipsisType | tuple[slice | int | EllipsisType, ...]
)


class Source(Protocol):
    """Where voxels come from. Sources can be pickled, forked and used by threads."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a voxel, as stored."""

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of `box`, one slice (start, stop) per axis."""


def resolve(
    path: str, box: Region, shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[int, ...]]:
    """Return one (start, stop) slice per axis, and the axes given by an integer.

    Slices are clipped as numpy does; a Box that reaches beyond the image is refused,
    since whoever made it was thinking of another image.

    Raises
    ------
    ImageRequestError
        If the number of axes differs, a slice has a step, or a Box lies outside.
    """
    slices: list[slice] = []
    drop: list[int] = []
    exact = not isinstance(box, (slice, tuple, EllipsisType)) and hasattr(box, "slices")
    items = _items(box, len(shape))
    if len(items) != len(shape):
        raise ImageRequestError(path, f"box {box} does not fit shape {shape}")
    for axis, (item, length) in enumerate(zip(items, shape, strict=True)):
        if isinstance(item, slice):
            start, stop, step = item.indices(length)
            if step != 1 or (exact and (start, stop) != (item.start, item.stop)):
                raise ImageRequestError(
                    path, f"box {box} reaches beyond shape {shape} or has a step"
                )
            slices.append(slice(start, max(start, stop)))
        elif not isinstance(item, (int, np.integer)):
            raise ImageRequestError(
                path,
                f"box {box} holds {item!r}; give a Box, or a slice or an integer for"
                " each axis, such as (slice(0, 5), slice(0, 5))",
            )
        elif -length <= item < length:
            slices.append(slice(item % length, item % length + 1))
            drop.append(axis)
        else:
            raise IndexError(f"{path}: index {item} is outside axis {axis} of {shape}")
    return tuple(slices), tuple(drop)


def _items(box: Region, ndim: int) -> tuple[Any, ...]:
    """Return the box as a tuple of slices and integers, the ellipsis filled in."""
    items: tuple[Any, ...]
    if isinstance(box, (slice, int, EllipsisType, np.integer)):
        items = (box,)
    else:
        items = box if isinstance(box, tuple) else getattr(box, "slices", (box,))
    if Ellipsis not in items:
        return items + (slice(None),) * (ndim - len(items))
    at = items.index(Ellipsis)
    fill = (slice(None),) * (ndim - len(items) + 1)
    return items[:at] + fill + items[at + 1 :]


@known_as("segkit.names")
class InMemory:
    """The source of an array in memory (or of a memory-mapped file)."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = array.dtype

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return a view of the box."""
        return self.array[box]


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Selected:
    """A source at one index of one axis."""

    source: Source
    axis: int
    index: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of the other axes."""
        return self.source.shape[: self.axis] + self.source.shape[self.axis + 1 :]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a voxel."""
        return self.source.dtype

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box at the index."""
        one = slice(self.index, self.index + 1)
        voxels = self.source.read((*box[: self.axis], one, *box[self.axis :]))
        return np.asarray(voxels).squeeze(self.axis)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Grey:
    """The luminance of a source whose axis `axis` holds colour samples."""

    source: Source
    axis: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of the other axes."""
        return self.source.shape[: self.axis] + self.source.shape[self.axis + 1 :]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a voxel, that of the samples."""
        return self.source.dtype

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the luminance of the box, rounded to the nearest of the dtype."""
        samples = self.source.shape[self.axis]
        colours = slice(0, 3 if samples >= 3 else 1)
        voxels = self.source.read((*box[: self.axis], colours, *box[self.axis :]))
        voxels = np.moveaxis(np.asarray(voxels), self.axis, -1)
        if voxels.shape[-1] == 1:
            return voxels[..., 0]
        grey: NDArray[Any] = voxels @ np.array(LUMINANCE)
        if self.dtype.kind in "iu":
            grey = np.rint(grey)
        return grey.astype(self.dtype)


def key_of(image: Any) -> tuple[object, ...]:
    """Return what a key knows of an image: its files' content, and what is chosen.

    The content counts that the files had when this was first asked.
    """
    image.seen[:] = image.seen or _contents_of(image)
    own = image.axes, image.spacing, image.units, image.levels, image.stated
    asked = None if image.asked is None else astuple(image.asked)
    return image.path, tuple(image.seen), own, asked, _view_of(image.source)


def require_same(image: Any) -> None:
    """Refuse an image whose files have other content than the key knows.

    Raises
    ------
    ImageRequestError
        If a file was changed, added or removed.
    """
    if image.seen != _contents_of(image):
        raise ImageRequestError(
            image.path,
            "was changed after the task was written down; open it and run again, and"
            " what depends on it is computed anew",
        )


def _contents_of(image: Any) -> list[tuple[str, str]]:
    """Return all files that an image lies in, known by content; none if in memory."""
    where = Path(image.path)
    if not where.exists():
        where = Path(image.path.partition("::")[0])
    inside = [file for file in where.rglob("*") if file.is_file()]
    found = inside if where.is_dir() else [where] if where.exists() else []
    return [_content_of(file) for file in sorted({*map(Path, image.files), *found})]


def _content_of(path: Path) -> tuple[str, str]:
    """Return path and digest of a file, from memory if it is the same for long."""
    found = path.stat()
    fresh = time.time_ns() - found.st_mtime_ns < _COARSE  # a change may not show yet
    read = _digest_of.__wrapped__ if fresh else _digest_of
    mark = found.st_size, found.st_mtime_ns, found.st_ino
    return str(path), read(path, mark)


@lru_cache(maxsize=1 << 16)
def _digest_of(
    path: Path,
    mark: tuple[int, int, int],  # noqa: ARG001 - size, time, inode: another file
) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "blake2b").hexdigest()


def _view_of(source: Source) -> tuple[object, ...]:
    """Return what is chosen of a source, step by step; an array is taken whole."""
    if isinstance(source, Selected):
        return "selected", source.axis, source.index, *_view_of(source.source)
    if isinstance(source, Grey):
        return "grey", source.axis, *_view_of(source.source)
    return (source.array,) if isinstance(source, InMemory) else (source.shape,)
