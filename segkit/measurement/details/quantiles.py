"""The intensities of objects, sorted: what medians and other quantiles take.

Kept are the different intensities of each object and how often it has them; those of
tiles make those of the image exactly, whatever the tiles are. Memory follows the number
of different intensities: of images of 8 bits 256 for each object at most, of floats as
many as voxels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from segkit.compiled.fallback import falls_back_on
from segkit.measurement.details import row_kernels

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.labelling.box import Lines

_LARGEST_HISTOGRAM = 2**22


class Intensities(NamedTuple):
    """Sorted by label, then by intensity."""

    labels: Array
    values: Array
    counts: Array


def intensities_of(
    labels: Array,
    intensity: Array,
    lines: Lines,
    slots: Array,
    present: Array,
    extremes: tuple[int, int],
) -> Intensities:
    """Return the intensities of the objects in a box of an array.

    For each label `slots` holds its place among those that are `present`, of which the
    first is the background; `extremes` are those of the intensities of all objects, if
    these are integers of up to 16 bits.
    """
    dtype = intensity.dtype
    if dtype.kind != "f" and dtype.itemsize <= 2:
        low, high = map(int, extremes)
        if len(present) * (high - low + 1) <= _LARGEST_HISTOGRAM:
            counts = np.zeros((len(present), high - low + 1), np.int64)
            return _counted(labels, intensity, lines, slots, present, low, counts)
    own = labels[lines.box.slices]
    there = own != 0
    whose, values = own[there].astype(np.int64), intensity[lines.box.slices][there]
    return joined([Intensities(whose, values, np.ones(len(whose), np.int64))])


def _counted_by_numpy(
    labels: Array,
    intensity: Array,
    lines: Lines,
    slots: Array,
    present: Array,
    low: int,
    counts: Array,
) -> Intensities:
    own = labels[lines.box.slices]
    there = own != 0
    places = intensity[lines.box.slices][there].astype(np.int64) - low
    np.add.at(counts, (slots[own[there]], places), 1)
    slot, place = np.nonzero(counts)
    values = (place + low).astype(intensity.dtype)
    return Intensities(present[slot], values, counts[slot, place])


@falls_back_on(_counted_by_numpy)
def _counted(
    labels: Array,
    intensity: Array,
    lines: Lines,
    slots: Array,
    present: Array,
    low: int,
    counts: Array,
) -> Intensities:
    """Return how often each object has each intensity, from `low` on.

    `counts` has a row of zeros for each of those that are present.
    """
    most = min(counts.size, lines.numbers.size * lines.box.shape[-1])
    names, often = np.empty((2, most), np.int64)
    found = Intensities(names, np.empty(most, intensity.dtype), often)
    begins = np.empty(lines.box.shape[-1] + 1, np.int64)
    given = labels.reshape(-1), intensity.reshape(-1), lines.starts, begins, slots
    number = row_kernels.count_intensities(*given, low, counts, present, tuple(found))
    return Intensities(*(column[:number] for column in found))


def joined(parts: list[Intensities]) -> Intensities:
    """Return the intensities of several parts of an image together."""
    labels, values, counts = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.lexsort((values, labels))
    labels, values, counts = labels[order], values[order], counts[order]
    if not len(labels):
        return Intensities(labels, values, counts)
    new = np.concatenate([[True], (np.diff(labels) != 0) | (values[1:] != values[:-1])])
    starts = np.flatnonzero(new)
    return Intensities(labels[new], values[new], np.add.reduceat(counts, starts))


def quantile(intensities: Intensities, labels: Array, share: float) -> Array:
    """Return a quantile of the intensities of each object, as `numpy.quantile` does.

    Parameters
    ----------
    intensities
        Of these objects, and of others.
    labels
        Rising; each has intensities.
    share
        0 is the lowest, 0.5 the median, 1 the highest.
    """
    found = np.empty(len(labels))
    names, values, counts = intensities
    floats = values.astype(np.float64)
    _find_quantiles(names, floats, counts, labels, share, found)
    return found


@falls_back_on(row_kernels.find_quantiles.plain)
def _find_quantiles(
    names: Array,
    values: Array,
    counts: Array,
    labels: Array,
    share: float,
    found: Array,
) -> None:
    row_kernels.find_quantiles(names, values, counts, labels, share, found)
