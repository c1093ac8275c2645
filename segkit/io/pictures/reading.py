"""Open a picture: it is decoded whole, once, and kept as long as its image."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.errors import DamagedImageError, NotAnImageError
from segkit.io.image import Image, as_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from segkit.io.options import OpenOptions

_COLOUR_AXES = 3


def open_picture(path: Path, options: OpenOptions) -> Image:
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
    axes = options.axes
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
