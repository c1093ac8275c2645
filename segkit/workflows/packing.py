"""Arrays of tiles in the few bytes that they need, exact and quick to unpack.

Masks are kept as bits and label images as runs of equal values, which takes less time
than a general compressor and leaves so little that reading and writing it costs
nothing. Labels are looked up on the runs, not on the voxels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.names import known_as

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segkit.arrays import Array


# Runs are taken where they need less than this part of the plain voxels.
_SHORT = 0.75
_LARGEST = 2**32 - 1


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Packed:
    """An array in a compact form; `pack` makes it.

    Attributes
    ----------
    shape : tuple of int
        Of the array.
    dtype : str
        Of the array.
    kind : {'bits', 'runs', 'plain'}
        How it is kept.
    parts : tuple of ndarray
        The bits; or where each run ends and its value; or the voxels.
    """

    shape: tuple[int, ...]
    dtype: str
    kind: Literal["bits", "runs", "plain"]
    parts: tuple[Array, ...]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return sum(part.nbytes for part in self.parts)


def pack(array: Array) -> Packed:
    """Return an array in a compact form.

    Parameters
    ----------
    array
        Of one or more axes and any plain dtype.

    Examples
    --------
    >>> labels = np.repeat(np.array([0, 7, 0], np.int32), 100).reshape(3, 100)
    >>> packed = pack(labels)
    >>> packed.kind, packed.parts
    ('runs', (array([100, 200, 300], dtype=uint32), array([0, 7, 0], dtype=uint8)))
    >>> np.array_equal(unpack(packed), labels)
    True
    """
    array = np.asarray(array)
    shape, dtype = array.shape, array.dtype.str
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype == bool:
        return Packed(shape, dtype, "bits", (np.packbits(flat),))
    if array.dtype.kind in "iu" and 0 < flat.size <= _LARGEST:
        narrow = _narrow_type(flat)
        runs = _runs(flat, narrow, limit=int(_SHORT * flat.size * narrow.itemsize))
        if runs is not None:
            return Packed(shape, dtype, "runs", runs)
        return Packed(shape, dtype, "plain", (flat.astype(narrow),))
    return Packed(shape, dtype, "plain", (flat.copy(),))


def unpack(
    packed: Packed,
    lookup: Array | None = None,
    *,
    planes: tuple[int, int] | None = None,
) -> Array:
    """Return the array that was packed.

    Parameters
    ----------
    packed
        By `pack`.
    lookup
        What to put in the place of 0, 1, 2, ...: for labels.
    planes
        Start and stop on the first axis; the whole array by default.

    Returns
    -------
    ndarray
        Of the packed dtype, or that of the lookup.

    Examples
    --------
    >>> packed = pack(np.array([[0, 2], [1, 1], [2, 0]]))
    >>> unpack(packed, np.array([0, 50, 60]), planes=(1, 3))
    array([[50, 50],
           [60,  0]])
    """
    start, stop = planes or (0, packed.shape[0])
    shape = (stop - start, *packed.shape[1:])
    plane = math.prod(packed.shape[1:])
    first, size = start * plane, math.prod(shape)
    if packed.kind == "bits":
        return _bits(packed.parts[0], first, size).reshape(shape)
    if packed.kind == "runs":
        ends, values = packed.parts
        run = np.searchsorted(ends, first, side="right")
        last = np.searchsorted(ends, first + size, side="left")
        values = values[run : last + 1]
        found = values.astype(packed.dtype) if lookup is None else lookup[values]
        return _filled(ends[run : last + 1], found, first, size).reshape(shape)
    (voxels,) = packed.parts
    piece = voxels[first : first + size].reshape(shape)
    return piece.astype(packed.dtype) if lookup is None else lookup[piece]


def _narrow_type(flat: Array) -> np.dtype[Any]:
    low, high = int(flat.min()), int(flat.max())
    return np.result_type(np.min_scalar_type(low), np.min_scalar_type(high))


def _runs_by_numpy(
    flat: Array, narrow: np.dtype[Any], *, limit: int
) -> tuple[Array, Array] | None:
    starts = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if (len(starts) + 1) * (4 + narrow.itemsize) > limit:
        return None
    ends = np.append(starts, flat.size).astype(np.uint32)
    return ends, flat[np.insert(starts, 0, 0)].astype(narrow)


@falls_back_on(_runs_by_numpy)
def _runs(
    flat: Array, narrow: np.dtype[Any], *, limit: int
) -> tuple[Array, Array] | None:
    """Return ends and values of runs, None if they take more bytes than `limit`."""
    from segkit.workflows.run_kernels import count_runs, write_runs

    count = count_runs(flat)
    if count * (4 + narrow.itemsize) > limit:
        return None
    ends, values = np.empty(count, np.uint32), np.empty(count, narrow)
    write_runs(flat, ends, values)
    return ends, values


def _filled_by_numpy(ends: Array, values: Array, first: int, size: int) -> Array:
    stops = np.minimum(ends.astype(np.int64) - first, size)
    return np.repeat(values, np.diff(stops, prepend=0))


@falls_back_on(_filled_by_numpy)
def _filled(ends: Array, values: Array, first: int, size: int) -> Array:
    """Return `size` voxels from place `first` on, from the runs that hold them."""
    from segkit.workflows.run_kernels import fill_runs

    out = np.empty(size, values.dtype)
    fill_runs(ends, values, first, out)
    return out


def _bits(bits: Array, first: int, size: int) -> NDArray[np.bool_]:
    skip = first % 8
    part = bits[first // 8 : -(-(first + size) // 8)]
    flat = np.unpackbits(part, count=skip + size)[skip:]
    return flat.view(np.bool_)
