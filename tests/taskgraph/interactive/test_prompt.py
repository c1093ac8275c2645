"""What people do at a prompt: forget, take back, try in a store aside, watch."""

import pytest

from taskgraph import (
    CachedFunction,
    Task,
    TaskGenerator,
    UsageError,
    in_store,
    invalidate,
    run,
    status,
    undo,
    value,
)
from taskgraph.tasks.recording import current_recording


@TaskGenerator
def double(x):
    return 2 * x


@pytest.mark.parametrize("store", ["memory://", "store"])
def test_what_was_forgotten_comes_back_in_order(tmp_path, store):
    store = store if ":" in store else tmp_path / store
    first, other = double(1), double(2)
    tasks = [first, other, double(first)]
    run(tasks, store=store)
    where = first.recording.results
    assert undo(tasks, store=where) == 0
    invalidate(other, store=where)
    assert invalidate(first, store=where) == 2
    numbers = [each.position for each in where.backend.discards()]
    assert undo(tasks, store=where, number=numbers[0]) == 1
    assert status(tasks, store=where).done == 1
    assert undo(tasks, store=where) == 2
    assert value(tasks) == [2, 4, 4]
    with pytest.raises(UsageError, match="nothing to undo has the number 12345"):
        undo(tasks, store=where, number=12345)


def test_an_undo_that_cannot_bring_all_back_says_so(tmp_path, caplog):
    first = double(1)
    tasks = [first, double(first)]
    run(tasks, store=tmp_path / "s")
    invalidate(tasks[1], store=tmp_path / "s")
    invalidate(first, store=tmp_path / "s")
    number = first.recording.results.backend
    number.poll()
    older = number.discards()[0].position
    assert undo(tasks, store=tmp_path / "s", number=older) == 0
    assert "1 of 1 results did not come back" in caplog.text


def test_an_undo_says_that_newer_results_go_for_it(tmp_path, caplog):
    task = double(1)
    run(task, store=tmp_path / "s")
    invalidate(task)
    run(task, store=tmp_path / "s")
    assert undo(task) == 1
    assert "newer results are forgotten in their place: 1; undo" in caplog.text
    number = int(caplog.text.partition("number=")[2].partition(")")[0])
    assert undo(task, number=number) == 1


JUGFILE = """
import sys
from taskgraph import TaskGenerator, set_jugdir
set_jugdir("chosen")
@TaskGenerator
def f(x):
    return x
for x in sys.argv[1:]:
    f(x)
"""


def test_a_jugfile_is_given_arguments_and_its_chosen_store_is_found(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work.py").write_text(JUGFILE)
    given = {"arguments": ["a", "b"]}
    assert run("work.py", workers=0, **given).done == 2
    assert status("work.py", arguments=["a", "c"]).open == 1
    assert invalidate("work.py", name="f", **given) == 2
    assert undo("work.py") == 2
    assert status("work.py", **given).done == 2
    assert set(status("work.py", **given).states.values()) == {"done"}
    with pytest.raises(UsageError, match="arguments are for a jugfile"):
        run(double(1), arguments=["a"])


def test_a_block_has_a_store_of_its_own(tmp_path):
    with in_store(tmp_path / "outer") as outer:
        before = double(3)
        run(before)
        with in_store() as inner:
            task = double(3)
            assert not inner.has(task.key)
            assert CachedFunction(divmod, 7, 2) == (3, 1)
            run(task)
            assert inner.has(task.key)
        assert double(3).recording.results is outer
        assert value(double(3)) == 6
    assert (value(task), value(before)) == (6, 6)
    assert current_recording() is None


def test_a_jugfile_has_one_store(tmp_path):
    (tmp_path / "work.py").write_text(
        "from taskgraph import in_store\nwith in_store():\n    pass\n"
    )
    with pytest.raises(Exception, match=r"work.py:2: in_store\(\) is for notebooks"):
        run(tmp_path / "work.py")


@pytest.mark.parametrize("workers", [0, 2])
def test_progress_ends_with_what_is_done_and_failed(tmp_path, workers, capfd):
    tasks = [double(1), double(2), Task(divmod, 1, 0)]
    run(tasks, store=tmp_path / "s", workers=workers, progress=True, check=False)
    *_, last = capfd.readouterr().err.rstrip("\n").split("\r")
    assert last.startswith("2 of 3 tasks done, 1 failed, ")


def test_without_tasks_there_is_nothing_to_run():
    with pytest.raises(UsageError, match="tasks, not nothing"):
        run()
