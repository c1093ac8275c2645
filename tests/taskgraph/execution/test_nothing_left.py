"""Whoever is refused before anything was run leaves no store behind."""

import pytest

import taskgraph
from taskgraph import open_store
from taskgraph.errors import JugfileError
from taskgraph.tasks.jugfile import Jugfile

BEGINNING = """
from taskgraph import TaskGenerator, barrier, bvalue, set_jugdir
{more}
@TaskGenerator
def one():
    return 1
"""


@pytest.fixture
def tg(forked_tg):
    return forked_tg


def write(folder, ending="", *, more=""):
    path = folder / "job.py"
    path.write_text(BEGINNING.format(more=more) + ending)
    return path


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "pyc")


@pytest.mark.parametrize("more", ["", "set_jugdir('chosen')\n"])
@pytest.mark.parametrize(
    "ending",
    [
        "class End(BaseException): ...\nraise End",
        "raise GeneratorExit",
        "1 / 0",
        "one()\nraise SystemExit('no')",
        "one(lambda: 1)",
        "f = (",
    ],
)
def test_a_jugfile_that_raises_leaves_no_store(tg, more, ending):
    write(tg.folder, ending, more=more)
    refused = tg("execute", "job.py", code=2)
    assert "job.py:" in refused.stderr
    assert left(tg.folder) == ["job.py"]


@pytest.mark.parametrize("more", ["", "set_jugdir('chosen')\n"])
@pytest.mark.parametrize("how", [["--name", "two"], ["--pattern", "two"]])
def test_a_wrong_selection_leaves_no_store(tg, more, how):
    write(tg.folder, "one()", more=more)
    refused = tg("execute", "job.py", *how, "--store", "somewhere", code=2)
    assert "two" in refused.stderr
    assert left(tg.folder) == ["job.py"]


@pytest.mark.parametrize("load", [taskgraph.run, taskgraph.init])
def test_python_that_is_refused_leaves_no_store(tmp_path, monkeypatch, load):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, "one()\n1 / 0")
    with pytest.raises((JugfileError, SystemExit), match=r"job\.py:8"):
        load(path)
    assert left(tmp_path) == ["job.py"]


@pytest.mark.parametrize("ending", ["one()\nbarrier()", "bvalue(one())"])
def test_a_barrier_that_is_met_first_makes_none(tmp_path, ending):
    path = write(tmp_path, ending)
    loaded = Jugfile(path).load(open_store(tmp_path / "store"))
    assert len(loaded.missing) == 1
    assert left(tmp_path) == ["job.py"]


def test_a_jugfile_that_raises_behind_a_barrier_keeps_what_was_run(tg):
    write(tg.folder, "one()\nbarrier()\n1 / 0")
    assert "job.py:9" in tg("execute", "job.py", code=2).stderr
    assert tg.json("status", "job.py")["total"]["done"] == 1


def test_what_a_jugfile_calls_at_once_is_kept(tg):
    write(tg.folder, "CachedFunction(one.f)\n1 / 0", more="from taskgraph import *\n")
    tg("execute", "job.py", code=2)
    assert left(tg.folder) == ["job.py", "job.tgdata"]


def test_a_worker_that_takes_long_to_end_leaves_no_heartbeat(tg):
    more = "import atexit, time\natexit.register(time.sleep, 1.5)"
    write(tg.folder, "one()", more=more)
    tg("execute", "job.py", "--lease", "1")
    assert list((tg.folder / "job.tgdata" / "workers").iterdir()) == []
