"""Jugfiles that are run from Python, and how `tg` finds what came of it."""

import pytest

from taskgraph import run, value
from taskgraph.errors import JugfileError, UsageError
from taskgraph.report import report_of
from taskgraph.tasks.jugfile import Jugfile

JUGFILE = """
from pathlib import Path
from taskgraph import TaskGenerator, barrier, bvalue, value

@TaskGenerator
def numbers(n):
    with Path(__file__).with_name("log").open("a") as log:
        log.write("n")
    return list(range(n))

@TaskGenerator
def square(x):
    return x * x

first = numbers(3)
squares = [square(x) for x in bvalue(first)]
barrier()
more = [square(x) for x in value(squares)]
"""


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_jugfile_is_read_again_after_each_barrier(tmp_path, workers):
    path = tmp_path / "work.py"
    path.write_text(JUGFILE)
    report = run(path, workers=workers)
    loaded = Jugfile(path).load(report.store)
    assert value(loaded.space["more"]) == [0, 1, 16]
    assert (tmp_path / "log").read_text() == "n"
    assert report_of(loaded).done == report.done == 5


def test_objects_of_classes_in_the_jugfile_can_be_results(tmp_path):
    path = tmp_path / "classes_work.py"
    path.write_text(
        "from dataclasses import dataclass\n"
        "from taskgraph import TaskGenerator\n"
        "@dataclass\nclass Point:\n    x: int\n"
        "@TaskGenerator\ndef point(x): return Point(x)\n"
        "@TaskGenerator\ndef x_of(p): return p.x\n"
        "x = x_of(point(5))\n"
    )
    report = run(path, workers=2)
    assert value(Jugfile(path).load(report.store).space["x"]) == 5


def test_choosing_a_store_after_the_first_task_is_refused(tmp_path):
    path = tmp_path / "late.py"
    path.write_text(
        "from taskgraph import Task, set_jugdir\nTask(len, 'a')\nset_jugdir('other')\n"
    )
    with pytest.raises(JugfileError, match=r"late.py:3.*before the first task"):
        run(path)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_jugfile_may_choose_its_store_and_have_barriers(tmp_path, workers):
    path = tmp_path / "chooses.py"
    path.write_text(
        "from pathlib import Path\n"
        "from taskgraph import Task, barrier, set_jugdir, value\n"
        "set_jugdir(Path(__file__).with_name('other'))\n"
        "one = Task(len, 'abc')\nbarrier()\ntwo = Task(range, value(one))\n"
    )
    report = run(path, workers=workers)
    assert report.done == 2
    assert report.store.backend.url == str(tmp_path / "other")


WANDERS = """
import os
from taskgraph import Task, barrier
Task(len, "a")
os.chdir("folder")
barrier()
Task(len, "ab")
"""


@pytest.mark.parametrize("workers", [0, 1])
def test_a_jugfile_may_go_to_another_folder_and_have_barriers(tg, monkeypatch, workers):
    (tg.folder / "folder").mkdir()
    tg.write("wanders.py", WANDERS)
    monkeypatch.chdir(tg.folder)
    assert run("wanders.py", workers=workers).done == 2
    assert tg.json("status", "wanders.py")["total"]["done"] == 2


CHOOSES = """
import taskgraph
{choice}
taskgraph.Task(len, "abc")
"""


def test_tg_finds_what_was_run_from_python(tg, monkeypatch):
    monkeypatch.chdir(tg.folder)
    run(tg.write("job.py", CHOOSES.format(choice="")))
    assert tg.json("status", "job.py")["total"]["done"] == 1


def test_tg_finds_the_store_that_a_jugfile_chose_when_it_was_run_from_python(
    tg, monkeypatch
):
    monkeypatch.chdir(tg.folder)
    choice = "taskgraph.set_jugdir('chosen')"
    tg.write("job.py", CHOOSES.format(choice=choice))
    run("job.py")
    assert tg.json("status", "job.py")["total"]["done"] == 1


def test_a_store_that_was_given_is_to_be_given_again(tg):
    path = tg.write("job.py", CHOOSES.format(choice=""))
    run(path, store=tg.folder / "given")
    assert "has not run yet" in tg("status", "job.py").stderr
    assert tg.json("status", "job.py", "--store", "given")["total"]["done"] == 1


@pytest.mark.parametrize("workers", [-1, 2.5, "3", None, True])
def test_a_number_of_workers_that_makes_no_sense_is_refused_always(tmp_path, workers):
    jugfile = tmp_path / "work.py"
    jugfile.write_text("from taskgraph import Task\nTask(divmod, 7, 2)\n")
    run(jugfile, workers=0)
    with pytest.raises(ValueError, match=r"workers=.*give a whole number"):
        run(jugfile, workers=workers)


@pytest.mark.parametrize("what", ["", None, 5, [1], [None], b"work.py", ["work.py"]])
def test_what_is_no_task_is_refused(what):
    with pytest.raises(
        UsageError, match=r"a jugfile, or tasks, not.*path of your scri"
    ):
        run(what)


@pytest.mark.parametrize("where", [".", "/", "folder.py", "folder"])
def test_a_directory_is_no_jugfile(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    (tmp_path / where).mkdir(exist_ok=True)
    for options in ({}, {"store": "memory://"}):
        with pytest.raises(JugfileError, match=f"^{where} is a directory, no jugfile"):
            run(where, **options)


def test_what_is_no_store_is_refused(tmp_path):
    path = tmp_path / "work.py"
    path.write_text("from taskgraph import Task\nTask(divmod, 7, 2)\n")
    with pytest.raises(UsageError, match="a store is a directory, a URL or an open"):
        run(path, store=5)
