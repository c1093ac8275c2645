"""Inputs that changed since the last run: told by `status`, and `check` loads anew."""

import json
import os
import shutil

import pytest

JUGFILE = """
from pathlib import Path
from taskgraph import File, TaskGenerator

@TaskGenerator
def length(path):
    return len(Path(path).read_text())

for name in ("a.txt", "b.txt"):
    length(File(name))
"""
WORDS = "1 input changed, or touched, since the tasks were listed"


@pytest.fixture
def ran(tg):
    for name in ("a.txt", "b.txt"):
        tg.write(name, name)
    tg.write("lengths.py", JUGFILE)
    tg("execute", "lengths.py")
    assert "input" not in tg("status", "lengths.py").stderr
    tg("check", "lengths.py")
    return tg


def test_a_changed_input_is_told_and_not_done(ran):
    ran.write("b.txt", "longer than it was")

    said = ran("status", "lengths.py").stderr

    assert WORDS in said
    assert f"{ran.folder / 'b.txt'}; `tg execute lengths.py` looks into that" in said
    assert json.loads(ran("status", "lengths.py", "--json").stdout)["outdated"]
    assert "1 of 2 tasks done" in ran("check", "lengths.py", code=1).stderr
    ran("wait", "lengths.py", "--timeout", "1", code=3)
    assert "2 done" in ran("execute", "lengths.py").stderr
    assert "input" not in ran("status", "lengths.py").stderr
    ran("check", "lengths.py")


def test_an_input_that_is_gone_is_told(ran):
    (ran.folder / "a.txt").unlink()
    assert WORDS in ran("status", "lengths.py").stderr


def test_an_input_that_was_touched_leaves_all_done(ran):
    os.utime(ran.folder / "b.txt", (1, 1))
    assert WORDS in ran("status", "lengths.py").stderr
    ran("check", "lengths.py")
    ran("execute", "lengths.py")
    assert "input" not in ran("status", "lengths.py").stderr


def test_inputs_move_along_with_their_jugfile(ran):
    there = ran.folder / "there"
    there.mkdir()
    for name in ("a.txt", "b.txt", "lengths.py", "lengths.tgdata"):
        shutil.move(ran.folder / name, there / name)
    ran.folder = there
    assert "input" not in ran("status", "lengths.py").stderr
    ran.write("b.txt", "longer than it was")
    assert f"{there / 'b.txt'};" in ran("status", "lengths.py").stderr


def test_a_module_beside_the_script_that_changed_is_told_and_not_done(tg):
    tg.write("sizes.py", "SIZES = [1, 2]\n")
    tg.write("uses.py", "import sizes\nfrom taskgraph import Task\n" + USES)
    tg("execute", "uses.py")
    tg("check", "uses.py")
    tg.write("sizes.py", "SIZES = [1, 2, 30]\n")

    assert f"{tg.folder / 'sizes.py'}; `tg exec" in tg("status", "uses.py").stderr
    assert "2 of 3 tasks done" in tg("check", "uses.py", code=1).stderr


USES = "for size in sizes.SIZES:\n    Task(abs, size)\n"
