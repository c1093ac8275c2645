"""What a notebook asks: how far tasks are, why they failed, and to forget results."""

import logging
import re
from functools import partial

import pytest

from taskgraph import (
    MissingResultError,
    TaskGenerator,
    UsageError,
    invalidate,
    open_store,
    run,
    status,
    value,
)

CELL = """
def cell(x):
    with open(LOG, "a") as log:
        print(x, file=log)
    return RESULT
"""


@pytest.fixture(params=["memory://", "store"])
def store(request, tmp_path):
    return "memory://" if "memory" in request.param else tmp_path / request.param


@TaskGenerator
def total(numbers):
    return sum(numbers)


def tasks_of(result, log):
    """Return the tasks of a cell that was run (again) with another body."""
    space = {"LOG": log, "__name__": __name__}
    exec(CELL.replace("RESULT", result), space)
    cell = TaskGenerator(space["cell"], name="cell")
    squares = [cell(x) for x in range(3)]
    return [*squares, total(squares)]


def test_the_same_call_may_be_written_down_many_times(store):
    one, other, third = (total([1, 2]) for _ in range(3))
    asked = [total([one, other]), total([total([other]), third]), third]
    assert run(asked, store=store, workers=0).done == 4
    assert [value(task) for task in [*asked, one, other]] == [6, 6, 3, 3, 3]


def test_what_is_done_and_why_the_rest_is_not_is_known_by_function(tmp_path):
    tasks = tasks_of("6 // (x - 1)", tmp_path / "log")
    assert status(tasks, store=tmp_path / "s").counts == {
        "cell": {"done": 0, "failed": 0, "blocked": 0, "open": 3},
        total.name: {"done": 0, "failed": 0, "blocked": 0, "open": 1},
    }
    assert not (tmp_path / "s").exists()
    report = run(tasks, store=tmp_path / "s", check=False)
    assert status(tasks, store=tmp_path / "s").counts == report.counts
    assert report.counts == {
        "cell": {"done": 2, "failed": 1, "blocked": 0, "open": 0},
        total.name: {"done": 0, "failed": 0, "blocked": 1, "open": 0},
    }
    (failed,) = report.errors
    assert (failed.key, failed.function, failed.arguments) == (
        tasks[1].key,
        "cell",
        "1",
    )
    assert repr(report) == "Report(done=2, failed=1, blocked=1, open=0)"
    assert failed.error == "ZeroDivisionError"
    assert "in cell" in failed.traceback
    assert "cell(1): ZeroDivisionError: integer division" in str(failed)


def test_a_failed_task_is_shown_with_the_key_that_tg_takes(tg):
    report = run(tg.write("work.py", JUGFILE), check=False)
    shown = repr(report.errors)
    key = tg.json("errors", "work.py")[0]["tasks"][0]["key"]
    assert f"FailedTask(key={key[:12]}, function='work.half', arguments='0'" in shown
    digits = shown.partition("key=")[2].partition(",")[0]
    assert key in tg("show", "work.py", digits).stdout


@pytest.mark.parametrize("workers", [0, 1])
def test_what_failed_is_tried_again_when_it_was_mended(tmp_path, workers, caplog):
    log = tmp_path / "log"
    run(tasks_of("6 // (x - 1)", log), store=tmp_path / "s", check=False)
    tasks = tasks_of("x * x", log)
    run(tasks, store=tmp_path / "s", workers=workers)
    assert "1 task that failed before is tried again" in caplog.text
    assert sorted(log.read_text().split()) == ["0", "1", "1", "2"]
    assert value(tasks[1]) == 1


def test_changed_code_is_told_and_forgotten_with_what_was_made_of_it(tmp_path, caplog):
    log = tmp_path / "log"
    run(tasks_of("x * x", log), store=tmp_path / "s")
    tasks = tasks_of("x * x + 1", log)
    run(tasks, store=tmp_path / "s")
    assert value(tasks[-1]) == 5
    assert "`taskgraph.invalidate(..., changed=True)` forgets them" in caplog.text
    assert "tg " not in caplog.text

    assert invalidate(tasks, changed=True, store=tmp_path / "s") == 4
    caplog.clear()
    run(tasks, store=tmp_path / "s")
    assert value(tasks[-1]) == 8
    assert not caplog.records


def test_only_the_tasks_that_are_given_are_forgotten(store, tmp_path):
    tasks = tasks_of("x * x", tmp_path / "log")
    run(tasks, store=store)
    assert invalidate(tasks[-1], store=tasks[0].recording.results) == 1
    assert [task.can_load() for task in tasks] == [True, True, True, False]
    assert invalidate(tasks[0]) == 1
    assert invalidate(tasks[0]) == 0


def test_a_name_is_looked_for_among_all_that_the_tasks_need(store, tmp_path):
    tasks = tasks_of("x * x", tmp_path / "log")
    run(tasks[-1], store=store)
    assert invalidate(tasks[-1], name=["cell"]) == 4
    run(tasks[-1])
    assert invalidate(tasks[-1], name=total.name) == 1
    with pytest.raises(UsageError, match=r"no task is of hlaf; .* are cell, .*total"):
        invalidate(tasks[-1], name="hlaf")


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("nothing", [list, tuple, lambda: iter(())])
def test_to_run_no_tasks_at_all_is_told(tmp_path, nothing, workers, caplog):
    assert run(nothing(), store=tmp_path / "store", workers=workers).done == 0
    assert "run() was given no tasks, so nothing was run" in caplog.text


def test_a_jugfile_without_tasks_is_told(tg, caplog):
    assert run(tg.write("work.py", "x = 3\n")).done == 0
    assert "work.py has no tasks; decorate functions" in caplog.text


def test_dependants_of_other_scripts_go_too(tmp_path):
    tasks = tasks_of("x * x", tmp_path / "log")
    run(tasks, store=tmp_path / "s")
    assert invalidate(tasks_of("x", tmp_path / "log")[0], store=tmp_path / "s") == 2
    assert status(tasks, store=tmp_path / "s").done == 2


JUGFILE = """
from taskgraph import TaskGenerator
@TaskGenerator
def half(x):
    return 6 // x
@TaskGenerator
def both(xs):
    return sum(xs)
both([half(x) for x in (1, 2)])
both([half(0)])
"""


def test_a_jugfile_is_asked_by_its_path(tg, caplog):
    path = tg.write("work.py", JUGFILE)
    caplog.set_level(logging.WARNING)
    report = run(path, check=False)
    assert status(path).counts == report.counts
    assert [found.arguments for found in status(path).errors] == ["0"]
    assert invalidate(path, name="both") == 1
    assert tg.json("status", "work.py")["total"]["done"] == 2
    assert invalidate(path, name=["half", "both"]) == 3
    assert status(path).open == 5
    assert "both" in tg("undo", "work.py", "--list").stdout


def test_what_names_nothing_is_refused(tg):
    path = tg.write("work.py", JUGFILE)
    with pytest.raises(UsageError, match=r"say what to forget of a jugfile"):
        invalidate(path)
    with pytest.raises(UsageError, match=r"no task is of hlaf; .*work.both, work.half"):
        invalidate(path, name="hlaf")
    with pytest.raises(UsageError, match="a jugfile, or tasks, not 5"):
        status(5)


@TaskGenerator
def inverse(number):
    return 1 / number


def chain(number, length=1):
    for _ in range(length):
        number = total([inverse(number)])
    return number


@pytest.mark.parametrize("length", [1, 3, 400])
def test_a_value_that_waits_for_a_failure_says_for_which(store, length):
    blocked = chain(0, length)
    first = blocked
    while first.needs:
        (first,) = first.needs
    with pytest.raises(UsageError, match=r"no store .*taskgraph.run\(..., store="):
        value(blocked)
    run(blocked, store=store, check=False, workers=0)
    named = f"waits for {inverse.name} ({first.key.hex()[:12]}), which failed"
    with pytest.raises(MissingResultError, match=re.escape(named)):
        value(blocked)
    with pytest.raises(MissingResultError, match=r"failed: ZeroDivisionError.*status"):
        value(first)


def test_a_value_that_was_not_run_says_how_from_python_too(store):
    done = chain(1)
    run(done, store=store)
    later = inverse(done)
    later.recording.results = done.recording.results
    with pytest.raises(MissingResultError, match=r"no result yet; .*taskgraph.run\(\)"):
        value(later)


def test_causes_of_a_run_count_for_what_failed_before(tmp_path):
    fails = TaskGenerator(int, retries=0)("no number")
    store = tmp_path / "store"
    assert run(fails, store=store, workers=0, check=False).failed == 1
    first = status(fails, store=store).errors[0]
    told = partial(run, fails, store=store, workers=0, check=False)
    begun = [record_of(store, fails).start]
    for causes in ("timeout", (ValueError, "killed")):
        told(retries_on=causes)
        begun.append(record_of(store, fails).start)
    assert first.error == "ValueError"
    assert begun[0] == begun[1] < begun[2]
    with pytest.raises(UsageError, match="retries_on=3"):
        told(retries_on=3)


def record_of(store, task):
    results = open_store(store)
    results.backend.refresh()
    return results.record(task.key)
