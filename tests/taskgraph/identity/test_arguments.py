"""What tasks do to their arguments, and what is said of it."""

import numpy as np
import pytest

from taskgraph import TaskGenerator, open_store, run, value
from taskgraph.errors import OptionError
from taskgraph.tasks.recording import Recording, recorded_in


@TaskGenerator
def pop(items):
    return items.pop()


@TaskGenerator
def count(items):
    return len(items)


@TaskGenerator
def clear(array):
    array[:] = 0
    return "cleared"


@TaskGenerator
def total(array):
    return int(array.sum())


@TaskGenerator(retries=2)
def pops_until_empty(items):
    items.pop()
    raise ValueError(f"{len(items)} are left")


@TaskGenerator(retries=2)
def spoils(array):
    array += 1
    raise ValueError("no luck")


@pytest.fixture
def recording():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        yield recording


def failure(task):
    return task.recording.results.record(task.key).failure


def test_a_list_that_two_tasks_get_is_each_ones_own(recording):
    shared = [1, [2], 3]
    tasks = [pop(shared), count(shared), pop({"a": 1, "b": shared}["b"])]
    run(tasks)
    assert value(tasks) == [3, 3, 3]
    assert shared == [1, [2], 3]


def test_another_try_begins_with_the_arguments_that_were_written(recording):
    task = pops_until_empty([1, 2, 3])
    run(task, check=False)
    assert failure(task).message == "2 are left"


def test_a_task_that_spoils_its_array_reports_its_own_error(recording):
    task = spoils(np.arange(3))
    run(task, check=False)
    record = recording.results.record(task.key)
    assert record.failure.error == "ValueError"
    assert record.failure.message.startswith("no luck. It was not tried again, because")
    assert record.attempt == 1


def test_who_changed_an_array_is_told(recording):
    shared = np.arange(3)
    tasks = [total([shared]), clear(shared), total(shared)]
    run(tasks, check=False)
    assert "test_arguments.clear(" in failure(tasks[2]).message
    assert "changed it; pass a copy" in failure(tasks[2]).message


def test_an_array_that_the_jugfile_changed_is_no_tasks_fault(recording):
    shared = np.arange(3)
    task = total(shared)
    shared[0] = 7
    run(task, check=False)
    assert "the jugfile or another task did that" in failure(task).message


@pytest.mark.parametrize(
    "options",
    [
        {name: wrong}
        for name, values in {
            "retries": (-1, 1.5, float("nan"), float("inf"), 1e12, "5", None, True),
            "timeout": (-1, 0, float("nan"), float("inf"), 1e12, "5", True),
        }.items()
        for wrong in values
    ],
    ids=str,
)
def test_an_option_that_makes_no_sense_is_refused_at_the_decorator(options):
    with pytest.raises(OptionError, match=rf"{next(iter(options))}=.*; give "):
        TaskGenerator(**options)(len)
