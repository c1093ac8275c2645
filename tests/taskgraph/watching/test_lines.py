"""What is told while a run goes on, where there is no terminal."""

import operator

import pytest

from taskgraph import Task, invalidate, run
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
