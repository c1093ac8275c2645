"""How often each value of an image of integers occurs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit import checks
from segkit.compiled.fallback import falls_back_on
from segkit.tiling.threads import cut, in_threads, thread_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Array

MOST_LEVELS = 2**16
"""Values that have a count of their own; integers that span more have none."""
_BLOCK = 2**17
"""Voxels that are brought into order, or made narrow, at once."""
_MOST_COUNTED = 2**31
"""Voxels that are counted in 32 bits, of which twice as many stay in the cache."""
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
    if image.dtype.kind == "f":
        return None
    if image.size == 0:
        return Histogram(0, np.zeros(0, np.int64))
    image, size = checks.native(image), image.dtype.itemsize
    threads = thread_count(workers, image.size)
    if size <= 2:
        bins = 2 ** (8 * size)
        parts = _counted(image.view(f"u{size}"), 0, bins, threads)
        if image.dtype.kind == "i":  # negative ones came after the others
            return _added(-bins // 2, [np.roll(part, bins // 2) for part in parts])
        return _added(0, parts)
    lowest, span = int(image.min()), int(image.max()) - int(image.min())
    if span >= MOST_LEVELS:
        return None
    return _added(lowest, _counted(image, lowest, span + 1, threads))


def _added(lowest: int, parts: Sequence[NDArray[np.uint32]]) -> Histogram:
    """Return a histogram of counts from a value on, without what does not occur.

    Only what is left is added up, as what is written for the first time takes long.
    """
    occurs = parts[0] != 0
    for part in parts[1:]:
        occurs |= part != 0
    first, stop = int(occurs.argmax()), occurs.size - int(occurs[::-1].argmax())
    counts = np.zeros(stop - first, np.int64)
    for part in parts:
        counts += part[first:stop]
    return Histogram(lowest + first, counts)


def _counted(
    image: Array, lowest: int, bins: int, threads: int
) -> list[NDArray[np.uint32]]:
    """Return how often `lowest` and the values after it occur in parts of an image."""
    if image.flags.forc:
        image = image.ravel(order="K")
    axis = max(range(image.ndim), key=lambda k: image.shape[k])
    along = (slice(None),) * axis

    def run(part: slice) -> NDArray[np.uint32]:
        counts = np.zeros(bins, np.uint32)
        for values in _blocks(image[(*along, part)], lowest):
            _count(values, counts)
        return counts

    pieces = max(threads, image.size // _MOST_COUNTED + 1)
    return in_threads(run, cut(image.shape[axis], pieces), threads)


def _blocks(image: Array, lowest: int) -> Iterator[NDArray[Any]]:
    """Yield all values above the lowest, as unsigned integers of 8 or 16 bits."""
    if image.dtype.itemsize <= 2 and image.ndim == 1 and image.flags.c_contiguous:
        yield image
        return
    options: dict[str, Any] = {  # numpy's types do not know the last of these
        "flags": ["external_loop", "buffered"],
        "op_flags": [["readonly", "contig"]],
    }
    blocks: Any = np.nditer(image, buffersize=_BLOCK, **options)
    first = image.dtype.type(lowest)
    for block in blocks:
        yield block if image.dtype.itemsize <= 2 else (block - first).astype(np.uint16)


def _count_plainly(values: NDArray[Any], counts: NDArray[np.uint32]) -> None:
    counts += np.bincount(values, minlength=counts.size).astype(np.uint32)


@falls_back_on(_count_plainly)
def _count(values: NDArray[Any], counts: NDArray[np.uint32]) -> None:
    from segkit.thresholding import histogram_kernels

    if values.itemsize == _WORD // 4:
        first = min(-values.ctypes.data % _WORD // values.itemsize, values.size)
        last = values.size - (values.size - first) % 4
        words = values[first:last].view(np.uint64)
        histogram_kernels.count_words(words, counts)
        values = np.concatenate([values[:first], values[last:]])
    histogram_kernels.count_values(values, counts)
