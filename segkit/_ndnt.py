"""Window sums of `segkit.ndnt`: which kernel, in which pieces, and without numba.

Floats are summed by doubling. Let T[0] be the image and T[k+1][i] the sum
T[k][i] + T[k][i + 2**k], that is, of 2**(k+1) voxels in a row. A window of 13 = 1 + 4
+ 8 voxels is then the last voxel of it, plus the 4 before, plus the 8 before those.
The expression is the same for every voxel, wherever a tile or a thread begins, and
its rounding error grows with the logarithm of the window's length only. Outside the
image are zeros, which change no sum. Axes are summed one after the other, z first.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segkit import checks
from segkit._compiled import can_compile
from segkit._ndnt_rule import ABOVE, BELOW, NOT_ABOVE, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

Array: TypeAlias = NDArray[Any]
Mask: TypeAlias = NDArray[np.bool_]

_SCRATCH_PER_VOXEL = 0.15
"""Bytes of scratch for each voxel of the image that float sums of a volume may take."""
_LEAST_SCRATCH = 2**23
_SLAB_VOXELS = 2**20


def mask(image: Array, rule: Rule, threads: int) -> Mask:
    """Choose the way: compiled over the last two or three axes, or numpy."""
    image = native(image)
    largest = largest_magnitude(image)
    checks.require_finite_number(largest)
    sums = accumulator(image, largest, math.prod(rule.lengths))
    if not can_compile():
        return numpy_mask(image, rule)
    if image.ndim == 1:
        row = Rule((0, *rule.before), (0, *rule.after), rule.low, rule.high, rule.mode)
        mask: Mask = compiled_mask(image[None], row, sums, threads)[0]
        return mask
    if image.ndim > 3:
        return numpy_mask(image, rule)
    return compiled_mask(image, rule, sums, threads)


def native(image: Array) -> Array:
    """Return an array of one of the dtypes that the kernels are compiled for.

    These are uint8, uint16, int32, int64, float32 and float64, with neighbours along
    the last axis next to each other; the values are the same in each case.
    """
    if image.strides[-1] != image.dtype.itemsize:
        image = np.ascontiguousarray(image)
    if image.dtype.kind == "b":
        return image.view(np.uint8)
    kind, size = image.dtype.kind, image.dtype.itemsize
    if kind == "f":
        return image.astype(np.float32 if size <= 4 else np.float64, copy=False)
    if kind == "u" and size <= 2:
        return image.astype(f"u{size}", copy=False)
    if kind == "u" and size == 8 and image.max() >= 2**63:
        raise ValueError(
            f"the image holds values up to {image.max()}, too large for sums over a "
            "window; convert the image to float64 first"
        )
    wide = size == 8 or kind == "u"
    return image.astype(np.int64 if wide else np.int32, copy=False)


def compiled_mask(image: Array, rule: Rule, sums: Accumulator, threads: int) -> Mask:
    """Return the mask of a 2-D or 3-D image, by compiled kernels."""
    out = np.empty(image.shape, np.bool_)
    height = image.shape[-2]
    slabs = list(_slabs(0, height, -(-height // threads)))

    def run(slab: tuple[int, int]) -> None:
        _threshold_rows(image, rule, sums, slab, out.view(np.uint8))

    if threads == 1:
        run(slabs[0])
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, slabs))
    return out


def numpy_mask(image: Array, rule: Rule) -> Mask:
    """Return the same mask for any number of axes, by numpy only."""
    out = np.empty(image.shape, np.bool_)
    for own, sums, count in _summed_slabs(image, rule):
        out[own] = _compare(image[own], sums, count, rule)
    return out


def window_means(
    image: Array, before: tuple[int, ...], after: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the mean over the window of each voxel, slab by slab."""
    rule = Rule(before, after, 1.0, 1.0, BELOW)
    means = np.empty(image.shape)
    for own, sums, count in _summed_slabs(image, rule):
        np.divide(sums, count, out=means[own])
    return means


def _summed_slabs(
    image: Array, rule: Rule
) -> Iterator[tuple[slice, Array, NDArray[np.int64]]]:
    """Yield rows of the first axis with their window sums and counts."""
    length, rows = image.shape[0], max(1, _SLAB_VOXELS // image[0].size)
    for start, stop in _slabs(0, length, rows):
        first = max(start - rule.before[0], 0)
        last = min(stop + rule.after[0], length)
        sums = _window_sums(image[first:last], rule)[start - first : stop - first]
        count = _counts(rule, image.shape, 0)[start:stop]
        for axis in range(1, image.ndim):
            count = np.multiply.outer(count, _counts(rule, image.shape, axis))
        yield slice(start, stop), sums, count


def largest_magnitude(image: Array) -> float:
    """Return the largest absolute value, or NaN or infinity if the image has such."""
    if image.dtype.itemsize == 1:  # looking for it would not pay
        return 255 if image.dtype.kind == "u" else 128
    if image.dtype.kind == "f" and image.ndim in (2, 3) and can_compile():
        return _largest_float(image)
    low, high = image.min().item(), image.max().item()
    return float("nan") if low != low else max(abs(low), abs(high))


def _largest_float(image: Array) -> float:
    from segkit import _ndnt_kernel

    bits = np.dtype(f"i{image.dtype.itemsize}").type
    volume = image if image.ndim == 3 else image[None]
    found = _ndnt_kernel.largest_bits(volume.view(bits), bits(np.iinfo(bits).max))
    return float(np.array(found, bits).view(image.dtype))


@dataclass(frozen=True, slots=True)
class Accumulator:
    """Dtype of window sums, and the largest magnitude of the image's voxels."""

    dtype: type[np.generic]
    largest: float


def accumulator(image: Array, largest: float, voxels: int) -> Accumulator:
    """Return the narrowest accumulator of the sums over a window of `voxels`.

    Raises
    ------
    ValueError
        If neither 64-bit integers nor, for floats, doubles hold them.
    """
    if image.dtype.kind == "f":
        if largest > np.finfo(np.float64).max / (4 * voxels):
            raise ValueError(_overflow(largest, voxels, "divide the image"))
        return Accumulator(np.float64, largest)
    if image.dtype == np.uint8 and largest * voxels < 2**31:
        return Accumulator(np.int32, largest)
    if largest * voxels < 2**63:
        return Accumulator(np.int64, largest)
    raise ValueError(_overflow(largest, voxels, "convert the image to float64"))


def _overflow(largest: float, voxels: int, advice: str) -> str:
    return (
        f"the image holds values up to {largest}, whose sum over a window of {voxels} "
        f"voxels overflows; {advice} first, or use a smaller window"
    )


def _slabs(start: int, stop: int, rows: int) -> Iterator[tuple[int, int]]:
    for first in range(start, stop, rows):
        yield first, min(first + rows, stop)


def _threshold_rows(
    image: Array,
    rule: Rule,
    sums: Accumulator,
    rows: tuple[int, int],
    out: Array,
) -> None:
    piece = _piece(image, rule, rows, out)
    unsure = 0.0
    if image.dtype.kind == "f":
        unsure = error_bound(piece.pixels, rule, sums.largest)
    if _slide(piece, sums.dtype, unsure):
        return
    for few in _slabs(*rows, _rows_at_once(image, rule)):
        _double(_piece(image, rule, few, out), rule)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of an image with the rows around them, as the kernels want them."""

    pixels: Array
    plan: tuple[Any, ...]
    target: Array


def _piece(image: Array, rule: Rule, rows: tuple[int, int], out: Array) -> _Piece:
    start, stop = rows
    first = max(start - rule.before[-2], 0)
    last = min(stop + rule.after[-2], image.shape[-2])
    counts = _counts(rule, image.shape, image.ndim - 1).astype(np.float64)
    factors = (rule.low, rule.high, rule.mode, 1)
    return _Piece(
        image[..., first:last, :],
        (start - first, rule.before, rule.after, counts, factors),
        out[..., start:stop, :],
    )


def _rows_at_once(image: Array, rule: Rule) -> int:
    """Return how many rows the scratch for doubled sums of a volume allows."""
    if image.ndim == 2:
        return int(image.shape[0])
    scratch = max(_LEAST_SCRATCH, int(_SCRATCH_PER_VOXEL * image.size))
    rows = scratch // (8 * _ring_slots(rule.lengths[0]) * image.shape[-1])
    return int(max(rows - rule.lengths[-2], rule.lengths[-2]))


def _slide(piece: _Piece, dtype: type[np.generic], unsure: float) -> bool:
    """Threshold by sliding sums; return whether each voxel is decided."""
    from segkit import _ndnt_kernel

    pixels, plan = piece.pixels, piece.plan
    width, along = pixels.shape[-1], plan[1][-1] + plan[2][-1] + 1
    rest = (np.zeros(3 * width + along, dtype), unsure, piece.target)
    if pixels.ndim == 2:
        return bool(_ndnt_kernel.sliding_rows(pixels, pixels, *plan, *rest))
    length = plan[1][0] + plan[2][0] + 1
    plane = np.empty(pixels.shape[1:], _plane_dtype(pixels.dtype, length, dtype))
    return bool(_ndnt_kernel.sliding_planes(pixels, *plan, plane, *rest))


def _plane_dtype(image: np.dtype[Any], length: int, wide: type[np.generic]) -> Any:
    """Return the narrowest dtype for sums along z: traffic is what they cost."""
    if image.kind == "f":
        return wide
    if image == np.uint8 and 255 * length < 2**16:
        return np.uint16
    return np.int32 if 2 ** (8 * image.itemsize) * length < 2**31 else wide


def error_bound(slab: Array, rule: Rule, largest: float) -> float:
    """Return how far a sliding and a doubled sum of floats can differ; 0 if not at all.

    They are equal, because exact, if the voxels are multiples of one power of two so
    large that a double holds the largest sum that occurs, the running sum of a row.
    Otherwise each of the additions that led to a sum (sliding: as many as the image is
    long on each axis, and back) is off by at most half a unit in its last place.
    """
    from segkit import _ndnt_kernel

    if largest == 0:
        return 0.0
    voxels = math.prod(rule.lengths)
    running = voxels // rule.lengths[-1] * (slab.shape[-1] + rule.lengths[-1])
    exponent = min(51 - math.frexp(largest)[1] - running.bit_length(), 1000)
    volume = slab if slab.ndim == 3 else slab[None]
    if _ndnt_kernel.multiples(volume, math.ldexp(1.0, exponent)):
        return 0.0
    steps = sum(slab.shape) + sum(rule.lengths) + 32
    return float(2.0**-49 * largest * voxels * steps)


def _double(piece: _Piece, rule: Rule) -> None:
    """Threshold by doubled sums."""
    from segkit import _ndnt_kernel

    pixels, plan = piece.pixels, piece.plan
    layouts = [_ring_layout(length) for length in rule.lengths]
    slots = [_ring_slots(length) for length in rule.lengths]
    width = pixels.shape[-1]
    ring, lines = np.empty((slots[-2], width)), np.empty((3, width + rule.lengths[-1]))
    rest = (ring, lines, piece.target)
    if pixels.ndim == 2:
        _ndnt_kernel.doubling_rows(pixels, pixels, *plan, layouts[0], *rest)
        return
    planes = np.empty((slots[0], pixels[0].size))
    layout = tuple(layouts[:2])
    _ndnt_kernel.doubling_planes(pixels, *plan, layout, planes, *rest)


def _ring_layout(length: int) -> NDArray[np.int64]:
    """Return first slot and number of slots of each level of a ring of sums.

    A level is read 2**k rows back to be doubled, and as far back as the lower binary
    digits of the window reach to be added to it.
    """
    levels = length.bit_length()
    sizes = [(1 << k) + 1 for k in range(levels - 1)]
    sizes.append(length - (1 << (levels - 1)) + 1)
    starts = np.cumsum([0, *sizes[:-1]])
    return np.array([starts, sizes], np.int64)


def _ring_slots(length: int) -> int:
    """Return the number of slots of a ring; the last one holds the total."""
    return int(_ring_layout(length)[1].sum()) + 1


def _counts(rule: Rule, shape: tuple[int, ...], axis: int) -> NDArray[np.int64]:
    """Return how many voxels of the window along an axis lie inside the image."""
    at = np.arange(shape[axis])
    stop = np.minimum(at + rule.after[axis] + 1, shape[axis])
    counts: NDArray[np.int64] = stop - np.maximum(at - rule.before[axis], 0)
    return counts


def _window_sums(image: Array, rule: Rule) -> Array:
    """Sum over windows along each axis by doubling: exact in integers."""
    sums = image.astype(np.float64 if image.dtype.kind == "f" else np.int64)
    for axis, length in enumerate(rule.lengths):
        pad = [(0, 0)] * image.ndim
        pad[axis] = (rule.before[axis], rule.after[axis])
        level: Array = np.moveaxis(np.pad(sums, pad), axis, 0)
        size, lag, step = image.shape[axis], 0, 1
        total: Array = np.zeros(())
        while step <= length:
            if length & step:
                part = level[length - lag - step :][:size]
                total = part + total if lag else part
                lag += step
            level = level[:-step] + level[step:]
            step *= 2
        sums = np.moveaxis(total, 0, axis)
    return sums


def _compare(image: Array, sums: Array, count: Array, rule: Rule) -> Mask:
    total = sums.astype(np.float64)
    bound = total * np.where(total < 0, rule.low, rule.high)
    value = image.astype(np.float64) * count
    mask: Mask = {
        BELOW: np.less,
        NOT_ABOVE: np.less_equal,
        ABOVE: np.greater,
    }[rule.mode](value, bound)
    return mask
