"""Families of tables of pandas: in each, any two differ in what can be seen."""

import numpy as np
import pandas as pd

from .plain import with_attribute

DAYS = pd.date_range("2020-01-01", periods=2, freq="D")
MONTHS = pd.period_range("2020-01", periods=2, freq="M")


class Frame(pd.DataFrame):
    pass


def column(categories, *, ordered=False):
    return pd.Categorical(["lo", "hi"], categories=categories, ordered=ordered)


def table(index=None, **how):
    return pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}, index=index, **how)


def with_attrs(value, **attrs):
    value.attrs.update(attrs)
    return value


def without_freq(index):
    return pd.DatetimeIndex(index, freq=None)


def strings(*texts, storage="python", missing=pd.NA):
    return pd.array(texts, dtype=pd.StringDtype(storage, na_value=missing))


def arrow(values, kind):
    return pd.Series(values, dtype=f"{kind}[pyarrow]")


def wide(kind=float, **more):
    return pd.DataFrame(np.arange(200).reshape(2, 100)).astype(kind).assign(**more)


FAMILIES = {
    "wide tables": lambda: [
        wide(),
        wide().T.reset_index(drop=True).T.rename(columns={0: "a"}),
        wide()[:1],
        wide("f4"),
        wide(int),
        wide(x=1.0),
        wide(x=1),
        wide(x="a"),
        wide()[list(range(99, -1, -1))],
        wide("Int64"),
        wide("M8[s]"),
    ],
    "tables": lambda: [
        table(),
        table().rename(columns={"a": "c"}),
        table()[["b", "a"]],
        table().astype({"a": "i4"}),
        table().assign(a=[1, 3]),
        table().assign(c=1),
        table()[:1],
        table()[:0],
        table()["a"],
    ],
    "columns of columns": lambda: (
        [
            table().set_axis(pd.Index(names), axis=1)
            for names in (["a", "b"], ["a", "a"], [0, 1], ["0", "1"], [0.0, 1.0])
        ]
        + [table().set_axis(pd.Index(["a", "b"], name="n"), axis=1)]
    ),
    "categories": lambda: [
        column(["lo", "hi"]),
        column(["hi", "lo"]),
        column(["lo", "hi", "mid"]),
        column(["hi"]),
        column(["lo", "hi"], ordered=True),
        column(["hi", "lo"], ordered=True),
        ["lo", "hi"],
    ],
    "columns of categories": lambda: [
        pd.DataFrame({"x": column(c)})
        for c in (["lo", "hi"], ["hi", "lo"], ["lo", "hi", "mid"])
    ],
    "indexes of numbers": lambda: (
        [
            table(pd.Index([1, 2], dtype=kind))
            for kind in ("u1", "i1", "i8", "f4", "f8", "object", "str")
        ]
        + [table(pd.RangeIndex(1, 3)), table(pd.Index([1, 2], name="n"))]
    ),
    "kinds of indexes": lambda: [
        pd.Index(["a", "b"], dtype="object"),
        pd.CategoricalIndex(["a", "b"]),
        pd.CategoricalIndex(["a", "b"], categories=["b", "a"]),
        pd.Index(["a", "b"], dtype="str"),
        pd.MultiIndex.from_tuples([("a",), ("b",)]),
    ],
    "ranges": lambda: [
        pd.RangeIndex(3),
        pd.RangeIndex(0, 4),
        pd.RangeIndex(0, 3, 2),
        pd.Index([0, 1, 2]),
    ],
    "levels": lambda: [
        pd.MultiIndex.from_product([[1, 2], ["a"]]),
        pd.MultiIndex.from_product([[1, 2], ["b"]]),
        pd.MultiIndex.from_product([[1, 2, 3], ["a"]])[:2],
        pd.MultiIndex.from_product([[1, 2], ["a"]], names=["x", "y"]),
        pd.MultiIndex.from_product([np.array([1, 2], "i1"), ["a"]]),
    ],
    "frequencies": lambda: [
        DAYS,
        without_freq(DAYS),
        pd.date_range("2020-01-01", periods=2, freq="24h"),
    ],
    "zones": lambda: [
        DAYS,
        DAYS.tz_localize("UTC"),
        DAYS.tz_localize("Europe/London"),
        DAYS.tz_localize("Africa/Lagos"),
        DAYS.tz_localize("+01:00"),
        DAYS.as_unit("s"),
    ],
    "columns of moments": lambda: (
        [
            pd.Series(index)
            for index in (
                DAYS,
                DAYS.tz_localize("UTC"),
                DAYS.tz_localize("Africa/Lagos"),
            )
        ]
        + [pd.Series(DAYS - DAYS[0]), pd.Series([pd.NaT, DAYS[0]])]
    ),
    "moments": lambda: [
        pd.Timestamp("2020-01-01"),
        pd.Timestamp("2020-01-01", tz="UTC"),
        pd.Timestamp("2020-01-02"),
        pd.Timestamp("2020-01-01", tz="Europe/London"),
        pd.Timestamp("2020-01-01").as_unit("ns"),
        pd.NaT,
        pd.Timestamp("2020-01-01").to_pydatetime(),
    ],
    "spans": lambda: [
        pd.Timedelta("1s"),
        pd.Timedelta("1s").as_unit("ns"),
        pd.Timedelta("2s"),
    ],
    "periods": lambda: [
        MONTHS,
        MONTHS.asfreq("Q"),
        pd.Series(MONTHS),
        MONTHS[0],
        MONTHS[1],
        MONTHS[0].asfreq("D", "start"),
        pd.Series([1, 2], index=MONTHS),
    ],
    "intervals": lambda: (
        [pd.interval_range(0, 2, closed=side) for side in ("left", "right", "both")]
        + [
            pd.interval_range(0.0, 2.0),
            pd.interval_range(0, 3),
            pd.Interval(0, 1),
            pd.Interval(0, 1, "left"),
        ]
    ),
    "bins": lambda: [pd.cut(pd.Series([1, 5, 9]), bins) for bins in (2, 3, 4)],
    "attrs": lambda: [
        table(),
        with_attrs(table(), unit="m"),
        with_attrs(table(), unit="km"),
    ],
    "attrs of columns": lambda: [
        table()["a"],
        with_attrs(table()["a"], unit="m"),
        with_attrs(table()["a"], unit="km"),
    ],
    "attributes of tables": lambda: [
        table(),
        with_attribute(table(), unit="m"),
        Frame(table()),
    ],
    "flags": lambda: [table(), table().set_flags(allows_duplicate_labels=False)],
    "names": lambda: [
        table()["a"],
        table()["a"].rename("b"),
        table()["a"].rename(None),
    ],
    "missing numbers": lambda: [
        pd.array([1, 2], dtype="Int64"),
        pd.array([1, None], dtype="Int64"),
        pd.array([1, None], dtype="Int8"),
        pd.array([1, None], dtype="Float64"),
        pd.array([True, None], dtype="boolean"),
    ],
    "missing texts": lambda: [
        strings("a", "b"),
        strings("a", None),
        strings("a", ""),
        strings("a", "b", missing=np.nan),
        strings("a", "b", storage="pyarrow"),
        strings("a", None, storage="pyarrow"),
        strings("a", "", storage="pyarrow"),
        np.array(["a", "b"], object),
    ],
    "missing objects": lambda: [
        pd.Series(["a", x], dtype=object)
        for x in (None, np.nan, pd.NA, pd.NaT, "", "nan")
    ],
    "arrow": lambda: [
        arrow([1, 2], "int64"),
        arrow([1, 2], "int32"),
        arrow([1, None], "int64"),
        arrow([1, 0], "int64"),
        arrow([1, 2], "double"),
        arrow(["a"], "string"),
        arrow(["a"], "large_string"),
        arrow(DAYS, "timestamp[us]"),
        arrow(DAYS, "timestamp[ns]"),
        arrow([True], "bool"),
    ],
    "sparse columns": lambda: [
        pd.arrays.SparseArray([0, 0, 1]),
        pd.arrays.SparseArray([0, 1, 0]),
        pd.arrays.SparseArray([0, 0, 1], fill_value=1),
        pd.arrays.SparseArray([0, 0, 1], kind="block"),
    ],
    "dtypes of tables": lambda: [
        pd.CategoricalDtype(["a"]),
        pd.CategoricalDtype(["a"], ordered=True),
        pd.CategoricalDtype(["b"]),
        pd.Int8Dtype(),
        pd.Int16Dtype(),
        pd.DatetimeTZDtype("ns", "UTC"),
        pd.PeriodDtype("M"),
        pd.DatetimeTZDtype("ns", "Africa/Lagos"),
        pd.IntervalDtype("i8", "left"),
        pd.StringDtype("python"),
    ],
    "offsets": lambda: [
        pd.DateOffset(months=6),
        pd.DateOffset(months=7),
        pd.offsets.Day(1),
        pd.offsets.Day(2),
        pd.offsets.Week(weekday=1),
        pd.offsets.Week(weekday=2),
        pd.offsets.CustomBusinessDay(1),
        pd.offsets.CustomBusinessDay(1, holidays=["2020-01-01"]),
    ],
    "rows of tables": lambda: [
        next(frame.itertuples(index=False))
        for frame in (
            pd.DataFrame({"a": [1], "b": [2]}),
            pd.DataFrame({"b": [1], "a": [2]}),
        )
    ],
    "groups": lambda: [table().groupby("a"), table().groupby("b"), table().rolling(2)],
    "long tables": lambda: [
        pd.DataFrame({"t": [*"ab" * 20_000, last], "i": range(40_001)})
        for last in ("a", "b", None)
    ],
}
