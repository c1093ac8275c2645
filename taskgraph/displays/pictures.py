"""Pictures: arrays drawn plane by plane, and what is PNG or JPEG already."""

from __future__ import annotations

import io
import math
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from taskgraph.displays.colours import label_colours
from taskgraph.displays.markup import Markup, element

if TYPE_CHECKING:
    from numpy.typing import NDArray

Role = Literal["grey", "mask", "labels", "colour"]
MOST_PIXELS = 640
"""Of the longer side of a picture in HTML."""
_AVERAGED = 1 << 24
"""Pixels of a plane that is shrunk by means; of larger ones some pixels are taken."""
_ENLARGED = 240
_MISSING = (150, 0, 90)


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPicture:
    """An array as a picture, or as many: one for each plane of a volume.

    Attributes
    ----------
    array : ndarray
        Of shape (..., y, x), or (..., y, x, 3 or 4) in colour.
    role : {'grey', 'mask', 'labels', 'colour'}
        What its values are.
    low, high : float
        What is drawn black and white, the same in all planes.
    note : str
        What a reader has to know of the way it is drawn.
    """

    array: NDArray[Any]
    role: Role
    low: float = 0.0
    high: float = 255.0
    note: str = ""

    @property
    def kind(self) -> str:
        """What it is: a picture, or a volume of several."""
        return "picture" if self.planes == 1 else "volume"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a plane, in pixels."""
        height, width = self.array.shape[self.array.ndim - self._inner :][:2]
        return height, width

    @property
    def planes(self) -> int:
        """How many pictures there are, in the order of the array."""
        return math.prod(self.array.shape[: self.array.ndim - self._inner])

    @property
    def _inner(self) -> int:
        return 3 if self.role == "colour" else 2

    @property
    def summary(self) -> str:
        """Type, shape and how it is drawn, in one line."""
        shape = " x ".join(map(str, self.array.shape))
        return f"{self.array.dtype} {shape}, {self.note}"

    def rgb(self, plane: int | None = None, most: int = 1024) -> NDArray[np.uint8]:
        """Return a plane as grey (y, x) or RGB (y, x, 3) pixels.

        Parameters
        ----------
        plane : int, optional
            Its number; the middle one by default.
        most : int
            Pixels of its longer side at most; larger ones are shrunk.

        Raises
        ------
        IndexError
            There is no such plane.
        """
        return _drawn(_shrunk(self.plane(plane), most, self.role), self)

    def png(self, plane: int | None = None, most: int = 1024) -> bytes:
        """Return the same as the bytes of a PNG file."""
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(self.rgb(plane, most)).save(file, "PNG", compress_level=3)
        return file.getvalue()

    def html(self, most: int = MOST_PIXELS) -> Markup:
        """Return a figure of the middle plane."""
        height, width = self.size
        text = self.summary
        if self.planes > 1:
            text += f"; plane {self.planes // 2} of 0 to {self.planes - 1}"
        step = _step((height, width), most)
        if step > 1:
            text += f"; one pixel for {step} x {step}"
        shown = self.png(None, most), "image/png"
        return _figure(*shown, text, (-(-height // step), -(-width // step)))

    def plane(self, plane: int | None = None) -> NDArray[Any]:
        """Return the values of a plane, of the middle one by default."""
        lead = self.array.shape[: self.array.ndim - self._inner]
        if plane is None:
            plane = self.planes // 2
        if not 0 <= plane < self.planes:
            raise IndexError(f"there is no plane {plane}, only 0 to {self.planes - 1}")
        place = np.unravel_index(plane, lead) if lead else ()
        chosen: NDArray[Any] = self.array[tuple(map(int, place))]
        return chosen


@dataclass(frozen=True, slots=True, eq=False)
class ReadyPicture:
    """What is a PNG or JPEG file already, as its class or its bytes say.

    Attributes
    ----------
    data : bytes
        The file.
    media_type : str
        ``image/png`` or ``image/jpeg``.
    summary : str
        What it is of.
    """

    data: bytes
    media_type: str
    summary: str
    kind: str = "picture"
    planes: int = 1

    def html(self) -> Markup:
        """Return it as a figure."""
        return _figure(self.data, self.media_type, self.summary, None)


def media_type_of(data: bytes) -> str:
    r"""Return the type of a picture by its first bytes; empty if it is none.

    Examples
    --------
    >>> media_type_of(b"\x89PNG\r\n\x1a\n"), media_type_of(b"<svg>")
    ('image/png', '')
    """
    starts = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
    return next(
        (name for start, name in starts.items() if data[:8][: len(start)] == start), ""
    )


def data_uri(data: bytes, media_type: str) -> str:
    """Return bytes as an address that holds them."""
    return f"data:{media_type};base64,{b64encode(data).decode()}"


def _figure(
    data: bytes, media_type: str, text: str, size: tuple[int, int] | None
) -> Markup:
    about: dict[str, Any] = {"src": data_uri(data, media_type), "alt": text}
    if size is not None:
        height, width = size
        times = max(1, _ENLARGED // max(size))
        about |= {"width": width * times, "height": height * times}
        about["class_"] = "tgd-pixels" if times > 1 else None
    caption = element("figcaption", text)
    return element("figure", element("img", **about), caption, class_="tgd-picture")


def _step(size: tuple[int, int], most: int) -> int:
    return max(1, -(-max(size) // max(1, most)))


def _shrunk(plane: NDArray[Any], most: int, role: Role) -> NDArray[Any]:
    """Return a plane of at most so many pixels a side: means, or for labels some."""
    step = _step((plane.shape[0], plane.shape[1]), most)
    if step == 1:
        return plane
    height, width = (length // step * step for length in plane.shape[:2])
    small = min(height, width) == 0
    if role == "labels" or plane.shape[0] * plane.shape[1] > _AVERAGED or small:
        return plane[::step, ::step]
    whole = np.ma.filled(plane[:height, :width].astype(np.float64), np.nan)
    rest = whole.shape[2:]
    blocks = whole.reshape(height // step, step, width // step, step, *rest)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _drawn(plane: NDArray[Any], how: ArrayPicture) -> NDArray[np.uint8]:
    if how.role == "labels":
        return label_colours(np.ma.filled(plane, 0))
    values = np.ma.filled(plane.astype(np.float64), np.nan)
    if how.role == "colour":
        values = values[..., :3]
    missing = np.isnan(values)
    span = how.high - how.low
    with np.errstate(all="ignore"):
        part = (values - how.low) / span if span > 0 else (values > 0).astype(float)
    whole = np.clip(np.nan_to_num(part, posinf=1, neginf=0), 0, 1)
    grey: NDArray[np.uint8] = np.round(255 * whole).astype(np.uint8)
    if not missing.any():
        return grey
    rgb = grey if how.role == "colour" else np.repeat(grey[..., None], 3, axis=-1)
    rgb[missing.any(axis=-1) if how.role == "colour" else missing] = _MISSING
    return rgb
