"""Tables of features as matrices, for estimators: checked, and in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from segkit import checks
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from segkit.arrays import Table

Missing: TypeAlias = Literal["refuse", "pass"]

_NO_FEATURES = ("label",)


@known_as("segkit.learning")
def stacked(tables: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rows of several tables in one, such as those of several images.

    Raises
    ------
    ValueError
        If they do not have the same columns.

    Examples
    --------
    >>> stacked([{"a": [1, 2]}, {"a": [3]}])
    {'a': array([1, 2, 3])}
    """
    if not tables:
        raise ValueError("there are no tables to stack; give one for each image")
    first = list(tables[0])
    for place, table in enumerate(tables):
        if list(table) != first:
            odd = sorted(set(first) ^ set(table)) or list(table)
            raise ValueError(
                f"table {place} has other columns than the first: {', '.join(odd)}"
            )
    return {
        name: np.concatenate([np.asarray(table[name]) for table in tables])
        for name in first
    }


@known_as("segkit.learning")
def feature_matrix(
    table: Mapping[str, Any],
    names: Sequence[str] | None = None,
    *,
    missing: Missing = "refuse",
) -> NDArray[np.float64]:
    """Return features as a matrix (rows, features), for an estimator.

    Parameters
    ----------
    table : dict of str to array
        As of `segkit.features.region_features`.
    names : sequence of str, optional
        Which columns, in this order; all but "label" by default.
    missing : {'refuse', 'pass'}
        Whether NaN, the number that is not defined for a region, is an error, or is
        passed on: to estimators that take it (HistGradientBoostingRegressor), or to a
        pipeline that begins with SimpleImputer, which learns from the training part.

    Raises
    ------
    ValueError
        If a column is not there, there are none, or there are NaN or infinite values;
        if columns have not all one number for each row.
    TypeError
        If a column holds no real numbers.

    Examples
    --------
    >>> feature_matrix({"label": [1, 2], "a": [3, 4], "b": [5, 6]})
    array([[3., 5.],
           [4., 6.]])
    """
    checks.one_of(missing, get_args(Missing), name="missing")
    chosen = [n for n in table if n not in _NO_FEATURES] if names is None else names
    absent = [name for name in chosen if name not in table]
    if absent:
        raise ValueError(f"the table has no column {absent[0]!r}")
    if not chosen:
        raise ValueError("the table has no feature; measure some")
    for name in chosen:
        require_unmasked(table[name], name=f"feature {name!r}")
    columns = [_column(table[name], name) for name in chosen]
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise ValueError(
            f"columns of the table have {min(lengths)} to {max(lengths)} rows; give as"
            " many for each feature"
        )
    matrix = np.stack(columns, axis=1)
    _require_numbers(matrix, chosen, missing)
    return matrix


def _column(values: Any, name: str) -> NDArray[np.float64]:
    try:
        column = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"feature {name!r} holds {np.asarray(values).dtype}, but must hold real"
            " numbers; leave it out, or name others"
        ) from None
    if column.ndim != 1:
        raise ValueError(
            f"feature {name!r} has shape {column.shape}; give one number for each row"
        )
    return column


def _require_numbers(
    matrix: NDArray[np.float64], names: Sequence[str], missing: Missing
) -> None:
    wrong = np.isinf(matrix) if missing == "pass" else ~np.isfinite(matrix)
    if not wrong.any():
        return
    counts = wrong.sum(axis=0)
    place = int(np.argmax(counts))
    row = int(np.flatnonzero(wrong[:, place])[0])
    others = int((counts > 0).sum()) - 1
    more = f", and so have {others} other features" if others else ""
    raise ValueError(
        f"feature {names[place]!r} has NaN or infinity in {counts[place]} of"
        f" {len(matrix)} rows (the first is row {row}){more}; leave it or these rows"
        " out, or pass NaN on (missing='pass') to an estimator that takes it"
    )


def as_matrix(features: Any, missing: Missing) -> NDArray[np.float64]:
    """Return a table, or what is a matrix already, as a checked matrix."""
    if hasattr(features, "keys"):  # a dict, or a data frame: labels are no feature
        table = feature_matrix(features, missing=missing)
        if not len(table):
            raise ValueError(
                "features have no rows; give images in which there are regions"
            )
        return table
    require_unmasked(features, name="features")
    matrix = np.asarray(features, np.float64)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(
            f"features have shape {matrix.shape}; give a table, or a matrix of a row"
            " for each region and a column for each feature"
        )
    names = [f"column {k}" for k in range(matrix.shape[1])]
    _require_numbers(matrix, names, missing)
    return matrix


def require_unmasked(rows: Any, *, name: str) -> None:
    """Raise `TypeError` for a masked array: what is masked would count as it is."""
    if isinstance(rows, np.ma.MaskedArray):
        raise TypeError(
            f"{name} are a masked array, whose mask would be ignored; leave out the"
            " rows that are masked (numpy.ma.getmaskarray), and give .data of the rest"
        )
