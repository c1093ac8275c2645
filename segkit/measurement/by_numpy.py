"""Sums over objects without compiled code: as `_measure_kernels`, slower."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def sum_box(
    labels: Array, intensity: Array | None, slots: Array, sums: Array, lights: Array
) -> None:
    """Add positions and intensities of the objects of an array to their sums."""
    where = np.nonzero(labels)
    slot = slots[labels[where]]
    ndim = labels.ndim
    np.add.at(sums[:, 0], slot, 1)
    column = 1 + ndim
    for a in range(ndim):
        np.add.at(sums[:, 1 + a], slot, where[a])
    for a, b in itertools.combinations_with_replacement(range(ndim), 2):
        np.add.at(sums[:, column], slot, where[a] * where[b])
        column += 1
    sums[:, column : column + ndim] = np.iinfo(np.int64).max
    for a in range(ndim):
        np.minimum.at(sums[:, column + a], slot, where[a])
        np.maximum.at(sums[:, column + ndim + a], slot, where[a] + 1)
    if intensity is not None:
        _sum_lights(slot, intensity[where], lights)


def _sum_lights(slot: Array, values: Array, lights: Array) -> None:
    values = values.astype(lights.dtype)
    present, first = np.unique(slot, return_index=True)
    for column in (2, 3, 4) if lights.dtype.kind == "f" else (2, 3):
        lights[present, column] = values[first]
    with np.errstate(over="ignore", invalid="ignore"):  # as compiled
        deviation = values - lights[slot, 4]
        np.add.at(lights[:, 0], slot, deviation)
        np.add.at(lights[:, 1], slot, deviation * deviation)
    np.minimum.at(lights[:, 2], slot, values)
    np.maximum.at(lights[:, 3], slot, values)


def count_crossings(
    labels: Array, own: tuple[slice, ...], slots: Array, moves: Array, counts: Array
) -> None:
    """Count steps that leave objects; see `_measure_kernels.count_crossings`."""
    padded = np.pad(labels, 1)
    here = labels[own]
    for way, move in enumerate(moves):
        there = padded[
            tuple(
                slice(s.start + 1 + m, s.stop + 1 + m)
                for s, m in zip(own, move, strict=True)
            )
        ]
        leaves = (here != 0) & (there != here)
        column = min(way, len(moves) - 1 - way)
        np.add.at(counts[:, column], slots[here[leaves]], 1)
