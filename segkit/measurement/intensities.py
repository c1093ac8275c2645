"""Properties of the intensities of objects, computed from their sums."""

# All properties have one signature, also those that need no spacing.
# ruff: noqa: ARG001

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.measurement.partial_table import PartialTable

Spacing: TypeAlias = Sequence[float]


def _sum(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    if "total" in columns:
        return columns["total"]
    total: Array = columns["count"] * columns["zero"] + columns["deviation"]
    return total


def _mean(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    mean: Array
    if "total" in columns:
        mean = columns["total"] / columns["count"]
    else:
        mean = columns["zero"] + columns["deviation"] / columns["count"]
    return mean


def _min(table: PartialTable, spacing: Spacing) -> Array:
    return table.columns["least"]


def _max(table: PartialTable, spacing: Spacing) -> Array:
    return table.columns["most"]


def _std(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    count = columns["count"]
    std: Array
    if "spread" in columns:
        std = columns["spread"] / np.sqrt(count)
        return std
    # About the rounded mean, where the sums are small, and exact in integers.
    centre = columns["total"] // count
    rest = columns["total"] - count * centre
    squares = columns["squares"] - centre * (columns["total"] + rest)
    std = np.sqrt(np.maximum(squares / count - (rest / count) ** 2, 0))
    return std


COLUMNS: Final[Mapping[str, Callable[[PartialTable, Spacing], Array]]] = {
    "intensity_sum": _sum,
    "intensity_mean": _mean,
    "intensity_min": _min,
    "intensity_max": _max,
    "intensity_std": _std,
}
