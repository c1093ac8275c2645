"""Properties of objects whose voxels weigh as much as their intensities.

They are NaN where all intensities of an object add up to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from segkit.measurement import shapes
from segkit.measurement.details import rows, weights

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.measurement.partial_table import PartialTable

Spacing: TypeAlias = Sequence[float]

_OF_CENTRES: Final = frozenset(
    f"moments_weighted_{kind}" for kind in ("central", "normalized", "hu")
)


def shared(table: PartialTable, properties: Sequence[str]) -> dict[str, Array]:
    """Return what several weighted properties are computed from, in voxels."""
    wanted = [name for name in properties if shapes.NEEDS.get(name) == "weights"]
    if not wanted:
        return {}
    own, low = weights.of_details(table.details), table.columns["low"]
    places = weights.places(own, table.labels, low, table.shape)
    found: dict[str, Array] = {}
    if "moments_weighted" in wanted:
        found["weighted"] = weights.moments(places, np.zeros(low.shape))
    if {*wanted} != {"moments_weighted"}:
        found["weighted centre"] = weights.centres(places)
    if not _OF_CENTRES.isdisjoint(wanted):
        found["weighted central"] = weights.moments(places, found["weighted centre"])
    return found


def _centroid_local(table: PartialTable, spacing: Spacing) -> Array:
    centroid: Array = table.details["weighted centre"] * spacing
    return centroid


def _centroid(table: PartialTable, spacing: Spacing) -> Array:
    places = table.columns["low"] + table.details["weighted centre"]
    centroid: Array = places * spacing
    return centroid


def _moments(table: PartialTable, spacing: Spacing) -> Array:
    return rows.scaled(table.details["weighted"], tuple(spacing))


def _central(table: PartialTable, spacing: Spacing) -> Array:
    return rows.scaled(table.details["weighted central"], tuple(spacing))


def _normalized(table: PartialTable, spacing: Spacing) -> Array:
    central = _central(table, spacing)
    mass = central.T[(0,) * len(spacing)].copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return shapes.normalized(central, mass, spacing)


def _hu(table: PartialTable, spacing: Spacing) -> Array:
    shapes.require_equal(spacing, "moments_weighted_hu", "leave it out")
    return shapes.hu_invariants(_normalized(table, spacing))


COLUMNS: Final[Mapping[str, Callable[[PartialTable, Spacing], Array]]] = {
    "centroid_weighted": _centroid,
    "centroid_weighted_local": _centroid_local,
    "moments_weighted": _moments,
    "moments_weighted_central": _central,
    "moments_weighted_normalized": _normalized,
    "moments_weighted_hu": _hu,
}
