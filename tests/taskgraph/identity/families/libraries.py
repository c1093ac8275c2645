"""Families of what other libraries make: estimators, named arrays, generators.

polars is imported by who makes its values, as its threads would be in every process
that collects tests. It is not installed for most of these, as jug imports it.
"""

import random
from importlib.util import find_spec

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class Own(BaseEstimator):
    def __init__(self, a=1):
        self.a = a


class Counting(Ridge):
    def __getstate__(self):
        return {}


def fitted(target):
    return Ridge().fit([[0.0], [1.0]], [0.0, target])


def drawn(make, times):
    generator = make(1)
    for _ in range(times):
        generator.normalvariate() if make is random.Random else generator.normal()
    return generator


def spawned(number):
    sequence = np.random.SeedSequence(1)
    sequence.spawn(number)
    return sequence


def array(values=(1, 2), dims="x", name=None, coords=None, **attrs):
    return xr.DataArray(np.array(values), coords, dims, name, attrs)


def pairs(last):
    return pd.MultiIndex.from_tuples([(0, 1), (2, last)], names=["a", "b"])


def columns():
    import polars as pl

    return [
        pl.Series([1, 2]),
        pl.Series([1, 2], dtype=pl.Int8),
        pl.Series([1, None]),
        pl.Series([1, 0]),
        pl.Series("a", [1, 2]),
        pl.Series([1.0, float("nan")]),
        pl.Series([1.0, None]),
        pl.Series([True, None]),
        pl.Series([True, False]),
        pl.Series(["1", "2"]),
        pl.Series(["1", None]),
        pl.Series([b"1", b"2"]),
        pl.Series(["1", "2"], dtype=pl.Enum(["1", "2"])),
        pl.Series(["1", "2"], dtype=pl.Enum(["2", "1"])),
        pl.Series([[1], [2]]),
        pl.Series([[1], [2]], dtype=pl.List(pl.Int8)),
        pl.Series([[1], [2]], dtype=pl.Array(pl.Int64, 1)),
        pl.Series([{"a": 1}, {"a": 2}]),
        pl.Series([{"b": 1}, {"b": 2}]),
        pl.Series(["1", "2"], dtype=pl.Decimal(9, 2)),
        pl.Series(["1", "2"], dtype=pl.Decimal(9, 3)),
        pl.Series([1, 2], dtype=pl.Int128),
        pl.Series([1, 2], dtype=pl.Date),
        pl.Series([1, 2], dtype=pl.Time),
        pl.Series([1, 2], dtype=pl.Duration("ms")),
        pl.Series([1, 2], dtype=pl.Duration("us")),
        pl.Series([], dtype=pl.Null),
        pl.Series([0], dtype=pl.Datetime("us")),
        pl.Series([0], dtype=pl.Datetime("us", "UTC")),
        pl.Series([0], dtype=pl.Datetime("us", "Europe/Berlin")),
    ]


def frames():
    import polars as pl

    return [
        pl.DataFrame(),
        pl.DataFrame({"a": [1], "b": [2]}),
        pl.DataFrame({"b": [2], "a": [1]}),
        pl.DataFrame({"a": [1]}),
        pl.DataFrame({"a": []}, schema={"a": pl.Int64}),
    ]


def columns_of_objects():
    import polars as pl

    return [
        pl.Series(["a"], dtype=pl.Categorical),
        pl.Series([object()], dtype=pl.Object),
    ]


def plans():
    import polars as pl

    return [pl.LazyFrame({"a": [1]}), pl.col("a")]


FAMILIES = {
    "estimators": lambda: [
        Ridge(),
        Ridge(2.0),
        RandomForestRegressor(3),
        RandomForestRegressor(3, random_state=1),
        KNeighborsClassifier(3),
        Own(),
        Own(2),
        Own(Ridge()),
        make_pipeline(StandardScaler(), Ridge()),
        make_pipeline(StandardScaler(), Ridge(3.0)),
    ],
    "fitted estimators": lambda: [Ridge(), fitted(1.0), fitted(2.0)],
    "estimators with trees": lambda: [
        RandomForestRegressor(2).fit([[0], [1]], [0, y]) for y in (1, 2)
    ],
    "estimators that pickle in their own way": lambda: [Counting(1.0), Counting(2.0)],
    "old random generators": lambda: [
        *[drawn(np.random.RandomState, times) for times in (0, 1, 2)],
        *[drawn(random.Random, times) for times in (0, 1, 2)],
        random.Random(2),
        np.random.RandomState(2),
    ],
    "seeds": lambda: [
        *[np.random.SeedSequence(seed) for seed in (0, 1, [1, 2])],
        *np.random.SeedSequence(1).spawn(2),
        spawned(1),
        spawned(2),
    ],
    "random generators of Python's own kind": lambda: [random.SystemRandom()] * 2,
    "named arrays": lambda: [
        array(),
        array((1, 3)),
        array((1.0, 2.0)),
        array(dims="y"),
        array(name="a"),
        array(unit="um"),
        array(coords={"x": [0, 1]}),
        array(coords={"x": [0, 2]}),
        array(coords={"x": [0, 1], "kind": "a"}),
        array(coords={"x": pd.date_range("2020", periods=2)}),
        array(
            coords={"x": pd.MultiIndex.from_tuples([(0, 1), (2, 3)], names=["a", "b"])}
        ),
        array(
            coords={"x": pd.MultiIndex.from_tuples([(0, 1), (2, 4)], names=["a", "b"])}
        ),
        array(coords={"x": [0, 1]}).drop_indexes("x"),
        array().variable,
        np.array((1, 2)),
    ],
    "sets of named arrays": lambda: [
        xr.Dataset({"a": array()}),
        xr.Dataset({"b": array()}),
        xr.Dataset({"a": array()}, attrs={"unit": "um"}),
        xr.Dataset({"a": array(), "b": array()}),
        xr.Dataset({"a": array()}, coords={"b": array()}),
    ],
}
OF_POLARS = {
    "columns of polars": columns,
    "frames of polars": frames,
    "columns of objects": columns_of_objects,
    "plans": plans,
}
if find_spec("polars"):
    FAMILIES |= OF_POLARS
