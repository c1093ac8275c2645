"""Pages of a TIFF file whose voxels lie in strips or tiles, read by box.

Only the strips or tiles that a box touches are read (`os.pread`, so that threads and
forked processes share a file without a lock) and decoded.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    NotAnImageError,
    parsing,
)
from segkit.io.mapped import FileMark
from segkit.io.tiff.ome import xml_elsewhere
from segkit.io.tiff.segments import DECODING_ERRORS, TiffSegments
from segkit.names import known_as

if TYPE_CHECKING:
    import tifffile
    from numpy.typing import NDArray


def parse(path: Path) -> tifffile.TiffFile:
    """Return a file opened by tifffile, which has one picture at least."""
    import tifffile

    try:
        tif = tifffile.TiffFile(path)
        elsewhere = xml_elsewhere(tif)
        if elsewhere is not None:
            tif.close()
            tif = tifffile.TiffFile(path, omexml=elsewhere)
    except tifffile.TiffFileError as error:
        raise NotAnImageError(path, f"is not a readable TIFF file: {error}") from error
    try:
        first = tif.pages.first if len(tif.pages) else None
        if first is None or not first.imagewidth or not tif.series:
            raise DamagedImageError(path, "is a TIFF file without a picture")
    except BaseException:
        tif.close()
        raise
    return tif


def chosen_series(
    path: Path, tif: tifffile.TiffFile, series: int, level: int
) -> tifffile.TiffPageSeries:
    """Return a level of a series; raise `ImageRequestError` if there is none."""
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


def files_of(path: Path, series: tifffile.TiffPageSeries) -> tuple[str, ...]:
    """Return the paths of the other files that pages of a series lie in."""
    # In one file the thousands of pages need not be parsed.
    pages = series.pages if series.is_multifile else [series.keyframe]
    found = {_file(page): None for page in pages if page is not None}
    return tuple(name for name in found if not path.samefile(name))


def _file(page: Any) -> str:
    return str(page.parent.filehandle.path)


@known_as("segkit.names")
@dataclass(slots=True)
class TiffPages:
    """Voxels in pages of compressed strips or tiles, or of several files.

    Attributes
    ----------
    files : tuple of str
        The other files that pages lie in.
    mark : FileMark
        Of the file when its metadata were read.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    series: int
    level: int
    files: tuple[str, ...] = ()
    mark: FileMark | None = None
    _lock: Lock = field(default_factory=Lock, repr=False)
    _opened: tuple[int, tifffile.TiffFile] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.mark = FileMark.of(self.path) if self.mark is None else self.mark

    def __getstate__(self) -> tuple[Any, ...]:
        known = (self.path, self.dtype, self.shape)
        return (*known, self.series, self.level, self.files, self.mark)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.path, self.dtype, self.shape = state[:3]
        self.series, self.level, self.files = state[3:6]
        self.mark = state[6] if len(state) > 6 else None  # of an older store
        self._lock = Lock()
        self._opened = None

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box, decoding what it touches."""
        with parsing(self.path, f"box {box}"):
            return self._read(box)

    def _read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        shape = tuple(part.stop - part.start for part in box)
        if 0 in shape:
            return np.empty(shape, self.dtype)
        with self._lock:
            tif = self._file()
            chosen = chosen_series(self.path, tif, self.series, self.level)
            pages, within = self._pages(chosen, box)
            places = [TiffSegments.of(page, within) for page in pages]
            own = tif.filehandle
        out = np.empty(shape, self.dtype)
        planes = out.reshape(len(places), -1)
        for page, plane, segments in zip(pages, planes, places, strict=True):
            if _file(page) == str(own.path):
                segments.paste(self.path, own.fileno(), plane)
            else:  # of a set of files, in which each has some planes
                with Path(_file(page)).open("rb") as file:
                    segments.paste(_file(page), file.fileno(), plane)
        return out

    def _file(self) -> tifffile.TiffFile:
        """Return the file, opened by this very process."""
        held = self._opened is not None and self._opened[0] == os.getpid()
        if self.mark is not None:
            self.mark.require_same(self.path, held=held)
        if self._opened is None or not held:
            self.close()
            self._opened = (os.getpid(), parse(self.path))
        return self._opened[1]

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def __del__(self) -> None:
        self.close()

    def _pages(
        self, chosen: tifffile.TiffPageSeries, box: tuple[slice, ...]
    ) -> tuple[list[Any], list[slice]]:
        """Return the pages that the box touches, and the box within each of them.

        A page has no axes of length 1, whatever the image has: without them, the last
        axes of the image are those of a page.
        """
        inner = [n for n in chosen.keyframe.shaped if n != 1]
        axes = [axis for axis, n in enumerate(self.shape) if n != 1]
        leading, within = axes[: len(axes) - len(inner)], axes[len(axes) - len(inner) :]
        if [self.shape[axis] for axis in within] != inner:
            raise NotAnImageError(
                self.path, f"pages of shape {inner} do not tile {self.shape}"
            )
        lengths = [self.shape[axis] for axis in leading]
        numbers = np.arange(math.prod(lengths)).reshape(lengths)
        wanted = numbers[tuple(box[axis] for axis in leading)].ravel()
        pages = [self._page(chosen, int(number)) for number in wanted]
        return pages, [box[axis] for axis in within]

    def _page(self, chosen: tifffile.TiffPageSeries, number: int) -> Any:
        try:
            page: Any = chosen[number]
        except (*DECODING_ERRORS, IndexError) as error:
            raise DamagedImageError(
                self.path, f"page {number} is damaged: {error}"
            ) from error
        if page is None:
            raise DamagedImageError(
                self.path,
                f"page {number} is missing; if the image lies in several files, put all"
                " of them into one folder",
            )
        if page.keyframe.shaped != chosen.keyframe.shaped:
            raise DamagedImageError(
                self.path,
                f"page {number} has shape {page.keyframe.shape} where the first has"
                f" {chosen.keyframe.shape}",
            )
        return page
