"""Declared outputs through `tg`: from any folder, made again, refused twice."""

from functools import partial
from os import chdir

import pytest

JUGFILE = """
from pathlib import Path
from taskgraph import Directory, File, Output, TaskGenerator

@TaskGenerator
def write(text, path):
    path.write_text(text)

@TaskGenerator
def letters(path):
    return len(path.read_text())

if Path(__file__).with_name("in").exists():
    write(str(Directory("in").content), Output("out/in.txt"))
letters(write("three", Output("out/a.txt")))
"""


@pytest.fixture
def written(tg):
    tg.write("jf.py", JUGFILE)
    assert "write: out/a.txt is there" in tg("execute", "jf.py").stderr
    return tg


def test_workers_that_are_started_elsewhere_agree(written):
    elsewhere = written.folder / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (written.folder / "in").mkdir()
    there = partial(chdir, elsewhere)
    place = written.folder / "out" / "a.txt"

    assert written("check", "../jf.py", prepare=there).stderr == ""
    told = written("execute", "../jf.py", prepare=there).stderr
    assert f"write: {place.with_name('in.txt')}, {place} are there" in told
    assert written("value", "../jf.py", "letters", prepare=there).stdout == "5\n"
    place.unlink()
    told = written("status", "../jf.py", prepare=there).stderr
    assert f"so `tg execute ../jf.py` makes it again: {place}" in told
    written("execute", "../jf.py", prepare=partial(chdir, elsewhere / "deep"), code=2)
    written("execute", "../jf.py", prepare=there)

    assert place.read_text() == "three"
    assert list(elsewhere.rglob("*")) == [elsewhere / "deep"]
    assert "out/a.txt')" in written("value", "jf.py", "write", "--all").stdout


def test_a_folder_that_is_moved_takes_its_outputs_along(written):
    moved = written.folder / "moved"
    moved.mkdir()
    for name in ("jf.py", "jf.tgdata", "out"):
        (written.folder / name).rename(moved / name)

    assert written("check", "moved/jf.py").stderr == ""
    assert "made again" not in written("execute", "moved/jf.py").stderr


@pytest.mark.parametrize("command", ["execute", "count"])
def test_one_path_twice_is_refused_before_anything_runs(written, command):
    written.write("jf.py", JUGFILE + "write('four', Output('out/./a.txt'))")

    told = written(command, "jf.py", code=2).stderr

    assert "out/a.txt is an output of jf.write('four', " in told
    assert "the same is one of jf.write('three', " in told
    assert (written.folder / "out" / "a.txt").read_text() == "three"


HOSTILE = """
class Hostile:
    def __taskgraph_hash__(self):
        raise ValueError("who asks?")

@TaskGenerator
def pair(path, other):
    pass

@TaskGenerator
def kept(values):
    return values

try:
    pair(Output("out/b.txt"), Hostile())
except ValueError:
    kept([1])
"""


def test_a_call_that_an_object_refuses_leaves_its_output_to_no_other(tg):
    tg.write("jf.py", JUGFILE + HOSTILE)
    tg("execute", "jf.py")
    assert tg("value", "jf.py", "kept").stdout == "[1]\n"
