"""The intensities of objects, sorted: what medians and other quantiles take.

Kept are the different intensities of each object and how often it has them; those of
tiles make those of the image exactly, whatever the tiles are. Memory follows the number
of different intensities: of images of 8 bits 256 for each object at most, of floats as
many as voxels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.tiling.boxes import Box

_LARGEST_HISTOGRAM = 2**22


class Intensities(NamedTuple):
    """Sorted by label, then by intensity."""

    labels: Array
    values: Array
    counts: Array


def intensities_of(labels: Array, intensity: Array, box: Box) -> Intensities:
    """Return the intensities of the objects in a box of an array."""
    own = labels[box.slices]
    there = own != 0
    whose, values = own[there].astype(np.int64), intensity[box.slices][there]
    if not len(whose) or values.dtype.kind == "f" or values.dtype.itemsize > 2:
        return joined([Intensities(whose, values, np.ones(len(whose), np.int64))])
    low, high = int(values.min()), int(values.max())
    first, span = int(whose.min()), high - low + 1
    bins = (int(whose.max()) - first + 1) * span
    key = (whose - first) * span + (values.astype(np.int64) - low)
    if bins <= _LARGEST_HISTOGRAM:
        histogram = np.bincount(key, minlength=bins)
        found = np.flatnonzero(histogram)
        counts = histogram[found]
    else:
        found, counts = np.unique(key, return_counts=True)
    grey = (found % span + low).astype(values.dtype)
    return Intensities(found // span + first, grey, counts.astype(np.int64))


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
    before = np.concatenate([[0], np.cumsum(intensities.counts)])
    start = before[np.searchsorted(intensities.labels, labels)]
    stop = before[np.searchsorted(intensities.labels, labels, "right")]
    place = (stop - start - 1) * share
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, stop - start - 1)
    low, high = (
        intensities.values[np.searchsorted(before, start + n, "right") - 1]
        for n in (below, above)
    )
    low, high = low.astype(np.float64), high.astype(np.float64)
    part = place - below
    # As numpy does it: from the nearer end, so that equal ones stay what they are.
    nearer = np.where(part < 0.5, low + (high - low) * part, 0)
    further = np.where(part >= 0.5, high - (high - low) * (1 - part), 0)
    found: Array = nearer + further
    return found
