"""Which values are tables: columns of one length, or records with the same fields."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from taskgraph.displays.cells import free_name, spread
from taskgraph.displays.table_view import TableView
from taskgraph.loaded import loaded

MOST_RECORDS = 100_000
"""Of dicts and objects, which are made into columns first."""


def table_of(value: Any) -> TableView | None:
    """Return a value as a table; None if it is none.

    Tables are structured arrays and small plain ones, frames of pandas and polars,
    tables of pyarrow, dicts of columns, lists of dicts, dataclasses or named tuples.

    Examples
    --------
    >>> table_of({"label": [1, 2], "area": [3.5, 4]}).page(0, 1)
    [[Cell(short='1', whole='1'), Cell(short='3.5', whole='3.5')]]
    >>> table_of([1, 2]) is None
    True
    """
    if isinstance(value, dict):
        return _of_columns(value, "dict of columns")
    if isinstance(value, list | tuple):
        return _of_records(value)
    own = getattr(value, "columns", None)
    if type(value).__module__ == "taskgraph.sweeps.tables" and isinstance(own, dict):
        return _of_columns(own, "Table") or TableView(own, len(value), "Table")
    numpy = loaded("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _of_array(value)
    return _of_frame(value)


def _of_columns(value: dict[Any, Any], origin: str) -> TableView | None:
    if not value or not all(type(name) is str for name in value):
        return None
    lengths = {_length(column) for column in value.values()}
    if len(lengths) != 1:
        return None
    (rows,) = lengths
    return None if rows is None else TableView(value, rows, origin)


def _length(column: Any) -> int | None:
    """Return the length of what may be a column; None if it is none."""
    if type(column) is list:
        return len(column) or None
    numpy, pandas = loaded("numpy"), loaded("pandas")
    row = numpy is not None and isinstance(column, numpy.ndarray) and column.ndim == 1
    if row or (pandas is not None and isinstance(column, pandas.Series)):
        return len(column)
    return None


def _of_records(value: list[Any] | tuple[Any, ...]) -> TableView | None:
    if not value:
        return None
    part = list(value[:MOST_RECORDS])
    kinds = set(map(type, part))
    (kind, *others) = kinds
    named = kind is dict or is_dataclass(kind) or hasattr(kind, "_fields")
    if others or not named:
        return None
    if kind is dict and not all(
        record and all(type(name) is str for name in record) for record in part
    ):
        return None
    columns = spread(part, "value")
    lacking = len(value) - len(part)
    note = f"only its first {len(part):,} rows of {len(value):,}" if lacking else ""
    return TableView(columns, len(part), f"list of {kind.__name__}", note)


def _of_array(array: Any) -> TableView | None:
    """Return an array as a table: of its fields, or of numbers row by row."""
    if array.dtype.names:
        if array.ndim != 1:
            return None
        fields = {name: array[name] for name in array.dtype.names}
        return TableView(fields, len(array), "structured array")
    origin = f"{array.dtype} {' x '.join(map(str, array.shape))}"
    if array.dtype.kind in "biufcmMSU" and array.size:
        if array.ndim == 2 and array.shape[1] <= 100:
            columns = {str(place): array[:, place] for place in range(array.shape[1])}
            return TableView(columns, len(array), origin)
        if array.ndim == 1:
            return TableView({"value": array}, len(array), origin)
    return None


def _of_frame(value: Any) -> TableView | None:
    pandas = loaded("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return _of_pandas(value, pandas)
    if pandas is not None and isinstance(value, pandas.Series):
        return _of_pandas(value.to_frame(), pandas)
    polars, pyarrow = loaded("polars"), loaded("pyarrow")
    if polars is not None and isinstance(value, polars.DataFrame):
        columns = value.head(MOST_RECORDS).to_dict(as_series=False)
        origin = "data frame of polars"
    elif pyarrow is not None and isinstance(value, pyarrow.Table):
        columns = value.slice(0, MOST_RECORDS).to_pydict()
        origin = "table of pyarrow"
    else:
        return None
    whole = len(value)
    rows = min(whole, MOST_RECORDS)
    note = f"only its first {rows:,} rows of {whole:,}" if rows < whole else ""
    return TableView(columns, rows, origin, note)


def _of_pandas(frame: Any, pandas: Any) -> TableView:
    columns: dict[str, Any] = {}
    index = frame.index
    if not (type(index) is pandas.RangeIndex and index.start == 0 and index.step == 1):
        columns["index" if index.name is None else str(index.name)] = index
    for place, name in enumerate(frame.columns):
        columns[free_name(str(name), columns)] = frame.iloc[:, place]
    return TableView(columns, len(frame), "data frame")
