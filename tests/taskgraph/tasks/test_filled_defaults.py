"""What a function puts into a default is not there for the next task."""

import gc
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskgraph import Task, TaskGenerator, memory, open_store, run, value
from taskgraph.execution.at_once import run_at_once
from taskgraph.identity.defaults import LIVE
from taskgraph.tasks.recording import Recording, recorded_in


@pytest.fixture(autouse=True)
def recording():
    with recorded_in(Recording(open_store("memory://"), run_at_once)) as recording:
        yield recording


def results_of(*tasks):
    run(tasks)
    return value(list(tasks))


def test_no_task_finds_what_another_one_left_in_a_default():
    def remembers(x, seen=[], *, counts={}, last=deque()):  # noqa: B006 - what is tried
        seen.append(x)
        counts[x] = counts.get(x, 0) + len(counts)
        last.append(x)
        return seen, counts, list(last)

    keys = [Task(remembers, i).key for i in range(3)]
    expected = [([i], {i: 0}, [i]) for i in range(3)]
    assert results_of(*[Task(remembers, i) for i in range(3)]) == expected
    assert [Task(remembers, i).key for i in range(3)] == keys


def test_a_task_that_is_tried_again_finds_its_defaults_empty():
    def fails_first(x, seen=[]):  # noqa: B006 - what is tried
        seen.append(x)
        if not tried:
            tried.append(x)
            raise OSError
        return len(seen)

    tried = []
    task = TaskGenerator(fails_first, name="fails_first", retries=1)(7)
    assert results_of(task) == [1]


class Pile:
    """Grows, and cannot be emptied."""

    def __init__(self):
        self.height = 0

    def __len__(self):
        return self.height


def test_a_default_that_cannot_be_emptied_is_refused_by_the_next_task():
    def grows(x, pile=Pile()):  # noqa: B008 - what is tried
        pile.height += 1
        return pile.height

    tasks = [Task(grows, i) for i in range(2)]
    run(tasks, check=False)
    results = tasks[0].recording.results
    assert results.load(tasks[0].key) == 1
    assert "pile=None" in results.record(tasks[1].key).failure.message


def test_what_is_no_tasks_own_is_not_taken_out_of_a_default():
    notes = []

    def keeps(x, seen=notes):
        seen.append(x)

    task = Task(keeps, 1)
    notes.append("mine")
    run([task], check=False)
    failure = task.recording.results.record(task.key).failure
    assert "was filled before it was made" in failure.message
    assert notes == ["mine"]


@TaskGenerator
def inner(x, seen=[]):  # noqa: B006 - what is tried
    seen.append(x)
    return seen


@pytest.mark.parametrize("arguments", [(1,), ([1],)], ids=["plain", "looked at"])
def test_a_function_that_a_task_calls_by_itself_finds_its_default_empty(arguments):
    def outer(i, _):
        return inner.f(i), len(inner.f(i))

    outer = TaskGenerator(outer, name="outer")
    expected = [([i, i], 2) for i in range(3)]
    assert results_of(*[outer(i, *arguments) for i in range(3)]) == expected


def test_what_was_in_a_default_before_a_task_stays_there():
    def outer(i):
        return len(inner.f(i))

    inner.f.__defaults__[0].append("mine")
    try:
        assert results_of(Task(outer, 1)) == [2]
        assert inner.f.__defaults__[0] == ["mine", 1]
    finally:
        inner.f.__defaults__[0].clear()


def test_defaults_of_functions_that_are_gone_are_forgotten():
    def made():
        def one(x, seen=[]):  # noqa: B006 - what is tried
            return x

        return TaskGenerator(one, name="one")

    gc.collect()
    before = len(LIVE)
    generator = made()
    assert len(LIVE) == before + 1
    for _ in range(9):
        generator = made()
    gc.collect()
    assert len(LIVE) == before + 1
    assert LIVE[-1]().value is generator.f.__defaults__[0]


def test_a_thread_leaves_alone_what_another_one_fills():
    begun, quick_begun, filled, quick_ended = (threading.Event() for _ in range(4))
    memo = memory("memory://")

    def collects(x, seen=[]):  # noqa: B006 - what is tried
        begun.set()
        assert quick_begun.wait(60)
        seen.append(x)
        filled.set()
        assert quick_ended.wait(60)
        return list(seen)

    def quick(x):
        quick_begun.set()
        assert filled.wait(60)
        return x

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(memo(collects, name="collects"), 1)
        assert begun.wait(60)
        assert pool.submit(memo(quick, name="quick"), 2).result() == 2
        quick_ended.set()
        assert slow.result() == [1]
