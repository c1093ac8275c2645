"""What a task needs: nothing that would stay a task, and nothing of another call."""

import datetime
import functools
import operator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from taskgraph import (
    TaskGenerator,
    Tasklet,
    UnhashableError,
    bvalue,
    open_store,
    run,
    value,
)
from taskgraph.tasks.recording import Recording, recorded_in

ARRIVED = []


@TaskGenerator
def number(i):
    return 1000 + i


@TaskGenerator
def arrives(box):
    ARRIVED.append(box)


@pytest.fixture(autouse=True)
def recording():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        yield recording
    ARRIVED.clear()


def object_array(entries):
    return np.array(entries, dtype=object)


class Hashed:
    def __init__(self, task):
        self.task = task

    def __taskgraph_hash__(self):
        return [self.task]


@pytest.mark.parametrize(
    "box",
    [
        Hashed,
        operator.itemgetter,
        lambda task: TaskGenerator(functools.partial(max, task)),
        lambda task: operator.methodcaller("get", [task]),
        lambda task: pd.Series([task], dtype=object),
        lambda task: pd.DataFrame({"a": [task]}),
        lambda task: pd.Index([task], dtype=object),
        lambda task: np.ma.MaskedArray(object_array([task])),
        lambda task: np.array([(1, task)], dtype=[("a", int), ("b", object)]),
        lambda task: np.array([(1, task)], dtype=[("a", int), ("b", object)])[0],
        lambda task: object_array([task]).view(np.recarray),
    ],
    ids=[
        "hook",
        "getter",
        "generator",
        "caller",
        "series",
        "frame",
        "index",
        "masked",
        "records",
        "record",
        "recarray",
    ],
)
def test_a_task_that_would_not_be_replaced_is_refused(box):
    with pytest.raises(
        UnhashableError, match=r"holds a task .*(not replace|stays what it is); pass"
    ):
        arrives([box(number(1))])


def test_a_refused_argument_leaves_nothing_to_the_next_task(recording):
    class Odd:
        def __taskgraph_hash__(self):
            raise ValueError("not now")

    task = number(1)
    for refused in (Odd(), object()):
        with pytest.raises((ValueError, UnhashableError)):
            arrives([task, refused])
        with pytest.raises(Exception, match=r"not now|results"):
            bvalue([task, refused])
    entries = [task]
    late = arrives(entries)
    entries.append(object())
    assert late.changed()
    assert number(2).needs == ()


class Nested:
    def __taskgraph_hash__(self):
        arrives(number(7))
        return "nested"


def test_a_hook_that_writes_down_a_task_leaves_the_outer_one_its_own(recording):
    task = arrives([number(1), Nested(), number(2)])
    assert [need.args for need in task.needs] == [(1,), (2,)]


def test_a_tasklet_may_be_a_view_of_several_tasks(recording):
    total = Tasklet([number(1), number(2)], sum)
    task = arrives(total)
    assert not total.can_load()
    run(task)
    assert value(total) == ARRIVED[-1] == 2003
    assert total.can_load()
    assert total.f is sum


def test_bvalue_gives_back_what_is_no_task(recording):
    other = object()
    task = number(1)
    run(task)
    assert bvalue([task, other]) == [1001, other]


def test_values_of_leaves_are_themselves():
    leaves = [datetime.date(2026, 1, 2), np.arange(3), print, int, object()]
    assert all(a is b for a, b in zip(value(leaves), leaves, strict=True))


class Lazy:
    def __init__(self, path, task):
        self.path, self.task = path, task

    def __jug_hash__(self):
        return self.path.encode()

    def __jug_dependencies__(self):
        return [self.task]

    def __jug_value__(self):
        return self.path.upper(), value(self.task)


def test_jugs_hooks_are_honoured(recording):
    task = arrives([Lazy("abc", number(1))])
    assert arrives([Lazy("abc", number(2))]).key == task.key
    assert arrives([Lazy("abd", number(1))]).key != task.key
    assert [need.args for need in task.needs] == [(1,)]
    run(task)
    assert ARRIVED == [[("ABC", 1001)]]


@dataclass(frozen=True)
class KnownByPath:
    path: str
    content: object = None

    def __jug_hash__(self):
        return self.path.encode()

    def __jug_value__(self):
        return self.path


def test_jugs_hooks_come_before_what_is_known_of_a_type(recording):
    tasks = [arrives(KnownByPath("a")), arrives(KnownByPath("a", number(1)))]
    assert tasks[0].key == tasks[1].key
    run(tasks[0])
    assert ARRIVED == ["a"]


def test_a_task_needs_each_task_once_in_the_order_it_was_given(recording):
    one, two, three = number(1), number(2), number(3)
    assert arrives([one, two, three]).needs == (one, two, three)
    one, two, three = number(4), number(5), number(6)
    assert arrives([two, three]).needs == (two, three)
    assert arrives([three, two, three]).needs == (three, two)
    assert arrives([one, recording.tasks[-1]]).needs == (one, recording.tasks[-2])


class EqualToAll:
    def __eq__(self, other):
        return True

    __hash__ = None

    def __taskgraph_hash__(self):
        return "equal to all"


@pytest.mark.parametrize("count", [9, 2000])
@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("at", [0, -1])
def test_what_says_that_it_is_equal_is_not_taken_for_a_task(recording, count, kind, at):
    tasks = kind(number(i) for i in range(count))
    before = arrives(tasks)
    others = list(tasks)
    others[at] = strange = EqualToAll()
    after = arrives(kind(others))

    assert before.key != after.key
    assert [len(task.needs) for task in (before, after)] == [count, count - 1]
    assert arrives(tasks).needs is not after.needs
    run(list(tasks), store=recording.results, workers=0)
    assert value(tasks) == kind(range(1000, 1000 + count))
    assert value(kind(others))[at] is strange
