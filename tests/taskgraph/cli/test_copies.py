"""`tg copy`, `tg bundle` and `tg unbundle`."""

import json
import shutil
import zipfile

import pytest

SCRIPT = """
import numpy as np
from taskgraph import TaskGenerator

@TaskGenerator
def line(i):
    return np.arange(50_000) * i

@TaskGenerator
def total(x):
    return int(x.sum())

@TaskGenerator
def best(totals):
    return max(totals)

totals = [total(line(i)) for i in range(3)]
best(totals)
"""


@pytest.fixture
def work(tg):
    tg.folder /= "work"  # what is beside it is seen by some tests, and nobody else's
    tg.folder.mkdir()
    tg.write("work.py", SCRIPT)
    tg("execute", "-q", "work.py")
    return tg


def test_a_copy_has_everything_and_its_graph(work):
    assert "7 results" in work("copy", "work.py", "other").stdout

    assert work("value", "work.py", "best", "--store", "other").stdout.strip() == str(
        sum(range(50_000)) * 2
    )
    assert work("check", "work.py", "--store", "other")
    assert work("fsck", "work.py", "--store", "other")


def test_a_copy_again_says_that_all_is_there(work):
    work("copy", "work.py", "other")

    assert work.json("copy", "work.py", "other") == {
        "copied": 0,
        "size": 0,
        "there": 7,
        "elsewise": 0,
        "lacking": 0,
        "locked": 0,
        "damaged": [],
        "dry_run": False,
    }


def test_a_dry_run_makes_nothing(work):
    said = work("copy", "work.py", "other", "--dry-run").stdout

    assert "7 results" in said
    assert "would be copied" in said
    assert not (work.folder / "other").exists()


def test_results_of_one_function_take_along_what_they_were_made_of(work):
    work("copy", "work.py", "other", "--name", "total")

    status = work.json("status", "work.py", "--store", "other")
    done = {row["name"]: row["done"] for row in status["functions"]}
    assert done == {"work.line": 3, "work.total": 3, "work.best": 0}


def test_a_name_that_no_result_has_is_refused_with_those_that_are_there(work):
    said = work("copy", "work.py", "other", "--name", "totl", code=2).stderr

    assert "work.total" in said
    assert not (work.folder / "other").exists()


def test_what_was_made_of_something_else_is_left_out_and_told(work):
    text = SCRIPT.replace("* i", "* i + 1")
    work.write("work.py", text)
    shutil.move(work.folder / "work.tgdata", work.folder / "first")
    work("execute", "-q", "work.py", "--name", "line")

    said = work("copy", "first", "work.py", code=1)

    assert "0 results" in said.stdout
    assert "3 results left out" in said.stderr
    assert "1 result left out" in said.stderr


def test_no_store_to_copy_from_is_said(tg):
    assert "nowhere" in tg("copy", "nowhere", "other", code=2).stderr


def test_a_bundle_is_no_store_to_copy_from(work):
    work("bundle", "work.py")

    said = work("copy", "work.tg.zip", "other", code=2).stderr

    assert "work.tg.zip is a bundle and no store; `tg unbundle`" in said
    assert not (work.folder / "other").exists()


def test_a_bundle_is_unpacked_into_a_finished_store(work):
    work("bundle", "work.py", "-o", "paper.tg.zip")
    shutil.rmtree(work.folder / "work.tgdata")

    assert "7 results" in work("unbundle", "paper.tg.zip", "work.py").stdout
    assert work("check", "work.py")


def test_a_bundle_says_where_each_result_comes_from(work):
    work("bundle", "work.py")

    with zipfile.ZipFile(work.folder / "work.tg.zip") as archive:
        assert archive.read("work.py").decode() == SCRIPT
        assert b"tg unbundle work.tg.zip" in archive.read("README.txt")
        lines = list(map(json.loads, archive.open("provenance.jsonl")))
    assert len(lines) == 7
    assert {line["function"] for line in lines} == {
        "work.line",
        "work.total",
        "work.best",
    }
    assert all(line["packages"]["numpy"] for line in lines)


def test_the_store_in_a_bundle_is_a_store_as_it_is(work):
    work("bundle", "work.py")
    shutil.unpack_archive(work.folder / "work.tg.zip", work.folder / "opened")

    assert work("check", "work.py", "--store", "opened/store")


def test_what_is_not_done_is_bundled_only_if_that_is_wanted(tg):
    tg.write("work.py", SCRIPT)
    tg("execute", "-q", "work.py", "--name", "line")

    assert "3 of 7 tasks" in tg("bundle", "work.py", code=2).stderr
    assert "3 results" in tg("bundle", "work.py", "--force").stdout


NAMES = {"climbs": "../../escaped", "itself": ".", "too long": "a" * 300}


def flagged(data, flag):
    """Return an archive whose list of contents says something of each file."""
    data = bytearray(data)
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 8] |= flag
    return bytes(data)


FLAGS = {"encrypted": 1, "patched": 0x20}


@pytest.mark.parametrize(
    "kind",
    [
        *("text", "cut", "climbs", "packed", "empty", "itself", "below a file"),
        *("encrypted", "patched", "too long"),
    ],
)
def test_what_is_no_bundle_is_refused_and_writes_nothing(work, kind):
    work("bundle", "work.py")
    whole = (work.folder / "work.tg.zip").read_bytes()
    path = work.folder / "other.tg.zip"
    if kind == "text":
        path.write_text("no archive")
    elif kind == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind in FLAGS:
        path.write_bytes(flagged(whole, FLAGS[kind]))
    else:
        packed = zipfile.ZIP_DEFLATED if kind == "packed" else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", packed) as archive:
            archive.writestr("README.txt", "")
            if kind != "empty":
                name = NAMES.get(kind, "format.json")
                archive.writestr(f"store/{name}", "a" * 1000)
                archive.writestr("store/format.json/below", "")
    before = sorted(work.folder.parent.rglob("*"))

    said = work("unbundle", "other.tg.zip", code=2).stderr

    assert "bundle" in said
    assert sorted(work.folder.parent.rglob("*")) == before


def test_a_bundle_that_was_changed_is_noticed(work):
    work("bundle", "work.py")
    path = work.folder / "work.tg.zip"
    with zipfile.ZipFile(path) as archive:
        blob = next(m for m in archive.infolist() if m.filename.endswith(".zst"))
    data = bytearray(path.read_bytes())
    data[blob.header_offset + 200] ^= 1
    path.write_bytes(data)

    assert "no whole bundle" in work("unbundle", "work.tg.zip", code=2).stderr


@pytest.mark.parametrize("kind", ["jugfile", "link", "text", "zip"])
def test_a_bundle_overwrites_nothing_but_an_older_bundle(work, kind):
    path = work.folder / ("work.py" if kind == "jugfile" else "mine")
    if kind == "link":
        path.symlink_to("work.py")
    elif kind == "text":
        path.write_text("my notes")
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("README.txt", "of somebody else")
    before = path.read_bytes()

    said = work("bundle", "work.py", "-o", path.name, code=2).stderr

    assert path.name in said
    assert "another file" in said
    assert path.read_bytes() == before
    work("bundle", "work.py", "-o", "old.tg.zip")
    work("bundle", "work.py", "-o", "old.tg.zip")


def test_a_store_inside_of_a_store_is_refused(work):
    for words in (
        ("copy", "work.py", "work.tgdata/sub"),
        ("execute", "work.py", "--store", "work.tgdata/log/sub"),
    ):
        assert "inside of the store" in work(*words, code=2).stderr

    assert not (work.folder / "work.tgdata" / "sub").exists()
    assert not (work.folder / "work.tgdata" / "log" / "sub").exists()


@pytest.mark.parametrize("name", ["nosuch.py", "nosuch.toml"])
@pytest.mark.parametrize("place", ["from", "to"])
def test_a_script_that_is_not_there_is_no_store(work, name, place):
    words = (name, "other") if place == "from" else ("work.py", name)

    assert f"there is no script {name}" in work("copy", *words, code=2).stderr
    assert not (work.folder / name).exists()


def test_a_store_alone_shows_the_one_jugfile_that_ran_with_it(work):
    shown = work("status", "work.py").stdout

    assert work("status", "--store", "work.tgdata").stdout == shown
    assert work("check", "--store", "work.tgdata")
    best = work("value", "best", "--store", "work.tgdata").stdout
    assert best == work("value", "work.py", "best").stdout


def test_a_store_of_several_jugfiles_lists_them(work):
    work.write("other.py", SCRIPT)
    work("execute", "-q", "other.py", "--store", "work.tgdata")

    said = work("status", "--store", "work.tgdata", code=2).stderr

    assert "work.py" in said
    assert "other.py" in said


def test_a_value_is_not_saved_over_what_its_tasks_are_made_of(tg):
    tg.write("numbers.txt", "1 2 3")
    tg.write(
        "work.py",
        "from pathlib import Path\n"
        "from taskgraph import File, TaskGenerator\n\n"
        "@TaskGenerator\n"
        "def read(path):\n"
        "    return Path(path).read_text()\n\n"
        "read(File('numbers.txt'))\n",
    )
    tg("execute", "-q", "work.py")

    said = tg("value", "work.py", "read", "-o", "numbers.txt", code=2).stderr

    assert "input of work.py" in said
    assert (tg.folder / "numbers.txt").read_text() == "1 2 3"
