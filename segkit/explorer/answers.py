"""What a page is sent: arrays as they are, behind a text that describes them."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.pictures.colouring import chosen_colours
from segkit.pictures.painting import ids_in, numbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from segkit.arrays import Array

_ALIGNED = 8


def packed(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Return a header and arrays as bytes.

    Four bytes say how long the header is, which is JSON: what is given, and of each
    array its name, type, shape and where it begins after the header.

    Examples
    --------
    >>> data = packed({"level": 0}, {"mask": np.ones((2, 3), np.uint8)})
    >>> header, arrays = unpacked(data)
    >>> header["level"], arrays["mask"].tolist()
    (0, [[1, 1, 1], [1, 1, 1]])
    """
    described, parts, at = [], [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array)
        described.append(
            {"name": name, "dtype": data.dtype.name, "shape": data.shape, "at": at}
        )
        gap = -data.nbytes % _ALIGNED
        parts += [data.data.cast("B") if data.size else b"", bytes(gap)]
        at += data.nbytes + gap
    text = json.dumps(_finite({**header, "arrays": described}), allow_nan=False)
    head = text.encode()
    head += b" " * (-(len(head) + 4) % _ALIGNED)
    return b"".join([struct.pack("<I", len(head)), head, *parts])


def unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header and the arrays of `packed`."""
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    arrays = {
        one["name"]: np.frombuffer(
            data,
            one["dtype"],
            int(np.prod(one["shape"])),
            offset=4 + length + one["at"],
        ).reshape(one["shape"])
        for one in header["arrays"]
    }
    return header, arrays


def grey_levels(array: Array, low: float, high: float) -> NDArray[np.uint8]:
    """Return grey values in 8 bits, the square root between two of them; NaN is black.

    The square root shows dim objects beside bright ones, as in `segkit.grey_picture`.

    Examples
    --------
    >>> grey_levels(np.array([0.0, 25, 100, 200, np.nan]), 0, 100).tolist()
    [0, 127, 255, 255, 0]
    """
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        values = np.arange(1 << 8 * array.dtype.itemsize)
        lookup: NDArray[np.uint8] = _drawn(values, low, high)[array]
        return lookup
    return _drawn(array, low, high)


def _drawn(grey: Array, low: float, high: float) -> NDArray[np.uint8]:
    part = np.subtract(grey, low, dtype=np.float64)
    part /= high - low
    np.nan_to_num(part, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    np.clip(part, 0, 1, out=part)
    np.sqrt(part, out=part)
    part *= 255
    return part.astype(np.uint8)


def small_ids(labels: Array) -> Array:
    """Return labels in the smallest unsigned type that holds them.

    Examples
    --------
    >>> small_ids(np.array([0, 300], np.int32)).dtype.name
    'uint16'
    """
    last = int(labels.max(initial=0))
    return labels.astype(np.min_scalar_type(last), copy=False)


def colour_numbers(labels: Array) -> NDArray[np.uint8]:
    """Return the number of a colour for each id from 0 on; near ones differ.

    Examples
    --------
    >>> colour_numbers(np.array([[0, 5, 5, 9]])).tolist()[5] > 0
    True
    """
    ids = ids_in(labels)
    numbers, last = numbered(labels, None)
    found = np.zeros(int(ids[-1]) + 1 if ids.size else 1, np.uint8)
    found[ids] = chosen_colours(numbers, last, None)[1:]
    return found


def _finite(plain: Any) -> Any:
    """Return plain values in which no number is one that JSON does not have."""
    if isinstance(plain, float):
        return plain if np.isfinite(plain) else None
    if isinstance(plain, dict):
        return {name: _finite(value) for name, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [_finite(value) for value in plain]
    return plain
