"""Who only looks sees files that are gone or changed, as the next run will."""

import json
import os
from functools import partial
from pathlib import Path

import pytest

from taskgraph import TaskGenerator, run, status
from taskgraph.files import written as written_module
from taskgraph.files.written import WrittenFile, written_by

JUGFILE = """
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator(files=True)
def write(name):
    Path(name).write_text(name)
    return [Path(name)]

@TaskGenerator
def letters(written):
    return sum(path.stat().st_size for one in written for path in one)

@TaskGenerator
def apart():
    return 1

letters([write(name) for name in ("a.txt", "bb.txt", "c.txt")])
apart()
"""


@pytest.fixture
def outputs(tg):
    tg.write("files.py", JUGFILE)
    tg("execute", "files.py")
    assert totals(tg) == {"done": 5}
    return tg


def totals(tg):
    told = json.loads(tg("status", "files.py", "--json").stdout)
    assert told["finished"] == (told["total"]["done"] == told["tasks"])
    return {state: number for state, number in told["total"].items() if number}


def gone(path):
    path.unlink()


def edited_with_its_times(path):
    before = path.stat()
    path.write_text("x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def a_folder_now(path):
    path.unlink()
    path.mkdir()


def test_status_check_and_wait_say_what_the_next_run_makes_again(outputs):
    (outputs.folder / "bb.txt").unlink()
    told = "a file that tasks wrote is gone or changed, so `tg execute files.py` makes"

    assert totals(outputs) == {"done": 3, "ready": 1, "waiting": 1}
    assert f"{told} it again: bb.txt" in outputs("check", "files.py", code=1).stderr
    assert outputs("wait", "files.py", "--timeout", "0", code=3)

    assert "made again: bb.txt" in outputs("execute", "files.py").stderr
    assert outputs("check", "files.py").stderr == ""
    assert outputs("wait", "files.py").stderr == ""


@pytest.mark.parametrize("change", [gone, edited_with_its_times, a_folder_now])
def test_what_is_another_file_now_is_seen_at_a_glance(tmp_path, change):
    path = tmp_path / "a.txt"
    path.write_text("text")
    (file,) = written_by(path)

    change(path)

    assert not file.is_as_written(at_a_glance=True)


def test_what_is_touched_only_or_written_as_it_was_is_done(outputs):
    os.utime(outputs.folder / "a.txt", (1, 1))
    (outputs.folder / "c.txt").write_text("c.txt")

    assert outputs("check", "files.py").stderr == ""


def test_many_are_named_in_part_and_from_elsewhere_with_the_folder(outputs):
    for path in outputs.folder.glob("*.txt"):
        path.unlink()

    told = outputs("status", "files.py").stderr
    assert "3 files that tasks wrote are gone or changed" in told
    assert "makes them again: a.txt, bb.txt, c.txt" in told
    (outputs.folder / "below").mkdir()
    there = partial(os.chdir, outputs.folder / "below")
    below = outputs("status", "../files.py", prepare=there).stderr
    assert f"makes them again: {outputs.folder / 'a.txt'}" in below


def test_status_from_python_says_it_too(tmp_path, caplog):
    @TaskGenerator(files=True)
    def write(path):
        Path(path).write_text("text")
        return Path(path)

    task = write(str(tmp_path / "a.txt"))
    store = tmp_path / "store"
    run(task, store=store, workers=0)
    assert status(task, store=store).done == 1
    (tmp_path / "a.txt").unlink()

    report = status(task, store=store)

    assert (report.done, report.open) == (0, 1)
    assert f"so `run` makes it again: {tmp_path / 'a.txt'}" in caplog.text


def test_at_a_glance_a_file_is_read_only_if_its_times_are_others(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("text")
    (file,) = written_by(path)
    read, content_of = [], written_module.content_of
    monkeypatch.setattr(
        written_module,
        "content_of",
        lambda name: (read.append(name), content_of(name))[1],
    )

    assert file.is_as_written(at_a_glance=True)
    assert not read
    os.utime(path, (1, 1))
    assert file.is_as_written(at_a_glance=True)
    assert read == [str(path)]
    assert WrittenFile(*file).is_as_written()
