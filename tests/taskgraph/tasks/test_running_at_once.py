"""Tasks that a notebook or a jugfile wants to have run here and now."""

import pytest

from taskgraph import NoResultError, Task, open_store, run, set_jugdir
from taskgraph.errors import JugfileError
from taskgraph.execution.at_once import run_at_once
from taskgraph.tasks.jugfile import Jugfile

JUGFILE = """
from taskgraph import CachedFunction, Task
count = CachedFunction(len, "abc")
one = Task(range, count)
"""


def count_runs(path):
    with path.open("a") as log:
        log.write("x")
    return len(path.read_text())


def test_a_task_is_run_once_and_its_result_kept(tmp_path):
    results = set_jugdir(tmp_path / "store")
    task = Task(count_runs, tmp_path / "log")
    assert task.run() == task.run() == 1
    assert results.load(task.key) == 1


def test_a_store_may_be_chosen_after_the_task_was_written_down():
    task = Task(divmod, 7, 2)
    set_jugdir("memory://")
    assert task.run() == (3, 1)


def test_what_a_task_needs_must_have_a_result():
    set_jugdir("memory://")
    first = Task(divmod, 7, 2)
    with pytest.raises(NoResultError, match=r"needs builtins.divmod .* no result yet"):
        Task(sum, first).run()


def test_a_task_that_ran_knows_its_store():
    task = Task(divmod, 7, 2)
    run(task)
    assert task.run() == (3, 1)


def test_a_jugfile_may_run_tasks_while_it_is_loaded(tmp_path):
    path = tmp_path / "work.py"
    path.write_text(JUGFILE)
    loaded = Jugfile(path, run_at_once=run_at_once).load(open_store("memory://"))
    assert loaded.space["count"] == 3


def test_a_jugfile_that_is_only_read_runs_nothing(tmp_path):
    path = tmp_path / "work.py"
    path.write_text(JUGFILE)
    with pytest.raises(JugfileError, match=r"work.py:3: .*run `tg execute`"):
        Jugfile(path).load(open_store("memory://"))


def test_commands_that_only_look_run_nothing(tg):
    tg.write("work.py", JUGFILE.replace("3", "2"))
    tg("execute", "-q", "work.py")
    tg.write("work.py", JUGFILE.replace("abc", "abcd"))
    assert "run `tg execute work.py`" in tg("check", "work.py", code=2).stderr
    assert tg.json("count", "work.py")["tasks"] == 1
