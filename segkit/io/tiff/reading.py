"""TIFF, BigTIFF, OME-TIFF and ImageJ stacks, by box.

A stack whose voxels lie in one piece is memory-mapped. Of any other only the
strips or tiles that a box touches are read (`os.pread`, so that threads and forked
processes share a file without a lock) and decoded.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    NotAnImageError,
    missing_extra,
    parsing,
)
from segkit.io.image import AXES_BY_DIMENSION, Image, complete_spacing
from segkit.io.sources import Mapped
from segkit.io.tiff.metadata import physical
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import tifffile
    from numpy.typing import NDArray

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MOST_TAGS = 4096
# Bytes of a value by the number of its type; unknown types count nothing.
_TYPE_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8, 0)
_DECODING_ERRORS = (ValueError, RuntimeError, OSError, struct.error, zlib.error)


def open_tiff(path: Path, *, series: int = 0, level: int = 0) -> Image:
    """Return the image of one series and pyramid level of a TIFF file.

    Values are as stored, also where the file says that 0 is white, or has a palette.

    Raises
    ------
    DamagedImageError
        If the chain of pages or the voxels end beyond the end of the file.
    ImageRequestError
        If there is no such series or level.
    """
    check_chain(path)
    with parsing(path, "its TIFF header"), _parse(path) as tif:
        return _described(path, tif, series, level)


def _described(path: Path, tif: tifffile.TiffFile, series: int, level: int) -> Image:
    chosen = _chosen(path, tif, series, level)
    axes = _axes(chosen)
    spacing, units = physical(tif, series, axes)
    base = tif.series[series]
    if level:
        zoom = [b / n for b, n in zip(base.shape, chosen.shape, strict=True)]
        spacing = tuple(s * z for s, z in zip(spacing, zoom, strict=True))
    source = _source(path, chosen, series, level)
    spacing = complete_spacing(str(path), axes, spacing)
    return Image(str(path), source, axes, spacing, units, len(base.levels))


def _parse(path: Path) -> tifffile.TiffFile:
    import tifffile

    try:
        tif = tifffile.TiffFile(path)
    except tifffile.TiffFileError as error:
        raise NotAnImageError(path, f"is not a readable TIFF file: {error}") from error
    try:
        if not tif.series:
            raise DamagedImageError(path, "is a TIFF file without a picture")
    except BaseException:
        tif.close()
        raise
    return tif


def _chosen(
    path: Path, tif: tifffile.TiffFile, series: int, level: int
) -> tifffile.TiffPageSeries:
    if not 0 <= series < len(tif.series):
        raise ImageRequestError(
            path, f"has {len(tif.series)} series; series={series} is not one of them"
        )
    levels = tif.series[series].levels
    if not 0 <= level < len(levels):
        raise ImageRequestError(
            path, f"has {len(levels)} pyramid levels; level={level} is not one of them"
        )
    return levels[level]


def _axes(series: tifffile.TiffPageSeries) -> str:
    """Return our letters for the axes of a series."""
    axes = str(series.axes).lower()
    # A plain stack of pages is taken as planes along z; unnamed axes by their number.
    names = axes.translate(str.maketrans("iq", "zz"))
    known = set("tczyxs")
    if len(set(names)) == len(names) and set(names) <= known:
        return names
    tail = "s" if axes.endswith("s") else ""
    count = len(axes) - len(tail)
    if count < len(AXES_BY_DIMENSION):
        return AXES_BY_DIMENSION[count] + tail
    return "abdefg"[: count - 5] + AXES_BY_DIMENSION[5] + tail


def _source(
    path: Path, chosen: tifffile.TiffPageSeries, series: int, level: int
) -> Mapped | TiffPages:
    keyframe = chosen.keyframe
    if np.dtype(chosen.dtype).kind not in "biufc":
        raise NotAnImageError(path, f"holds voxels of type {chosen.dtype}")
    dtype = np.dtype(chosen.dtype)
    shape = tuple(int(n) for n in chosen.shape)
    if chosen.dataoffset is not None and keyframe.is_memmappable:
        stored = dtype.newbyteorder(keyframe.parent.byteorder)
        end = chosen.dataoffset + chosen.nbytes
        _check_length(path, end)
        return Mapped(path, stored, shape, chosen.dataoffset)
    if keyframe.shaped[1] != 1:
        raise NotAnImageError(path, "is a TIFF of volumetric tiles; convert it first")
    return TiffPages(path, dtype, shape, series, level)


def _check_length(path: Path, end: int) -> None:
    size = path.stat().st_size
    if end > size:
        raise DamagedImageError(
            path,
            f"is cut short: its voxels end at byte {end}, the file at {size};"
            " copy or write it again",
        )


@known_as("segkit.names")
@dataclass(slots=True)
class TiffPages:
    """Voxels in pages of compressed strips or tiles."""

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    series: int
    level: int
    _lock: Lock = field(default_factory=Lock, repr=False)
    _opened: tuple[int, tifffile.TiffFile] | None = field(default=None, repr=False)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.path, self.dtype, self.shape, self.series, self.level)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.path, self.dtype, self.shape, self.series, self.level = state
        self._lock = Lock()
        self._opened = None

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box, decoding what it touches."""
        with parsing(self.path, f"box {box}"):
            return self._read(box)

    def _read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        with self._lock:
            chosen = self._chosen()
            pages, within = self._pages(chosen, box)
            places = [TiffSegments.of(page, chosen.keyframe, within) for page in pages]
            descriptor = chosen.keyframe.parent.filehandle.fileno()
        shape = tuple(part.stop - part.start for part in box)
        out = np.zeros(shape, self.dtype)
        planes = out.reshape((len(places), *shape[len(shape) - len(within) :]))
        for plane, segments in zip(planes, places, strict=True):
            segments.paste(self.path, descriptor, plane)
        return out

    def _chosen(self) -> tifffile.TiffPageSeries:
        """Return the series of a file opened by this very process."""
        if self._opened is None or self._opened[0] != os.getpid():
            self.close()
            self._opened = (os.getpid(), _parse(self.path))
        return _chosen(self.path, self._opened[1], self.series, self.level)

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def __del__(self) -> None:
        self.close()

    def _pages(
        self, chosen: tifffile.TiffPageSeries, box: tuple[slice, ...]
    ) -> tuple[list[Any], tuple[slice, ...]]:
        """Return the pages that the box touches, and the box within each of them."""
        inner = chosen.keyframe.shape
        leading = len(self.shape) - len(inner)
        if self.shape[leading:] != inner:
            raise NotAnImageError(
                self.path, f"pages of shape {inner} do not tile {self.shape}"
            )
        numbers = np.arange(int(np.prod(self.shape[:leading], dtype=int)))
        chosen_numbers = numbers.reshape(self.shape[:leading])[box[:leading]]
        pages = [self._page(chosen, int(number)) for number in chosen_numbers.ravel()]
        return pages, box[leading:]

    def _page(self, chosen: tifffile.TiffPageSeries, number: int) -> Any:
        try:
            page = chosen[number] if chosen.dataoffset is None else chosen.keyframe
        except _DECODING_ERRORS as error:
            raise DamagedImageError(
                self.path, f"page {number} is damaged: {error}"
            ) from error
        if page is None:
            raise DamagedImageError(self.path, f"page {number} is missing")
        return page


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class TiffSegments:
    """The strips or tiles of one page that a box touches."""

    keyframe: Any
    page: Any
    box: tuple[slice, slice, slice, slice]  # separate samples, y, x, joint samples
    extents: list[tuple[int, int, int]]  # number of the segment, offset, bytes

    @classmethod
    def of(cls, page: Any, keyframe: Any, within: tuple[slice, ...]) -> TiffSegments:
        """Return the segments of a page that hold voxels of a box."""
        _, _, height, width, _ = keyframe.shaped
        box = _full_box(keyframe, within)
        wanted = list(_touched(keyframe, box, (height, width)))
        extents = [
            (n, int(page.dataoffsets[n]), int(page.databytecounts[n]))
            for n in wanted
            if n < len(page.dataoffsets)
        ]
        return cls(keyframe, page, box, extents)

    def paste(self, path: Path, descriptor: int, plane: NDArray[Any]) -> None:
        """Decode each segment into `plane`, an array of the box's shape."""
        target = plane.reshape([part.stop - part.start for part in self.box])
        for number, offset, count in self.extents:
            if count == 0:  # a sparse file: the segment is the fill value
                continue
            data = os.pread(descriptor, count, offset)
            if len(data) < count:
                _check_length(path, offset + count)
            segment, index, shape = self._decode(path, data, number)
            if segment is not None:
                _paste(target, self.box, segment, index, shape)

    def _decode(self, path: Path, data: bytes, number: int) -> tuple[Any, Any, Any]:
        options = {}
        if self.keyframe.jpegtables is not None:
            options["jpegtables"] = self.keyframe.jpegtables
        try:
            decoded = self.keyframe.decode(data, number, **options)
        except _DECODING_ERRORS as error:
            if "imagecodecs" in str(error):
                raise missing_extra(path, "imagecodecs", "tiff") from error
            raise DamagedImageError(
                path, f"segment {number} cannot be decoded: {error}"
            ) from error
        return decoded  # type: ignore[no-any-return]


def _full_box(
    keyframe: Any, within: tuple[slice, ...]
) -> tuple[slice, slice, slice, slice]:
    """Return the box over (samples, y, x, joint samples), squeezed axes included."""
    parts = list(within)
    samples, _, height, width, joint = keyframe.shaped
    axes = keyframe.axes
    full = []
    for name, length in zip("SYXS", (samples, height, width, joint), strict=True):
        if axes[:1] == name or (name == axes[: len(name)] and parts):
            full.append(parts.pop(0))
            axes = axes[1:]
        else:
            full.append(slice(0, length))
    return full[0], full[1], full[2], full[3]


def _touched(
    keyframe: Any,
    box: tuple[slice, slice, slice, slice],
    size: tuple[int, int],
) -> Iterator[int]:
    """Yield the numbers of the segments that the box touches."""
    if keyframe.is_tiled:
        high, wide = keyframe.tilelength, keyframe.tilewidth
    else:
        high, wide = keyframe.rowsperstrip, size[1]
        high = min(high, size[0])
    rows, columns = -(-size[0] // high), -(-size[1] // wide)
    if any(part.stop <= part.start for part in box):
        return
    for sample in range(box[0].start, box[0].stop):
        for row in range(box[1].start // high, -(-box[1].stop // high)):
            for column in range(box[2].start // wide, -(-box[2].stop // wide)):
                yield (sample * rows + row) * columns + column


def _paste(
    target: NDArray[Any],
    box: tuple[slice, slice, slice, slice],
    segment: NDArray[Any],
    index: tuple[int, ...],
    shape: tuple[int, ...],
) -> None:
    """Copy what of a decoded (1, y, x, samples) segment lies in the box."""
    sample, _, row, column, _ = index
    rows = slice(max(row, box[1].start), min(row + shape[1], box[1].stop))
    columns = slice(max(column, box[2].start), min(column + shape[2], box[2].stop))
    target[
        sample - box[0].start,
        rows.start - box[1].start : rows.stop - box[1].start,
        columns.start - box[2].start : columns.stop - box[2].start,
    ] = segment[
        0,
        rows.start - row : rows.stop - row,
        columns.start - column : columns.stop - column,
        box[3],
    ]


def check_chain(path: Path) -> None:
    """Refuse a file whose chain of pages leads beyond its end.

    Libraries stop at the break and hand out the pages before it, so that a cut
    volume looks like a thinner one.

    Raises
    ------
    DamagedImageError
        If a directory of tags, or the pointer to the next one, is cut off.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        whole = 0
        try:
            for end in _chain(file):
                if end > size:
                    raise struct.error("a tag lies beyond the end")
                whole += 1
        except struct.error as error:
            raise DamagedImageError(
                path,
                f"is cut short after {size} bytes: only {whole} pages have their"
                " directory; copy or write it again",
            ) from error


def _chain(file: BinaryIO) -> Iterator[int]:
    """Yield where the tags of each page end; struct.error where one is cut."""
    header = file.read(16)
    order = "<" if header[:2] == b"II" else ">"
    big = header[2:4] in (b"+\0", b"\0+")
    count_format, next_format = ("Q", "Q") if big else ("H", "I")
    wide = order + ("u8" if big else "u4")
    tag = np.dtype(
        [("code", order + "u2"), ("type", order + "u2"), ("count", wide), ("at", wide)]
    )
    (offset,) = struct.unpack_from(order + next_format, header, 8 if big else 4)
    seen: set[int] = set()
    while offset and offset not in seen:
        seen.add(offset)
        file.seek(offset)
        count_bytes = file.read(struct.calcsize(count_format))
        (count,) = struct.unpack(order + count_format, count_bytes)
        if count > _MOST_TAGS:
            raise struct.error("not a directory")
        data = file.read(count * tag.itemsize)
        (offset,) = struct.unpack(
            order + next_format, file.read(struct.calcsize(next_format))
        )
        yield _end_of_tags(np.frombuffer(data, tag))


def _end_of_tags(tags: NDArray[Any]) -> int:
    """Return where the furthest value ends that does not fit into its tag."""
    sizes = np.array(_TYPE_SIZES)[np.minimum(tags["type"], len(_TYPE_SIZES) - 1)]
    counts = tags["count"].astype(np.int64) * sizes
    far = counts > tags["at"].dtype.itemsize
    return int((tags["at"].astype(np.int64) + counts)[far].max(initial=0))
