"""Files that arguments name by text: told if they changed after results were made."""

import os
import subprocess
import time
from pathlib import Path

import msgpack
import pytest

import taskgraph
from taskgraph import TaskGenerator, run
from taskgraph.calls.kept import Part
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.upkeep.inputs.named_files import _texts

JUGFILE = """
import time
from pathlib import Path
from taskgraph import File, TaskGenerator

@TaskGenerator
def size(path, times=1, more=()):
    return len(Path(path).read_text()) * times

@TaskGenerator
def append(path, line):
    with open(path, "a") as log:
        print(line, file=log)
    return line

@TaskGenerator
def read(path, made):
    return len(Path(path).read_text())

@TaskGenerator
def reserved(path):
    return path

@TaskGenerator(files=True)
def write(name):
    time.sleep(0.3)
    Path(name).write_text("written")
    return File(name)

{calls}
"""
ARGUMENTS = ["Path('in.txt')", "'in.txt', more={'a': ['in.txt', 3]}", "'./in.txt'"]


@pytest.fixture
def folder(tg):
    (tg.folder / "in.txt").write_text("abc")
    (tg.folder / "data").mkdir()
    return tg.folder


def write(folder, calls):
    (folder / "job.py").write_text(JUGFILE.format(calls=calls))


def change(path, seconds=0.3):
    """Write a file anew, some time after its results were made."""
    time.sleep(seconds)
    path.write_text("other")


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        (["execute"], "'in.txt'"),
        (["execute", "--preload"], "'in.txt'"),
        (["check"], "'in.txt'"),
        *[(["status"], argument) for argument in ARGUMENTS],
    ],
)
def test_a_file_that_changed_after_its_result_is_told(tg, folder, command, argument):
    write(folder, f"size({argument})")
    assert "changed after" not in tg("execute", "job.py").stderr
    assert "changed after" not in tg(*command, "job.py").stderr
    change(folder / "in.txt")
    told = tg(*command, "job.py").stderr
    assert "in.txt (of size)" in told
    assert "`tg invalidate job.py --name size`" in told
    tg("invalidate", "job.py", "--name", "size", "--yes")
    assert "changed after" not in tg("execute", "job.py").stderr
    assert "changed after" not in tg(*command, "job.py").stderr


def test_a_result_of_before_is_told_beside_one_of_after(tg, folder):
    write(folder, "size('in.txt')")
    tg("execute", "job.py")
    change(folder / "in.txt")
    time.sleep(0.1)
    write(folder, "size('in.txt'); size('in.txt', 2)")
    assert "in.txt (of size)" in tg("execute", "job.py").stderr


def test_what_tasks_write_is_not_told(tg, folder):
    calls = """
log = [append("log.txt", f"{i}.") for i in range(6)]
read("log.txt", log)
size("data/missing.txt") if False else None
append("data/../log.txt", "more")
"""
    write(folder, calls)
    for _ in range(2):
        assert "changed after" not in tg("execute", "job.py", "-j", "2").stderr
    assert "changed after" not in tg("status", "job.py").stderr


@pytest.mark.parametrize("path", ["new.txt", "data/../new.txt"])
def test_what_a_task_writes_whose_name_another_gives_is_not_told(tg, folder, path):
    write(folder, f"write(reserved('{path}'))")
    for command in ("execute", "execute", "status", "check"):
        assert "changed after" not in tg(command, "job.py").stderr
    change(folder / "new.txt")  # of this, its task looks after itself
    told = tg("status", "job.py").stderr
    assert "a file that tasks wrote is gone or changed" in told
    assert "changed after" not in told


def test_folders_and_what_is_not_there_are_not_told(tg, folder):
    write(folder, "read('in.txt', ['data', 'no/such.txt', 'e.g. this', 'a/' * 3000])")
    tg("execute", "job.py")
    time.sleep(0.3)
    (folder / "data" / "new.txt").write_text("new")
    assert "changed after" not in tg("status", "job.py").stderr


def test_many_are_counted(tg, folder):
    for i in range(5):
        (folder / f"{i}.txt").write_text("")
    write(folder, "[size(f'{i}.txt') for i in range(5)]")
    tg("execute", "job.py")
    for i in range(5):
        change(folder / f"{i}.txt", 0.3 * (i == 0))
    told = tg("status", "job.py").stderr
    assert "5 files that arguments name" in told
    assert "and 2 more" in told


LATER = 2.5
"""Seconds from which on clocks are sure to say that something was later."""


def older_file(folder):
    """Write a file beside the project that is older than all results."""
    path = folder.parent / "older.txt"
    path.write_text("another")
    os.utime(path, (1e9, 1e9))
    return path


@pytest.mark.parametrize(
    ("deed", "more"), [("mv", 0), ("mv", 3), ("cp -p", 3), ("tar", 3)]
)
def test_an_older_file_in_the_place_of_another_is_told(tg, folder, deed, more):
    for number in range(more):
        (folder / f"{number}.txt").write_text("beside")
    write(folder, "size('in.txt')")
    tg("execute", "job.py")
    older = older_file(folder)
    time.sleep(LATER)
    if deed == "tar":
        older = older.rename(folder.parent / "in.txt")
        subprocess.run(["tar", "cf", "a.tar", "in.txt"], cwd=folder.parent, check=True)
        subprocess.run(["tar", "xf", "../a.tar"], cwd=folder, check=True)
    else:
        subprocess.run([*deed.split(), older, folder / "in.txt"], check=True)
    for command in ("execute", "status", "check"):
        told = tg(command, "job.py").stderr
        assert "in.txt (of size; an older file put there, or one renamed" in told
    tg("invalidate", "job.py", "--name", "size", "--yes")
    assert "changed after" not in tg("execute", "job.py").stderr


def test_of_files_that_are_moved_or_changed_together_nothing_is_told(tg, folder):
    write(folder, "size('in.txt'); size('data/in.txt')")
    (folder / "data" / "in.txt").write_text("beside")
    tg("execute", "job.py")
    copy = folder.parent / "copy"
    time.sleep(LATER)
    subprocess.run(["chmod", "-R", "g-w", "data"], cwd=folder, check=True)
    subprocess.run(["cp", "-a", folder, copy], check=True)
    (copy / "notes.txt").write_text("written after it was copied")
    assert "changed after" not in tg("status", "job.py").stderr
    tg.folder = copy
    assert "changed after" not in tg("status", "job.py").stderr


@TaskGenerator
def letters(path):
    return len(Path(path).read_text())


def test_from_python_it_is_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "in.txt"
    path.write_text("abc")
    with recorded_in(Recording()):
        tasks = [letters("in.txt"), letters(path)]
        run(tasks, store="store")
        assert not caplog.messages
        os.utime(path, (time.time() + 5,) * 2)
        run(tasks, store="store")
        taskgraph.status(tasks, store="store")
    assert len(caplog.messages) == 2
    for told in caplog.messages:
        assert "a file that" in told
        assert "in.txt (of letters)" in told
        assert "`taskgraph.invalidate(...)`" in told


@pytest.mark.parametrize("shown", ["XPath('//a', 'b')", "XPath('a' + 'b')"])
def test_an_object_that_only_looks_like_a_path_names_no_file(shown):
    assert list(_texts(msgpack.ExtType(Part.TEXT, shown.encode()))) == []
