"""Window sums of floats for `segkit.ndnt`: fixed point, then doubling.

The result is defined by doubling. Let T[0] be the image and T[k+1][i] the sum
T[k][i] + T[k][i + 2**k], that is, of 2**(k+1) voxels in a row. A window of 13 = 1 + 4
+ 8 voxels is then the last voxel of it, plus the 4 before, plus the 8 before those.
The expression is the same for every voxel, wherever a tile or a thread begins, and
its rounding error grows with the logarithm of the window's length only. Outside the
image are zeros, which change no sum. Axes are summed one after the other, z first.

To sum all windows like this is slow. Sliding sums of whole numbers (fixed point)
decide the same for all but a few voxels (`segkit.windows.float_kernel`): of 32 bits
along z, which take half the memory, then of 53 bits. Where both leave too much open,
all sums are doubled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.windows.pieces import (
    Piece,
    Slide,
    column_counts,
    piece,
    slabs,
    slide,
    window_counts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array
    from segkit.windows.pieces import Span
    from segkit.windows.rule import WindowRule


_SCRATCH_PER_VOXEL = 0.15
"""Bytes of scratch for each voxel of the image that doubled sums of a volume take."""
_LEAST_SCRATCH = 2**23
_SAMPLED = 16
_MARGIN = 2
"""One row of `_SAMPLED` is looked at; others may be `_MARGIN` times larger."""
_LARGEST_FLAT = 2**13
"""Voxels of a window along y and x, whose sums of 32 bits are fine enough."""
_DOUBTFUL = 20
"""Share of the voxels that a window spans, in quanta, which may be in doubt."""


def expected_magnitude(image: Array) -> float:
    """Return what no voxel is likely to exceed; 0 or less, or NaN, if that is unknown.

    From a sample of rows, because a look at all voxels takes a tenth of the time.
    """
    sample = image[..., ::_SAMPLED, :]
    return _MARGIN * float(max(sample.max().item(), -sample.min().item()))


def largest_magnitude(image: Array) -> float:
    """Return the largest absolute value, or NaN or infinity if the image has such."""
    return _largest(image) if image.ndim in (2, 3) else _largest_by_numpy(image)


def _largest_by_numpy(image: Array) -> float:
    low, high = image.min().item(), image.max().item()
    return float("nan") if low != low else max(abs(low), abs(high))


@falls_back_on(_largest_by_numpy)
def _largest(image: Array) -> float:
    from segkit.windows import float_kernel

    bits = np.dtype(f"u{image.dtype.itemsize}").type
    volume = image if image.ndim == 3 else image[None]
    found = float_kernel.largest_bits(volume.view(bits), bits(np.iinfo(bits).max >> 1))
    return float(np.array(found, bits).view(image.dtype))


def threshold_part(
    image: Array,
    rule: WindowRule,
    part: tuple[Span, Span],
    largest: float,
    out: Array,
) -> int:
    """Threshold planes and rows by whole numbers; return the status of the kernel."""
    from segkit.windows import float_kernel as kernels

    here, found = slide(image, rule, part, out), kernels.DOUBTFUL
    for way in _whole_numbers_to_try(here.lengths, image.dtype.type):
        found = _sum_whole_numbers(here, rule, largest, way)
        if found != kernels.DOUBTFUL:
            break
    return found


def double_rows(image: Array, rule: WindowRule, rows: Span, out: Array) -> None:
    """Threshold rows from start to stop, of all planes, by doubled sums."""
    counts = column_counts(rule, image)
    for few in slabs(*rows, _rows_at_once(image, rule)):
        _double(piece(image, rule, few, counts, out))


@dataclass(frozen=True, slots=True)
class _WholeNumbers:
    """Format of fixed-point sums: their type, and that of comparisons.

    2**power quanta make the largest magnitude; sums along y are kept in units of
    2**shift quanta, in which they fit their type.
    """

    sums: type[np.signedinteger[Any]]
    real: type[np.floating[Any]]
    power: int
    shift: int


def _whole_numbers_to_try(
    lengths: tuple[int, ...], dtype: type[np.floating[Any]]
) -> Iterator[_WholeNumbers]:
    """Yield the formats of whole numbers that may leave few voxels undecided.

    `lengths` are those of the window, in the order of the slide.
    """
    flat, voxels = lengths[1] * lengths[2], math.prod(lengths)
    power = (2**30 // lengths[0]).bit_length() - 1
    if flat <= _LARGEST_FLAT and voxels <= 2**power // _DOUBTFUL:
        shift = 0
        while flat * ((lengths[0] << power >> shift) + 1) >= 2**31:
            shift += 1
        yield _WholeNumbers(np.int32, dtype, power, shift)
    yield _WholeNumbers(np.int64, np.float64, 52 - voxels.bit_length(), 0)


def _sum_whole_numbers(
    part: Slide, rule: WindowRule, largest: float, way: _WholeNumbers
) -> int:
    """Threshold rows by whole numbers; return the status of the kernel."""
    from segkit.windows import float_kernel as kernels

    image = part.image
    counts = window_counts(rule, image.shape[-1:], -1).astype(way.real)
    return int(
        kernels.whole_numbers(
            image,
            image.view(f"u{image.itemsize}"),
            (part.start, part.stop),
            part.before,
            part.after,
            counts,
            (rule.low, rule.high, rule.mode),
            _grid(image.dtype, largest, way),
            _precision(part.lengths, image.size, max(rule.low, rule.high), way),
            _scratch(part, way),
            part.turned,
            part.out.view(np.uint8),
        )
    )


def _scratch(part: Slide, way: _WholeNumbers) -> tuple[Any, ...]:
    width, lengths = part.plane[-1], part.lengths
    planes, rows = (lengths[1], lengths[0]) if part.turned else lengths[:2]
    return (
        np.empty(part.plane, way.sums),
        np.empty(width, way.sums),
        np.zeros(width + lengths[-1], way.sums),
        (np.empty((planes, lengths[-1])), np.empty((rows, lengths[-1]))),
    )


def _grid(dtype: np.dtype[Any], largest: float, way: _WholeNumbers) -> tuple[Any, ...]:
    """Return the quantum, as the arguments of `whole_numbers`."""
    exponent = math.frexp(largest)[1]
    most = np.finfo(dtype).max
    if exponent < np.finfo(dtype).maxexp:
        most = dtype.type(math.ldexp(1.0, exponent))
    # Not finer than what keeps products with the count of a window finite.
    steps = min(way.power - exponent, 90 if way.real is np.float32 else 900)
    bits = np.dtype(f"u{dtype.itemsize}").type
    return (
        way.real(math.ldexp(1.0, steps)),
        way.real(math.ldexp(1.0, -steps)),
        np.array(most, dtype).view(bits)[()],
        bits(np.iinfo(bits).max >> 1),
    )


def _precision(
    lengths: Sequence[int], pixels: int, factor: float, way: _WholeNumbers
) -> tuple[Any, ...]:
    """Return how far comparisons of `whole_numbers` are off, and what it may decide.

    Each voxel was rounded up by less than a quantum, and each sum along z by less than
    a unit of sums along y. Each addition of a doubled sum, of which no voxel passes
    more than 200, is off by half a unit in the last place at most. To decide doubts may
    take two additions a voxel.
    """
    voxels = math.prod(lengths)
    relative = way.real(8 * np.finfo(way.real).eps)
    rounding = 1.001 * voxels * (factor + 2.0 ** (way.power - 44))
    coarseness = 1.001 * factor * voxels // lengths[0] if way.shift else 0.0
    return relative, rounding, way.shift, coarseness, 2 * pixels + 4 * voxels


def _double(part: Piece) -> None:
    """Threshold by doubled sums."""
    from segkit.windows import doubling_kernel as kernels

    pixels, rule, width = part.pixels, part.rule, part.pixels.shape[-1]
    layouts = [_ring_layout(length) for length in rule.lengths]
    slots = [_ring_slots(length) for length in rule.lengths]
    ring, lines = np.empty((slots[-2], width)), np.empty((3, width + rule.lengths[-1]))
    rest = (ring, lines, part.target)
    if pixels.ndim == 2:
        kernels.doubling_rows(pixels, pixels, *part.plan, layouts[0], *rest)
        return
    planes = np.empty((slots[0], pixels[0].size))
    layout = tuple(layouts[:2])
    kernels.doubling_planes(pixels, *part.plan, layout, planes, *rest)


def _rows_at_once(image: Array, rule: WindowRule) -> int:
    """Return how many rows the scratch for doubled sums of a volume allows."""
    if image.ndim == 2:
        return int(image.shape[0])
    scratch = max(_LEAST_SCRATCH, int(_SCRATCH_PER_VOXEL * image.size))
    rows = scratch // (8 * _ring_slots(rule.lengths[0]) * image.shape[-1])
    return int(max(rows - rule.lengths[-2], rule.lengths[-2]))


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
