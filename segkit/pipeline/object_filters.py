"""Filters of objects: what each looks at, and which objects it keeps.

Which objects stay is decided on a table of all objects of the image, never on a tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from segkit.arrays import Table
    from segkit.pipeline.steps import Step


HOW = ("spacing", "axes")
"""Options of `keep_within` that are no bounds."""


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """A step that keeps some objects.

    Attributes
    ----------
    measure : callable
        Takes the step and the image's spacing; returns how to measure the objects, as
        options of `region_properties` or `properties_table`.
    keep : callable
        Takes the step and the table of objects; returns the labels that stay.
    """

    measure: Callable[[Step, tuple[float, ...]], dict[str, Any]]
    keep: Callable[[Step, Table], NDArray[np.int64]]


def filter_options(step: Step, spacing: tuple[float, ...]) -> dict[str, Any]:
    """Return how to measure the objects among which a filter step chooses.

    For `region_properties` or `properties_table`.

    Examples
    --------
    >>> from segkit.pipeline import keep_within
    >>> filter_options(keep_within(centroid_0=(5, None)), (1.0, 1.0))
    {'spacing': (1.0, 1.0), 'properties': ['label', 'centroid']}
    """
    return FILTERS[step.function].measure(step, spacing)


def kept_ids(step: Step, table: Table) -> NDArray[np.int64]:
    """Return the labels that a filter step keeps, for `segkit.keep_ids`.

    Parameters
    ----------
    step : Step
        ``remove_small_objects``, ``clear_border``, ``keep_largest``, ``keep_within``.
    table : dict of str to ndarray
        Of all objects, measured with `filter_options`.

    Examples
    --------
    >>> from segkit.pipeline import remove_small_objects
    >>> table = {"label": np.array([1, 3]), "count": np.array([5, 50])}
    >>> kept_ids(remove_small_objects(20), table)
    array([3])
    """
    return FILTERS[step.function].keep(step, table)


def keep_lookup(step: Step, table: Table) -> NDArray[np.int64]:
    """Return what `kept_ids` keeps as a lookup for `relabel_tile`: 0 for the others.

    Examples
    --------
    >>> from segkit.pipeline import remove_small_objects
    >>> table = {"label": np.array([1, 3]), "count": np.array([5, 50])}
    >>> keep_lookup(remove_small_objects(20), table)
    array([0, 0, 0, 3])
    """
    lookup = np.zeros(int(np.max(table["label"], initial=0)) + 1, np.int64)
    kept = kept_ids(step, table)
    lookup[kept] = kept
    return lookup


def _sizes(_: Step, __: tuple[float, ...]) -> dict[str, Any]:
    return {"properties": ("label", "count")}


def _borders(_: Step, __: tuple[float, ...]) -> dict[str, Any]:
    return {"properties": ("label", "touches_border")}


def _bounded(step: Step, spacing: tuple[float, ...]) -> dict[str, Any]:
    from segkit.measurement.selection import property_of

    names = map(property_of, _bounds(step))
    return {
        "spacing": step.keywords.get("spacing", spacing),
        "properties": list(dict.fromkeys(["label", *names])),
        **{name: step.keywords[name] for name in ("axes",) if name in step.keywords},
    }


def _large(step: Step, table: Table) -> NDArray[np.int64]:
    from segkit.measurement.selection import small_ids

    return _others(table, small_ids(table, step.keywords["min_size"]))


def _largest(step: Step, table: Table) -> NDArray[np.int64]:
    from segkit.measurement.selection import largest_ids

    return largest_ids(table, step.keywords["number"])


def _inner(_: Step, table: Table) -> NDArray[np.int64]:
    from segkit.measurement.selection import border_ids

    return _others(table, border_ids(table))


def _within(step: Step, table: Table) -> NDArray[np.int64]:
    from segkit.measurement.selection import ids_within

    return ids_within(table, **_bounds(step))


def _bounds(step: Step) -> dict[str, Any]:
    return {name: v for name, v in step.keywords.items() if name not in HOW}


def _others(table: Table, dropped: NDArray[np.int64]) -> NDArray[np.int64]:
    labels = np.asarray(table["label"], np.int64)
    return np.setdiff1d(labels, dropped, assume_unique=True)


FILTERS: Mapping[str, ObjectFilter] = {
    "remove_small_objects": ObjectFilter(_sizes, _large),
    "keep_largest": ObjectFilter(_sizes, _largest),
    "clear_border": ObjectFilter(_borders, _inner),
    "keep_within": ObjectFilter(_bounded, _within),
}
"""The filters, by the names of their steps."""
