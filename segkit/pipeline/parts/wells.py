"""What the objects of a plate come to in each well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Table

_PLACES = (
    *("label", "bbox", "centroid", "frame", "channel"),
    *("row", "column", "field", "acquisition"),
)
"""Columns that say where an object is, of which a mean says nothing."""


def per_well(
    table: Table,
    names: Sequence[str],
    wells: Sequence[tuple[Sequence[object], int, int]],
) -> Table:
    """Return a row for each well, and each frame, of what its objects come to.

    Parameters
    ----------
    table
        Of all objects of a plate, with columns of `names`.
    names
        Of the columns that say which well it is, what was done to it, which frame.
    wells
        For each row what these hold, how many fields were measured, and how many were
        not.

    Returns
    -------
    dict of str to ndarray
        Columns `names`, "fields", "fields_missing", "objects"; for each
        class "class-NAME", how many objects are of it; for each other column of numbers
        but labels and positions "NAME-mean", "NAME-std" (of the population) and
        "NAME-median" over the objects of the well, those without a value (NaN) left
        out, NaN if none has one.

    Examples
    --------
    >>> table = {
    ...     "well": np.array(["A1", "A1"]),
    ...     "label": np.array([1, 2]),
    ...     "area": np.array([3.0, 5.0]),
    ... }
    >>> found = per_well(table, ["well"], [(("A1",), 2, 0), (("A2",), 1, 1)])
    >>> [(name, column.tolist()) for name, column in found.items()][1:5]
    [('fields', [2, 1]), ('fields_missing', [0, 1]), ('objects', [2, 0]),
     ('area-mean', [4.0, nan])]
    """
    places = [tuple(place) for place, _, _ in wells]
    rows = _rows(table, names, places)
    found: Table = {
        name: np.array([place[k] for place in places]) for k, name in enumerate(names)
    }
    found["fields"] = np.array([count for _, count, _ in wells])
    found["fields_missing"] = np.array([count for *_, count in wells])
    found["objects"] = np.array([len(one) for one in rows], np.int64)
    for name in sorted({*table.get("class", np.array([], str)).tolist()} - {""}):
        counts = [np.count_nonzero(table["class"][one] == name) for one in rows]
        found[f"class-{name}"] = np.array(counts, np.int64)
    for name, values in table.items():
        if name not in names and _is_measure(name, values):
            found |= _summary(name, values.astype(float), rows)
    return found


def _rows(
    table: Table, columns: Sequence[str], places: Sequence[tuple[object, ...]]
) -> list[NDArray[np.int64]]:
    """Return for each place the rows of a table that have it."""
    of_places: dict[tuple[object, ...], list[int]] = {place: [] for place in places}
    lists = [table[name].tolist() for name in columns]
    for row, place in enumerate(zip(*lists, strict=True)):
        of_places[place].append(row)
    return [np.array(of_places[place], np.int64) for place in places]


def _is_measure(name: str, values: NDArray[Any]) -> bool:
    bare = name.partition("-")[0]
    return values.dtype.kind in "biuf" and bare not in (
        *_PLACES,
        "field",
        "acquisition",
    )


def _summary(name: str, values: NDArray[Any], rows: Sequence[NDArray[Any]]) -> Table:
    known = [values[one][~np.isnan(values[one])] for one in rows]
    kinds: dict[str, Any] = {"mean": np.mean, "std": np.std, "median": np.median}
    return {
        f"{name}-{kind}": np.array([of(one) if len(one) else np.nan for one in known])
        for kind, of in kinds.items()
    }
