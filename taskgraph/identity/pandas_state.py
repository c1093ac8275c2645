"""What pandas objects are known by: plain data that says everything about them."""

from __future__ import annotations

from typing import Any


def pandas_state(value: Any, pandas: Any) -> tuple[type, object] | None:
    """Return type and contents of a pandas object; None for what has no stable ones."""
    kind = type(value)
    if value is pandas.NA or value is pandas.NaT:
        return kind, None
    if isinstance(value, pandas.DataFrame):
        columns = [_column(value.iloc[:, i].array) for i in range(value.shape[1])]
        return kind, (value.columns, value.index, columns)
    if isinstance(value, pandas.Series):
        return kind, (value.name, value.index, _column(value.array))
    if isinstance(value, pandas.MultiIndex):
        return kind, (list(value.names), list(value))
    if isinstance(value, pandas.Index):
        return pandas.Index, (value.name, list(value))
    if isinstance(value, pandas.Timestamp | pandas.Timedelta):
        return kind, (value.isoformat(), value.unit)
    return None


def _column(array: Any) -> tuple[str, object]:
    plain = array.to_numpy()
    if plain.dtype.kind in "biufcmM":
        return str(array.dtype), plain
    return str(array.dtype), list(array.astype(object))
