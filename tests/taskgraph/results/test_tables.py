"""Tables of pandas come back as they were, however long: values, dtypes, what lacks."""

import datetime
import decimal

import numpy as np
import pytest

from backends.opening import open_backend
from taskgraph.results import codec
from taskgraph.results.results import Results

pd = pytest.importorskip("pandas")
KEY = b"k" * 20
ROWS = 140_000  # 1 MB of eight bytes each, and more


class Name(str):
    """A text that is more than its letters."""

    __slots__ = ()


def cycle(*values):
    return [values[row % len(values)] for row in range(ROWS)]


def arrow(values, dtype="str"):
    return pd.Series(values, dtype=dtype)


def objects(values):
    column = np.empty(len(values), object)
    column[:] = values
    return pd.Series(column, dtype=object)


STAMPS = np.datetime64("2000-01-01", "us") + np.arange(ROWS) * 60_000_000
RANDOM = np.random.default_rng(0)
COLUMNS = {
    "texts": lambda: arrow([f"name{row % 5000}" for row in range(ROWS)]),
    "texts, some lacking": lambda: arrow(cycle("a", None, "", "\0", "ä\0ö")),
    "strings": lambda: arrow(cycle("a", pd.NA, "", "bc"), "string"),
    "strings of python": lambda: arrow(cycle("a", pd.NA, "b"), "string[python]"),
    "texts of python": lambda: arrow(
        cycle("a", np.nan, "b"), pd.StringDtype("python", na_value=np.nan)
    ),
    "long texts": lambda: arrow(cycle("x" * 300, "", "y" * 3)),
    "text objects": lambda: objects(cycle("a", "", "\ud800", "\0", "e" * 2000)),
    "mixed objects": lambda: objects(cycle("a", None, np.nan, pd.NaT, pd.NA, 1, 2.5)),
    "texts of a class": lambda: objects(cycle("a", Name("a"), np.str_("a"), b"a")),
    "categories": lambda: pd.Series(pd.Categorical(cycle("a", None, "b"))),
    "times": lambda: pd.Series(STAMPS),
    "times in disorder": lambda: pd.Series(RANDOM.permutation(STAMPS)),
    "times, some lacking": lambda: pd.Series(cycle(STAMPS[0], None, STAMPS[9])),
    "times of a zone": lambda: pd.Series(STAMPS).dt.tz_localize("UTC"),
    "seconds": lambda: pd.Series(STAMPS.astype("M8[s]")),
    "durations": lambda: pd.Series(STAMPS - STAMPS[::-1]),
    "days": lambda: objects(cycle(datetime.date(2000, 1, 1), None, decimal.Decimal(1))),
    "periods": lambda: pd.Series(pd.period_range("2000", periods=ROWS, freq="h")),
    "integers, some lacking": lambda: arrow(cycle(1, None, 2**40), "Int64"),
    "answers": lambda: arrow(cycle(True, None, False), "boolean"),
    "negative zeros": lambda: pd.Series(cycle(0.0, -0.0, np.nan, np.inf)),
    "large": lambda: pd.Series(cycle(2**64 - 1, 0), dtype="uint64"),
    "none": lambda: arrow([]),
}  # fmt: skip


def same(one, other):
    """Return whether two values are one and the same in type and content."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    return one is other if one is pd.NA or one is pd.NaT else one == other


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_any_kind_comes_back(tmp_path, name):
    results = Results(open_backend(tmp_path / "store"))
    column = COLUMNS[name]()
    table = pd.DataFrame({"first": column, "number": range(len(column))})
    table.index = pd.Index(column) if name in {"times", "texts"} else table.index

    found = results.decode(results.encode(table, KEY), KEY)

    pd.testing.assert_frame_equal(found, table, check_freq=True)
    assert found.dtypes.tolist() == table.dtypes.tolist()
    pairs = zip(found["first"], table["first"], strict=True)
    assert all(same(one, other) for one, other in pairs)


UNITS = ["M8[ns]", "M8[25s]", "m8[D]", ">M8[us]", ">m8[ms]"]
LAYOUTS = {
    "C": lambda array: array,
    "F": np.asfortranarray,
    "strided": lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    "reversed": lambda array: array[::-1],
}


@pytest.mark.parametrize("dtype", UNITS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_times_in_a_pickle_are_kept_apart_from_it(tmp_path, dtype, layout):
    results = Results(open_backend(tmp_path / "store"))
    numbers = np.random.default_rng(0).integers(-(2**62), 2**62, (100, 60))
    array = LAYOUTS[layout](numbers.view(dtype))
    array[0, :2] = "NaT"

    payload = results.encode([array, array, len], KEY)
    first, second, _ = results.decode(payload, KEY)

    assert len(payload) < 1000
    assert len(codec.blob_refs(payload)) == 1
    assert first is second
    assert first.dtype == array.dtype
    assert first.dtype.byteorder == array.dtype.byteorder
    assert first.tobytes() == array.tobytes()
    first[0, 0] = first[5, 5]  # the reader's own
