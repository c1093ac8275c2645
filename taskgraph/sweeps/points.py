"""The points of a sweep: which values the parameters of a function take together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from taskgraph.errors import UsageError
from taskgraph.loaded import loaded
from taskgraph.tasks.task import Task
from taskgraph.tasks.tasklet import Tasklet

Point = dict[str, Any]
_EXAMPLE = "{'sigma': [1, 2, 4], 'method': ['otsu', 'mean']}"


def points_of(grid: Any) -> list[Point]:
    """Return the points of a grid, or the rows of a frame.

    Numbers of numpy that are Python's (float64, int64, bool) become so, and so do its
    texts: a grid of a list, of an array and of a frame are one. pandas' NA and NaT
    become None. Other numbers of numpy, times and NaN stay what they are.

    Parameters
    ----------
    grid : mapping, frame or iterable of mappings
        Values by name, of which each is taken with each, the last name first; or a
        frame of pandas or polars, or dicts, of which each row is a point.

    Raises
    ------
    UsageError
        There is no point in it, or it is no grid.

    Examples
    --------
    >>> points_of({"sigma": [1, 2], "method": ["a", "b"]})
    [{'sigma': 1, 'method': 'a'}, {'sigma': 1, 'method': 'b'},
     {'sigma': 2, 'method': 'a'}, {'sigma': 2, 'method': 'b'}]
    >>> points_of([{"sigma": 1, "method": "b"}])
    [{'sigma': 1, 'method': 'b'}]
    """
    rows = _rows_of_frame(grid)
    if rows is None and isinstance(grid, Mapping):
        rows = _product(grid)
    elif rows is None:
        rows = _rows(grid)
    if not rows:
        raise UsageError("the grid has no rows, so there is nothing to sweep over")
    for row in rows:
        for name in row:
            if not isinstance(name, str):
                raise UsageError(f"parameters have names, not {name!r:.40}")
    return rows


def _product(grid: Mapping[Any, Any]) -> list[Point]:
    if not grid:
        raise UsageError(f"the grid names no parameter; write {_EXAMPLE}")
    axes = {name: _values(name, values) for name, values in grid.items()}
    return [dict(zip(axes, point, strict=True)) for point in product(*axes.values())]


def _values(name: Any, values: Any) -> list[Any]:
    """Return the values that a parameter takes."""
    if isinstance(values, Task | Tasklet):
        raise UsageError(
            f"the values of {name!r} are a task, whose result is not known; "
            "bvalue(task) waits for it"
        )
    if isinstance(values, set | frozenset):
        raise UsageError(f"the values of {name!r} are a set, without an order; sort it")
    one = isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable)
    if one or getattr(values, "shape", None) == ():
        raise UsageError(
            f"the values of {name!r} are {values!r:.40}; give a list of them, or if it "
            f"is the same for all: sweep(f, grid, {name}=...)"
        )
    if getattr(values, "ndim", 1) != 1:
        raise UsageError(
            f"the values of {name!r} are an array of {values.ndim} dimensions; give a "
            "list of what each call gets"
        )
    if hasattr(values, "to_list"):  # of polars: else its lists are series
        values = values.to_list()
    found = [plain(value) for value in values]
    if not found:
        raise UsageError(f"{name!r} has no values, so there is nothing to sweep over")
    return found


def _rows_of_frame(frame: Any) -> list[Point] | None:
    """Return the rows of a frame of pandas or polars; None if it is none."""
    pandas, polars = loaded("pandas"), loaded("polars")
    if pandas is not None and isinstance(frame, pandas.Series):
        raise UsageError("a series is one column; give {name: series}, or a frame")
    if pandas is not None and isinstance(frame, pandas.DataFrame):
        names = list(frame.columns)
        columns = [frame.iloc[:, place] for place in range(len(names))]
    elif polars is not None and isinstance(frame, polars.DataFrame):
        names = frame.columns
        columns = [column.to_list() for column in frame.get_columns()]
    elif polars is not None and isinstance(frame, polars.LazyFrame):
        raise UsageError("a lazy frame has no rows yet; give frame.collect()")
    else:
        return None
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UsageError(f"the frame has several columns {twice[0]!r}; name them apart")
    if not names:
        raise UsageError("the frame has no columns, so there is nothing to sweep over")
    cells = [[plain(cell) for cell in column] for column in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def _rows(grid: Any) -> list[Point]:
    known = f"give a mapping as {_EXAMPLE}, a frame, or a list of dicts"
    if isinstance(grid, str | bytes | Task | Tasklet) or not isinstance(grid, Iterable):
        raise UsageError(f"{grid!r:.60} is no grid; {known}")
    rows = []
    for number, row in enumerate(grid):
        if not isinstance(row, Mapping):
            raise UsageError(f"row {number} of the grid is {row!r:.60}; {known}")
        rows.append({name: plain(value) for name, value in row.items()})
    return rows


def plain(value: Any) -> Any:
    """Return a number or text of numpy as Python's, if that is the same.

    Examples
    --------
    >>> import numpy
    >>> plain(numpy.float64(0.1)), plain(numpy.int64(3)), plain("a")
    (0.1, 3, 'a')
    >>> type(plain(numpy.float32(0.1))).__name__
    'float32'
    """
    kind = type(value)
    if kind.__module__ == "numpy":
        numpy = loaded("numpy")
        if kind in (numpy.float64, numpy.int64, numpy.bool_, numpy.str_):
            return value.item()
    elif kind.__name__ in ("NAType", "NaTType") and kind.__module__.startswith(
        "pandas"
    ):
        return None
    return value
