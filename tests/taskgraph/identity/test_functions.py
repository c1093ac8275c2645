"""What a function is known by, and what shares no name with another."""

import datetime
import functools
import random

import numpy as np
import pytest

from taskgraph import Task, TaskGenerator, open_store, run, value
from taskgraph.errors import UnhashableError, UsageError
from taskgraph.tasks.recording import Recording, recorded_in


@pytest.fixture
def recording():
    with recorded_in(Recording(open_store("memory://"), whole=True)) as recording:
        yield recording


class Model:
    factor = 2

    def __init__(self, factor=1):
        self.own = factor

    def scaled(self, x):
        return self.own * x

    @classmethod
    def multiplied(cls, x):
        return cls.factor * x


class Other(Model):
    factor = 3


def scale(factor, x, offset=0):
    return factor * x + offset


def decorated_with(factor):
    def decorate(f):
        @functools.wraps(f)
        def multiple(*args):
            return factor * f(*args)

        return multiple

    return decorate


class Decorated:
    @classmethod
    @decorated_with(2)
    def size(cls, x):
        return len(x)


def make(factor):
    def multiple(x):
        return factor * x

    return multiple


def plain(x):
    return x + 1


@decorated_with(2)
def doubled(x):
    return x + 1


@pytest.mark.parametrize(
    "f",
    [
        "a".join,
        np.array([1, 2, 3]).sum,
        Model(2).scaled,
        np.random.default_rng(1).random,
        random.random,
        (5).__add__,
    ],
    ids=lambda f: f.__qualname__,
)
def test_a_method_of_an_object_is_refused_with_advice(f):
    with pytest.raises(UsageError, match=r"a method of an object .*write a function"):
        Task(f, 5)


@pytest.mark.parametrize("wrap", [Task, lambda f, *_: TaskGenerator(f)])
def test_a_function_that_uses_variables_of_another_is_refused_with_advice(wrap):
    with pytest.raises(UsageError, match="uses factor of the function around it"):
        wrap(make(2), 5)


def test_a_class_method_is_known_by_the_class_it_was_called_on(recording):
    tasks = [Task(Model.multiplied, 5), Task(Other.multiplied, 5)]
    run(tasks)
    assert value(tasks) == [10, 15]
    assert tasks[1].name.endswith("Other.multiplied")


def test_a_decorated_class_method_is_a_function_like_others(recording):
    task = Task(Decorated.size, "abc")
    run(task)
    assert value(task) == 6


def test_class_methods_of_compiled_classes_are_told_apart(recording):
    tasks = [Task(k.fromisoformat, "2026-11-22") for k in (datetime.date, _Day)]
    assert tasks[0].name == "datetime.date.fromisoformat"
    assert tasks[1].name.endswith("_Day.fromisoformat")


class _Day(datetime.date):
    pass


def test_methods_of_ufuncs_are_known_by_the_ufunc(recording):
    tasks = [Task(np.add.reduce, [2, 3, 4]), Task(np.multiply.reduce, [2, 3, 4])]
    run(tasks)
    assert value(tasks) == [9, 24]


def test_what_a_partial_has_is_part_of_the_key(recording):
    twice = TaskGenerator(functools.partial(scale, 2))
    named = TaskGenerator(functools.partial(scale, 3, offset=1))
    tasks = [twice(5), named(5), named(5, offset=2), Task(twice.f, 6)]
    run(tasks)
    assert value(tasks) == [10, 16, 17, 12]
    assert twice(5).key == Task(scale, 2, 5).key
    assert twice.f(5) == 10


def test_a_generator_as_an_argument_says_what_it_was_given(recording):
    twice = TaskGenerator(functools.partial(scale, 2))
    thrice = TaskGenerator(functools.partial(scale, 3))
    assert Task(repr, twice).key != Task(repr, thrice).key


def test_what_a_partial_has_must_be_plain():
    with pytest.raises(UnhashableError, match=r"scale: args\[0\]"):
        TaskGenerator(functools.partial(scale, object()))(5)


def test_a_decorated_function_that_its_name_leads_to_is_a_function(recording):
    task = Task(doubled, 5)
    argument = Task(map, doubled, [1])
    run([task])
    assert value(task) == 12
    assert argument.args[0] is doubled


def test_a_function_may_be_decorated_while_it_is_defined(recording):
    namespace = {"__name__": __name__, "g": TaskGenerator, "d": decorated_with(2)}
    exec("@g\n@d\ndef fresh(x): return x\ntask = fresh(4)", namespace)
    run([namespace["task"]])
    assert value(namespace["task"]) == 8


@pytest.mark.parametrize("write_down", [Task, lambda f, x: Task(map, f, [x])])
def test_a_variant_of_a_function_does_not_get_its_results(recording, write_down):
    with pytest.raises(
        (UsageError, UnhashableError), match=r"a function made of .*pla"
    ):
        write_down(decorated_with(3)(plain), 5)


def test_two_lambdas_of_one_name_are_refused(recording):
    TaskGenerator(lambda x: x + 1, name="n")(1)
    with pytest.raises(UsageError, match=r"n names two functions .* rename one"):
        TaskGenerator(lambda x: x + 2, name="n")(1)


def test_two_lambdas_of_one_name_are_refused_in_one_run():
    tasks = [TaskGenerator(f, name="n")(1) for f in (lambda x: x, lambda x: -x)]
    with pytest.raises(UsageError, match="n names two functions"):
        run(tasks)


def test_functions_with_a_name_by_hand_may_differ_in_what_they_were_given(recording):
    tasks = [TaskGenerator(make(k), name=f"times {k}")(5) for k in (2, 3)]
    run(tasks)
    assert value(tasks) == [10, 15]


def test_functions_that_were_given_different_things_are_two(recording):
    TaskGenerator(make(2), name="n")(5)
    TaskGenerator(make(2), name="n")(6)
    with pytest.raises(UsageError, match="n names two functions"):
        TaskGenerator(make(3), name="n")(5)


def test_two_versions_of_a_function_may_stand_side_by_side(recording):
    tasks = [
        TaskGenerator(f, name="n", version=place)(1)
        for place, f in enumerate([lambda x: x + 1, lambda x: x + 2])
    ]
    run(tasks)
    assert value(tasks) == [2, 3]


def test_a_function_is_defined_anew_in_a_notebook():
    def cell(number):
        namespace = {"__name__": "__main__", "TaskGenerator": TaskGenerator}
        exec(f"@TaskGenerator\ndef f(x): return x + {number}", namespace)
        return namespace["f"]

    with recorded_in(Recording(open_store("memory://"))):
        first, second = cell(1)(5), cell(2)(6)
        run([first, second])
    assert value([first, second]) == [6, 8]


def test_a_function_that_calls_itself_uses_no_variable(recording):
    def factorial(n):
        return n * factorial(n - 1) if n else 1

    task = Task(factorial, 5)
    run(task)
    assert value(task) == 120


@pytest.mark.parametrize(
    ("f", "args", "expected"),
    [
        (np.array, ([1, 2],), [1, 2]),
        (np.sqrt, (4.0,), 2),
        (np.add, (1, 2), 3),
        (np.concatenate, ([[1], [2]],), [1, 2]),
        (np.mean, ([1, 3],), 2),
        (sum, ([1, 2],), 3),
        (sorted, ([2, 1],), [1, 2]),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_compiled_functions_get_the_arguments_that_were_written(f, args, expected):
    with recorded_in(Recording(open_store("memory://"))) as recording:
        task = Task(f, *args)
        run(recording.tasks)
        assert np.array_equal(value(task), expected)
