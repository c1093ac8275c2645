"""Maxima that stand out: which of the basins of an image meet above which level.

Compiled code finds the basin of each maximum and the saddles between basins, and lets
basins meet from the highest saddle down: what meets a higher one less than `h` below
its top is lost. Without it, and beyond three axes, scikit-image reconstructs the image
from what is lowered by `h`. The two are the same, also where values are equal.
"""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from segkit import checks
from segkit.compiled.fallback import falls_back_on
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach, unlimited
from segkit.tiling.threads import extremes, in_threads, lent, shares, thread_count

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask

_AT_ONCE = 1024  # voxels looked at together
_ROOM = 2**18  # saddles found together
_LATELY = 2**12  # pairs of basins that are known to meet
_FEW = 1 / 8  # saddles for each maximum, which are soon sorted
_PROGRESS = 0.8  # part of the saddles that a round of meetings may leave at most


@known_as("segkit")
@declare_reach(unlimited)
def h_maxima(image: ArrayLike, h: float, *, workers: int | None = None) -> Mask:
    """Return the maxima that stand out from their surroundings by at least `h`.

    A regional maximum of height `v` is kept if every path from it to a higher voxel
    goes down to `v - h` or lower [1]_. In an image whose values span less than `h`
    nothing stands out.

    Parameters
    ----------
    image : array_like, shape (..., z, y, x)
        Integer or float, finite; compared as float64.
    h : float
        Prominence in grey values, positive.
    workers : int, optional
        Number of threads; None takes this process's share of the processors (see
        `segkit.tiling.threads`).

    Returns
    -------
    ndarray of bool, shape of `image`

    References
    ----------
    .. [1] Soille, P. "Morphological Image Analysis", 2nd ed., section 6.3.4, 2003.

    Examples
    --------
    >>> h_maxima([0, 5, 4, 6, 0, 2, 0], 2).astype(int)
    array([0, 0, 0, 1, 0, 1, 0])
    """
    array = checks.as_image(image, finite=False)
    if not h > 0:
        raise ValueError(f"h is {h}, but must be positive")
    threads = thread_count(workers, array.size // 4)  # of many small works
    least, greatest = extremes(array, threads)
    checks.require_finite_number(least)
    checks.require_finite_number(greatest)
    with np.errstate(over="ignore"):
        if np.float64(greatest) - np.float64(least) < h:
            return np.zeros(array.shape, np.bool_)
    if array.ndim > 3:
        return _by_reconstruction(array, float(h), threads)
    return _by_basins(array, float(h), threads)


def _by_reconstruction(image: Array, h: float, threads: int) -> Mask:  # noqa: ARG001 - as `_by_basins`
    from skimage.morphology import reconstruction

    array = image.astype(np.float64)
    with np.errstate(over="ignore"):
        lowered = array - h
        rounded = (lowered + h != array) | (lowered == array)
    if rounded.any():  # values may have become equal: tell them apart
        array, lowered = _ranks(array, h)
    # What is lowered by h and not raised again by its surroundings stands out.
    raised = reconstruction(lowered, array)  # type: ignore[no-untyped-call]  # no types
    tops: Mask = raised == lowered
    return tops


def _ranks(image: Array, h: float) -> tuple[Array, Array]:
    """Return ranks of values, and of these lowered by `h` between which they lie.

    What is lowered from a higher value stays higher, if only by a fraction.
    """
    values, ranks = np.unique(image, return_inverse=True)
    order = np.arange(values.size)
    with np.errstate(over="ignore"):
        reached = np.searchsorted(values, values - h, side="right")
    lowered = np.minimum(reached, order) - 1 + (order + 1) / (values.size + 1)
    ranks = ranks.reshape(image.shape)
    return ranks.astype(np.float64), lowered[ranks]


@falls_back_on(_by_reconstruction)
def _by_basins(image: Array, h: float, threads: int) -> Mask:
    from segkit.morphology import maxima_kernels as kernels

    padded = _padded(image, threads)
    grey, margin = padded.reshape(-1), sum(_steps(padded))
    spans = [
        (margin + part.start, margin + part.stop)
        for part in shares(grey.size - 2 * margin, threads)
    ]
    near = _neighbours(padded)
    up = np.empty(grey.size, np.int32 if grey.size < 2**31 else np.int64)

    def ascend(span: tuple[int, int]) -> int:
        scratch = np.empty(_AT_ONCE, grey.dtype)
        count: int = kernels.ascend(grey, near[0], span, scratch, up)
        return count

    counts = in_threads(ascend, spans, threads)
    peaks = np.empty(sum(counts), grey.dtype)

    def number(k: int) -> None:
        kernels.number_maxima(grey, up, spans[k], sum(counts[:k]), peaks)

    in_threads(number, range(len(spans)), threads)
    highest = _Highest(peaks, threads)
    find = partial(_saddles, grey, up, peaks, near, h, highest)
    saddles = [*itertools.chain(*in_threads(find, spans, threads))]
    lost = _lost(saddles, highest, peaks, h, threads)
    found = np.zeros(padded.shape, np.bool_)

    def mark(span: tuple[int, int]) -> None:
        kernels.mark(grey, up, span, lost, found.reshape(-1))

    in_threads(mark, spans, threads)
    return _without_border(found, threads)


def _without_border(padded: Mask, threads: int) -> Mask:
    inside = padded[(slice(1, -1),) * padded.ndim]
    out = np.empty(inside.shape, np.bool_)

    def copy(rows: slice) -> None:
        out[rows] = inside[rows]

    in_threads(copy, shares(len(out), threads), threads)
    return out


def _padded(image: Array, threads: int) -> Array:
    """Return an image in floats that hold it, with minus infinity around it."""
    narrow = image.dtype.itemsize <= (4 if image.dtype.kind == "f" else 2)
    shape = tuple(length + 2 for length in image.shape)
    padded = np.empty(shape, np.float32 if narrow else np.float64)

    def fill(rows: slice) -> None:
        padded[rows] = -np.inf
        inside = slice(max(rows.start, 1), min(rows.stop, len(padded) - 1))
        before = slice(inside.start - 1, inside.stop - 1)
        padded[(inside, *(slice(1, -1),) * (image.ndim - 1))] = image[before]

    in_threads(fill, shares(len(padded), threads), threads)
    return padded


def _steps(padded: Array) -> list[int]:
    """Return how far apart voxels are in the flat array along each axis."""
    return [stride // padded.itemsize for stride in padded.strides]


def _neighbours(padded: Array) -> tuple[Array, Array]:
    """Return offsets to all neighbours, and bits of those before that touch each."""
    moves = [m for m in itertools.product((-1, 0, 1), repeat=padded.ndim) if any(m)]
    offsets = np.array(moves) @ np.array(_steps(padded))
    places = np.array(moves)
    touch = np.abs(places[:, None] - places).max(axis=-1) <= 1
    before = np.tril(touch, -1) @ (1 << np.arange(len(moves)))
    return offsets, before.astype(np.int32)


class _Highest:
    """The highest saddle of each basin: what each of some threads has seen of them.

    Attributes
    ----------
    levels, towards : ndarray, shape (threads, maxima)
        Grey values, minus infinity where there is none, and maxima beyond the saddles.
    """

    def __init__(self, peaks: Array, threads: int) -> None:
        self.levels = np.empty((threads, peaks.size), peaks.dtype)
        self.towards = np.empty(self.levels.shape, np.int32)
        self._rows, self._lent = iter(range(threads)), list[int]()

    def _begun(self) -> int:
        row = next(self._rows)
        self.levels[row] = -np.inf
        return row

    def row(self) -> AbstractContextManager[int]:
        """Lend a row to a thread."""
        return lent(self._lent, self._begun)

    @property
    def seen(self) -> tuple[Array, Array]:
        """The rows that threads have written to."""
        rows = slice(len(self._lent))
        return self.levels[rows], self.towards[rows]


def _saddles(
    grey: Array,
    up: Array,
    peaks: Array,
    near: tuple[Array, Array],
    h: float,
    highest: _Highest,
    span: tuple[int, int],
) -> list[tuple[Array, Array]]:
    """Return, in parts, which basins meet in a span, and at which levels."""
    from segkit.morphology.maxima_kernels import find_saddles

    few = np.empty(_AT_ONCE, np.int32), np.empty(_AT_ONCE, np.int32)
    scratch = *few, np.zeros(_LATELY, np.int32)
    state = np.array([span[0], 0], np.int64)
    parts: list[tuple[Array, Array]] = []
    with highest.row() as row:
        best = highest.levels[row], highest.towards[row]
        while state[0] < span[1]:
            pairs, levels = np.empty((_ROOM, 2), np.int32), np.empty(_ROOM, grey.dtype)
            found = pairs, levels, *best
            find_saddles(grey, up, peaks, near, span, h, scratch, *found, state)
            parts.append((pairs[: state[1]], levels[: state[1]]))
    return parts


def _lost(
    saddles: list[tuple[Array, Array]],
    highest: _Highest,
    peaks: Array,
    h: float,
    threads: int,
) -> Array:
    """Return which maxima do not stand out, by where their basins meet.

    Most meet at the highest saddle of one of them, over and over. What that leaves, or
    what is not worth looking at all maxima for, is taken in the order of levels.
    Saddles are overwritten.
    """
    from segkit.morphology import maxima_kernels as kernels

    parent = np.arange(peaks.size, dtype=np.int32)
    trees = peaks, h, parent, parent.copy(), np.zeros(peaks.size, np.uint8)

    def climb(k: int) -> int:
        pairs, levels = saddles[k]
        with highest.row() as row:
            best = highest.levels[row], highest.towards[row]
            left: int = kernels.find_highest(pairs, levels, parent, *best)
        saddles[k] = pairs[:left], levels[:left]
        return left

    before, left = math.inf, sum(len(levels) for _, levels in saddles)
    roots = parent.copy()
    while _FEW * peaks.size < left < _PROGRESS * before:
        roots = _met(highest, trees, roots, threads)
        before, left = left, sum(in_threads(climb, range(len(saddles)), threads))
    pairs, levels = map(np.concatenate, zip(*saddles, strict=True))
    kernels.flood(_in_order(levels), pairs, levels, *trees)
    return trees[-1]


def _met(
    highest: _Highest,
    trees: tuple[Array, float, Array, Array, Array],
    roots: Array,
    threads: int,
) -> Array:
    """Let trees meet beyond the highest saddle of each; return roots that are left."""
    from segkit.morphology import maxima_kernels as kernels

    best, towards = highest.seen

    parts = [roots[one] for one in shares(roots.size, threads)]

    def meet(part: Array) -> int:
        ties: int = kernels.meet_higher(best, towards, *trees, part)
        return ties

    def move(part: Array) -> Array:
        return part[: kernels.move_roots(best, trees[2], part)]

    ties = in_threads(meet, parts, threads)
    for part, count in zip(parts, ties, strict=True):
        kernels.meet_equal(best, towards, *trees, part[:count])
    return np.concatenate(in_threads(move, parts, threads))


def _in_order(levels: Array) -> Array:
    """Return which levels come one after the other, the lowest first.

    Halves of float32 are sorted one by one, because NumPy sorts 16 bits by radix, four
    times as fast.
    """
    if levels.dtype != np.float32:
        return np.argsort(levels)
    bits = levels.view(np.uint32)
    keys = np.where(bits >> 31, ~bits, bits | np.uint32(2**31))  # rise as levels do
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    upper = (keys >> 16).astype(np.uint16)
    return order[np.argsort(upper[order], kind="stable")]
