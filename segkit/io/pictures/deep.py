"""Pictures whose samples have not 8 bits: Pillow would cut or stretch them to 8 or 16.

A header says how many bits there are; who has others is decoded by imagecodecs, or
here where that takes a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.io.errors import NotAnImageError, missing_extra

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
_SIZES = b"\xff\x4f\xff\x51"
"""Where the sizes of a JPEG 2000 stream begin."""
_COLOUR_TYPES = (2, 4, 6)
_NETPBM = re.compile(rb"P([2356])((?:\s|#[^\n]*\n)+\d+)((?:\s|#[^\n]*\n)+\d+)"
                     rb"((?:\s|#[^\n]*\n)+\d+)\s")  # fmt: skip
_HEAD = 1 << 16
_BYTE = 8
_WHOLE_BYTE = 255


def deep_pixels(path: Path) -> NDArray[Any] | None:
    """Return the samples of a picture as stored; None if Pillow reads them so.

    Raises
    ------
    MissingExtraError
        If imagecodecs is needed and is not installed.
    NotAnImageError
        If nobody reads them here.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    codec = _codec(head)
    if codec is not None:
        return _decoded(path, codec)
    if head[:4] == b"\x01\xda\x00\x02" or head[:4] == b"\x01\xda\x01\x02":
        raise NotAnImageError(
            path, "is an SGI picture of 16 bits, which nobody reads here; convert it"
        )
    return _netpbm(path, head)


def _codec(head: bytes) -> str | None:
    """Return the name of the codec in imagecodecs that a header asks for."""
    if head.startswith(_PNG):
        deep = head[24:25] == b"\x10" and head[25:26] and head[25] in _COLOUR_TYPES
        return ("apng" if b"acTL" in head else "png") if deep else None
    if head.startswith(_JPEG2000):
        sizes = head.find(_SIZES) + 2
        bits = (head[sizes + 40 : sizes + 41] or b"\x07")[0] & 0x7F
        return "jpeg2k" if bits + 1 != _BYTE else None
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        flags = head[(head.find(b"av1C") + 6) :][:1]
        return "avif" if flags and b"av1C" in head and flags[0] & 0x40 else None
    return None


def _decoded(path: Path, codec: str) -> NDArray[Any]:
    try:
        import imagecodecs
    except ImportError as error:
        raise missing_extra(path, "imagecodecs") from error
    decode = getattr(imagecodecs, f"{codec}_decode")
    found: NDArray[Any] = decode(path.read_bytes())
    return found


def _netpbm(path: Path, head: bytes) -> NDArray[Any] | None:
    """Return a PGM or PPM whose largest value is another than that of a byte."""
    found = _NETPBM.match(head)
    if found is None:
        return None
    kind = int(found[1])
    width, height, largest = (int(part.split()[-1]) for part in found.groups()[1:])
    if largest == _WHOLE_BYTE:
        return None
    samples = 3 if kind in (3, 6) else 1
    dtype = np.dtype("u1") if largest < _WHOLE_BYTE else np.dtype(">u2")
    data = path.read_bytes()[found.end() :]
    count = width * height * samples
    if kind in (5, 6):
        values = np.frombuffer(data, dtype, count)
    else:
        values = np.array(re.sub(rb"#[^\n]*", b"", data).split()[:count], int)
    shape = (height, width, samples) if samples > 1 else (height, width)
    return values.reshape(shape).astype(dtype.newbyteorder("="))
