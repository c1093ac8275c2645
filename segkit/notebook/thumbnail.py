"""A small picture of an image, of which only a part is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.notebook import markup

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE = 320
_MOST = 4096
"""Pixels along each side of a plane that are read; of a larger one its middle."""


def thumbnail_html(image: Any) -> str:
    """Return an `Image` as HTML: the middle plane, path, type, shape and spacing."""
    told = repr(image).strip("<>")
    try:
        pixels, part = _plane(image)
        if pixels.size == 0:
            return markup.paragraph(told)
        small = markup.shrunk(pixels, _SIDE)
        if small.dtype != np.uint8 or small.ndim == 2:
            small = markup.in_grey(small)
        elif small.shape[-1] == 1:
            small = small[..., 0]
        shown = markup.figure(small, told + part)
    except Exception as error:  # noqa: BLE001 - a file may be damaged in any way
        return markup.paragraph(f"{told}; it cannot be shown: {error}")
    return shown


def _plane(image: Any) -> tuple[NDArray[Any], str]:
    """Return the pixels of the middle plane, and what is to be told of it."""
    colour = image.axes.endswith("yxs")
    rest = 3 if colour else 2
    if image.ndim < rest:
        return image.read()[None], ""
    box: list[slice | int] = []
    part = ""
    for axis, length in enumerate(image.shape):
        left = image.ndim - axis
        if left > rest:
            box.append(length // 2)
        elif length > _MOST and not (colour and left == 1):
            start = (length - _MOST) // 2
            box.append(slice(start, start + _MOST))
            part = f"; the middle {_MOST} pixels along a side"
        else:
            box.append(slice(0, length))
    if image.ndim > rest:
        part = f"; the middle plane{part}"
    pixels = image.read(tuple(box))
    if colour and pixels.shape[-1] not in (1, 2, 3, 4):
        pixels = pixels[..., 0]
    return pixels, part
