"""Tasks of numbers and texts get their keys many at once, and the same as ever."""

import sys
import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st

from taskgraph import Task, TaskGenerator, UsageError
from taskgraph.compound import CompoundTask
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in

one = TaskGenerator(divmod, name="100 % of d, %d and %b")


def two_of(x=1, y="%d;"):
    return x, y


def any_of(*values):
    return values


def dear(x, scratch=None):
    return x, scratch


two, rest = TaskGenerator(two_of, version="50 %"), TaskGenerator(any_of)
ignoring = TaskGenerator(dear, ignore="scratch")
GENERATORS = (TaskGenerator(abs), two, rest, ignoring, one)
SCALARS = st.one_of(
    st.integers(),
    st.booleans(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.just("\ud800"),
    st.just(10**5000),
    st.just(-(10**4300)),
)
CALLS = st.tuples(
    st.sampled_from(GENERATORS), st.lists(SCALARS | st.none(), max_size=2)
)


def written(calls):
    for generator, args in calls:
        with suppress(TypeError):  # it takes one, or more
            yield generator(*args)


def has_key(task):
    try:
        object.__getattribute__(task, "key")
    except AttributeError:
        return False
    return True


@settings(max_examples=50)
@given(st.lists(CALLS, max_size=40), st.data())
def test_keys_are_those_of_each_call_alone(calls, data):
    with recorded_in(Recording()) as recording:
        tasks = list(written(calls))
        if tasks and data.draw(st.booleans()):
            _ = data.draw(st.sampled_from(tasks)).key
            tasks += written(calls[::2])
        graph = Graph(recording.tasks)
    for task in tasks:
        assert task.key == task.generator.key_of(task)
        assert task.key in graph


def test_who_asks_for_one_key_gets_all():
    with recorded_in(Recording()):
        tasks = [two(x) for x in range(100)]
        assert not any(map(has_key, tasks))
        _ = tasks[50].key
        assert all(map(has_key, tasks))


def test_keys_that_are_asked_for_one_by_one_are_soon_there_at_once():
    with recorded_in(Recording()):
        for x in range(200):
            Task(any_of, two(x))
        assert has_key(two(5))


def test_keys_of_threads_are_all_given():
    recording = Recording(whole=True)
    found = []

    def write(first):
        found.extend([two(x) for x in range(first, first + 2000)])

    with recorded_in(recording):
        threads = [threading.Thread(target=write, args=(1000 * n,)) for n in range(4)]
        switching = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                _ = [task.key for task in found[-10:]]
        finally:
            sys.setswitchinterval(switching)
            for thread in threads:
                thread.join()
    assert len(found) == 8000
    assert all(task.key == two.key_of(task) for task in found)


def test_a_compound_is_known_by_its_call_and_not_by_its_inside():
    def extent(x):
        return [two(x), two(x + 1)]

    with recorded_in(Recording()):
        whole = CompoundTask(TaskGenerator(extent, name="extent"), 5)
        assert whole.key == TaskGenerator(extent, name="extent")(5).key


def test_a_renamed_task_has_the_key_of_its_new_name():
    with recorded_in(Recording()):
        task, other = two(1), two(2)
        task.name = "renamed"
        assert task.key == TaskGenerator(two_of, name="renamed", version="50 %")(1).key
        assert other.key == two.key_of(other)


def test_what_a_task_lacks_is_still_told():
    with recorded_in(Recording()), pytest.raises(AttributeError, match="'shape'"):
        _ = two(1).shape


def test_a_name_that_stands_for_two_functions_is_refused_at_the_call():
    def f(x):
        return x

    first = TaskGenerator(f)

    def f(x):
        return -x

    with recorded_in(Recording(whole=True)):
        first(1)
        with pytest.raises(UsageError, match="two functions"):
            TaskGenerator(f)(1)
