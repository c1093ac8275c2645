"""What tables, columns, indexes and moments of pandas are known by.

Columns become arrays of numpy wherever that can be done without looking at each row, so
that their digests are computed at once and remembered like those of other arrays. How a
table keeps its columns (in blocks, in chunks) does not count.
"""

from __future__ import annotations

import sys
from itertools import repeat
from operator import is_
from typing import TYPE_CHECKING, Any

from taskgraph.identity.arrow_state import arrow_state
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Callable

    State = dict[str, object]

# What pandas keeps in the `__dict__` of its objects; the rest somebody else put there.
_OF_PANDAS = frozenset(
    (
        *("_mgr", "_attrs", "_flags", "_name", "_item_cache", "_is_copy", "_cacher"),
        *("_cache", "_id", "_data", "_references", "_freq", "_range", "_typ"),
        *("_levels", "_codes", "_names", "sortorder"),
        "_metadata",  # before 3.1 pickle gave it to each table, from its class
    )
)


_FEW_ROWS, _MANY_COLUMNS = 1000, 64
"""Of tables whose columns are not encoded one by one."""


def pandas_encoder(kind: type, encoder: Any) -> Callable[[Any], bytes] | None:
    """Return what encodes the values of a type of pandas; None if there is no rule."""
    pandas = loaded("pandas")
    if pandas is None or str(kind.__module__).partition(".")[0] != "pandas":
        return None
    name = kind.__name__
    if name in ("NaTType", "NAType"):
        return lambda _: encoder.state("pandas", name, None)
    homes = pandas, pandas.arrays, pandas.offsets
    if all(getattr(home, name, None) is not kind for home in homes):
        return None
    if issubclass(kind, pandas.offsets.BaseOffset):
        return lambda x: encoder.state("pandas.offsets", name, _offset(x))
    state = _STATES.get(name)
    if state is None:
        return None
    head = encoder.head("pandas", name)
    return lambda value: head + encoder.below(state(value))


def _table(table: Any) -> State:
    rows, columns = table.shape
    wide = rows < _FEW_ROWS and columns > _MANY_COLUMNS
    values = _columns_by_type(table) if wide else _columns(table)
    return {"columns": table.columns, "values": values, **_about(table)}


def _columns(table: Any) -> list[Any]:
    return [_plain(_column(table, i)) for i in range(table.shape[1])]


def _columns_by_type(table: Any) -> list[Any]:
    """Return many short columns: those of one type of numpy in one array."""
    kinds = table.dtypes.tolist()
    if _is_numpys(kinds[0]) and all(map(is_, kinds, repeat(kinds[0]))):
        return [table.to_numpy()]  # quick: a table of numbers
    places: dict[Any, list[int]] = {}
    for place, kind in enumerate(kinds):
        places.setdefault(kind, []).append(place)
    columns: list[Any] = []
    for kind, where in places.items():
        if not _is_numpys(kind):
            columns += [(place, _column(table, place)) for place in where]
        elif len(places) == 1:
            columns.append(table.to_numpy())
        else:
            columns.append((where, table.iloc[:, where].to_numpy()))
    return columns


def _column(table: Any, place: int) -> Any:
    find = getattr(table, "_get_column_array", None)  # iloc takes 30 times as long
    return table.iloc[:, place].array if find is None else find(place)


def _series(series: Any) -> State:
    return {"name": series.name, "values": _plain(series.array), **_about(series)}


def _about(table: Any) -> State:
    """Return what a table or column has besides its values."""
    unique = not table.flags.allows_duplicate_labels
    about: State = {"index": table.index, "attrs": table.attrs, "unique": unique}
    return {**about, "more": own_attributes(table)}


def own_attributes(value: Any) -> State:
    """Return the attributes that are not pandas's own."""
    of_pandas = _OF_PANDAS | getattr(type(value), "_accessors", set())
    return {name: x for name, x in vars(value).items() if name not in of_pandas}


def _plain(array: Any) -> Any:
    """Return a column as an array of numpy if that says all of it, else as it is."""
    return sys.modules["numpy"].asarray(array) if _is_numpys(array.dtype) else array


def _is_numpys(dtype: Any) -> bool:
    return type(dtype).__module__.startswith("numpy")


def _index(index: Any) -> State:
    values = _plain(index.array)
    return {"name": index.name, "values": values, "more": own_attributes(index)}


def _time_index(index: Any) -> State:
    return {**_index(index), "freq": index.freq}


def _range_index(index: Any) -> State:
    steps = index.start, index.stop, index.step
    return {"name": index.name, "steps": steps, "more": own_attributes(index)}


def _multi_index(index: Any) -> State:
    parts = list(index.levels), list(index.codes), list(index.names)
    return {"parts": parts, "sorted": index.sortorder, "more": own_attributes(index)}


def _moments(array: Any) -> State:
    ticks = array.view("i8")
    return {"dtype": array.dtype, "ticks": ticks, "freq": getattr(array, "freq", None)}


def _categories(array: Any) -> State:
    return {
        "codes": array.codes,
        "categories": array.categories,
        "ordered": array.ordered,
    }


def _intervals(array: Any) -> State:
    return {"left": array.left, "right": array.right, "closed": array.closed}


def _masked(array: Any) -> State:
    """Return numbers and where they are missing, whatever lies there."""
    data, missing = array._data, array._mask  # noqa: SLF001 - `isna` may count NaN too
    if missing.any():
        data = data.copy()
        data[missing] = 0
    return {"data": data, "missing": missing}


def _texts(array: Any) -> State:
    numpy = sys.modules["numpy"]
    texts, missing = numpy.asarray(array, dtype=object), array.isna()
    if missing.any():
        texts = numpy.where(missing, None, texts)
    return {"dtype": array.dtype, "texts": texts}


def _arrow(array: Any) -> State:
    return {"dtype": array.dtype, **arrow_state(array.__arrow_array__())}


def _sparse(array: Any) -> State:
    index = array.sp_index
    places = index.to_int_index().indices, type(index).__name__, len(array)
    return {"dtype": array.dtype, "values": array.sp_values, "places": places}


def _number_type(dtype: Any) -> State:
    return {"dtype": dtype.numpy_dtype}


def _offset(offset: Any) -> State:
    return {"n": offset.n, "normalize": offset.normalize, "kwds": dict(offset.kwds)}


_STATES: dict[str, Callable[[Any], object]] = {
    "DataFrame": _table,
    "Series": _series,
    "Index": _index,
    "CategoricalIndex": _index,
    "IntervalIndex": _index,
    "PeriodIndex": _index,
    "DatetimeIndex": _time_index,
    "TimedeltaIndex": _time_index,
    "RangeIndex": _range_index,
    "MultiIndex": _multi_index,
    "Categorical": _categories,
    "DatetimeArray": _moments,
    "TimedeltaArray": _moments,
    "PeriodArray": _moments,
    "IntervalArray": _intervals,
    "IntegerArray": _masked,
    "FloatingArray": _masked,
    "BooleanArray": _masked,
    "StringArray": _texts,
    "ArrowStringArray": _arrow,
    "ArrowExtensionArray": _arrow,
    "NumpyExtensionArray": lambda x: {"values": x.to_numpy()},
    "SparseArray": _sparse,
    "Timestamp": lambda x: (x.isoformat(), x.unit, x.tz, x.fold),
    "Timedelta": lambda x: (x.isoformat(), x.unit),
    "Period": lambda x: {"ordinal": x.ordinal, "freq": x.freq},
    "Interval": _intervals,
    "CategoricalDtype": lambda x: {"categories": x.categories, "ordered": x.ordered},
    "DatetimeTZDtype": lambda x: {"unit": x.unit, "tz": x.tz},
    "PeriodDtype": lambda x: {"freq": x.freq},
    "IntervalDtype": lambda x: {"subtype": x.subtype, "closed": x.closed},
    "SparseDtype": lambda x: {"subtype": x.subtype, "fill": x.fill_value},
    "StringDtype": lambda x: {"storage": x.storage, "missing": x.na_value},
    "ArrowDtype": lambda x: {"name": str(x.pyarrow_dtype)},
    "BooleanDtype": _number_type,
    **{f"Float{bits}Dtype": _number_type for bits in (32, 64)},
    **{f"Int{bits}Dtype": _number_type for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}Dtype": _number_type for bits in (8, 16, 32, 64)},
}
