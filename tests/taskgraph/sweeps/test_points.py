"""Grids, frames and lists of rows as points; what is none is refused in a sentence."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pandas
import pytest

from taskgraph import Task, TaskGenerator, UsageError, sweep
from taskgraph.sweeps.points import points_of


@TaskGenerator
def plain(x, y=2):
    return x * y


@TaskGenerator
def awkward(x, /, *more, flag=False, **names):
    return x, more, flag, names


@TaskGenerator
def named_only(*, sigma, path="a"):
    return sigma


def keys(sweep):
    return [task.key for task in sweep]


def test_the_last_name_of_a_grid_goes_first():
    found = sweep(plain, {"y": [1, 2], "x": (5, 6)})

    assert [(p["y"], p["x"]) for p in found.points] == [(1, 5), (1, 6), (2, 5), (2, 6)]
    assert keys(found) == keys([plain(x, y) for y in (1, 2) for x in (5, 6)])


@pytest.mark.parametrize(
    "values",
    [
        np.array([0.5, 1.0]),
        [np.float64(0.5), np.float64(1.0)],
        pandas.Series([0.5, 1.0]),
        (x / 2 for x in (1, 2)),
    ],
    ids=["array", "scalars", "series", "generator"],
)
def test_a_list_an_array_and_a_series_are_one_grid(values):
    assert keys(sweep(plain, {"x": values})) == keys(sweep(plain, {"x": [0.5, 1.0]}))


def test_a_number_that_python_lacks_stays_what_it_is():
    (point,) = points_of({"x": [np.float32(0.1)]})

    assert type(point["x"]) is np.float32


def test_a_frame_of_pandas_is_a_row_each():
    frame = pandas.DataFrame({"x": [1, 2], "y": ["a", None]}, index=[7, 7])

    rows = points_of(frame)

    assert rows[0] == {"x": 1, "y": "a"}
    assert type(rows[0]["x"]) is int
    assert keys(sweep(plain, frame[["x"]])) == keys(sweep(plain, {"x": [1, 2]}))


def test_moments_of_pandas_stay_and_what_is_missing_is_none():
    day = pandas.Timestamp("2026-11-29")
    numbers = pandas.array([1, None], dtype="Int64")
    frame = pandas.DataFrame({"x": [day, pandas.NaT], "y": numbers})

    assert points_of(frame) == [{"x": day, "y": 1}, {"x": None, "y": None}]


POLARS = """
import datetime, polars
from taskgraph.sweeps.points import points_of
day = datetime.date(2026, 11, 29)
frame = polars.DataFrame({"x": [day, None], "y": [0.5, 1.5]})
assert points_of(frame) == [{"x": day, "y": 0.5}, {"x": None, "y": 1.5}]
assert points_of({"x": frame["y"]}) == [{"x": 0.5}, {"x": 1.5}]
lists = polars.DataFrame({"x": [[1, 2], None]})
assert points_of(lists) == points_of({"x": lists["x"]}) == [{"x": [1, 2]}, {"x": None}]
try:
    points_of(frame.lazy())
except Exception as error:
    assert "collect" in str(error)
"""


@pytest.mark.skipif(not find_spec("polars"), reason="polars is not installed")
def test_a_frame_of_polars_is_a_row_each():
    # It starts threads, so that no other test could fork any more.
    subprocess.run([sys.executable, "-c", POLARS], check=True)


def test_rows_may_leave_parameters_to_their_defaults():
    found = sweep(plain, [{"x": 1}, {"x": 1, "y": 2}, {"y": 3, "x": 1}])

    assert found[0].key == found[1].key == plain(1).key != found[2].key


def test_a_value_may_be_a_task():
    one = plain(1)

    found = sweep(plain, {"x": [one, 5]}, y=3)

    assert found[0].needs == (one,)
    assert found[0].key == plain(one, 3).key


def test_names_go_where_a_function_takes_them():
    assert keys(sweep(awkward, [{"x": 1, "flag": True, "z": 3}])) == keys(
        [awkward(1, flag=True, z=3)]
    )
    assert keys(sweep(awkward, {"more": [[2, 3], ()]}, x=1)) == keys(
        [awkward(1, 2, 3), awkward(1)]
    )
    assert keys(sweep(named_only, {"sigma": [1]})) == [named_only(sigma=1).key]
    assert keys(sweep(divmod, {"y": [2]}, x=7)) == [Task(divmod, 7, 2).key]


WRONG = {
    "no name": ({}, "names no parameter"),
    "no value": ({"x": []}, "'x' has no values"),
    "text": ({"x": "otsu"}, "give a list of them"),
    "one number": ({"x": 3}, "x=..."),
    "a set": ({"x": {1, 2}}, "without an order"),
    "a task": ({"x": Task(divmod, 7, 2)}, r"bvalue\(task\)"),
    "a plane": ({"x": np.zeros((2, 2))}, "2 dimensions"),
    "a point array": ({"x": np.array(3)}, "give a list of them"),
    "no rows": ([], "no rows"),
    "no columns": (pandas.DataFrame(), "no columns"),
    "an empty frame": (pandas.DataFrame({"x": []}), "no rows"),
    "no mapping": ([{"x": 1}, 5], "row 1 of the grid is 5"),
    "a number": (5, "is no grid"),
    "a column": (pandas.Series([1]), "one column"),
    "twice": (pandas.DataFrame([[1, 2]], columns=["x", "x"]), "several columns 'x'"),
    "numbers": (pandas.DataFrame([[1, 2]]), "parameters have names"),
    "unknown": ({"x": [1], "ys": [2]}, "no parameter 'ys'; did you mean y"),
    "lacking": ({"y": [1]}, "missing a required argument: 'x'"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_grid_is_refused(wrong):
    grid, said = WRONG[wrong]
    with pytest.raises(UsageError, match=said):
        sweep(plain, grid)


def test_what_is_given_twice_is_refused():
    with pytest.raises(UsageError, match="'x' is in the grid, and fixed as well"):
        sweep(plain, {"x": [1]}, x=2)


def test_arguments_in_a_row_need_what_is_before_them_and_are_lists():
    with pytest.raises(UsageError, match="by position, after 'x'"):
        sweep(awkward, {"more": [[1]]})
    with pytest.raises(UsageError, match="each value of 'more' is a list"):
        sweep(awkward, {"more": [1]}, x=1)
