"""Tables of features as matrices, for estimators: checked, and in one order."""

from __future__ import annotations

from contextlib import suppress
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
_TEXT, _NUMBERS = "SUT", "biufO"


@known_as("segkit.learning")
def stacked(tables: Sequence[Mapping[str, Any]]) -> Table:
    """Return the rows of several tables in one, such as those of several images.

    Raises
    ------
    ValueError
        If they do not have the same columns, with a value for each row; if one holds
        texts in some tables and numbers in others, or whole numbers that are no longer
        told apart as the floats of another table.

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
        name: _one_column([np.asarray(table[name]) for table in tables], name)
        for name in first
    }


def _one_column(parts: list[NDArray[Any]], name: str) -> NDArray[Any]:
    """Return a column of all tables; raise if its values would be others."""
    if any(part.ndim == 0 for part in parts):
        raise ValueError(f"column {name!r} is one value; give one for each row")
    full = [part for part in parts if part.size] or parts[:1]  # [] is of no type
    types = sorted({str(part.dtype) for part in full})
    differ = f"column {name!r} holds {' and '.join(types)}; convert it alike"
    if len({part.dtype.kind in _TEXT for part in full}) > 1:
        raise ValueError(differ)
    try:
        column = np.concatenate(full)
    except (TypeError, ValueError):
        raise ValueError(differ) from None
    of_part = np.split(column, np.cumsum([len(part) for part in full[:-1]]))
    for part, held in zip(full, of_part, strict=True):
        if part.dtype.kind in "iu" and (held.astype(part.dtype) != part).any():
            raise ValueError(f"{differ}: as {column.dtype}, numbers are rounded")
    return column


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
    if isinstance(names, str):
        raise TypeError(f"names is {names!r}; give a list, [{names!r}]")
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
    column = as_numbers(values, name=f"feature {name!r}")
    if column.ndim != 1:
        raise ValueError(
            f"feature {name!r} has shape {column.shape}; give one number for each row"
        )
    return column


def as_numbers(values: Any, *, name: str) -> NDArray[np.float64]:
    """Return real numbers as floats; raise `TypeError` for texts, dates and complex."""
    given = np.asarray(values)
    texts = given.dtype.kind == "O" and any(
        isinstance(one, str | bytes) for one in given.flat
    )
    if given.dtype.kind in _NUMBERS and not texts:
        with suppress(TypeError, ValueError):
            return np.asarray(values, np.float64)
    raise TypeError(
        f"{name} holds {'texts' if texts else given.dtype}, but must hold real numbers;"
        " leave it out, or give others"
    )


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
    matrix = as_numbers(features, name="the array of features")
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
