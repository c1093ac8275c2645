"""Tasks that a notebook or a jugfile wants to have run here and now."""

import pytest

from taskgraph import NoResultError, Task, open_store, run, set_jugdir, value
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


def reads(path):
    return path.read_text()


def test_a_task_is_run_again_and_its_new_result_kept(tmp_path):
    results = set_jugdir(tmp_path / "store")
    task = Task(count_runs, tmp_path / "log")
    assert [task.run(), task.run(), value(task)] == [1, 2, 2]
    assert results.load(task.key) == 2


def test_what_was_made_of_a_replaced_result_is_forgotten(tmp_path):
    results = set_jugdir(tmp_path / "store")
    task = Task(count_runs, tmp_path / "log")
    above = Task(divmod, task, 2)
    other = Task(divmod, 7, 2)
    run([above, other])
    assert task.run() == 2
    assert not above.can_load()
    assert other.can_load()
    assert run([above, other]).done == 3
    assert above.result == (1, 0)
    (discarded,) = results.backend.discards()
    assert set(discarded.keys) == {task.key, above.key}


def test_what_was_made_of_an_equal_result_stays(tmp_path):
    results = set_jugdir(tmp_path / "store")
    task = Task(divmod, 7, 2)
    above = Task(sum, task)
    run(above)
    assert task.run() == (3, 1)
    assert above.can_load()
    assert results.backend.discards() == []


def test_a_task_that_raises_when_it_runs_again_keeps_its_result(tmp_path):
    set_jugdir(tmp_path / "store")
    (tmp_path / "log").write_text("x")
    task = Task(reads, tmp_path / "log")
    assert task.run() == "x"
    (tmp_path / "log").unlink()
    with pytest.raises(FileNotFoundError):
        task.run()
    assert value(task) == "x"


def test_a_failed_task_may_be_run_again(tmp_path):
    set_jugdir(tmp_path / "store")
    task = Task(reads, tmp_path / "log")
    run(task, check=False)
    (tmp_path / "log").write_text("x")
    assert task.run() == value(task) == "x"


def test_a_jugfile_gets_the_result_that_is_there(tmp_path):
    path = tmp_path / "work.py"
    path.write_text(
        "from taskgraph import Task\n"
        f"from {__name__} import count_runs\n"
        f"from pathlib import Path\n"
        f"count = Task(count_runs, Path({str(tmp_path / 'log')!r})).run()\n"
    )
    jugfile = Jugfile(path, run_at_once=run_at_once)
    results = open_store("memory://")
    assert [jugfile.load(results).space["count"] for _ in range(3)] == [1, 1, 1]


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
