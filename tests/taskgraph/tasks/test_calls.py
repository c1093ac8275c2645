"""Calls are made as they were written, and known in one form."""

import functools
import inspect

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from taskgraph import (
    CachedFunction,
    Task,
    TaskGenerator,
    UnhashableError,
    UsageError,
    open_store,
    run,
    value,
)
from taskgraph.execution.at_once import run_at_once
from taskgraph.tasks.recording import Recording, recorded_in

UNSET = object()
EMPTY = []
PAIR = ("unset",)


@pytest.fixture(autouse=True)
def recording():
    with recorded_in(Recording(open_store("memory://"), run_at_once)) as recording:
        yield recording


def results_of(*tasks):
    run(tasks)
    return value(list(tasks))


def passes_on(f):
    @functools.wraps(f)
    def wrapper(*args, **kw):
        return f(*args, **kw), args, kw

    return wrapper


def fills_in(f):
    @functools.wraps(f)
    def wrapper(*args, **kw):
        kw.setdefault("n", 100)
        return f(*args, **kw)

    return wrapper


def counts(f):
    @functools.wraps(f)
    def wrapper(*args, **kw):
        n = kw.get("n")
        if n is None:
            n = 100 if len(args) < 2 else args[1]
        return f(args[0], n)

    return wrapper


def injects(f):
    @functools.wraps(f)
    def wrapper(*args, **kw):
        return f("database", *args, **kw)

    return wrapper


def takes_more(f):
    @functools.wraps(f)
    def wrapper(*args, verbose=False, **kw):
        return f(*args, **kw), verbose

    return wrapper


def says_otherwise(f):
    wrapper = counts(f)
    wrapper.__signature__ = inspect.signature(f)
    return wrapper


@TaskGenerator
@passes_on
def plain(x, normalize=False):
    return x


@TaskGenerator
@fills_in
def filled(x, n=1):
    return x * n


@TaskGenerator
@counts
def counted(x, n=1):
    return x * n


@TaskGenerator
@injects
def injected(db, x, y=0):
    return db, x, y


@TaskGenerator
@takes_more
def told_more(x):
    return x


@TaskGenerator
@says_otherwise
def misleading(x, n=1):
    return x * n


@TaskGenerator
@functools.lru_cache
def remembering(x, n=1):
    return x * n


@TaskGenerator
def marked(x, y=UNSET, /, z=EMPTY, *, pair=PAIR, other=UNSET):
    marks = (y is UNSET, z is EMPTY, pair is PAIR, other is UNSET)
    return "".join("unset" if mark else "set" for mark in marks)


@TaskGenerator
def marked_simply(x, y=UNSET, z=EMPTY):
    return y is UNSET, z is EMPTY


@TaskGenerator
def one():
    return 1


def test_a_wrapper_sees_the_call_as_it_was_written():
    assert results_of(plain(1), plain(1, normalize=True), plain(x=3)) == [
        (1, (1,), {}),
        (1, (1,), {"normalize": True}),
        (3, (), {"x": 3}),
    ]


@pytest.mark.parametrize(
    ("f", "args", "kwargs", "result"),
    [
        (filled, (2,), {}, 200),
        (counted, (2,), {}, 200),
        (counted, (2,), {"n": 3}, 6),
        (injected, (1,), {}, ("database", 1, 0)),
        (injected, (1,), {"y": 3}, ("database", 1, 3)),
        (injected, (1, 2), {}, ("database", 1, 2)),
        (told_more, (1,), {"verbose": True}, (1, True)),
        (misleading, (2,), {}, 200),
        (remembering, (), {"x": 2}, 2),
    ],
    ids=str,
)
def test_what_a_wrapper_does_with_a_call_is_its_own_affair(f, args, kwargs, result):
    assert results_of(f(*args, **kwargs)) == [result]


@pytest.mark.parametrize("f", [counted, misleading, plain])
def test_calls_that_a_wrapper_can_tell_apart_have_two_keys(f):
    assert f(2).key != f(2, 1).key
    assert f(2).key != f(x=2).key


def test_what_remembers_results_is_known_by_what_it_remembers():
    assert remembering(2).key == remembering(x=2, n=1).key
    with pytest.raises(TypeError, match="unexpected keyword argument 'm'"):
        remembering(2, m=1)


@pytest.mark.parametrize("x", [1, [1], "a task"])
def test_a_default_is_known_by_identity(x):
    x = one() if x == "a task" else x
    assert results_of(marked(x)) == ["unset" * 4]
    assert results_of(marked(x, 1, z=[], pair=("unset", 2), other=3)) == ["set" * 4]
    assert results_of(marked_simply(x), marked_simply(x, z=[1])) == [
        (True, True),
        (True, False),
    ]


def test_a_mark_that_is_passed_on_is_one_that_was_left_out():
    tasks = [marked(1, UNSET, other=UNSET), marked_simply(1, UNSET), marked_simply(2)]
    assert tasks[0].key == marked(1).key
    assert tasks[1].key == marked_simply(x=1, y=UNSET).key == marked_simply(1).key
    assert results_of(*tasks[:2]) == ["unset" * 4, (True, True)]
    with pytest.raises(UnhashableError):
        marked_simply(UNSET)
    with pytest.raises(UnhashableError):
        marked_simply(1, object())


def test_a_default_that_cannot_be_passed_by_name_is_passed_by_place():
    tasks = [Task(nameless, 1), Task(nameless, 1, 2), Task(nameless, 1, 2, UNSET, {})]
    assert results_of(*tasks) == [
        (1, 3, True, {"a": 1}),
        (1, 2, True, {"a": 1}),
        (1, 2, True, {}),
    ]
    assert tasks[1].key == Task(nameless, 1, 2, UNSET, {"a": 1}).key


class Counted:
    """A decorator that is an object."""

    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f = f

    def __call__(self, *args, **kw):
        return self.f(*args, **kw), args, kw


class Proxy(Counted):
    """A decorator that says it is a function, as those of wrapt do."""

    @property
    def __class__(self):
        return type(self.f)

    @property
    def __code__(self):
        return self.f.__code__


@pytest.mark.parametrize("decorator", [Counted, Proxy])
def test_objects_that_wrap_functions_see_the_call_too(decorator):
    f = TaskGenerator(decorator(halved))
    assert f(4).key != f(4, 2).key
    assert results_of(f(4), f(x=4)) == [(2, (4,), {}), (2, (), {"x": 4})]


def halved(x, by=2):
    return x // by


def nameless(x, y=Task(len, "abc"), mark=UNSET, more={"a": 1}, /):  # noqa: B006, B008 - what is tried
    return x, y, mark is UNSET, more


def test_defaults_are_part_of_the_key():
    def of(default):
        def f(x, y=default):
            return x

        return TaskGenerator(f, name="f")

    assert of(1)(0).key == of(1)(0, 1).key == of(1)(y=1, x=0).key == of(2)(0, 1).key
    assert of(1)(0).key != of(2)(0).key
    assert of(UNSET)(0).key != of(2)(0).key


def test_a_default_that_the_jugfile_changes_is_another_argument():
    settings = {"sigma": 1}

    def f(x, given=settings):
        given["x"] = x
        return sorted(given)

    first = Task(f, 1)
    settings["sigma"] = 5
    second = Task(f, 1)
    assert first.key != second.key
    assert second.key == Task(f, 1, {"sigma": 5}).key
    assert first.changed()
    assert not second.changed()
    assert results_of(second, Task(f, 2)) == [["sigma", "x"]] * 2
    assert settings == {"sigma": 5}


def test_an_empty_default_that_the_jugfile_fills_is_refused():
    parts = []

    def f(x, given=parts):
        return len(given)

    early = Task(f, 1)
    parts.append(1)
    with pytest.raises(UsageError, match=r"default of given was empty .* pass it"):
        Task(f, 2)
    run(early, check=False)
    failure = early.recording.results.record(early.key).failure
    assert "default of given was empty" in failure.message


DEFAULT = Task(len, "abcde")


@TaskGenerator
def depends_by_default(x, y=DEFAULT, *, z=2):
    return x + y + z


def test_a_task_that_is_a_default_is_needed_and_replaced():
    task = depends_by_default(1)
    assert task.needs == (DEFAULT,)
    assert task.key != depends_by_default(1, 5).key
    assert results_of(task, depends_by_default(1, 7)) == [8, 10]


def size(f):
    return len(f)


@TaskGenerator
def named(self, cls=1, args=2, kwargs=3, name=4):
    return self, cls, args, kwargs, name


def test_arguments_may_have_any_name():
    tasks = [Task(size, f="x.tif"), named(self=1), named(cls=0, self=1, kwargs={})]
    assert results_of(*tasks) == [5, (1, 1, 2, 3, 4), (1, 0, 2, {}, 4)]
    assert CachedFunction(size, f="x.tif") == 5


def test_arguments_are_as_they_were_written():
    task = marked_simply(1, z=2)
    assert (task.args, task.kwargs) == ((1,), {"z": 2})
    partial = Task(functools.partial(named, 1, name="n"), cls=2)
    assert (partial.args, partial.kwargs) == ((1,), {"name": "n", "cls": 2})


def test_of_two_calls_with_one_key_the_first_is_made():
    first, second = Task(list, {"a": 1, "b": 2}), Task(list, {"b": 2, "a": 1})
    assert first.key == second.key
    assert results_of(first, second)[0] == ["a", "b"]


class Shape:
    @classmethod
    def of(cls, x, y=2, z=3):
        return x, y, z


@pytest.mark.parametrize("given", [(1,), (1, 5), (1, 5, 7)])
def test_class_methods_take_what_was_written(given):
    task = Task(Shape.of, *given)
    assert results_of(task) == [Shape.of(*given)]
    assert task.key == Task(Shape.of, **dict(zip("xyz", given, strict=False))).key


def test_functions_of_libraries_take_what_was_written():
    array = np.arange(6.0).reshape(2, 3)
    tasks = [Task(np.mean, array), Task(np.sum, array, keepdims=True), Task(dict, a=1)]
    mean, total, made = results_of(*tasks)
    assert (mean, total.shape, made) == (2.5, (1, 1), {"a": 1})


def all_kinds(a, /, b, c=3, *rest, d, e=5, **more):
    return a, b, c, rest, d, e, more


NAMED = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 9))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=5), NAMED)
def test_a_task_returns_what_the_call_returns(args, kwargs):
    generator = TaskGenerator(all_kinds)
    try:
        expected = all_kinds(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError):
            generator(*args, **kwargs)
        return
    task = generator(*args, **kwargs)
    assert task.f(*task.args, **task.kwargs) == expected
    a, b, c, rest, d, e, more = expected
    assert task.key == generator(a, b, c, *rest, d=d, e=e, **more).key
