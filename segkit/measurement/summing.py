"""Sum over objects whatever their labels: few, many, or huge.

Kernels look the row of a label up in a table, or take the label itself for it. Which of
these it can be is found out here, with as little looking at labels as that takes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from segkit import checks
from segkit.measurement.details import gathering
from segkit.measurement.partial_table import (
    MOST_EXPECTED,
    PartialTable,
    UnexpectedLabelError,
    combine,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from segkit.arrays import Array

_BYTES = 4  # of the labels that kernels take
_SMALL = 2**14  # voxels, of which looking at some takes as long as summing all
# Labels up to this many are looked up in a table, of 5 bytes each.
_LARGEST_TABLE = 2**23
_ROWS = 32  # of which one tells whether there are many labels


def summed_over(
    labels: Array, run: Callable[[Array, int | None], list[PartialTable]]
) -> PartialTable:
    """Return the table of all that `run` sums of labels, given them and the largest.

    Most images have few objects, whose sums need nobody to look for the largest first.
    """
    fits = labels.dtype == np.int32 or labels.dtype.itemsize < _BYTES
    if fits and (labels.size <= _SMALL or _seem_few(labels)):
        known = np.ascontiguousarray(labels, np.int32)
        try:
            return _together(run(known, None))
        except UnexpectedLabelError:
            pass  # which somebody has to look for
    known, values, largest = _compact(labels, _largest(labels))
    return _named(_together(run(known, largest)), values)


def _together(parts: list[PartialTable]) -> PartialTable:
    return parts[0] if len(parts) == 1 else combine(parts)


def _seem_few(labels: Array) -> bool:
    """Return whether no label of some rows is beyond what is expected."""
    axis = max(labels.ndim - 2, 0)
    some = labels[(*(slice(None),) * axis, slice(None, None, _ROWS))]
    return int(some.max()) <= MOST_EXPECTED


def _largest(array: Array) -> int:
    """Return the largest label; raise `ValueError` if one is negative."""
    # Read as unsigned, negative labels are the largest: one pass finds both.
    bits = 8 * array.dtype.itemsize
    largest = int(array.view(f"u{bits // 8}").max())
    if array.dtype.kind == "i" and largest >= 2 ** (bits - 1):
        checks.require_labels(array)
    return largest


def _compact(labels: Array, largest: int) -> tuple[Array, Array | None, int]:
    """Return labels that fit a lookup in memory, their ids if others, the largest."""
    if largest <= max(_LARGEST_TABLE, labels.size // 2):
        dtype = np.int32 if largest < 2**31 else labels.dtype
        return np.ascontiguousarray(labels, dtype), None, largest
    values, inverse = np.unique(labels, return_inverse=True)
    if values[-1] > np.iinfo(np.int64).max:
        raise ValueError(f"label {values[-1]} is beyond int64; relabel first")
    if values[0] != 0:
        values, inverse = np.insert(values, 0, 0), inverse + 1
    small = inverse.reshape(labels.shape).astype(np.int32)
    return small, values.astype(np.int64), len(values) - 1


def _named(table: PartialTable, values: Array | None) -> PartialTable:
    if values is None:
        return table
    details = gathering.renamed(table.details, values)
    return replace(table, labels=values[table.labels], details=details)
