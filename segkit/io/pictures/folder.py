"""A folder of pictures is a volume; a box decodes the planes that it touches."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.described import described
from segkit.io.errors import DamagedImageError, ImageRequestError
from segkit.io.opening import open_image
from segkit.io.pictures.writing import encoded
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.formats import Entries
    from segkit.io.image import Image
    from segkit.io.options import OpenOptions, SaveOptions

BESIDE_PICTURES = frozenset(
    {".txt", ".csv", ".json", ".xml", ".md", ".toml", ".log", ".db", ".ini"}
)
"""Suffixes of files that lie among pictures and are none."""
_PLANE = re.compile(r"([A-Za-z])\d+\.[A-Za-z]+")
_STACKED = "ztc"
"""Letters of axes along which a folder has planes, where their names begin so."""


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return a key that sorts numbers in names by value.

    Examples
    --------
    >>> sorted(["z10.png", "z9.png", "z1.png"], key=natural_key)
    ['z1.png', 'z9.png', 'z10.png']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p)) if p.isdecimal() else (1, p.lower()) for p in parts)


def open_folder(path: Path, options: OpenOptions) -> Image:
    """Return a folder of pictures as a volume, planes in natural order of names.

    Parameters
    ----------
    path : Path
        The folder.
    options : OpenOptions
        The pattern says which files, such as ``'*.tif'``; by default all of the one
        kind there is.

    Raises
    ------
    ImageRequestError
        If the folder holds pictures of several kinds, or none.
    DamagedImageError
        On reading, if a plane has another shape or type than the first.
    """
    open_plane = partial(open_image)
    files = _files(path, options.pattern)
    first = open_plane(files[0])
    if first.files:
        raise ImageRequestError(
            path,
            f"holds one image in {len(first.files) + 1} files; open one of them, such"
            f" as {files[0].name}, and all are read",
        )
    source = PictureFolder(
        path, tuple(files), first.shape, first.source.dtype, open_plane
    )
    stacked = _axis_of(files, first.axes)
    image = described(
        str(path),
        source,
        axes=options.axes or (stacked or "z") + first.axes,
        spacing=(1.0, *first.spacing),
        units=("pixel", *first.units),
    )
    return replace(image, stated=options.axes is not None or bool(stacked))


def _axis_of(files: list[Path], inner: str) -> str:
    """Return the letter that the names of all files begin with, such as t in t01.png.

    Else whole volumes lie one after the other in time; of planes nothing is said.
    """
    found = [_PLANE.fullmatch(file.name) for file in files]
    letters = {match[1].lower() if match else "" for match in found}
    stated = letters.pop() if len(letters) == 1 else ""
    if stated and stated in _STACKED and stated not in inner:
        return stated
    return "t" if "z" in inner else ""


def _files(path: Path, pattern: str | None) -> list[Path]:
    found = path.glob(pattern) if pattern else path.iterdir()
    files = [
        file
        for file in found
        if not file.is_dir()
        and not file.name.startswith(".")
        and (pattern or file.suffix.lower() not in BESIDE_PICTURES)
    ]
    for file in files:
        if not file.is_file():  # else the volume would be thinner, without a word
            raise DamagedImageError(
                file,
                "is a plane of the folder and no file that can be read; put back what"
                " the link leads to, remove it, or choose others by pattern=",
            )
    kinds = Counter(file.suffix.lower() for file in files)
    if not files:
        named = f" named {pattern}" if pattern else ""
        raise ImageRequestError(path, f"is a folder without files{named}")
    if len(kinds) > 1:
        raise ImageRequestError(
            path,
            f"is a folder of several kinds of files {dict(kinds)}; choose one by"
            f" pattern='*{kinds.most_common(1)[0][0]}'",
        )
    return sorted(files, key=lambda file: natural_key(file.name))


@known_as("segkit.names")
class PictureFolder:
    """One picture per plane; the last decoded ones are kept."""

    def __init__(
        self,
        path: Path,
        files: tuple[Path, ...],
        plane: tuple[int, ...],
        dtype: np.dtype[Any],
        open_plane: Callable[[Path], Image],
    ) -> None:
        self.path = path
        self.files = files
        self.shape = (len(files), *plane)
        self.dtype = dtype
        self._open_plane = open_plane
        self._plane = lru_cache(maxsize=2)(self._open)

    def __getstate__(self) -> tuple[Any, ...]:
        plane = self.shape[1:]
        return (self.path, self.files, plane, self.dtype, self._open_plane)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def _open(self, number: int) -> Image:
        image = self._open_plane(self.files[number])
        if image.shape != self.shape[1:] or image.source.dtype != self.dtype:
            raise DamagedImageError(
                self.files[number],
                f"has shape {image.shape} and type {image.dtype} where the first plane"
                f" of the folder has {self.shape[1:]} and {self.dtype}",
            )
        return image

    def read(self, box: tuple[slice, ...]) -> NDArray[Any]:
        """Return the voxels of the box."""
        planes = range(box[0].start, box[0].stop)
        out = np.empty([part.stop - part.start for part in box], self.dtype)
        for plane, number in zip(out, planes, strict=True):
            plane[...] = self._plane(number).read(box[1:])
        return out


def save_folder(path: Path, image: Image, options: SaveOptions) -> None:
    """Write a volume as a new folder of PNG files, one per plane."""
    if image.axes.removesuffix("s") not in [f"{name}yx" for name in _STACKED]:
        raise ImageRequestError(
            path,
            f"a folder of pictures holds planes along z, t or c, not axes"
            f" {image.axes!r}; save .tif, .zarr or .h5",
        )
    path.mkdir()
    digits = len(str(image.shape[0] - 1))
    for number in range(image.shape[0]):
        file = path / f"{image.axes[0]}{number:0{digits}d}.png"
        file.write_bytes(encoded(file, image.read(number), labels=options.labels))


def planes_of(folder: Path, entries: Entries) -> Container[str]:  # noqa: ARG001 (all formats')
    """Return the names that as many planes as there are files would have."""
    names = [name for name, inner in entries.items() if not inner]
    found = _PLANE.fullmatch(min(names, default=""))
    if found is None or not found[0].endswith(".png"):
        return set()
    digits = len(str(len(names) - 1))
    return {f"{found[1]}{number:0{digits}d}.png" for number in range(len(names))}
