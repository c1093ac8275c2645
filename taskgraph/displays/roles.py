"""What the values of an array are: grey, a mask, labels, colour, or no picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from taskgraph.displays.colours import MOST_OBJECTS
from taskgraph.displays.pictures import ArrayPicture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from taskgraph.displays.pictures import Role

_LOOKED_AT = 5
_SAMPLE = 512
_ENDS = (0.2, 99.8)
_SMALLEST = 8
"""Arrays with a shorter side are tables of numbers."""
_SAME, _MOSTLY_SAME = 0.95, 0.7
"""Parts of neighbouring pixels that are equal within objects."""
_FEW = 8


def picture_of(array: NDArray[Any]) -> ArrayPicture | None:
    """Return how an array is drawn; None if it is no picture.

    It is one if it has two axes or more of `_SMALLEST` or more, of numbers. Integers
    are labels if those that are not 0 mostly have equal neighbours. Only parts of some
    planes are looked at.

    Examples
    --------
    >>> picture_of(np.eye(9, dtype=bool)).summary
    'bool 9 x 9, mask: white is True'
    >>> picture_of(np.zeros((100, 3))) is None
    True
    """
    if array.dtype.kind not in "biufc" or array.ndim < 2 or not array.size:
        return None
    if array.dtype.kind == "c":
        return None
    colour = array.ndim > 2 and array.shape[-1] in (3, 4) and array.dtype.kind in "uf"
    if colour and min(array.shape[-3:-1]) >= _SMALLEST:
        return _coloured(array)
    if min(array.shape[-2:]) < _SMALLEST:
        return None
    if array.dtype.kind == "b":
        return ArrayPicture(array, "mask", 0, 1, "mask: white is True")
    found = _labels_or_mask(array) if array.dtype.kind in "iu" else None
    return found or _grey(array)


def _coloured(array: NDArray[Any]) -> ArrayPicture:
    samples = "RGB" if array.shape[-1] == 3 else "RGB, its alpha left out"
    if array.dtype == np.uint8:
        return ArrayPicture(array, "colour", 0, 255, samples)
    stretched = _grey(array, "colour")
    note = stretched.note.replace("grey", samples)
    return ArrayPicture(array, "colour", stretched.low, stretched.high, note)


def _sampled(picture: ArrayPicture) -> list[NDArray[Any]]:
    """Return the middles of some planes."""
    count = min(_LOOKED_AT, picture.planes)
    chosen = {(2 * k + 1) * picture.planes // (2 * count) for k in range(count)}
    top, left = (max(0, (side - _SAMPLE) // 2) for side in picture.size)
    return [
        picture.plane(plane)[top : top + _SAMPLE, left : left + _SAMPLE]
        for plane in sorted(chosen)
    ]


def _spread_out(picture: ArrayPicture) -> NDArray[Any]:
    """Return pixels from all over some planes, in one row."""
    count = min(_LOOKED_AT, picture.planes)
    step = max(1, max(picture.size) // _SAMPLE)
    chosen = {(2 * k + 1) * picture.planes // (2 * count) for k in range(count)}
    parts = [picture.plane(plane)[::step, ::step] for plane in sorted(chosen)]
    return np.concatenate([np.ma.compressed(np.ma.asarray(part)) for part in parts])


def _labels_or_mask(array: NDArray[Any]) -> ArrayPicture | None:
    values = np.unique(_spread_out(ArrayPicture(array, "grey")))
    if values.size == 0 or values[0] < 0:
        return None
    if values.size == 2 and values[0] == 0:
        white = int(values[1])
        return ArrayPicture(array, "mask", 0, white, f"mask: white is {white}")
    if not _are_objects(array, values.size):
        return None
    note = "labels: neighbours differ in colour"
    if values.size > MOST_OBJECTS:
        note = "labels: so many that neighbours may have one colour"
    return ArrayPicture(array, "labels", note=note)


def _are_objects(array: NDArray[Any], values: int) -> bool:
    """Return whether integers are ids of objects, by how neighbours differ.

    Within objects they are equal. So are many in a smooth picture, but where these
    differ it is by one, from one grey to the next.
    """
    jumps = []
    for plane in _sampled(ArrayPicture(array, "grey")):
        for along in (plane, plane.T):
            here, there = along[:-1], along[1:]
            inside = np.ma.filled((here > 0) & (there > 0), False)
            high, low = np.maximum(here, there), np.minimum(here, there)
            jumps.append(np.asarray(high - low)[inside])
    apart = np.concatenate(jumps)
    if not apart.size:
        return False
    differ = apart[apart > 0]
    same = 1 - differ.size / apart.size
    steps = differ.size > 0 and bool(np.median(differ) == 1)
    if same >= _SAME:
        return not steps or values <= _FEW
    return same >= _MOSTLY_SAME and not steps


def _grey(array: NDArray[Any], role: Role = "grey") -> ArrayPicture:
    sample = _spread_out(ArrayPicture(array, role))
    values = sample.astype(np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ArrayPicture(array, role, 0, 1, "no number in what was looked at")
    low, high = np.percentile(finite, _ENDS)
    ends = f"percentiles {_ENDS[0]} and {_ENDS[1]}"
    if low == high:
        low, high = finite.min(), finite.max()
        ends = "lowest and highest"
    ends += " of a sample" if sample.size < array.size else ""
    note = f"grey: black {low:.4g}, white {high:.4g} ({ends})"
    if finite.size < values.size:
        note += f"; {1 - finite.size / values.size:.0%} not finite, NaN in purple"
    return ArrayPicture(array, role, float(low), float(high), note)
