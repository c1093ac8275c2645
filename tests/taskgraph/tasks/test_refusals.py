"""Tasks used as if they were their results: refused, and what to do instead."""

import copy
import functools
import json
import math
import operator
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taskgraph import (
    Task,
    TaskAsResultError,
    TaskGenerator,
    Tasklet,
    UsageError,
    open_store,
    run,
    value,
)
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.refusals import advice

USES = {
    "truth": bool,
    "if not": operator.not_,
    "and": lambda task: task and 1,
    "length": len,
    "equal": lambda task: task == 3,
    "not equal": lambda task: task != "done",
    "equal, turned": lambda task: "done" == task,  # noqa: SIM300
    "in a list": lambda task: 3 in [task, 3],
    "f-string": lambda task: f"cells-{task}.tif",
    "format": "{:.2f}".format,
    "iteration": list,
    "unpacking": lambda task: [*task],
    "in": lambda task: 3 in task,
    "sum": sum,
    "plus": lambda task: task + 1,
    "text plus": lambda task: "cells-" + task,
    "list plus": lambda task: [1] + task,  # noqa: RUF005
    "array plus": lambda task: np.arange(3) + task,
    "plus array": lambda task: task + np.arange(3),
    "slash": lambda task: Path("cells") / task,
    "minus": operator.neg,
    "power": lambda task: 2**task,
    "less": lambda task: task < 3,
    "more, turned": lambda task: 3 < task,  # noqa: SIM300
    "largest": lambda task: max(task, 3),
    "pickle": pickle.dumps,
    "another process": lambda task: pickle.dumps((print, [task])),
    "array": np.array,
    "list of an array": lambda task: np.array([task, task]),
    "mean": np.mean,
    "added to an array": lambda task: np.arange(3) + task,
    "numpy number": lambda task: np.float64(2) * task,
    "slice": lambda task: [1, 2][:task],
    "range": range,
    "index of a list": lambda task: [1, 2][task],
    "array index": lambda task: np.arange(9)[task],
}
WRONG_TYPES = {
    "sum of two": lambda task: task + 1,
    "text": lambda task: "cells-" + task,
    "path": open,
    "number": float,
    "shape": np.zeros,
    "root": math.sqrt,
    "order": lambda task: sorted([task, task]),
    "joined": lambda task: ",".join([task]),
    "call": lambda task: task(),
    "attribute": lambda task: task.shape,
    "assignment": lambda task: operator.setitem(task, 0, 1),
    "json": json.dumps,
    "minus": operator.neg,
}


def make(n):
    return [n] * n


@pytest.fixture(params=["task", "tasklet"])
def task(request):
    task = Task(make, 2)
    return task if request.param == "task" else task[0]


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_task_is_no_result_yet(use, task):
    with pytest.raises(UsageError, match=r"before it has run.*bvalue\(task\)"):
        use(task)


@pytest.mark.parametrize("use", WRONG_TYPES.values(), ids=WRONG_TYPES)
def test_an_error_that_names_a_task_gets_a_line_of_advice(use, task):
    with pytest.raises((TypeError, AttributeError)) as caught:
        use(task)
    said = f"{caught.value}{advice(caught.value)}"
    assert said.endswith("wait for it with bvalue(task)")
    assert said.count("bvalue(task)") == 1


@pytest.mark.parametrize(
    "error",
    [TypeError("'MyTask' object"), TypeError("a Tasks list"), ValueError("no Task")],
)
def test_other_errors_get_no_advice(error):
    assert advice(error) == ""


def test_the_advice_stands_in_the_error_of_the_jugfile(tg):
    lines = [
        "from taskgraph import Task",
        "t = Task(divmod, 7, 2)",
        "open('cells-' + t)",
    ]
    tg.write("work.py", "\n".join(lines))
    said = tg("execute", "work.py", code=2).stderr
    assert "work.py:3: builtins.divmod cannot be calculated with" in said
    assert "let a task do that, or wait for it with bvalue(task)" in said


BASE = Task(len, "abc")


@TaskGenerator
def uses_a_task_that_it_was_not_given(x):
    return x + BASE


def test_a_task_that_uses_another_without_being_given_it_is_advised():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        task = uses_a_task_that_it_was_not_given(1)
        run(task, check=False)
        said = recording.results.record(task.key).failure.message
    assert said.startswith("builtins.len cannot be calculated with: ")
    assert said.endswith("; pass this one as an argument")


def test_tasks_live_in_sets_and_dicts_as_themselves(task):
    other = Task(make, 3)
    assert task == task
    assert task != other
    assert task in [other, task]
    assert {task: 1, other: 2}[task] == 1
    assert len({task, other, task}) == 2
    assert [task, other].index(other) == 1
    assert task is not None
    assert (task == None) is False  # noqa: E711
    assert {"a": 1, task: 2}["a"] == 1


def test_a_copy_of_what_holds_a_task_holds_that_task(task):
    assert copy.copy(task) is task
    assert copy.deepcopy({"a": [task]})["a"][0] is task


def test_a_task_can_be_shown(task):
    assert "make" in repr(task)
    assert str(task) == repr(task) == f"{task!r}"


def test_tables_of_tasks_can_be_made(task):
    other = Task(make, 3)
    arrays = [
        np.array([task, other], dtype=object),
        np.array([[task, 1], [other, 2]], dtype=object)[:, 0],
        pd.Series([task, other]).to_numpy(),
        pd.DataFrame({"a": [task, other]})["a"].to_numpy(),
    ]
    for array in arrays:
        assert array[0] is task
        assert array[1] is other


@pytest.mark.parametrize(
    ("name", "advised"),
    [("waits", "asyncio.run"), ("waits_often", "asyncio.run"), ("yields", "a list")],
)
def test_a_function_that_returns_before_its_work_is_done_is_refused(name, advised):
    with pytest.raises(UsageError, match=rf"{name}.*{advised}"):
        TaskGenerator(globals()[name])


def test_a_wrapper_that_finishes_the_work_is_taken():
    @functools.wraps(yields)
    def finished(n):
        return list(yields(n))

    assert Task(finished, 2).key


async def waits():
    return 1


async def waits_often():
    yield 1


def yields(n):
    yield from range(n)


def test_the_class_of_the_refusal_is_public(task):
    with pytest.raises(TaskAsResultError):
        bool(task)
    assert issubclass(TaskAsResultError, TypeError)


@pytest.mark.parametrize(
    ("name", "command"), [("lock", "locks"), ("is_failed", "errors")]
)
def test_what_jugs_tasks_do_one_by_one_has_a_command(task, name, command):
    with pytest.raises(AttributeError, match=f"{name}': `tg {command}`") as caught:
        getattr(task, name)()
    assert advice(caught.value) == ""
    assert not hasattr(task, name)


def test_what_jug_needs_to_forget_results_does_nothing():
    task = Task(make, 2)
    task.unload()
    task.unload_recursive()
    assert task.is_loaded() is False


def test_the_value_of_what_holds_no_task_needs_no_comparison():
    array = np.arange(3)
    assert value([array])[0] is array
    assert isinstance(Task(make, 2)[1], Tasklet)
