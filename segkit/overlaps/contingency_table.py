"""The contingency table of two label images: every overlap, counted once.

All scores that compare two partitions are sums over this table, and tables of disjoint
boxes add: that is what makes the scores exact over tiles.
"""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

import numpy as np

from segkit import checks
from segkit.arrays import require_same_axes
from segkit.compiled.fallback import falls_back_on
from segkit.names import known_as
from segkit.overlaps.masks import tell_masks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

P = ParamSpec("P")
R = TypeVar("R")

_SLAB = 1 << 21  # voxels counted at a time: bounds the copies of non-contiguous input
_LARGEST_ID = np.iinfo(np.int64).max


@known_as("segkit")
@dataclass(frozen=True, slots=True, eq=False)
class Contingency:
    """The overlaps of two label images, as triples sorted by the two ids.

    Parameters
    ----------
    segmentation, reference : (n,) int64 arrays
        The ids of the overlapping objects; 0 is background, an object like others.
    voxels : (n,) int64 array
        How many voxels carry that pair of ids; never 0.

    Examples
    --------
    >>> table = contingency([[1, 1, 2]], [[0, 7, 7]])
    >>> table.segmentation.tolist(), table.reference.tolist(), table.voxels.tolist()
    ([1, 1, 2], [0, 7, 7], [1, 1, 1])
    >>> table.total
    3
    """

    segmentation: NDArray[np.int64]
    reference: NDArray[np.int64]
    voxels: NDArray[np.int64]

    @property
    def total(self) -> int:
        """The number of voxels counted."""
        return int(self.voxels.sum())

    @property
    def transposed(self) -> Self:
        """The table with the roles of the two images exchanged."""
        return type(self)(*_sorted(self.reference, self.segmentation, self.voxels))

    def segmentation_sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ids in the segmentation, rising, and their sizes in voxels."""
        return _marginal(self.segmentation, self.voxels)

    def reference_sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the ids in the reference, rising, and their sizes in voxels."""
        return _marginal(self.reference, self.voxels)

    def where(self, chosen: NDArray[np.bool_ | np.intp]) -> Self:
        """Return the table of the overlaps chosen by a mask or by indices."""
        return type(self)(
            self.segmentation[chosen], self.reference[chosen], self.voxels[chosen]
        )

    def __eq__(self, other: object) -> bool:
        """Return whether both tables hold the same overlaps."""
        return isinstance(other, Contingency) and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("segmentation", "reference", "voxels")
        )

    __hash__ = None  # type: ignore[assignment]  # arrays can change

    def __add__(self, other: Contingency) -> Contingency:
        """Return the table of both sets of voxels together; exact."""
        return combine([self, other])


@known_as("segkit")
def contingency(segmentation: ArrayLike, reference: ArrayLike) -> Contingency:
    """Count how many voxels each pair of objects shares.

    Parameters
    ----------
    segmentation, reference : arrays of equal shape
        Label images of any number of dimensions; integers >= 0 or booleans, 0 is
        background. Ids may be sparse and as large as 2^63 - 1.

    Returns
    -------
    Contingency
        Its memory, and the working memory, grow with the number of overlapping pairs
        (48 bytes each at most, beside a slab of 2 M voxels), not with the ids.

    Raises
    ------
    ValueError
        If the shapes differ or an id is negative.
    TypeError
        If an array is not of integers or booleans, or is a masked array.

    Warns
    -----
    UserWarning
        If one is a mask, a single object in several pieces, and the other has several
        objects: to compare these, label the mask first.

    Examples
    --------
    >>> table = contingency([[5, 5, 0], [5, 0, 0]], [[1, 1, 1], [1, 0, 0]])
    >>> table.segmentation.tolist(), table.reference.tolist(), table.voxels.tolist()
    ([0, 0, 5], [0, 1, 1], [2, 1, 3])

    Boxes of a larger image add up to the whole:

    >>> left, right = contingency([1, 1], [0, 3]), contingency([1, 0], [3, 3])
    >>> combine([left, right]) == contingency([1, 1, 1, 0], [0, 3, 3, 3])
    True
    """
    require_same_axes(segmentation, reference)
    first, second = labels(segmentation, "segmentation"), labels(reference, "reference")
    if first.shape != second.shape:
        raise ValueError(
            f"segmentation has shape {first.shape} but reference {second.shape}; "
            "cut both by the same box"
        )
    table = count_overlaps(first, second)
    require_ids(table.segmentation, "segmentation")
    require_ids(table.reference, "reference")
    ids = table.segmentation_sizes()[0], table.reference_sizes()[0]
    tell_masks(ids, (first, second))
    return table


def combine(tables: Iterable[Contingency]) -> Contingency:
    """Add the contingency tables of disjoint boxes; exact, in any order.

    Examples
    --------
    >>> tiles = [contingency([1, 1], [0, 3]), contingency([1, 0], [3, 3])]
    >>> combine(tiles).voxels.tolist()
    [1, 1, 2]
    """
    listed = list(tables)
    empty = np.zeros(0, np.int64)
    return add_up(
        np.concatenate([empty, *(t.segmentation for t in listed)]),
        np.concatenate([empty, *(t.reference for t in listed)]),
        np.concatenate([empty, *(t.voxels for t in listed)]),
    )


def add_up(
    segmentation: NDArray[Any], reference: NDArray[Any], voxels: NDArray[np.int64]
) -> Contingency:
    """Return the table of pairs of ids, adding the voxels of repeated pairs."""
    return Contingency(*_sorted(segmentation, reference, voxels))


def takes_table(score: Callable[P, R]) -> Callable[P, R]:
    """Make a function of a table raise a helpful error for label images.

    Examples
    --------
    >>> @takes_table
    ... def overlaps(table):
    ...     return table.voxels.size
    >>> overlaps([[1, 1, 0]], [[1, 0, 0]])
    Traceback (most recent call last):
    ...
    TypeError: overlaps takes the contingency table of two label images, not list; give
    segkit.contingency(segmentation, reference)
    """

    @functools.wraps(score)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        table = args[0] if args else kwargs.get("table")
        if not isinstance(table, Contingency):
            raise TypeError(
                f"{score.__name__} takes the contingency table of two label images, not"
                f" {type(table).__name__}; give"
                " segkit.contingency(segmentation, reference)"
            )
        return score(*args, **kwargs)

    return checked


def labels(image: ArrayLike, name: str) -> NDArray[Any]:
    """Return an array of labels as int32, int64 or what it is, or say what it lacks."""
    array = checks.as_array(image, name=name)
    if array.size == 0 and array.dtype == np.float64:  # what `[]` becomes
        return array.astype(np.int64)
    if array.dtype.kind not in "biu":
        raise TypeError(
            f"{name} has dtype {array.dtype}; labels are integers with 0 = background "
            "(round and cast, or label a mask first)"
        )
    if array.dtype == np.uint64 and array.size and array.max() > _LARGEST_ID:
        raise ValueError(
            f"{name} holds the id {array.max()}; labels are 0 (background) to 2^63-1"
        )
    return array


def require_ids(ids: NDArray[np.int64], name: str) -> None:
    """Raise `ValueError` if an id is negative."""
    if ids.size and ids.min() < 0:
        raise ValueError(
            f"{name} holds the id {ids.min()}; labels are 0 (background) to 2^63-1"
        )


def _count_by_numpy(first: NDArray[Any], second: NDArray[Any]) -> Contingency:
    """Count by sorting slab by slab: the same table, about ten times slower."""
    return functools.reduce(
        operator.add,
        (
            add_up(a, b, np.ones(a.size, np.int64))
            for a, b in _slabs(first, second, np.int64)
        ),
        combine([]),
    )


@falls_back_on(_count_by_numpy)
def count_overlaps(first: NDArray[Any], second: NDArray[Any]) -> Contingency:
    """Return the table of two label images of one shape that need no checks."""
    from segkit.overlaps.kernel import count_pairs, move_pairs

    wide = any(a.dtype.itemsize == 8 or a.dtype == np.uint32 for a in (first, second))
    table, state = _hash_table(1024), np.zeros(2, np.int64)
    for a, b in _slabs(first, second, np.int64 if wide else np.int32):
        state[0] = 0
        while state[0] < a.size:
            count_pairs(a, b, *table, state)
            if 2 * state[1] > table[2].size:
                larger = _hash_table(2 * table[2].size)
                move_pairs(*table, *larger)
                table = larger
    filled = table[2] > 0
    return add_up(*(column[filled] for column in table))


def _hash_table(size: int) -> tuple[NDArray[np.int64], ...]:
    """Return ids, ids and counts of an empty table."""
    return tuple(np.zeros(size, np.int64) for _ in range(3))


def _slabs(
    first: NDArray[Any], second: NDArray[Any], dtype: type[np.signedinteger[Any]]
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield both arrays flat and contiguous, piece by piece, in the same order."""
    if first.ndim == 0:
        first, second = first[None], second[None]
    if first.flags.c_contiguous and second.flags.c_contiguous:
        first, second = first.reshape(-1), second.reshape(-1)
    row = max(1, first[:1].size)
    if row > _SLAB and first.ndim > 1:
        for a, b in zip(first, second, strict=True):
            yield from _slabs(a, b, dtype)
        return
    step = max(1, _SLAB // row)
    for start in range(0, first.shape[0], step):
        pieces = (a[start : start + step] for a in (first, second))
        a, b = (np.ascontiguousarray(p, dtype=dtype).reshape(-1) for p in pieces)
        yield a, b


def _sorted(
    first: NDArray[Any], second: NDArray[Any], voxels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sort triples by their ids and add the voxels of equal pairs."""
    if first.size == 0:
        empty = np.zeros(0, np.int64)
        return empty, empty, empty
    order = np.lexsort((second, first))
    first, second = first[order].astype(np.int64), second[order].astype(np.int64)
    new = np.ones(first.size, bool)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    starts = np.flatnonzero(new)
    return first[starts], second[starts], np.add.reduceat(voxels[order], starts)


def _marginal(
    ids: NDArray[np.int64], voxels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    found, _, sizes = _sorted(ids, np.zeros(ids.size, np.int64), voxels)
    return found, sizes
