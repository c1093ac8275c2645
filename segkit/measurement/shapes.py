"""Properties of the shape of objects that take more than sums of positions."""

# All properties have one signature, also those that need no spacing.
# ruff: noqa: ARG001

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from segkit.measurement import hulls, outlines
from segkit.measurement.details import quantiles, rows as object_rows, runs

if TYPE_CHECKING:
    from segkit.arrays import Array
    from segkit.measurement.partial_table import PartialTable
    from segkit.tiling.boxes import Tile

Spacing: TypeAlias = Sequence[float]

NEEDS: Final[Mapping[str, str]] = {
    "surface": "crossings",
    "euler_number": "euler",
    "perimeter": "rims",
    "area_convex": "rows",
    "solidity": "rows",
    "feret_diameter_max": "rows",
    "area_filled": "runs",
    "moments": "rows",
    "moments_central": "rows",
    "moments_normalized": "rows",
    "moments_hu": "rows",
    "intensity_median": "values",
    "intensity_q5": "values",
    "intensity_q25": "values",
    "intensity_q75": "values",
    "intensity_q95": "values",
    "centroid_weighted": "weights",
    "centroid_weighted_local": "weights",
    "moments_weighted": "weights",
    "moments_weighted_central": "weights",
    "moments_weighted_normalized": "weights",
    "moments_weighted_hu": "weights",
}
"""What is gathered for a property, beyond sums; only if it is asked for by name."""
_OF_HULLS: Final = frozenset({"area_convex", "solidity", "feret_diameter_max"})
_OF_CENTRES: Final = frozenset({"moments_central", "moments_normalized", "moments_hu"})
PLANES_ONLY: Final = frozenset({"perimeter", "moments_hu", "moments_weighted_hu"})
_REACHES: Final[Mapping[str, int]] = {"crossings": 1, "euler": 1, "rims": 2}
MOMENTS: Final = (
    *("moments", "moments_central", "moments_normalized"),
    *("moments_weighted", "moments_weighted_central", "moments_weighted_normalized"),
)


def needs(properties: Sequence[str]) -> frozenset[str]:
    """Return what is to be gathered for properties, beyond sums.

    Examples
    --------
    >>> sorted(needs(["area", "solidity", "surface"]))
    ['crossings', 'rows']
    """
    return frozenset(NEEDS[name] for name in properties if name in NEEDS)


def reach(needed: frozenset[str]) -> int:
    """Return how far beyond a voxel it takes to look for that.

    Examples
    --------
    >>> reach(frozenset({"crossings", "rows"})), reach(frozenset())
    (1, 0)
    """
    return max((_REACHES.get(one, 0) for one in needed), default=0)


def require_dimensions(name: str, ndim: int) -> None:
    """Raise `ValueError` unless a property is defined in so many dimensions."""
    if name not in NEEDS or name.startswith("intensity_"):
        return
    if ndim not in (2, 3):
        raise ValueError(
            f"property {name!r} is for 2-D and 3-D, not for {ndim} axes; leave it out"
        )
    if ndim == 3 and name in PLANES_ONLY:
        other = "use 'surface'" if name == "perimeter" else "leave it out"
        raise ValueError(f"property {name!r} is for planes, not for 3 axes; {other}")


def require_halo(tile: Tile, shape: tuple[int, ...], halo: int) -> None:
    """Raise `ValueError` unless a tile reads so much beyond what it writes."""
    inner = tile.write.within(tile.read)
    reach = zip(inner.start, inner.stop, tile.read.shape, strict=True)
    border = zip(tile.write.start, tile.write.stop, shape, strict=True)
    for axis, ((a, b, n), (start, stop, end)) in enumerate(
        zip(reach, border, strict=True)
    ):
        if a < min(halo, start) or n - b < min(halo, end - stop):
            raise ValueError(
                f"what is measured takes a halo of {halo}, but the tile at"
                f" {tile.write.start} has less on axis {axis}; cut tiles with"
                f" halo={halo}"
            )


def _euler_number(table: PartialTable, spacing: Spacing) -> Array:
    return table.columns["euler"]


def _perimeter(table: PartialTable, spacing: Spacing) -> Array:
    require_equal(spacing, "perimeter", "use 'surface'")
    length: Array = table.columns["rims"] @ np.array(outlines.STEPS)
    return length * spacing[0]


def require_equal(spacing: Spacing, name: str, advice: str) -> None:
    """Raise `ValueError` unless voxels have equal sides."""
    if len(set(spacing)) > 1:
        raise ValueError(
            f"property {name!r} is for voxels of equal sides, not of {tuple(spacing)};"
            f" {advice}"
        )


def shared(
    table: PartialTable, properties: Sequence[str], spacing: Spacing
) -> dict[str, Array]:
    """Return what several properties are computed from.

    That are the rows of objects, and their hulls and central moments.
    """
    if not any(NEEDS.get(name) == "rows" for name in properties):
        return {}
    rows = object_rows.of_objects(table.details["rows"], table.labels, table.shape)
    own = {f"own {name}": column for name, column in rows._asdict().items()}
    if not _OF_HULLS.isdisjoint(properties):
        hull = hulls.convex(rows)._asdict()
        own |= {f"hull {name}": column for name, column in hull.items()}
    if not _OF_CENTRES.isdisjoint(properties):
        columns = table.columns
        count, low = columns["count"][:, None], columns["low"]
        mean = (columns["sums"] - count * low) / count
        own["central"] = object_rows.moments(rows, low, mean, tuple(spacing))
    return own


def _rows(table: PartialTable) -> object_rows.ObjectRows:
    fields = object_rows.ObjectRows._fields
    return object_rows.ObjectRows(*(table.details[f"own {name}"] for name in fields))


def _convex(table: PartialTable) -> hulls.HullRows:
    fields = hulls.HullRows._fields
    return hulls.HullRows(*(table.details[f"hull {name}"] for name in fields))


def _convex_count(table: PartialTable) -> Array:
    return hulls.areas(_convex(table), len(table))


def _area_convex(table: PartialTable, spacing: Spacing) -> Array:
    area: Array = _convex_count(table) * math.prod(spacing)
    return area


def _solidity(table: PartialTable, spacing: Spacing) -> Array:
    solidity: Array = table.columns["count"] / _convex_count(table)
    return solidity


def _area_filled(table: PartialTable, spacing: Spacing) -> Array:
    columns = table.columns
    boxes = columns["low"], columns["high"]
    holes = runs.hole_sizes(table.details["runs"], table.labels, *boxes, table.shape)
    area: Array = (columns["count"] + holes) * math.prod(spacing)
    return area


def _feret_diameter_max(table: PartialTable, spacing: Spacing) -> Array:
    return hulls.diameters(_convex(table), len(table), tuple(spacing))


def _moments(table: PartialTable, spacing: Spacing) -> Array:
    low = table.columns["low"]
    start = np.zeros(low.shape)
    return object_rows.moments(_rows(table), low, start, tuple(spacing))


def _moments_central(table: PartialTable, spacing: Spacing) -> Array:
    return table.details["central"].copy()


def _moments_normalized(table: PartialTable, spacing: Spacing) -> Array:
    mass = table.columns["count"].astype(float)
    return normalized(_moments_central(table, spacing), mass, spacing)


def normalized(central: Array, mass: Array, spacing: Spacing) -> Array:
    """Write into central moments what they are of objects of unit mass; return them."""
    ndim, scale = len(spacing), min(spacing)
    for powers in np.ndindex(*central.shape[1:]):
        order = sum(powers)
        place: tuple[Any, ...] = (slice(None), *powers)
        unit = scale**order * mass ** (order / ndim + 1)
        central[place] = central[place] / unit if order > 1 else np.nan
    return central


def _moments_hu(table: PartialTable, spacing: Spacing) -> Array:
    require_equal(spacing, "moments_hu", "leave it out")
    return hu_invariants(_moments_normalized(table, spacing))


def hu_invariants(normalized: Array) -> Array:
    """Return the seven invariants of Hu of normalized moments.

    Source: Hu, M. K. "Visual pattern recognition by moment invariants", IRE
    Transactions on Information Theory 8:179-187, 1962.
    """
    nu = np.moveaxis(normalized, 0, -1)
    a, b = nu[3, 0] + nu[1, 2], nu[2, 1] + nu[0, 3]
    c, d = nu[3, 0] - 3 * nu[1, 2], 3 * nu[2, 1] - nu[0, 3]
    wide, cross = nu[2, 0] - nu[0, 2], nu[1, 1]
    first, second = a**2 - 3 * b**2, 3 * a**2 - b**2
    found: Array = np.stack(
        [
            nu[2, 0] + nu[0, 2],
            wide**2 + 4 * cross**2,
            c**2 + d**2,
            a**2 + b**2,
            c * a * first + d * b * second,
            wide * (a**2 - b**2) + 4 * cross * a * b,
            d * a * first - c * b * second,
        ],
        axis=1,
    )
    return found


def _quantile(share: float) -> Callable[[PartialTable, Spacing], Array]:
    def column(table: PartialTable, spacing: Spacing) -> Array:
        details = table.details
        found = quantiles.Intensities(
            *(details[name] for name in quantiles.Intensities._fields)
        )
        return quantiles.quantile(found, table.labels, share)

    return column


COLUMNS: Final[Mapping[str, Callable[[PartialTable, Spacing], Array]]] = {
    "euler_number": _euler_number,
    "perimeter": _perimeter,
    "area_convex": _area_convex,
    "solidity": _solidity,
    "feret_diameter_max": _feret_diameter_max,
    "area_filled": _area_filled,
    "moments": _moments,
    "moments_central": _moments_central,
    "moments_normalized": _moments_normalized,
    "moments_hu": _moments_hu,
    "intensity_median": _quantile(0.5),
    "intensity_q5": _quantile(0.05),
    "intensity_q25": _quantile(0.25),
    "intensity_q75": _quantile(0.75),
    "intensity_q95": _quantile(0.95),
}
