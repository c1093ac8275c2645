"""Pages of a TIFF file whose voxels lie in strips or tiles, read by box.

Only the strips or tiles that a box touches are read (`os.pread`, so that threads and
forked processes share a file without a lock) and decoded.
"""

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
    parsing,
)
from segkit.io.tiff.segments import DECODING_ERRORS, TiffSegments
from segkit.names import known_as

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile
    from numpy.typing import NDArray


def parse(path: Path) -> tifffile.TiffFile:
    """Return a file opened by tifffile, which has one picture at least."""
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
            self._opened = (os.getpid(), parse(self.path))
        return chosen_series(self.path, self._opened[1], self.series, self.level)

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
        except DECODING_ERRORS as error:
            raise DamagedImageError(
                self.path, f"page {number} is damaged: {error}"
            ) from error
        if page is None:
            raise DamagedImageError(self.path, f"page {number} is missing")
        return page
