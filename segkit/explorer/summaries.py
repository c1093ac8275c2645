"""Numbers about what steps made: counts, tables, histograms, thresholds, scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from segkit.evaluation.scoring import table_scores
from segkit.filters.smoothing import gaussian
from segkit.labelling.labels import label
from segkit.measurement.measure import region_properties
from segkit.overlaps.contingency_table import contingency
from segkit.pictures.painting import ids_in
from segkit.thresholding.methods import Method, try_all

if TYPE_CHECKING:
    from segkit.arrays import Array, Table
    from segkit.explorer.cache import Made

_BINS = 256
_METHODS: tuple[Method, ...] = ("otsu", "triangle", "mean")
"""Thresholds that are quick enough to follow a slider."""
_SPECK = 64
"""Voxels of an object that counts, at least."""
COLUMNS = (
    "label", "count", "area", "centroid", "equivalent_diameter", "eccentricity",
    "intensity_mean", "touches_border",
)  # fmt: skip
"""Properties in the table of a page, unless the pipeline says which."""


def counted(made: Made, shown: tuple[slice, ...]) -> dict[str, Any]:
    """Return what a page says after a step, about the part that is shown.

    Parameters
    ----------
    made
        By the step; it has a value.
    shown
        Where the part lies in its array.
    """
    if made.content == "table":
        return {"objects": len(next(iter(made.value.values()), ()))}
    part = made.value[shown]
    if made.content == "mask":
        return {"fraction": np.count_nonzero(part) / max(1, part.size)}
    if made.content == "labels":
        return {"objects": len(ids_in(part))}
    if part.size == 0 or part.dtype.kind == "b":
        return {}
    return {"low": float(np.nanmin(part)), "high": float(np.nanmax(part))}


def objects_of(made: Made | None) -> Array | None:
    """Return labels, or those of the components of a mask."""
    if made is None:
        return None
    if made.content == "labels":
        return np.asarray(made.value)
    return label(np.asarray(made.value) != 0)


def table_of(
    labels: Array, image: Array, spacing: tuple[float, ...], axes: str
) -> Table:
    """Return the properties of objects that a page lists, one row for each."""
    return region_properties(
        labels, image, properties=COLUMNS, spacing=spacing, axes=axes
    )


def rows_of(table: Table) -> dict[str, Any]:
    """Return a table as plain values, column by column."""
    return {name: np.asarray(column).tolist() for name, column in table.items()}


def histogram_of(array: Array) -> dict[str, Any]:
    """Return the counts of grey values in up to 256 bins, and where these lie.

    Examples
    --------
    >>> histogram_of(np.array([0, 0, 3], np.uint8))
    {'low': 0.0, 'high': 4.0, 'counts': [2, 0, 0, 1]}
    """
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if finite.size == 0:
        return {"low": 0.0, "high": 1.0, "counts": [0]}
    low, high = float(finite.min()), float(finite.max())
    whole = array.dtype.kind in "biu"
    room = max(1.0, (high - low) / _BINS, abs(high) / 1000 if high == low else 0)
    top = high + room if whole or high == low else high
    bins = int(min(_BINS, top - low)) if whole else _BINS
    flat = finite.astype(np.uint8) if array.dtype.kind == "b" else finite
    counts, _ = np.histogram(flat, bins, (low, top))
    return {"low": low, "high": top, "counts": counts.tolist()}


def thresholds_of(array: Array) -> list[dict[str, Any]]:
    """Return what each global method makes of grey values, lowest threshold first."""
    found = [
        {
            "method": method,
            "threshold": None if math.isnan(trial.threshold) else trial.threshold,
            "fraction": trial.fraction,
            "objects": trial.objects,
        }
        for method, trial in try_all(array).items()
    ]
    return sorted(found, key=lambda one: (one["threshold"] is None, one["threshold"]))


def best_method(image: Array) -> str:
    """Return the method whose threshold leaves most objects that are no specks.

    Examples
    --------
    >>> image = np.zeros((60, 60), np.uint8)
    >>> image[5:20, 5:20], image[30:45, 30:45], image[50:, :9] = 200, 30, 30
    >>> best_method(image)
    'triangle'
    """
    if image.size == 0 or not np.isfinite(image).all() or image.min() == image.max():
        return _METHODS[0]
    trials = try_all(gaussian(image, 1.0), _METHODS)
    found = {
        method: int((np.bincount(label(trial.mask).reshape(-1))[1:] >= _SPECK).sum())
        for method, trial in trials.items()
    }
    return max(found, key=lambda method: found[method])


def scores_of(labels: Array, reference: Array) -> dict[str, float]:
    """Return how well labels agree with a reference, by overlaps."""
    found = table_scores(contingency(labels, reference))
    return {name: float(value) for name, value in found.items()}
