"""Open a picture: it is decoded whole, once, and kept as long as its image."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from segkit.io.described import as_image
from segkit.io.errors import DamagedImageError, ImageRequestError, NotAnImageError
from segkit.io.pictures.deep import deep_pixels
from segkit.io.pictures.foreign import advice_for, require_known

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL.Image import Image as Picture

    from segkit.io.image import Image
    from segkit.io.options import OpenOptions

_COLOUR_AXES = 3
_LARGEST = 1 << 32
"""Bytes of a decoded picture that are not taken for a mistake or an attack."""
_ORIENTATION = 0x0112
_MOVIES = ("GIF", "PNG", "WEBP")
_INKS = ("CMYK", "YCbCr", "LAB", "HSV")
"""Modes whose samples are no red, green and blue: channels."""
_FEW = 16
"""Colours of which no picture of a camera has so few."""
_EQUAL = 0.5
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError)


def open_picture(path: Path, options: OpenOptions) -> Image:
    """Return the image of a single picture.

    Colour comes as samples in a last axis ``s``, inks and the like (CMYK) as channels.
    A camera's picture is turned as its EXIF orientation says. A picture with a palette
    gives grey values if the palette has greys only, and its indices if it looks like
    labels; of others it has to be said whether indices (axes ``'yx'``) or colours
    (``'yxs'``) are meant, which holds for all of them.

    Raises
    ------
    NotAnImageError
        If nobody knows the file here; the message names the package that does.
    DamagedImageError
        If it begins as a picture and cannot be decoded to its end.
    ImageRequestError
        If it is too large to be decoded whole, or a palette leaves a choice.
    """
    voxels, axes = read_picture(path, options.axes)
    return as_image(voxels, axes=options.axes or axes, path=str(path))


def read_picture(path: Path, meant: str | None = None) -> tuple[NDArray[Any], str]:
    """Return all pixels of a picture file, as stored, and their axes."""
    require_known(path)
    from PIL import UnidentifiedImageError

    inks = False
    try:
        with _any_size(), _decoding(path):
            found = deep_pixels(path)
            voxels, inks = (
                (found, False) if found is not None else _by_pillow(path, meant)
            )
    except UnidentifiedImageError:
        voxels = _read_unusual(path)
    if voxels.dtype.kind not in "biufc":
        raise NotAnImageError(path, f"holds {voxels.dtype}, not numbers")
    axes = _picture_axes(path, voxels)
    return voxels, axes.replace("s", "c") if inks else axes


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
            path, f"decodes to shape {voxels.shape}, which is no picture; convert it"
        )
    return names


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turn what decoders raise on a file that begins as a picture into damage."""
    from PIL import UnidentifiedImageError

    try:
        yield
    except (PermissionError, FileNotFoundError, UnidentifiedImageError):
        raise
    except (ImageRequestError, NotAnImageError, DamagedImageError):
        raise
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise DamagedImageError(
            path,
            f"cannot be decoded to its end: {reason[:200]}; copy or write it again",
        ) from error


class _Limit:
    """Pillow's own limit, which our larger one replaces while a picture is decoded."""

    lock = threading.Lock()
    users = 0
    before: int | None = None


@contextmanager
def _any_size() -> Iterator[None]:
    """Let Pillow decode what `_require_size` lets pass, in any number of threads."""
    from PIL import Image as Pillow

    with _Limit.lock:
        if _Limit.users == 0:
            _Limit.before, Pillow.MAX_IMAGE_PIXELS = Pillow.MAX_IMAGE_PIXELS, None
        _Limit.users += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.users -= 1
            if _Limit.users == 0:
                Pillow.MAX_IMAGE_PIXELS = _Limit.before


def _by_pillow(path: Path, meant: str | None) -> tuple[NDArray[Any], bool]:
    """Return the pixels, and whether its samples are of another kind than colours."""
    from PIL import Image as Pillow, ImageOps

    with Pillow.open(path) as picture:
        frames = getattr(picture, "n_frames", 1) if picture.format in _MOVIES else 1
        _require_size(path, picture, frames)
        if frames > 1:
            return _movie(picture), False
        inks, upright = picture.mode in _INKS, cast("Picture", picture)
        if picture.getexif().get(_ORIENTATION, 1) != 1:
            upright = ImageOps.exif_transpose(picture)
        if picture.mode in ("P", "PA"):
            return _of_palette(path, upright, meant), inks
        return _pixels(upright), inks


def _require_size(path: Path, picture: Picture, frames: int) -> None:
    width, height = picture.size
    count = width * height * len(picture.getbands()) * frames
    if count > _LARGEST:
        raise ImageRequestError(
            path,
            f"decodes to {count >> 30} GB ({width} x {height} pixels), and a picture is"
            " decoded whole; convert it to a tiled .tif or .zarr",
        )


def _movie(picture: Picture) -> NDArray[Any]:
    """Return all frames, in the one mode that holds each of them."""
    from PIL import ImageSequence

    frames = [frame.copy() for frame in ImageSequence.Iterator(picture)]
    modes = {frame.mode for frame in frames}
    if len(modes) > 1 or modes & {"P", "PA"}:
        seen = any("A" in frame.getbands() for frame in frames)
        frames = [frame.convert("RGBA" if seen else "RGB") for frame in frames]
    return np.stack([_pixels(frame) for frame in frames])


def _pixels(picture: Picture) -> NDArray[Any]:
    """Return the pixels of one frame without a palette."""
    if picture.mode in ("RGBX", "RGBa", "La"):
        whole = {"RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}[picture.mode]
        return np.asarray(picture.convert(whole))
    voxels = np.asarray(picture)
    if picture.mode == "I" and picture.format == "PNG":
        return voxels.astype(np.uint16)
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)


def _of_palette(path: Path, picture: Picture, meant: str | None) -> NDArray[Any]:
    """Return indices, greys or colours of a picture with a palette."""
    if meant is not None and meant.endswith("s"):
        return np.asarray(picture.convert("RGB"))
    indices: NDArray[Any] = np.asarray(
        picture if picture.mode == "P" else picture.getchannel("P")
    )
    colours = np.zeros((256, 3), np.uint8)
    stored = np.array(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    colours[: len(stored)] = stored
    used = colours[np.unique(indices)]
    if (used == used[:, :1]).all():
        greys: NDArray[Any] = colours[indices, 0]
        return greys
    if meant is None and len(used) > _FEW and not _looks_like_labels(indices):
        raise ImageRequestError(
            path,
            f"is in {len(used)} colours of a palette; say axes='yxs' for the colours,"
            " or axes='yx' for its indices (labels, or greys under a lookup table)",
        )
    return indices


def _looks_like_labels(indices: NDArray[Any]) -> bool:
    """Say whether neighbours are mostly equal, where they are not both background."""
    background = np.bincount(indices.ravel()).argmax()
    left, right = indices[:, :-1], indices[:, 1:]
    inside = (left != background) | (right != background)
    return bool((left == right)[inside].mean() >= _EQUAL) if inside.any() else True


def _read_unusual(path: Path) -> NDArray[Any]:
    """Return what another reader of imageio makes of a file that Pillow refuses."""
    import imageio.config
    import imageio.v3
    from PIL import Image as Pillow

    reason: Exception | None = None
    known = path.suffix.lower() in imageio.config.known_extensions
    foreign = advice_for(path)
    # What Pillow should know and does not is damaged; others need not be asked.
    if (
        known
        and not foreign
        and path.suffix.lower() not in Pillow.registered_extensions()
    ):
        try:
            with warnings.catch_warnings():
                # imageio tries every reader, and some warn before they refuse.
                warnings.simplefilter("ignore")
                return np.asarray(imageio.v3.imread(path))
        except ImportError:
            raise
        except Exception as error:  # noqa: BLE001 (readers raise anything)
            reason = error
    with path.open("rb") as file:
        start = file.read(8)
    raise NotAnImageError(
        path,
        f"is not an image that can be read here: it begins with {start!r}{foreign}",
    ) from reason
