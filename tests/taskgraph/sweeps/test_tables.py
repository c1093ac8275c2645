"""Tables: cells of any value, rows by condition, order, and files."""

import csv
import datetime
import enum
import io
import math
from collections import namedtuple
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from hypothesis import given, settings, strategies as st
from markdown_it import MarkdownIt

from taskgraph import NoResultError, Table, UsageError
from taskgraph.displays.cells import spread
from taskgraph.displays.latex import latex_table
from taskgraph.displays.markup import readable
from taskgraph.sweeps.conditions import Condition
from taskgraph.sweeps.exporting import save

Pair = namedtuple("Pair", "one two")


@dataclass
class Scores:
    dice: float
    box: tuple[int, ...]


class Colour(enum.IntEnum):
    RED = 1


CELLS = [
    (np.float32(0.5), 0.5),
    (np.int8(3), 3),
    (Colour.RED, "Colour.RED"),
    (Path("a/b"), "a/b"),
    (Decimal("1.5"), Decimal("1.5")),
    (np.zeros((2, 3), np.uint8), "uint8 (2, 3)"),
    (np.array(7), 7),
    ([1, 2], "[1, 2]"),
    (pandas.NaT, None),
    (pandas.DataFrame({"a": [1, 2]}), "DataFrame (2, 1)"),
    (np.datetime64("NaT", "s"), None),
    (len, "builtins.len"),
    (b"x", "b'x'"),
]


@pytest.mark.parametrize(("value", "cell"), CELLS, ids=lambda v: type(v).__name__)
def test_a_cell_is_a_number_a_text_or_a_few_words(value, cell):
    assert spread([value], "f") == {"f": [cell]}


def test_what_has_fields_is_spread_over_columns_of_their_names():
    values = [
        Scores(0.5, (1, 2)),
        {"dice": 0.7, 3: "x", "a": {"b": Pair(1, None)}},
        SimpleNamespace(dice=1),
        None,
    ]
    assert spread(values, "f") == {
        "dice": [0.5, 0.7, 1, None],
        "box[0]": [1, None, None, None],
        "box[1]": [2, None, None, None],
        "f[3]": [None, "x", None, None],
        "a.b.one": [None, 1, None, None],
        "a.b.two": [None, None, None, None],
    }


def test_names_that_meet_are_told_apart():
    values = [{"a": {"b": 1}, "a.b": 2}, {"a": {"b": 3}}]
    assert spread(values, "f") == {"a.b": [1, 3], "a.b (2)": [2, None]}
    assert spread([{1: "i", "1": "t"}], "f") == {"f[1]": ["i"], "1": ["t"]}


def test_too_many_fields_are_one_cell():
    (column,) = spread([{str(n): n for n in range(10_000)}], "f").values()
    assert "10000 items" in column[0]


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(), st.integers()), inner),
    ),
    max_leaves=12,
)


@given(st.lists(ANYTHING, min_size=1, max_size=6))
@settings(max_examples=30)
def test_whatever_results_are_their_table_is_read_back_row_by_row(values):
    columns = spread(values, "f")
    assert {len(column) for column in columns.values()} <= {len(values)}
    with TemporaryDirectory() as folder:
        path = Table(columns).to_csv(Path(folder, "t.csv"))
        written = path.read_bytes().decode()
    rows = list(csv.reader(io.StringIO(written, newline="")))
    assert [len(row) for row in rows] == [len(columns)] * (1 + len(values))


TABLE = Table(
    {
        "x": [3, 1, None, 2],
        "d": [0.5, math.nan, 0.25, None],
        "name": ["b", "a", "=c", None],
        "day": [datetime.date(2026, 1, n) for n in (1, 2, 3, 4)],
        "a.b": [1, 2, 3, 4],
        "at": [
            datetime.datetime(2026, 1, n, tzinfo=datetime.UTC) for n in (1, 2, 3, 4)
        ],
        "odd name": [True, False, None, True],
        "f[0]": [Decimal(1), 2, 3, 4],
    }
)
CONDITIONS = {
    "x > 1": [0, 3],
    "not x > 1": [1, 2],
    "x is None": [2],
    "d is not None and x is not None": [0],
    "d != 0.5": [1, 2, 3],
    "1 < x <= 3": [0, 3],
    "name in ('a', 'b')": [0, 1],
    "'c' in name": [2],
    "x not in [1, 2]": [0, 2],
    "day >= '2026-01-03'": [2, 3],
    "'2026-01-02' == day": [1],
    "at > '2026-01-02T12:00' and at < '2026-01-04T01:00+02:00'": [2],
    "a.b * 2 - 1 == 5": [2],
    "x / 2 > 1": [0],
    "`odd name`": [0, 3],
    "`odd name` == False or `f[0]` == 4": [1, 3],
    "f[0] == 1": [0],
    "name == '`x > 1`'": [],
    "-x < -2": [0],
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_says_which_rows(text):
    assert Condition(text).rows(TABLE.columns) == CONDITIONS[text]


NO_CONDITIONS = {
    "x >": "is no condition",
    "": "is no condition",
    "x = 1": "is no condition",
    "y > 1": "no column 'y'",
    "name == a": "text stands in quotes",
    "open('x')": "is not understood",
    "x.__class__": "no column 'x.__class__'",
    "(lambda: 1)()": "is not understood",
    "[y for y in x]": "is not understood",
    "x ** 99 > 1": "is not understood",
    "name * 9 == 'a'": "no number to calculate with",
    "name > 1": "not supported",
    "day > 'yesterday'": "yesterday",
    "x in x": "give a list",
    "x / 0 > 1": "division by zero",
    "(" * 1500 + "x" + ")" * 1500: "at most 2000",
    "x[x]": "column",
}


@pytest.mark.parametrize("text", NO_CONDITIONS)
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(UsageError) as caught:
        Condition(text).rows(TABLE.columns)
    assert NO_CONDITIONS[text] in str(caught.value)


def test_a_deep_condition_is_understood_or_refused_and_ends_nothing():
    assert Condition("not " * 400 + "x > 1").rows(TABLE.columns) == [0, 3]


def test_what_has_no_value_comes_last_in_any_order():
    assert TABLE.sort("x")["x"] == [1, 2, 3, None]
    assert TABLE.sort("x", descending=True)["x"] == [3, 2, 1, None]
    assert TABLE.sort("d")["x"][:2] == [None, 3]
    assert Table({"k": ["b", 2, "a", 1.5]}).sort("k")["k"] == [1.5, 2, "a", "b"]
    both = Table({"a": [1, 1, 0], "b": [1, 2, 3]}).sort("a", "b", descending=True)
    assert both["b"] == [2, 1, 3]


def test_the_best_row_is_of_numbers_and_of_those_there_are():
    assert TABLE.best("d")["x"] == 3
    assert TABLE.best("d", lowest=True)["name"] == "=c"
    with pytest.raises(UsageError, match="that of numbers"):
        TABLE.best("name")
    with pytest.raises(UsageError, match="did you mean"):
        TABLE.best("nam")
    with pytest.raises(NoResultError, match="no row has a value"):
        Table({"d": [None, math.nan]}).best("d")


def test_a_frame_keeps_whole_numbers_that_are_not_all_there():
    frame = Table({"n": [2**62 + 1, None], "ok": [True, None], "e": [None, None]})
    found = frame.to_frame()
    assert found["n"][0] == 2**62 + 1
    assert found["n"].isna().tolist() == [False, True]
    assert [str(kind) for kind in found.dtypes] == ["Int64", "boolean", "object"]
    assert list(Table({"a": []}).to_frame().columns) == ["a"]


def test_csv_reads_back_and_calculates_nothing(tmp_path):
    path = TABLE.to_csv(tmp_path / "t.csv")
    found = pandas.read_csv(path)
    assert found["name"].tolist()[2] == "'=c"
    assert found["day"].tolist()[0] == "2026-01-01"
    assert found["d"].isna().tolist() == [False, True, False, True]


def test_parquet_keeps_types(tmp_path):
    at = [np.datetime64("2026-01-01T10:00"), np.datetime64("2026-01-02")]
    columns = {
        "x": [1, None],
        "d": [0.5, math.nan],
        "day": [datetime.date(2026, 1, 1), None],
        **spread(at, "at"),
    }
    found = pandas.read_parquet(Table(columns).to_parquet(tmp_path / "t.parquet"))
    assert found["day"][0] == datetime.date(2026, 1, 1)
    assert found["at"][0] == pandas.Timestamp("2026-01-01T10:00")


@pytest.mark.parametrize("suffix", [".csv", ".tex", ".md", ".html"])
def test_a_number_of_more_digits_than_python_writes_is_told_in_words(tmp_path, suffix):
    values = [10**5000, [10**5000, 1], {10**5000: 2}]
    columns = spread(values[:2], "n") | spread(values[2:] * 2, "d")
    assert columns["n"][0] == values[0]  # to be compared, and sorted by
    assert save(columns, tmp_path / f"t{suffix}").read_text().count("16610") >= 3


@pytest.mark.parametrize("cells", [[1, "a"], [2**70], [1 + 2j], ["\udcff"]])
def test_what_no_column_can_hold_is_named(tmp_path, cells):
    with pytest.raises(UsageError, match="can hold 'odd'"):
        Table({"odd": cells}).to_parquet(tmp_path / "t.parquet")
    assert not list(tmp_path.iterdir())
    assert len(Table({"odd": cells}).to_csv(tmp_path / "t.csv").read_text()) > 4


def test_a_file_that_cannot_be_written_is_told_and_nothing_lost(tmp_path):
    with pytest.raises(UsageError, match="cannot write"):
        TABLE.to_csv(tmp_path / "nowhere" / "t.csv")
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        TABLE.to_csv(tmp_path / "t.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_a_table_for_a_paper_is_escaped_and_has_six_digits(tmp_path):
    columns = {"a_1": ["5%", None], "x": [-1 / 3, math.nan], "n": [-1e-7, -math.inf]}
    path = save(columns, tmp_path / "t.tex")
    assert path.read_text().splitlines() == [
        r"% \usepackage{booktabs}",
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"a\_1 & x & n \\",
        r"\midrule",
        r"5\% & $-$0.333333 & $-$1e-07 \\",
        r" & -- & $-$$\infty$ \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


HOSTILE = [
    "<script>alert(1)</script>",
    "a|b",
    "`c`",
    "*d*",
    "_e_",
    "[f](g)",
    "\\|",
    "~~h~~",
]
HOSTILE += [
    "&lt;",
    "two\nlines",
    "<!--",
    "![i](j)",
    "  ",
    "",
    "$k$",
    "\x1b[31m",
    "\udcff",
    "-",
]


class _Cells(HTMLParser):
    """Keeps the text of each cell of a table, and the elements that it met."""

    def __init__(self):
        super().__init__()
        self.cells, self.met = [], set()

    def handle_starttag(self, tag, attrs):
        self.met.add(tag)
        if tag in {"td", "th"}:
            self.cells.append("")

    def handle_data(self, data):
        if self.cells and data.strip():
            self.cells[-1] += data


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_a_table_for_people_says_what_its_cells_say_and_no_more(tmp_path, suffix):
    names = [name or "x" for name in HOSTILE]
    columns = {name: [HOSTILE[k], 1 / 3, None] for k, name in enumerate(names)}
    written = save(columns, tmp_path / f"t{suffix}").read_text("utf-8")
    if suffix == ".md":
        assert len(written.splitlines()) == 5
        written = MarkdownIt("gfm-like", {"linkify": False}).render(written)
    found = _Cells()
    found.feed(written.partition("<table")[1] + written.partition("<table")[2])
    assert found.met == {"table", "thead", "tbody", "tr", "th", "td"}
    expected = [*names, *HOSTILE, *["0.333333"] * len(names), *[""] * len(names)]
    shown = [" ".join(readable(text).split()) for text in expected]
    assert [" ".join(text.split()) for text in found.cells] == shown


@pytest.mark.parametrize(
    ("text", "written"),
    [("---", "-{}-{}-"), ("it''s", "it'{}'s"), ("a,,b", "a,{},b"), ("a-b", "a-b")],
)
def test_letters_stay_apart_in_a_table_for_a_paper(text, written):
    assert f"\n{written} \\\\\n" in latex_table({"name": [text]}, str)
