"""`tg value`, `show`, `errors`, `retry`: what came of tasks, by real processes."""

import json
import pickle

import numpy as np
import pytest
import tifffile


@pytest.fixture
def outputs(tg):
    tg.ran("outputs.py")
    return tg


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


def test_show_tells_where_a_result_comes_from(outputs):
    shown = outputs.json("show", "outputs.py", "shifted")

    assert shown["function"] == "outputs.shifted"
    assert shown["arguments"].startswith("image:")
    assert shown["start"] < shown["end"]
    assert shown["wall"] >= 0
    assert shown["peak_rss"] > 1_000_000
    assert shown["host"]
    assert shown["packages"]["numpy"] == np.__version__
    assert shown["state"] == "done"
    assert shown["attempt"] == 1
    assert shown["size"] > 1000
    assert [blob["name"][-4:] for blob in shown["blobs"]] in ([".npy"], [".zst"])
    assert [need["function"] for need in shown["needs"]] == ["outputs.image"]
    text = outputs("show", "outputs.py", "shifted").stdout
    assert "peak RSS" in text
    assert "; the same now" in text


def test_show_keeps_all_that_a_task_printed(outputs):
    shown = outputs.json("show", "outputs.py", "text")

    assert shown["output"] == "from Python\nfrom C\nfrom a process\n"


def test_show_tells_that_the_code_differs_now(tg):
    path = tg.ran("sums.py")
    path.write_text(path.read_text().replace("x * x", "x * x * x"))

    assert tg.json("show", "sums.py", "total")["code_differs"] is False
    listed = tg.json("show", "sums.py", "square")
    assert {entry["state"] for entry in listed} == {"done"}
    assert tg.json("show", "sums.py", listed[0]["key"])["code_differs"] is True


def test_show_of_a_task_that_did_not_run_yet(tg):
    tg.ran("failing.py", code=1)

    blocked = [
        entry
        for entry in tg.json("show", "failing.py", "merge")
        if entry["state"] == "blocked"
    ]

    assert "state      blocked" in tg("show", "failing.py", blocked[0]["key"]).stdout


def test_equal_errors_are_shown_together(tg):
    tg.ran("failing.py", code=1)

    groups = tg.json("errors", "failing.py")

    assert [(group["function"], group["count"]) for group in groups] == [
        ("failing.load", 3),
        ("failing.leave", 1),
    ]
    assert {task["arguments"] for task in groups[0]["tasks"]} == {"1", "3", "5"}
    assert groups[0]["tasks"][0]["output"] == "loading 1\n"
    assert groups[1]["error"] == "SystemExit"
    text = tg("errors", "failing.py", "--name", "load").stdout
    assert "3 tasks of failing.load failed (exception): ValueError: bad file 1" in text
    assert text.count("Traceback") == 1
    assert 'raise ValueError(f"bad file {i}")' in text
    assert "    | loading 3" in text
    assert "taskgraph/running.py" not in text


def test_errors_of_a_run_without_any(tg):
    tg.ran("sums.py")

    assert tg.json("errors", "sums.py") == []
    assert "no task has failed" in tg("errors", "sums.py").stderr


def test_failed_tasks_are_not_run_again_unless_asked(tg):
    tg.ran("failing.py", code=1)
    start = tg.json("errors", "failing.py")[0]["tasks"][0]["start"]

    tg("execute", "failing.py", code=1)

    assert tg.json("errors", "failing.py")[0]["tasks"][0]["start"] == start
    tg("retry", "failing.py", "--name", "load")
    assert tg.json("status", "failing.py")["total"]["failed"] == 1
    tg("execute", "failing.py", code=1)
    assert tg.json("errors", "failing.py")[0]["tasks"][0]["start"] > start


def test_a_failure_is_forgotten_when_its_function_was_mended(tg):
    path = tg.ran("failing.py", code=1)
    path.write_text(path.read_text().replace("if i % 2", "if False"))

    done = tg("execute", "failing.py", code=1)

    assert "3 tasks that failed before are run again" in done.stderr
    assert tg.json("status", "failing.py")["total"]["failed"] == 1


def test_retry_of_nothing_says_so(tg):
    tg.ran("sums.py")

    assert "no task has failed" in tg("retry", "sums.py").stderr
