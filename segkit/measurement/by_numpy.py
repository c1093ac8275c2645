"""Sums over objects without compiled code: what `partial_table` falls back on.

The same results, slower.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.labelling.box import Lines
    from segkit.tiling.boxes import Box


def mark_box(labels: Array, box: Box, seen: Array) -> None:
    """Mark each label that is in a box."""
    for plane in labels[box.slices]:
        seen[plane] = True


def sum_box(
    labels: Array,
    intensity: Array | None,
    box: Box,
    slots: Array,
    sums: Array,
    intensities: Array,
) -> tuple[int, Array]:
    """Add positions and intensities of the objects in a box to their sums.

    Returned are the largest label, -1 if one has no row, and which lines have objects.
    """
    own = labels[box.slices]
    largest, known = int(own.max(initial=0)), slots.size or len(sums)
    if own.min(initial=0) < 0 or largest >= known:
        return -1, own
    where = np.nonzero(own)
    slot = slots[own[where]] if slots.size else own[where]
    ndim = own.ndim
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
        _sum_intensities(slot, intensity[box.slices][where], intensities)
    return largest, own.any(axis=-1).reshape(-1)


def _sum_intensities(slot: Array, values: Array, intensities: Array) -> None:
    values = values.astype(intensities.dtype)
    present, first = np.unique(slot, return_index=True)
    for column in (2, 3, 4) if intensities.dtype.kind == "f" else (2, 3):
        intensities[present, column] = values[first]
    with np.errstate(over="ignore", invalid="ignore"):  # as compiled
        deviation = values - intensities[slot, 4]
        np.add.at(intensities[:, 0], slot, deviation)
        np.add.at(intensities[:, 1], slot, deviation * deviation)
    np.minimum.at(intensities[:, 2], slot, values)
    np.maximum.at(intensities[:, 3], slot, values)


def count_crossings(
    labels: Array, lines: Lines, slots: Array, moves: Array, counts: Array
) -> None:
    """Count steps that leave objects; see `segkit.measurement.kernels`."""
    padded = np.pad(labels, 1)
    here = labels[lines.box.slices]
    for way, move in enumerate(moves):
        there = padded[
            tuple(
                slice(s.start + 1 + m, s.stop + 1 + m)
                for s, m in zip(lines.box.slices, move, strict=True)
            )
        ]
        leaves = (here != 0) & (there != here)
        column = min(way, len(moves) - 1 - way)
        np.add.at(counts[:, column], slots[here[leaves]], 1)
