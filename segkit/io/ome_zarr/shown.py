"""How viewers are to show the channels of an OME-Zarr: names, colours, brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from segkit.io.image import Image

_ALONE = "FFFFFF"
_COLOURS = ("0000FF", "00FF00", "FF0000", "FF00FF", "00FFFF", "FFFF00")
_LONGEST = 1024


def shown_channels(image: Image) -> dict[str, Any]:
    """Return the metadata ``omero`` of an image, nothing if nobody names its channels.

    The brightness that is shown is that of the middle plane: of images larger than
    memory no more is read.

    Examples
    --------
    >>> from segkit.io import as_image
    >>> from segkit.io.arranged.views import with_names
    >>> image = as_image(np.arange(24, dtype=np.uint16).reshape(2, 3, 4), axes="cyx")
    >>> shown_channels(image)
    {}
    >>> found = shown_channels(with_names(image, ["DAPI", "GFP"]))
    >>> other = found["omero"]["channels"][1]
    >>> other["label"], other["window"]
    ('GFP', {'min': 0, 'max': 65535, 'start': 12, 'end': 23})
    """
    if not any(image.channels):
        return {}
    count = len(image.channels)
    colours = (_ALONE,) if count == 1 else _COLOURS
    found = [
        {
            "label": name,
            "color": colours[number % len(colours)],
            "active": True,
            "window": _window(image, number),
        }
        for number, name in enumerate(image.channels)
    ]
    return {"omero": {"channels": found}}


def _window(image: Image, channel: int) -> dict[str, float]:
    """Return what the voxels of a channel can be, and what is black and white."""
    plane = image.read(tuple(_span(image, k, channel) for k in range(image.ndim)))
    real = plane.real[np.isfinite(plane)]
    low, high = (real.min().item(), real.max().item()) if real.size else (0, 1)
    low, high = (int(low), int(high)) if image.dtype.kind == "b" else (low, high)
    if image.dtype.kind in "iu":
        known = np.iinfo(image.dtype)
        if low == high:  # nothing to see, or not written yet
            low, high = int(known.min), int(known.max)
        return {"min": int(known.min), "max": int(known.max), "start": low, "end": high}
    high = high if high > low else low + 1
    return {"min": low, "max": high, "start": low, "end": high}


def _span(image: Image, axis: int, channel: int) -> slice:
    length, name = image.shape[axis], image.axes[axis]
    if name in "yx":
        start = max(0, (length - _LONGEST) // 2)
        return slice(start, min(length, start + _LONGEST))
    middle = channel if name == "c" else length // 2
    return slice(middle, min(length, middle + 1))
