"""`tg value`: results printed and saved, by real processes."""

import json
import pickle
import re

import numpy as np
import pytest
import tifffile

from taskgraph.cli.value_files import plain


def key_of(tg, jugfile, function):
    return tg.json("show", jugfile, function)["key"]


def test_value_prints_a_result_by_function_or_key(outputs):
    key = key_of(outputs, "outputs.py", "text")

    assert outputs("value", "outputs.py", "text").stdout == "some text\n"
    assert outputs("value", "outputs.py", "outputs.text").stdout == "some text\n"
    assert outputs("value", "outputs.py", key[:8]).stdout == "some text\n"
    assert outputs.json("value", "outputs.py", "table")[1]["b"] == 4.5


def test_value_loads_the_jugfile_for_its_classes(outputs):
    assert outputs("value", "outputs.py", "thing").stdout == "Thing(3)\n"


def test_value_of_a_variable_has_results_in_the_place_of_tasks(tg):
    tg.write(
        "job.py",
        """
from taskgraph import TaskGenerator
@TaskGenerator
def double(x):
    return 2 * x
found = {"both": [double(1), double(4)], "half": 0.5}
""",
    )
    tg("execute", "job.py", "-q")

    assert tg.json("value", "job.py", "found") == {"both": [2, 8], "half": 0.5}
    tg.write("job.py", (tg.folder / "job.py").read_text().replace("(4)", "(5)"))
    assert "has no result yet" in tg("value", "job.py", "found", code=1).stderr
    assert "'fund' is no function's" in tg("value", "job.py", "fund", code=2).stderr


@pytest.mark.parametrize("more", ["", "\nfrom names import *"])
def test_a_variable_is_meant_before_keys_that_begin_with_its_letters(tg, more):
    text = """
from taskgraph import TaskGenerator
@TaskGenerator
def double(x):
    return 2 * x
several = [double(i) for i in range(100)]
"""
    named = "".join(f"\n{letter} = 200{i}" for i, letter in enumerate("abcdef"))
    text += more or named
    tg.write("names.py", named)
    tg.write("job.py", text)
    tg("execute", "job.py", "-q")

    assert [tg.json("value", "job.py", letter) for letter in "abcdef"] == [
        *range(2000, 2006)
    ]
    rows = tg.json("value", "--all", "job.py", "double")
    row = next(row for row in rows if row["key"].startswith("c"))
    assert tg.json("value", "job.py", row["key"][:12]) == row["value"]


def test_value_lists_several_tasks_of_a_name(tg):
    tg.ran("sums.py")

    done = tg("value", "sums.py", "square", code=2)

    assert len(done.stdout.splitlines()) == 1 + 4
    assert "give a key, or --all" in done.stderr
    listed = tg.json("value", "--all", "sums.py", "square")
    assert sorted(entry["value"] for entry in listed) == [0, 1, 4, 9]


def test_value_without_a_result_says_why(tg):
    tg.ran("failing.py", code=1)

    assert (
        "failed; see `tg errors failing.py`"
        in tg("value", "failing.py", "leave", code=1).stderr
    )
    blocked = tg("value", "failing.py", "merge", "--store", "failing.tgdata", code=0)
    assert "1 more task of 'merge' without a result" in blocked.stderr
    whole = json.loads(tg("show", "failing.py", "merge", "--json").stdout)[0]["key"]
    said = tg("value", "failing.py", whole, code=1).stderr
    assert re.search(r"no result: it waits for \S*load \(\w{12}\), which failed;", said)
    assert "is no function's name" in tg("value", "failing.py", "nope", code=2).stderr


READERS = {
    "image.npy": np.load,
    "image.tif": tifffile.imread,
    "image.npz": lambda path: np.load(path)["value"],
    "image.pkl": lambda path: pickle.loads(path.read_bytes()),
    "image.json": lambda path: np.array(json.loads(path.read_text())),
    "image.csv": lambda path: np.loadtxt(path, delimiter=","),
}


@pytest.mark.parametrize("name", READERS)
def test_value_saves_in_the_format_of_the_extension(outputs, name):
    outputs("value", "outputs.py", "shifted", "-o", name)

    found = READERS[name](outputs.folder / name)
    assert np.array_equal(found, np.arange(1, 40_001).reshape(200, 200))


def test_value_saves_rows_as_csv(outputs):
    outputs("value", "outputs.py", "table", "-o", "table.csv")

    assert (outputs.folder / "table.csv").read_text() == "a,b\n1,2.5\n3,4.5\n"


def test_value_refuses_a_format_that_does_not_fit(outputs):
    refused = outputs("value", "outputs.py", "text", "-o", "text.tif", code=2)
    assert "cannot be saved as .tif" in refused.stderr
    assert (
        "no format"
        in outputs("value", "outputs.py", "text", "-o", "x.doc", code=2).stderr
    )
    assert not (outputs.folder / "text.tif").exists()


def test_value_saves_several_by_key(tg):
    tg.ran("sums.py")
    tg("value", "sums.py", "square", "--all", "-o", "x.json", code=2)

    tg("value", "sums.py", "square", "--all", "-o", "{key}.json")

    found = [json.loads(path.read_text()) for path in tg.folder.glob("*.json")]
    assert sorted(found) == [0, 1, 4, 9]


ODD = """
from taskgraph import TaskGenerator


class Rude:
    def __repr__(self):
        raise KeyError("no text for you")


@TaskGenerator
def odd(which):
    loop = [which]
    loop.append(loop)
    return {"loop": loop, "rude": Rude()}.get(which, which)


for which in ("plain", "loop", "rude", "last"):
    odd(which)
"""

PICTURES = """
from taskgraph import TaskGenerator
import numpy as np


@TaskGenerator
def odd(which):
    return {"first": np.eye(3), "last": np.eye(4)}.get(which, {which})


for which in ("first", "text", "more", "last"):
    odd(which)
"""


@pytest.fixture
def odd(tg):
    tg.write("odd.py", ODD)
    tg("execute", "-q", "odd.py")
    return tg


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--json",), "a list cannot be shown as JSON: it contains itself, or is nes"),
        (("-o", "x.json"), "a list cannot be saved as .json: it contains itself"),
    ],
)
def test_a_value_that_contains_itself_is_refused_in_one_sentence(
    odd, options, sentence
):
    rows = odd.json("show", "odd.py", "odd")
    (key,) = [row["key"] for row in rows if "loop" in row["arguments"]]

    said = odd("value", "odd.py", key, *options, code=2).stderr

    assert said.startswith(f"tg: {sentence}")
    assert len(said.splitlines()) == 1


def test_of_all_values_those_that_cannot_be_shown_are_told(odd):
    shown = odd("value", "odd.py", "odd", "--all", code=2)
    told = odd("value", "odd.py", "odd", "--all", "--json", code=2)

    assert "plain" in shown.stdout
    assert "last" in shown.stdout
    assert "a Rude cannot be shown: 'no text for you'" in shown.stderr
    assert shown.stderr.endswith("tg: 1 of 4 values left out\n")
    values = [row["value"] for row in json.loads(told.stdout)]
    assert sorted(values) == ["last", "plain"]
    assert told.stderr.endswith("tg: 2 of 4 values left out\n")


def test_of_all_values_it_is_shown_what_was_called(tg):
    tg.write(
        "sweep.py",
        "from taskgraph import TaskGenerator\n"
        "@TaskGenerator\n"
        "def area(path, sigma): return len(path) * sigma\n"
        "for sigma in (1, 2): area('a.tif', sigma)\n",
    )
    tg("execute", "-q", "sweep.py")

    shown = tg("value", "sweep.py", "area", "--all").stdout
    rows = tg.json("value", "sweep.py", "area", "--all")

    assert "sweep.area('a.tif', 1):\n5\n" in shown
    found = {row["arguments"]: row["value"] for row in rows}
    assert found == {"'a.tif', 1": 5, "'a.tif', 2": 10}


def test_of_all_values_those_that_can_be_saved_are_saved(tg):
    tg.write("odd.py", PICTURES)
    tg("execute", "-q", "odd.py")

    said = tg("value", "odd.py", "odd", "--all", "-o", "{key}.tif", code=2).stderr

    found = [tifffile.imread(path).shape for path in tg.folder.glob("*.tif")]
    assert sorted(found) == [(3, 3), (4, 4)]
    assert said.count("a set cannot be saved as .tif: it is no image; try .pkl") == 2
    assert said.endswith("tg: 2 of 4 values left out\n")


def test_of_all_values_a_damaged_one_is_left_out(tg):
    tg.write("odd.py", PICTURES.replace("np.eye(4)", "np.ones((500, 500))"))
    tg("execute", "-q", "odd.py")
    (blob,) = (path for path in tg.folder.rglob("blobs/*/*"))
    blob.write_bytes(blob.read_bytes()[:-9])

    said = tg("value", "odd.py", "odd", "--all", "-o", "{key}.pkl", code=4).stderr

    assert len(list(tg.folder.glob("*.pkl"))) == 3
    assert "is damaged" in said
    assert said.endswith("tg: 1 of 4 values left out\n")


@pytest.mark.parametrize("name", ["{key}.doc", "nowhere/{key}.npy"])
def test_where_nothing_can_be_saved_is_told_once(tg, name):
    tg.ran("sums.py")

    said = tg("value", "sums.py", "square", "--all", "-o", name, code=2).stderr

    assert len(said.splitlines()) == 1


def test_long_floats_are_text_in_json():
    numbers = np.array([1.5], dtype=np.longdouble)

    assert plain(numbers) == [repr(numbers[0])]


BIG = """
from taskgraph import TaskGenerator

@TaskGenerator
def power(n):
    return {"n": [10**n, 1], "whole": 10**n}

power(5000)
"""


def test_numbers_of_more_digits_than_python_writes_are_told_in_words(tg):
    tg.write("big.py", BIG)
    tg("execute", "big.py")
    for command in (("table", "big.py", "power"), ("value", "big.py", "power")):
        assert "int of 16610 bits" in tg(*command).stdout
        assert "int of 16610 bits" in tg(*command, "--json").stdout
    refused = tg("value", "big.py", "power", "-o", "p.json", code=2)
    assert "try .pkl" in refused.stderr
