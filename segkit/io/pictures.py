"""Pictures (PNG, JPEG and whatever else imageio reads) and folders of them.

A picture is decoded whole, once, and kept as long as its image; a folder is a
volume with one picture per plane, and a box decodes the planes it touches.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.errors import DamagedImageError, ImageRequestError, NotAnImageError
from segkit.io.image import Image, as_image, described
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_IGNORED = {".txt", ".csv", ".json", ".xml", ".md", ".toml", ".log", ".db", ".ini"}
_COLOUR_AXES = 3


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return a key that sorts numbers in names by value.

    Examples
    --------
    >>> sorted(["z10.png", "z9.png", "z1.png"], key=natural_key)
    ['z1.png', 'z9.png', 'z10.png']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p)) if p.isdecimal() else (1, p.lower()) for p in parts)


def open_picture(path: Path, *, axes: str | None = None) -> Image:
    """Return the image of a single picture.

    Colour comes as samples in a last axis ``s``.

    Raises
    ------
    NotAnImageError
        If no reader of imageio knows the file.
    DamagedImageError
        If it begins as a picture and cannot be decoded to its end.
    """
    voxels = read_picture(path)
    if axes is None:
        axes = _picture_axes(path, voxels)
    return as_image(voxels, axes=axes, path=str(path))


def _picture_axes(path: Path, voxels: NDArray[Any]) -> str:
    colour = voxels.ndim >= _COLOUR_AXES and voxels.shape[-1] in (2, 3, 4)
    names = {
        (2, False): "yx",
        (3, True): "yxs",
        (3, False): "tyx",
        (4, True): "tyxs",
    }.get((voxels.ndim, colour))
    if names is None:
        raise NotAnImageError(
            path, f"decodes to shape {voxels.shape}, which is no picture; name axes="
        )
    return names


def read_picture(path: Path) -> NDArray[Any]:
    """Return all pixels of a picture file, as imageio decodes them."""
    import imageio.v3
    from PIL import Image as Pillow, UnidentifiedImageError

    try:
        Pillow.open(path).close()
        voxels = np.asarray(imageio.v3.imread(path, plugin="pillow"))
    except PermissionError:
        raise
    except UnidentifiedImageError:
        voxels = _read_unusual(path)
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise DamagedImageError(
            path,
            f"cannot be decoded to its end: {reason[:200]}; copy or write it again",
        ) from error
    if voxels.dtype.kind not in "biufc":
        raise NotAnImageError(path, f"holds {voxels.dtype}, not numbers")
    return voxels


def _read_unusual(path: Path) -> NDArray[Any]:
    """Return what another reader of imageio makes of a file that Pillow refuses."""
    import imageio.config
    import imageio.v3
    from PIL import Image as Pillow

    reason: Exception | None = None
    known = path.suffix.lower() in imageio.config.known_extensions
    # What Pillow should know and does not is damaged; others need not be asked.
    if known and path.suffix.lower() not in Pillow.registered_extensions():
        try:
            with warnings.catch_warnings():
                # imageio tries every reader, and some warn before they refuse.
                warnings.simplefilter("ignore")
                return np.asarray(imageio.v3.imread(path))
        except Exception as error:  # noqa: BLE001 (readers raise anything)
            reason = error
    with path.open("rb") as file:
        start = file.read(8)
    raise NotAnImageError(
        path, f"is not an image that can be read here: it begins with {start!r}"
    ) from reason


def open_folder(
    path: Path,
    *,
    pattern: str | None = None,
    axes: str | None = None,
    open_plane: Callable[[Path], Image],
) -> Image:
    """Return a folder of pictures as a volume, planes in natural order of names.

    Parameters
    ----------
    path : Path
        The folder.
    pattern : str, optional
        Which files, such as ``'*.tif'``; by default all of the one kind there is.
    axes : str, optional
        One letter per axis of the volume.
    open_plane : callable
        Opens one file as an image.

    Raises
    ------
    ImageRequestError
        If the folder holds pictures of several kinds, or none.
    DamagedImageError
        On reading, if a plane has another shape or type than the first.
    """
    files = _files(path, pattern)
    first = open_plane(files[0])
    source = PictureFolder(
        path, tuple(files), first.shape, first.source.dtype, open_plane
    )
    names = axes or ("z" if "z" not in first.axes else "t") + first.axes
    return described(
        str(path),
        source,
        axes=names,
        spacing=(1.0, *first.spacing),
        units=("pixel", *first.units),
    )


def _files(path: Path, pattern: str | None) -> list[Path]:
    found = path.glob(pattern) if pattern else path.iterdir()
    files = [
        file
        for file in found
        if file.is_file()
        and not file.name.startswith(".")
        and (pattern or file.suffix.lower() not in _IGNORED)
    ]
    kinds = Counter(file.suffix.lower() for file in files)
    if not files:
        raise ImageRequestError(path, f"is a folder without files {pattern or ''}")
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
