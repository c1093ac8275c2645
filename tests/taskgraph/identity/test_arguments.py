"""What tasks do to their arguments, and what is said of it."""

import numpy as np
import pytest

from taskgraph import TaskGenerator, open_store, run, value
from taskgraph.errors import ArgumentChangedError, OptionError
from taskgraph.execution.runner import Runner
from taskgraph.results.batch import Batch
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


UNKNOWN = "the jugfile or a task did that, nobody knows which"
KEPT = np.arange(6)


@TaskGenerator
def clear_kept(_):
    KEPT[:] = 0


@TaskGenerator
def clear_last(*arrays):
    arrays[-1][:] = 0


def told(tasks):
    run(tasks, check=False)
    return failure(tasks[-1]).message.split("written down: ")[1]


def test_who_changed_an_array_is_told(recording):
    shared = np.arange(3)
    message = told([total([shared]), clear(shared), total(shared)])
    assert message.startswith(f"{__name__}.clear(")
    assert "changed it; pass a copy" in message


def test_who_changed_a_view_is_told(recording):
    shared = np.arange(6)
    message = told([count(shared), clear(shared[1:3]), total(shared)])
    assert message.startswith(f"{__name__}.clear(")
    assert "changed it; pass a copy" in message


def test_who_refused_a_changed_array_did_not_change_it(recording):
    shared = np.arange(3)
    message = told([clear(shared), count(shared), total(shared)])
    assert message.startswith(f"{__name__}.clear(")
    assert "changed it; pass a copy" in message


def test_who_had_an_array_before_another_is_not_named_alone(recording):
    message = told([total(KEPT), clear_kept(1), count(KEPT)])
    KEPT[:] = range(6)
    assert "or a task that ran later (of 1)" in message
    assert "nobody knows which" in message


def test_who_changed_something_else_is_not_named_for_certain(recording):
    """`clear_last` changes `other` only; nobody can see that it did not change both."""
    shared, other = np.arange(6), np.arange(6)
    tasks = [clear_last(shared, other), total([shared, KEPT])]
    KEPT[0] = 7
    message = told(tasks)
    KEPT[0] = 0
    assert message.startswith(f"{UNKNOWN} (perhaps {__name__}.clear_last(")


def test_who_has_another_part_of_the_memory_is_not_named(recording):
    whole = np.arange(6)
    tasks = [clear(whole[3:]), total(whole[:3])]
    whole[0] = 7
    assert told(tasks).startswith(f"{UNKNOWN};")


def test_a_task_that_changed_its_own_array_is_named_when_it_runs_again(recording):
    again, batch = clear(np.arange(3)), Batch()
    runner = Runner(recording.results, debug=True)
    runner.run(again, lambda: batch, str)
    with pytest.raises(ArgumentChangedError, match=r"clear\(.*\) changed it; pass"):
        runner.run(again, lambda: batch, str)


def test_an_array_that_the_jugfile_changed_is_no_tasks_fault(recording):
    shared = np.arange(3)
    task = total(shared)
    shared[0] = 7
    assert told([task]).startswith(f"{UNKNOWN};")


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
