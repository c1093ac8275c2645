"""Outputs are renamed when their task commits: whole, once, whoever dies or is late."""

import os
import signal
import sys
from pathlib import Path

import pytest

import taskgraph
from taskgraph import Output, TaskGenerator, open_store, run, value
from taskgraph.execution import at_once
from taskgraph.execution.unpublished import Unpublished
from taskgraph.files.attempt import Attempt


@TaskGenerator
def write(version, file, folder):
    file.write_text(f"file {version}")
    folder.mkdir()
    for number in range(2):
        (folder / f"{version}{number}").write_text(f"in {version}")


def outputs():
    return Output("out/a.txt"), Output("out/b")


def version_of(folder):
    """Return of which versions file and folder are; None of what is not there."""
    file, inside = folder / "a.txt", folder / "b"
    first = file.read_text() if file.exists() else None
    names = "".join(sorted(p.name for p in inside.iterdir())) if inside.exists() else ""
    return first, names


def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def run_and_publish(task):
    """Do what a worker does, without a lock: nobody has to wait until it lapses."""
    results = open_store("store")
    results.backend.make()
    results.backend.poll()
    if not results.has(task.key):
        batch = at_once._ran(results, task)
        at_once._publish(results, batch, results.backend.claim([]))
    return results


CHANGES = ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "open")


def killed_at(number, task):
    """Run a task in a child that is killed before its n-th change; return if it was."""
    child = os.fork()
    if not child:
        seen = []

        def hook(event, about):
            if event not in CHANGES or isinstance(about[0], int):
                return
            written = event != "open" or (about[2] or 0) & (os.O_CREAT | os.O_WRONLY)
            where = os.fsdecode(about[0])
            if written and "/out" in where:
                seen.append(event)
                if len(seen) == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            run_and_publish(task)
            os._exit(0)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def test_who_is_killed_at_any_step_leaves_each_output_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = 0
    while True:
        folder = tmp_path / str(steps)
        folder.mkdir()
        monkeypatch.chdir(folder)
        run_and_publish(write("o", *outputs()))
        task, steps = write("n", *outputs()), steps + 1
        killed = killed_at(steps, task)

        file, names = version_of(folder / "out")
        assert file in ("file o", "file n")
        assert names in ("", "o0o1", "n0n1")
        assert run_and_publish(task).has(task.key)
        assert version_of(folder / "out") == ("file n", "n0n1")
        assert names_in("out") == ["a.txt", "b"]
        if not killed:
            break
    assert steps > 10


@TaskGenerator
def count(meanwhile, path):
    number = len(TRIES)
    TRIES.append(path)
    path.write_text(f"by {number}")
    if number == 0 and meanwhile:
        MEANWHILE[0]()


@TaskGenerator
def text(path):
    return path.read_text()


TRIES, MEANWHILE = [], []


@pytest.fixture
def late(tmp_path, monkeypatch):
    """Return a task, and what runs it as a worker does that lost its lock."""
    monkeypatch.chdir(tmp_path)
    TRIES.clear()
    MEANWHILE.clear()
    tasks = {when: count(when == "while it runs", Output("a.txt")) for when in WHEN}

    def other(task):
        results = open_store("store")
        results.backend.poll()
        batch = at_once._ran(results, task)
        return lambda: at_once._publish(results, batch, results.backend.claim([]))

    return tasks, other


WHEN = ("while it runs", "before it renames", "before it publishes")


@pytest.mark.parametrize("when", WHEN)
def test_who_is_overtaken_changes_nothing(late, monkeypatch, when):
    tasks, other = late
    task = tasks[when]
    before = {"before it renames": Attempt.rename, "": None}.get(when)

    def overtaken():
        MEANWHILE.clear()
        monkeypatch.undo()
        monkeypatch.chdir(folder)
        other(task)()

    folder = Path.cwd()
    MEANWHILE.append(overtaken)
    if before:
        monkeypatch.setattr(Attempt, "rename", between(Attempt.rename))
    elif when == "before it publishes":
        monkeypatch.setattr(Unpublished, "publish", between(Unpublished.publish))

    assert run(text(task), store=open_store("store"), workers=0).done == 2

    assert not MEANWHILE
    read = text(task)
    run(read, store="store", workers=0)
    assert Path("a.txt").read_text() == value(read) == "by 1"
    assert names_in(".") == ["a.txt", "store"]


def between(method):
    """Return a method that lets a competitor in before the first call of it."""

    def called(self, *args, **kwargs):
        if MEANWHILE and TRIES:
            MEANWHILE[0]()
        return method(self, *args, **kwargs)

    return called


def test_a_late_record_whose_file_another_worker_replaced_is_forgotten(
    late, monkeypatch
):
    tasks, other = late
    task = tasks["before it renames"]
    folder = Path.cwd()
    publish = other(task)  # renamed, and not published before the next one renames

    def overtaken():
        MEANWHILE.clear()
        publish()

    MEANWHILE.append(overtaken)
    monkeypatch.setattr(Attempt, "rename", between(Attempt.rename))
    read = text(task)
    assert run(read, store=open_store("store"), workers=0).done == 2
    assert (folder / "a.txt").read_text() == value(read) == f"by {len(TRIES) - 1}"
    assert taskgraph.status(read, store="store").done == 2


def test_what_a_dead_worker_left_is_taken_away_by_the_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("out", ".tg-of-another-task").mkdir()
    run(write("n", *outputs()), store="store", workers=0)
    store = open_store("store").backend.url
    left = Attempt(outputs(), write("n", *outputs()).key.hex(), store)
    left.__enter__()
    left.private(outputs()[0]).write_text("half")
    taskgraph.invalidate(write("n", *outputs()), store="store")
    run(write("n", *outputs()), store="store", workers=0)
    assert left.overtaken
    assert names_in("out") == [".tg-of-another-task", "a.txt", "b"]
