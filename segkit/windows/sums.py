"""Window sums of `segkit.ndnt`: choice of algorithm, slabs, and numpy.

Sums of integers are exact, so that any way gives the same. Sums of floats are defined
by their order (see `segkit.windows.floats`), which numpy follows here literally.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.arrays import of_common_dtype
from segkit.compiled.fallback import falls_back_on
from segkit.tiling.threads import cut, in_threads
from segkit.windows import floats
from segkit.windows.pieces import column_counts, parts, piece, slabs, window_counts
from segkit.windows.rule import ABOVE, BELOW, NOT_ABOVE, WindowRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array, Mask
    from segkit.windows.pieces import Span

_SLAB_VOXELS = 2**20


def mask(image: Array, rule: WindowRule, threads: int) -> Mask:
    """Choose the way: compiled over the last two or three axes, or numpy."""
    image = native(image)
    if image.ndim == 1:
        row = WindowRule(
            (0, *rule.before), (0, *rule.after), rule.low, rule.high, rule.mode
        )
        found: Mask = mask(image[None], row, threads)[0]
        return found
    if image.ndim > 3:
        return _plain_mask(image, rule, threads)
    return _compiled_mask(image, rule, threads)


def _plain_mask(image: Array, rule: WindowRule, threads: int) -> Mask:  # noqa: ARG001 - as compiled
    accumulator(image, rule)  # refuses sums that overflow
    return numpy_mask(image, rule)


@falls_back_on(_plain_mask)
def _compiled_mask(image: Array, rule: WindowRule, threads: int) -> Mask:
    out = np.empty(image.shape, np.bool_)
    threshold = _threshold_floats if image.dtype.kind == "f" else _threshold_integers
    threshold(image, rule, parts(image.shape, rule, threads), out)
    return out


def native(image: Array) -> Array:
    """Return an array of one of the dtypes that the kernels are compiled for.

    These are uint8, uint16, int32, int64, float32 and float64, with neighbours along
    the last axis next to each other; the values are the same in each case.
    """
    if image.strides[-1] != image.dtype.itemsize:
        image = np.ascontiguousarray(image)
    if image.dtype.kind == "b":
        return image.view(np.uint8)
    image = of_common_dtype(image)
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


def _threshold_integers(
    image: Array, rule: WindowRule, shared: Sequence[tuple[Span, Span]], out: Mask
) -> None:
    sums, counts = accumulator(image, rule), column_counts(rule, image)

    def run(part: tuple[Span, Span]) -> None:
        _slide(image, rule, part, sums, counts, out)

    in_threads(run, shared, len(shared))


def _threshold_floats(
    image: Array, rule: WindowRule, shared: Sequence[tuple[Span, Span]], out: Mask
) -> None:
    """Threshold parts up to an expected or else up to their magnitude."""
    from segkit.windows.float_kernel import BEYOND, DOUBTFUL

    def run(part: tuple[Span, Span]) -> int:
        return floats.threshold_part(image, rule, part, largest, out)

    largest, statuses = floats.expected_magnitude(image), [BEYOND]
    if 0 < largest <= _largest_summed(rule):
        statuses = in_threads(run, shared, len(shared))
    if BEYOND in statuses:
        largest = require_summable(image, rule)
        statuses = in_threads(run, shared, len(shared))
    pairs = zip(shared, statuses, strict=True)
    rows = sorted({part[1] for part, status in pairs if status == DOUBTFUL})
    if len(rows) == 1:  # perhaps all of them, if planes are shared
        halves = cut(rows[0][1] - rows[0][0], len(shared))
        rows = [(rows[0][0] + one.start, rows[0][0] + one.stop) for one in halves]
    double = partial(floats.double_rows, image, rule, out=out)
    in_threads(double, rows, len(shared))


def numpy_mask(image: Array, rule: WindowRule) -> Mask:
    """Return the same mask for any number of axes, by numpy only."""
    out = np.empty(image.shape, np.bool_)
    for own, sums, count in _summed_slabs(image, rule):
        out[own] = _compare(image[own], sums, count, rule)
    return out


def window_means(
    image: Array, before: tuple[int, ...], after: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the mean over the window of each voxel, slab by slab.

    Raises
    ------
    ValueError
        If sums over the window overflow 64 bits, or floats are not finite.
    """
    rule = WindowRule(before, after, 1.0, 1.0, BELOW)
    image = native(image)
    accumulator(image, rule)  # refuses sums that overflow
    means = np.empty(image.shape)
    for own, sums, count in _summed_slabs(image, rule):
        np.divide(sums, count, out=means[own])
    return means


def _summed_slabs(
    image: Array, rule: WindowRule
) -> Iterator[tuple[slice, Array, NDArray[np.int64]]]:
    """Yield rows of the first axis with their window sums and counts."""
    length, rows = image.shape[0], max(1, _SLAB_VOXELS // image[0].size)
    for start, stop in slabs(0, length, rows):
        first = max(start - rule.before[0], 0)
        last = min(stop + rule.after[0], length)
        sums = _window_sums(image[first:last], rule)[start - first : stop - first]
        count = window_counts(rule, image.shape, 0)[start:stop]
        for axis in range(1, image.ndim):
            count = np.multiply.outer(count, window_counts(rule, image.shape, axis))
        yield slice(start, stop), sums, count


def accumulator(image: Array, rule: WindowRule) -> type[np.generic]:
    """Return the narrowest dtype that holds the sums over a window.

    Raises
    ------
    ValueError
        If neither 64-bit integers nor, for floats, doubles hold them; if floats are
        not finite.
    """
    if image.dtype.kind == "f":
        require_summable(image, rule)
        return np.float64
    voxels, unsigned = math.prod(rule.lengths), image.dtype.kind == "u"
    if unsigned and int(np.iinfo(image.dtype).max) * voxels < 2**32:
        return np.uint32  # whatever there is: to look would take a tenth of all
    largest = _largest_integer(image)
    if unsigned and largest * voxels < 2**32:
        return np.uint32
    if largest * voxels < 2**63:
        return np.int64
    raise ValueError(_overflow(largest, voxels, "convert the image to float64"))


def _largest_integer(image: Array) -> int:
    """Return the largest absolute value."""
    largest = int(image.max())
    return largest if image.dtype.kind == "u" else max(-int(image.min()), largest)


def require_summable(image: Array, rule: WindowRule) -> float:
    """Return the largest magnitude of floats; raise if doubles do not hold sums."""
    largest = floats.largest_magnitude(image)
    checks.require_finite_number(largest)
    if largest > _largest_summed(rule):
        raise ValueError(
            _overflow(largest, math.prod(rule.lengths), "divide the image")
        )
    return largest


def _largest_summed(rule: WindowRule) -> float:
    return float(np.finfo(np.float64).max / (4 * math.prod(rule.lengths)))


def _overflow(largest: float, voxels: int, advice: str) -> str:
    return (
        f"the image holds values up to {largest}, whose sum over a window of {voxels} "
        f"voxels overflows; {advice} first, or use a smaller window"
    )


def _slide(
    image: Array,
    rule: WindowRule,
    shared: tuple[Span, Span],
    dtype: type[np.generic],
    counts: NDArray[np.float64],
    out: Mask,
) -> None:
    """Threshold planes and rows of integers by sliding sums."""
    from segkit.windows import sliding_kernel

    planes, rows = shared
    part = piece(image, rule, rows, counts, out)
    pixels, plan = part.pixels, part.plan
    scratch = np.zeros(3 * pixels.shape[-1] + rule.lengths[-1], dtype)
    if pixels.ndim == 2:
        sliding_kernel.sliding_rows(pixels, pixels, *plan, scratch, part.target)
        return
    sums = _plane_dtype(pixels.dtype, rule.lengths[0], dtype)
    plane = np.empty(pixels.shape[1:], sums)
    # Whole arrays, not the piece's views: code for what lies in order is faster.
    first = rows[0] - part.first
    reached = (first, first + pixels.shape[1])
    box, whole = (planes, rows, reached), out.view(np.uint8)
    sliding_kernel.sliding_planes(image, box, *plan[1:], plane, scratch, whole)


def _plane_dtype(image: np.dtype[Any], length: int, wide: type[np.generic]) -> Any:
    """Return the narrowest dtype for sums along z: traffic is what they cost."""
    if image == np.uint8 and 255 * length < 2**16:
        return np.uint16
    return np.int32 if 2 ** (8 * image.itemsize) * length < 2**31 else wide


def _window_sums(image: Array, rule: WindowRule) -> Array:
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


def _compare(image: Array, sums: Array, count: Array, rule: WindowRule) -> Mask:
    total = sums.astype(np.float64)
    bound = total * np.where(total < 0, rule.low, rule.high)
    value = image.astype(np.float64) * count
    mask: Mask = {
        BELOW: np.less,
        NOT_ABOVE: np.less_equal,
        ABOVE: np.greater,
    }[rule.mode](value, bound)
    return mask
