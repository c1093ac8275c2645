"""Maxima that stand out: which of the basins of an image meet above which level.

Compiled code finds the basin of each maximum and the saddles between basins, and lets
basins meet from the highest saddle down: what meets a higher one less than `h` below
its top is lost. Without it, and beyond three axes, scikit-image reconstructs the image
from what is lowered by `h`. The two are the same, also where values are equal.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from segkit import checks
from segkit.compiled.fallback import falls_back_on
from segkit.names import known_as
from segkit.tiling.reaches import declare_reach, unlimited
from segkit.tiling.threads import cut, in_threads, thread_count

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from segkit.arrays import Array, Mask

# Voxels looked at together.
_AT_ONCE = 1024
_ROOM = 2**16


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
    array = checks.as_image(image)
    if not h > 0:
        raise ValueError(f"h is {h}, but must be positive")
    threads = thread_count(workers, array.size)
    with np.errstate(over="ignore"):
        if np.float64(array.max()) - np.float64(array.min()) < h:
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

    padded = _padded(image)
    grey, margin = padded.reshape(-1), sum(_steps(padded))
    whole = margin, grey.size - margin
    spans = [(s.start, s.stop) for s in cut(whole[1] - whole[0], threads)]
    spans = [(margin + start, margin + stop) for start, stop in spans]
    near = _neighbours(padded)
    up = np.arange(grey.size, dtype=np.int32 if grey.size < 2**31 else np.int64)

    def ascend(span: tuple[int, int]) -> None:
        kernels.ascend(grey, near[0], span, np.empty(_AT_ONCE, grey.dtype), up)

    in_threads(ascend, spans, threads)
    nothing = np.empty(0, grey.dtype)
    peaks = np.empty(kernels.number_maxima(grey, up, whole, nothing), grey.dtype)
    kernels.number_maxima(grey, up, whole, peaks)
    find = partial(_saddles, grey, up, peaks, near, h)
    pairs, levels = map(
        np.concatenate, zip(*in_threads(find, spans, threads), strict=True)
    )
    parent = np.arange(peaks.size, dtype=np.int32)
    lost = np.zeros(peaks.size, np.uint8)
    order = np.argsort(levels)
    kernels.flood(order, pairs, levels, peaks, h, parent, parent.copy(), lost)
    out = np.zeros(padded.shape, np.bool_)
    kernels.mark(grey, up, whole, lost, out.reshape(-1))
    return out[(slice(1, -1),) * image.ndim].copy()


def _padded(image: Array) -> Array:
    """Return an image in floats that hold it, with minus infinity around it."""
    narrow = image.dtype.itemsize <= (4 if image.dtype.kind == "f" else 2)
    shape = tuple(length + 2 for length in image.shape)
    padded = np.full(shape, -np.inf, np.float32 if narrow else np.float64)
    padded[(slice(1, -1),) * image.ndim] = image
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


def _saddles(
    grey: Array,
    up: Array,
    peaks: Array,
    near: tuple[Array, Array],
    h: float,
    span: tuple[int, int],
) -> tuple[Array, Array]:
    """Return which basins meet at the voxels of a span, and at which levels."""
    from segkit.morphology.maxima_kernels import find_saddles

    scratch = np.empty(_AT_ONCE, np.int32), np.empty(_AT_ONCE, np.int32)
    pairs, levels = np.empty((_ROOM, 2), np.int32), np.empty(_ROOM, grey.dtype)
    state = np.array([span[0], 0], np.int64)
    while True:
        find_saddles(grey, up, peaks, near, span, h, scratch, pairs, levels, state)
        place, count = state.tolist()
        if place == span[1]:
            return pairs[:count], levels[:count]
        pairs = np.concatenate([pairs, np.empty_like(pairs)])
        levels = np.concatenate([levels, np.empty_like(levels)])
