"""Erosion and dilation by flat footprints: OpenCV for small ones in 2-D, else numpy.

Footprints are made of lines along the last axis; the best value over a line of any
length takes a logarithmic number of passes, and the lines of a footprint share them.
The same for every dtype, in 3-D ten times as fast as the libraries that were measured,
and done in slabs that stay in the cache.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from segkit import checks, extents
from segkit.arrays import Array, Mask, PerAxis
from segkit.names import known_as

Shape: TypeAlias = Literal["ball", "box", "diamond"]
Best: TypeAlias = Callable[..., Array]
Lines: TypeAlias = list[tuple[int, tuple[int, ...]]]

_SLAB_BYTES = 2**18
_OPENCV_RADIUS = 7  # its work grows with the footprint's area, ours with its height
_OPENCV_PIXELS = 2**19
"""For fewer it is not imported: it reads 115 MB of the disk, to save a millisecond."""


@known_as("segkit")
def footprint(radius: PerAxis, ndim: int, *, shape: Shape = "ball") -> Mask:
    """Return a footprint as an array of ``2 * radius + 1`` voxels along each axis.

    Parameters
    ----------
    radius : int or sequence of int
        Radius along each axis in voxels, without the centre.
    ndim : int
        Number of axes.
    shape : {"ball", "box", "diamond"}
        Ellipsoid, box, or what repeated steps to face neighbours reach. The ball and
        the diamond of radius 1 are the cross, the usual footprint of a single step.

    Examples
    --------
    >>> footprint(1, 2).astype(int)
    array([[0, 1, 0],
           [1, 1, 1],
           [0, 1, 0]])
    >>> footprint((0, 1), 2, shape="box").astype(int)
    array([[1, 1, 1]])
    """
    axes = checks.as_integer(ndim, name="ndim", least=1)
    extents.require_room([3] * min(axes, 99), name="ndim", most=3.0**32)
    radii = checks.per_axis(radius, axes, name="radius", least=0)
    power = {"ball": 2, "diamond": 1, "box": 0}.get(shape)
    if power is None:
        raise ValueError(f"unknown shape {shape!r}; use ball, box or diamond")
    extents.require_room([2 * r + 1 for r in radii], name="radius")
    if power == 0:
        return np.ones([2 * r + 1 for r in radii], np.bool_)
    # In whole numbers, so that voxels on the surface never depend on rounding.
    scale = math.prod(r**power for r in radii if r)
    whole = np.int64 if scale * ndim < 2**63 else object
    total: Array = np.zeros([2 * r + 1 for r in radii], whole)
    for axis, r in enumerate(radii):
        distance = np.abs(np.arange(-r, r + 1)).astype(whole) ** power
        weighted = distance * (scale // r**power if r else 0)
        line = [1] * ndim
        line[axis] = -1
        total = total + weighted.reshape(line)
    inside: Mask = (total <= scale).astype(np.bool_)
    return inside


def flat(image: Array, radius: PerAxis, shape: Shape, *best: Best) -> Array:
    """Erode or dilate, or do one after the other."""
    if image.dtype.kind == "b":
        bits = flat(image.view(np.uint8), radius, shape, *best)
        return bits.view(np.bool_)
    wanted = checks.per_axis(radius, image.ndim, name="radius", least=0)
    if image.ndim == 1:
        line: Array = flat(image[None], (0, *wanted), shape, *best)[0]
        return line
    fast = _opencv(image, wanted, shape, best)
    if fast is not None:
        return fast
    # No line need be longer than the image.
    radii = tuple(min(r, n) for r, n in zip(wanted, image.shape, strict=True))
    trim = tuple(slice(w - r, w + r + 1) for w, r in zip(wanted, radii, strict=True))
    lines = _lines(footprint(wanted, image.ndim, shape=shape)[trim], radii)
    for one in best:
        image = _in_slabs(image, radii[0], lines, one)
    return image


def _in_slabs(image: Array, radius: int, lines: Lines, best: Best) -> Array:
    """Return the best values over all lines, slab by slab along the first axis."""
    out = np.empty(image.shape, image.dtype)
    rows = max(1, _SLAB_BYTES // image[0].nbytes, 2 * radius)
    for start in range(0, len(image), rows):
        stop = min(start + rows, len(image))
        first, last = max(start - radius, 0), min(stop + radius, len(image))
        slab = np.ascontiguousarray(image[first:last])
        own = (start - first, stop - first)
        _best_over_lines(slab, lines, own, best, out[start:stop])
    return out


def difference(upper: Array, lower: Array) -> Array:
    """Return what the upper of two images, nowhere below the lower, has above it.

    Raises
    ------
    ValueError
        If a difference is larger than the dtype holds.
    """
    if upper.dtype.kind == "b":
        return upper & ~lower
    with np.errstate(over="ignore"):
        above = upper - lower
    kind = above.dtype.kind
    # What is too large for a signed integer has wrapped to below 0.
    if (kind == "i" and above.min() < 0) or (kind == "f" and np.isinf(above.max())):
        raise ValueError(
            f"differences of grey values are too large for {above.dtype}; convert the "
            "image to a wider dtype, or divide it, first"
        )
    return above


def _opencv(
    image: Array, radii: tuple[int, ...], shape: Shape, best: tuple[Best, ...]
) -> Array | None:
    """Return OpenCV's result, the same one, or None where it is not the fastest."""
    known = (np.uint8, np.uint16, np.int16, np.float32, np.float64)
    if image.ndim != 2 or image.dtype not in known or max(radii) > _OPENCV_RADIUS:
        return None
    if image.size < _OPENCV_PIXELS and "cv2" not in sys.modules:
        return None
    try:
        import cv2
    except ImportError:
        return None
    operations: dict[tuple[Best, ...], int] = {
        (np.minimum,): cv2.MORPH_ERODE,
        (np.maximum,): cv2.MORPH_DILATE,
        (np.minimum, np.maximum): cv2.MORPH_OPEN,
        (np.maximum, np.minimum): cv2.MORPH_CLOSE,
    }
    foot = footprint(radii, 2, shape=shape).view(np.uint8)
    # Its default border never wins, which is to say that nothing is outside.
    found: Array = cv2.morphologyEx(np.ascontiguousarray(image), operations[best], foot)
    return found


def _lines(foot: Mask, radii: tuple[int, ...]) -> Lines:
    """Return half-length and offset (without the last axis) of lines, short first."""
    lines = []
    for index in np.ndindex(foot.shape[:-1]):
        length = int(np.count_nonzero(foot[index]))
        if length:
            offset = tuple(i - r for i, r in zip(index, radii[:-1], strict=True))
            lines.append((length // 2, offset))
    return sorted(lines)


def _best_over_lines(
    slab: Array,
    lines: Lines,
    own: tuple[int, int],
    best: Best,
    out: Array,
) -> None:
    """Write the best value over all lines for the rows `own` of a slab."""
    out[...] = slab[own[0] : own[1]]
    along, reached = slab, 0
    for half, offset in lines:
        while reached < half:
            step = min(2 * reached + 1, half - reached)
            along, reached = _widened(along, step, best), reached + step
        source, target = _overlap(slab.shape, offset, own)
        best(out[target], along[source], out=out[target])


def _widened(along: Array, step: int, best: Best) -> Array:
    """Widen windows along the last axis by `step` at both ends.

    Windows that would be centred beyond an edge are replaced by the one centred on
    the edge: it lies within the wider window, and holds all that those hold of the
    image.
    """
    wider = along.copy()
    if step < along.shape[-1]:
        best(wider[..., step:], along[..., :-step], out=wider[..., step:])
        best(wider[..., :-step], along[..., step:], out=wider[..., :-step])
    best(wider[..., :step], along[..., :1], out=wider[..., :step])
    best(wider[..., -step:], along[..., -1:], out=wider[..., -step:])
    return wider


def _overlap(
    shape: tuple[int, ...], offset: tuple[int, ...], own: tuple[int, int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return what to read of a slab shifted by `offset`, and where that is written."""
    source, target = [], []
    for axis, shift in enumerate(offset):
        begin, end = own if axis == 0 else (0, shape[axis])
        low, high = max(begin, -shift), min(end, shape[axis] - shift)
        high = max(low, high)
        source.append(slice(low + shift, high + shift))
        target.append(slice(low - begin, high - begin))
    return tuple(source), tuple(target)
