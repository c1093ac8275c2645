"""What is told while a run goes on, where there is no terminal."""

import operator
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taskgraph import Task, invalidate, open_store, run
from taskgraph.cli import progress


def test_a_line_says_why_fewer_tasks_are_done_than_in_the_one_before(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(progress._Lines, "every", 0.0)
    tasks = [Task(operator.neg, number) for number in range(4)]
    backend = run(tasks, store=tmp_path / "s").store.backend
    with progress.progress(quiet=False) as display:
        names = {task.key: task.name for task in tasks}
        display.know(lambda: names, lambda: pytest.fail("nobody asked"))
        display._tick(backend)
        invalidate(tasks[:3], store=tmp_path / "s")
        backend.poll()
        display._next = 0.0
        display._tick(backend)
        display._next = 0.0
        display._tick(backend)
    first, second, third = capsys.readouterr().err.splitlines()
    assert "4 of 4 tasks done after" in first
    assert "1 of 4 tasks done (3 or more invalidated meanwhile) after" in second
    assert "invalidated" not in third


WAITING = """
import time
from pathlib import Path
from taskgraph import TaskGenerator

@TaskGenerator
def held():
    while not Path("go").exists():
        time.sleep(0.05)

held()
"""


def test_a_line_says_what_a_run_waits_for_if_nothing_was_done_since_the_last(
    tmp_path, capsys, monkeypatch
):
    """Another process runs the task, and this one has nothing else to run."""
    monkeypatch.setattr(progress._Lines, "every", 0.0)
    (tmp_path / "work.py").write_text(WAITING)
    command = [Path(sys.executable).with_name("tg"), "execute", "-q", "work.py"]
    other = subprocess.Popen(command, cwd=tmp_path)
    try:
        backend = locked(tmp_path / "work.tgdata")
        names = dict.fromkeys(backend.holders(), "work.held")
        with progress.progress(quiet=False) as display:
            display.know(lambda: names, lambda: pytest.fail("nobody asked"))
            display._tick(backend)
    finally:
        (tmp_path / "go").touch()
        assert other.wait(60) == 0
    told = capsys.readouterr().err
    assert re.search(
        r"0 of 1 task done after 0 s; at work: work.held by \S+:\d+$", told
    )


def locked(store):
    """Return a backend in which somebody has begun with a task."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if store.exists():
            backend = open_store(store).backend
            backend.poll()
            if backend.holders():
                return backend
        time.sleep(0.1)
    raise AssertionError("nobody has begun")
