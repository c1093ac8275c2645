"""Where the voxels of an image come from, and which box of them is meant."""

from __future__ import annotations

import hashlib
import struct
import time
from base64 import b64decode
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from functools import lru_cache
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from segkit.io.errors import ImageRequestError
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_NO_DATA = ("_FillValue", "missing_value")
"""Attributes of netCDF's conventions, which xarray writes into Zarr too."""
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


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Measured:
    """A source some of whose voxels hold no data: refused, or another value."""

    source: Source
    path: str
    nodata: float
    fill: float | None

    def __post_init__(self) -> None:
        fill = self.fill
        if fill is not None and exact(fill, self.dtype) is None:
            raise ImageRequestError(
                self.path, f"holds {self.dtype}, which nodata={fill} does not fit"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a voxel."""
        return self.source.dtype

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box, all of them measured or filled in."""
        voxels = np.asarray(self.source.read(box))
        empty = (
            np.isnan(voxels) if self.nodata != self.nodata else voxels == self.nodata
        )
        if not empty.any():
            return voxels
        if self.fill is None:
            raise ImageRequestError(
                self.path,
                f"holds no data (the value {self.nodata}) in {empty.sum()} of the"
                f" {empty.size} voxels that are read, so these are not measured; open"
                " or load it with nodata=0, or another grey value of the background, to"
                " fill them, or with nodata='keep' to take them as they are",
            )
        filled = voxels.copy()
        filled[empty] = self.fill
        return filled


def offset_of(source: Any) -> tuple[int, ...]:
    """Return which voxel of a larger volume the first one of a source is."""
    inner = getattr(source, "source", None)
    if inner is None:
        return getattr(source, "voxel_offset", ()) or (0,) * len(source.shape)
    found = offset_of(inner)
    order = getattr(source, "order", None)
    found = found if order is None else tuple(found[k] for k in order)
    axis = getattr(source, "axis", None)
    return found if axis is None else found[:axis] + found[axis + 1 :]


def exact(value: Any, dtype: np.dtype[Any]) -> int | float | None:
    """Return a number as voxels of a type hold it; None if it is none, or they cannot.

    Examples
    --------
    >>> exact("-9999", np.dtype("i2")), exact("-9999", np.dtype("u1"))
    (-9999, None)
    >>> exact("nan", np.dtype("f4")), exact("0.1", np.dtype("i2"))
    (nan, None)
    """
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    number: int | float
    try:
        number = int(text.strip("\0 "))
    except ValueError:
        try:
            number = float(text.strip("\0 "))
        except ValueError:
            return None
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        fits = limits.min <= number <= limits.max and number == int(number)
        return int(number) if fits else None
    if dtype.kind != "f":
        return None
    with np.errstate(over="ignore"):
        return float(dtype.type(float(number)))


def stated_nodata(
    attributes: Mapping[str, Any], dtype: np.dtype[Any]
) -> int | float | None:
    """Return the value of voxels that hold no data, as the attributes of an array say.

    Examples
    --------
    >>> stated_nodata({"_FillValue": -9999}, np.dtype("f4"))
    -9999.0
    >>> stated_nodata({"_FillValue": "AAAAAICHw8A="}, np.dtype("f8"))  # of xarray
    -9999.0
    """
    for name in _NO_DATA:
        for value in np.ravel(np.asarray(attributes.get(name, []), object))[:1]:
            number = exact(value, dtype)
            if number is None and isinstance(value, str) and dtype.kind == "f":
                with suppress(ValueError, struct.error):
                    (number,) = struct.unpack("<d", b64decode(value, validate=True))
            return number
    return None


def key_of(image: Any) -> tuple[object, ...]:
    """Return what a key knows of an image: its files' content, and what is chosen.

    The content counts that the files had when this was first asked.
    """
    image.seen[:] = image.seen or _contents_of(image)
    own: tuple[object, ...] = image.axes, image.spacing, image.units
    own = *own, image.levels, image.stated
    if image.cubes:
        own = *own, "cubes"
    if image.nodata is not None:
        own = *own, str(image.nodata)
    if image.channels:
        own = *own, image.channels
    asked = None if image.asked is None else astuple(image.asked)
    return image.path, tuple(image.seen), own, asked, view_of(image.source)


def brief_of(image: Any) -> str:
    """Return which image it is, and what is chosen there, as short text for people."""
    words, source = [image.path], image.source
    asked = {} if image.asked is None else asdict(image.asked)
    words += [f"{n}={own}" for n, own in asked.items() if own not in (None, 0, "error")]
    while not isinstance(source, InMemory) and hasattr(source, "source"):
        if isinstance(source, Selected):
            words.append(f"{source.index} of axis {source.axis}")
        source = source.source
    return ", ".join(words)


def require_same(image: Any) -> None:
    """Refuse an image whose files have other content than the key knows.

    Raises
    ------
    ImageRequestError
        If a file was changed, added or removed.
    """
    if image.seen != _contents_of(image, lately=True):
        raise ImageRequestError(
            image.path,
            "was changed after the task was written down; open it and run again, and"
            " what depends on it is computed anew",
        )


def _contents_of(image: Any, *, lately: bool = False) -> list[tuple[str, str]]:
    """Return all files that an image lies in, known by content; none if in memory.

    What lies elsewhere is known by the versions of its objects, which are listed; if
    they are to be those of lately, not for each of many tasks that have it.
    """
    source = image.source
    while hasattr(source, "source"):
        source = source.source
    if getattr(source, "is_elsewhere", False):
        return [(image.path, source.version(lately=lately))]
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


def view_of(source: Source) -> tuple[object, ...]:
    """Return what is chosen of a source, step by step; an array is taken whole."""
    if isinstance(source, Selected):
        return "selected", source.axis, source.index, *view_of(source.source)
    if isinstance(source, Grey):
        return "grey", source.axis, *view_of(source.source)
    if isinstance(source, Measured):
        return "measured", str(source.nodata), source.fill, *view_of(source.source)
    order = getattr(source, "order", None)  # of axes; see `segkit.io.arranged`
    if order is not None:
        return "ordered", order, *view_of(getattr(source, "source"))  # noqa: B009
    return (source.array,) if isinstance(source, InMemory) else (source.shape,)
