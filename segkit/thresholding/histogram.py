"""How often each value of an image of integers occurs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.compiled.fallback import falls_back_on
from segkit.tiling.threads import cut, extremes, in_threads, lent, shares, thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array

MOST_LEVELS = 2**16
"""Values that have a count of their own; integers that span more have none."""
_BLOCK = 2**17
"""Voxels that are brought into order, or made narrow, at once."""
_MOST_COUNTED = 2**31
"""Bytes whose voxels are counted in 32 bits: twice as many counts are in the cache."""
_WORD = 8
"""Bytes that are read at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How often each value occurs, from the lowest to the highest that does.

    Attributes
    ----------
    lowest : int
        The value of the first count.
    counts : ndarray of int64
        Of `lowest`, ``lowest + 1``, ...; empty for an empty image.
    """

    lowest: int
    counts: NDArray[np.int64]

    @property
    def highest(self) -> int:
        """The value of the last count."""
        return self.lowest + self.counts.size - 1


def histogram(image: Array, workers: int | None = None) -> Histogram | None:
    """Return how often each value of an image occurs.

    Parameters
    ----------
    image : ndarray
        Any shape, strides and byte order; bool, integers or floats.
    workers : int, optional
        Number of threads; see `segkit.tiling.threads`.

    Returns
    -------
    Histogram or None
        None for floats, and for integers that span more than 65,536 values.

    Examples
    --------
    >>> found = histogram(np.array([-2, 1, -2, 0]))
    >>> found.lowest, found.counts
    (-2, array([2, 0, 1, 1]))
    """
    threads = thread_count(workers, image.size // 16)  # a third of a nanosecond each
    if image.dtype.kind == "f":
        return None
    if image.size == 0:
        return Histogram(0, np.zeros(0, np.int64))
    image, size = checks.native(image), image.dtype.itemsize
    if size <= 2:
        bins = 2 ** (8 * size)
        found = _counted(image.view(f"u{size}"), 0, bins, threads)
        if image.dtype.kind == "i" and found.highest >= bins // 2:
            return _signed(found, bins)
        return found
    lowest, highest = map(int, extremes(image, threads))
    span = highest - lowest
    if span >= MOST_LEVELS:
        return None
    return _counted(image, lowest, span + 1, threads)


def _signed(found: Histogram, bins: int) -> Histogram:
    """Return a histogram of signed integers by one of the same bits without a sign."""
    counts = np.zeros(bins, np.int64)
    counts[found.lowest : found.highest + 1] = found.counts
    counts = np.roll(counts, bins // 2)  # negative ones came after the others
    first, last = np.flatnonzero(counts)[[0, -1]].tolist()
    return Histogram(first - bins // 2, counts[first : last + 1])


def _counted_plainly(image: Array, lowest: int, bins: int, threads: int) -> Histogram:
    parts = _parts(_count_plainly, image, lowest, bins, threads)
    counts = parts.sum(axis=0, dtype=np.int64)
    first, last = np.flatnonzero(counts)[[0, -1]].tolist()
    return Histogram(lowest + first, counts[first : last + 1])


@falls_back_on(_counted_plainly)
def _counted(image: Array, lowest: int, bins: int, threads: int) -> Histogram:
    """Return how often `lowest` and the values after it occur, if none is beyond."""
    from segkit.thresholding import histogram_kernels as kernels

    def count(values: NDArray[Any], counts: NDArray[np.uint32]) -> None:
        if values.itemsize == _WORD:
            kernels.count_words(values, counts)
        elif values.itemsize == 1:
            kernels.count_values(values, counts)
        else:
            np.add.at(counts, values, 1)

    bins = -(-bins // kernels.BLOCK) * kernels.BLOCK
    parts = _parts(count, image, lowest, bins, threads)
    counts, occur = np.empty(bins, np.int64), np.empty(2, np.int64)
    start = int(image[(0,) * image.ndim]) - lowest
    kernels.add_up(parts, start, image.size, counts, occur)
    first, stop = occur.tolist()
    return Histogram(lowest + first, counts[first:stop])


def _parts(
    count: Callable[[NDArray[Any], NDArray[np.uint32]], None],
    image: Array,
    lowest: int,
    bins: int,
    threads: int,
) -> NDArray[np.uint32]:
    """Return counts of parts of an image, shape (parts, bins).

    They are counted by a function that takes integers of 8 bits, words of four values
    of 16 bits, or what few of these are left, and adds to counts.
    """
    if image.flags.forc:
        image = image.ravel(order="K")
    flat = image.ndim == 1 and image.flags.c_contiguous and image.dtype.itemsize <= 2
    image, rest = _in_words(image) if flat else (image, image[:0])
    axis = max(range(image.ndim), key=lambda k: image.shape[k])
    along = (slice(None),) * axis
    kept: list[list[NDArray[np.uint32]]]
    kept = [[] for _ in range(image.nbytes // _MOST_COUNTED + 1)]
    pieces: Sequence[slice] = shares(image.shape[axis], threads)
    if len(kept) > 1:
        pieces = cut(image.shape[axis], max(len(pieces), len(kept)))
    # What no thread takes is never written, and so no memory.
    parts = np.zeros((len(kept) * min(threads, len(pieces)), bins), np.uint32)
    fresh = list(parts[::-1])

    def run(k: int) -> None:
        with lent(kept[k * len(kept) // len(pieces)], fresh.pop) as counts:
            part = image[(*along, pieces[k])]
            for values in [part] if flat else _blocks(part, lowest):
                count(values, counts)

    in_threads(run, range(len(pieces)), threads)
    if rest.size:
        count(rest, parts[0])
    return parts[: len(parts) - len(fresh)]


def _in_words(values: Array) -> tuple[Array, Array]:
    """Return what lies in a row as words of four values of 16 bits, and the rest."""
    if values.itemsize != _WORD // 4:
        return values, values[:0]
    address, _ = values.__array_interface__["data"]
    first = min(-address % _WORD // values.itemsize, values.size)
    last = values.size - (values.size - first) % 4
    rest = values[last:]
    if first:
        rest = np.concatenate([values[:first], rest])
    return values[first:last].view(np.uint64), rest


def _blocks(image: Array, lowest: int) -> Iterator[NDArray[Any]]:
    """Yield all values above the lowest, as they are counted."""
    options: dict[str, Any] = {  # numpy's types do not know the last of these
        "flags": ["external_loop", "buffered"],
        "op_flags": [["readonly", "contig"]],
    }
    blocks: Any = np.nditer(image, buffersize=_BLOCK, **options)
    first = image.dtype.type(lowest)
    for block in blocks:
        narrow = block if block.itemsize <= 2 else (block - first).astype(np.uint16)
        yield from _in_words(narrow)


def _count_plainly(values: NDArray[Any], counts: NDArray[np.uint32]) -> None:
    if values.itemsize == _WORD:
        values = values.view(np.uint16)
    counts += np.bincount(values, minlength=counts.size).astype(np.uint32)
