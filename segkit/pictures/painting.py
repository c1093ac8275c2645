"""Labels numbered, those near each other found, and painted over a picture.

Each by a kernel, else by numpy, with the same result.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.overlaps.contingency_table import require_ids
from segkit.tiling.threads import extremes, in_threads, shares, thread_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAPS = (1, 2, 4, 8)
"""Voxels across which two labels are still seen side by side."""
_LARGEST_TABLE = 2**24
"""Labels up to this one are looked up in a table."""
_PAIRS = 2**15
_SLOTS = 2**15 - 19  # a prime, so that pairs fall apart


def numbered(
    labels: NDArray[Any], workers: int | None
) -> tuple[NDArray[np.int32], int]:
    """Return labels as 1, 2, ... in rising order, and the last; 0 stays.

    Raises
    ------
    ValueError
        If a label is negative.
    """
    if labels.size == 0:
        return np.zeros(labels.shape, np.int32), 0
    threads = thread_count(workers, labels.size // 8)
    least, greatest = extremes(labels, threads)
    require_ids(least, "labels")
    if greatest > _LARGEST_TABLE:
        return _numbered_by_sorting(labels, int(greatest), threads)
    return _numbered_by_table(labels, int(greatest), threads)


def _numbered_by_sorting(
    labels: NDArray[Any],
    greatest: int,  # noqa: ARG001 - as compiled
    threads: int,  # noqa: ARG001 - as compiled
) -> tuple[NDArray[np.int32], int]:
    ids, numbers = np.unique(labels, return_inverse=True)
    first = int(ids[0] != 0)  # without background, numbers start at 1
    numbered: NDArray[np.int32] = (numbers.reshape(labels.shape) + first).astype("i4")
    return numbered, ids.size - 1 + first


@falls_back_on(_numbered_by_sorting)
def _numbered_by_table(
    labels: NDArray[Any], greatest: int, threads: int
) -> tuple[NDArray[np.int32], int]:
    from segkit.pictures import painting_kernels

    flat = np.ascontiguousarray(labels, np.int32).reshape(-1)
    parts = shares(flat.size, threads)
    seen = _marked(flat, greatest, threads)
    lookup = np.cumsum(seen, dtype=np.int32)
    last = int(lookup[-1])
    if last == seen.size - 1:
        return flat.reshape(labels.shape), last
    numbers = np.empty(flat.size, np.int32)

    def run(part: slice) -> None:
        painting_kernels.look_up(flat[part], lookup, numbers[part])

    in_threads(run, parts, threads)
    return numbers.reshape(labels.shape), last


def ids_in(labels: NDArray[Any], workers: int | None = None) -> NDArray[np.int64]:
    """Return which labels there are, in rising order, without 0.

    Examples
    --------
    >>> ids_in(np.array([[0, 7], [3, 7]]))
    array([3, 7])
    """
    if labels.size == 0:
        return np.zeros(0, np.int64)
    threads = thread_count(workers, labels.size // 8)
    least, greatest = extremes(labels, threads)
    require_ids(least, "labels")
    if greatest > _LARGEST_TABLE:
        found = np.unique(labels).astype(np.int64)
        return found[found > 0]
    flat = np.ascontiguousarray(labels, np.int32).reshape(-1)
    return np.flatnonzero(_marked(flat, int(greatest), threads))


def _marked_by_numpy(
    flat: NDArray[np.int32],
    greatest: int,
    threads: int,  # noqa: ARG001 - as compiled
) -> NDArray[np.uint8]:
    seen = np.zeros(greatest + 1, np.uint8)
    seen[flat] = 1
    seen[0] = 0
    return seen


@falls_back_on(_marked_by_numpy)
def _marked(flat: NDArray[np.int32], greatest: int, threads: int) -> NDArray[np.uint8]:
    from segkit.pictures import painting_kernels

    seen = np.zeros(greatest + 1, np.uint8)
    parts = shares(flat.size, threads)
    # Several may mark one label at once, all in the same way.
    in_threads(lambda part: painting_kernels.mark(flat[part], seen), parts, threads)
    seen[0] = 0
    return seen


def _near_by_numpy(
    numbers: NDArray[np.int32],
    last: int,
    workers: int | None,  # noqa: ARG001 - as compiled
) -> NDArray[np.int64]:
    pairs = []
    for axis in range(numbers.ndim):
        along = np.moveaxis(numbers, axis, 0)
        for gap in GAPS:
            here, there = along[:-gap], along[gap:]
            differ = (here != there) & (here > 0) & (there > 0)
            pairs.append(here[differ].astype(np.int64) * (last + 1) + there[differ])
    return np.unique(np.concatenate(pairs))


@falls_back_on(_near_by_numpy)
def near(
    numbers: NDArray[np.int32], last: int, workers: int | None
) -> NDArray[np.int64]:
    """Return which numbers lie near each other along an axis, in either order.

    Parameters
    ----------
    numbers
        From 0 to `last`, 0 is background; any number of axes.
    last
        The greatest.
    workers
        Number of threads.

    Returns
    -------
    ndarray of int64
        ``first * (last + 1) + second`` of each pair, rising.
    """
    found: list[NDArray[np.int64]] = []
    if last < 2:  # there are no two
        return np.zeros(0, np.int64)
    numbers = np.ascontiguousarray(numbers)
    threads = thread_count(workers, numbers.size // 4)
    for axis, length in enumerate(numbers.shape):
        inner = math.prod(numbers.shape[axis + 1 :])
        is_last = axis == numbers.ndim - 1
        shape = (1, -1, length) if is_last else (-1, length, inner)
        volume = numbers.reshape(shape)
        run = partial(_near_in_rows, volume, last, along_rows=is_last)
        rows = volume.shape[0] * volume.shape[1]
        found += in_threads(run, shares(rows, threads), threads)
    return np.unique(np.concatenate(found))


def _near_in_rows(
    volume: NDArray[np.int32], last: int, rows: slice, *, along_rows: bool
) -> NDArray[np.int64]:
    from segkit.pictures import painting_kernels

    known = np.zeros(_SLOTS + 1, np.int64)
    known[-1] = last + 1
    pairs = np.empty(max(_PAIRS, len(GAPS) * volume.shape[2]), np.int64)
    count = np.zeros(1, np.int64)
    steps = np.array([(0, gap) if along_rows else (gap, 0) for gap in GAPS])
    found = []
    start = rows.start
    while start < rows.stop:
        part = (start, rows.stop)
        start = painting_kernels.find_near(volume, part, steps, known, pairs, count)
        found.append(np.unique(pairs[: count[0]]))
        count[0] = 0
    return np.unique(np.concatenate(found))


def _painted_by_numpy(
    under: NDArray[np.uint8],
    numbers: NDArray[np.int32],
    chosen: NDArray[np.uint8],
    tints: NDArray[np.uint8],
    contours: NDArray[np.uint8],
    workers: int | None,  # noqa: ARG001 - as compiled
) -> NDArray[np.uint8]:
    colours = chosen[numbers][..., None]
    painted = tints[colours, np.arange(3), under]
    if contours.size:
        rim = _rim(numbers)
        painted[rim] = contours[chosen[numbers[rim]]]
    return painted


@falls_back_on(_painted_by_numpy)
def painted(
    under: NDArray[np.uint8],
    numbers: NDArray[np.int32],
    chosen: NDArray[np.uint8],
    tints: NDArray[np.uint8],
    contours: NDArray[np.uint8],
    workers: int | None,
) -> NDArray[np.uint8]:
    """Return a picture with objects painted over it; see the kernel `paint`."""
    from segkit.pictures import painting_kernels

    out = np.empty((*numbers.shape, 3), np.uint8)
    threads = thread_count(workers, numbers.size // 4)

    def run(rows: slice) -> None:
        part = (rows.start, rows.stop)
        painting_kernels.paint(under, numbers, part, chosen, tints, contours, out)

    in_threads(run, shares(len(numbers), threads), threads)
    return out


def _rim(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels of objects that face another label or the background."""
    padded = np.pad(labels, 1, mode="edge")
    inner = padded[1:-1, 1:-1]
    rim = np.zeros(labels.shape, bool)
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        rim |= np.roll(padded, step, axis=axis)[1:-1, 1:-1] != inner
    return rim & (inner > 0)
