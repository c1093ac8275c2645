"""Objects of one's own classes: known by all that they hold, copied for each task."""

import dataclasses
import datetime
import functools
import pickle
import threading
import types
from collections import namedtuple

import numpy as np
import pytest

from taskgraph import TaskGenerator, open_store, run, value
from taskgraph.errors import JugfileError, UnhashableError
from taskgraph.identity.hashing import Encoder
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.recording import Recording, recorded_in


class Model:
    """What learns, and keeps what it learned in all kinds of places."""

    def __init__(self, rate=1.0):
        self.rate = rate
        self.weights = np.zeros(3)
        self.layers = [np.zeros(2), {"bias": np.zeros(1)}]
        self.seen = []
        self.inner = types.SimpleNamespace(times=[0])

    def fit(self, x):
        self.weights += self.rate * x
        self.layers[0] += x
        self.layers[1]["bias"] += x
        self.seen.append(x)
        self.inner.times[0] += 1
        return self


class Slotted:
    __slots__ = ("seen",)

    def __init__(self):
        self.seen = []

    def fit(self, x):
        self.seen.append(x)
        return self


@dataclasses.dataclass(frozen=True)
class Frozen:
    seen: list

    def fit(self, x):
        self.seen.append(x)
        return self


class Log(list):
    def fit(self, x):
        self.append(x)
        return self


class Nothing:
    """What stands for a missing value, known by identity."""


MISSING = Nothing()


@TaskGenerator
def fit(model, x):
    return summary(model.fit(x))


@TaskGenerator
def is_missing(marker):
    return marker is MISSING


@TaskGenerator
def of(settings):
    return settings


def summary(model):
    return Encoder().encode(model)


@pytest.fixture(autouse=True)
def recording():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        yield recording


@pytest.mark.parametrize("make", [Model, Slotted, lambda: Frozen([]), Log])
def test_fitting_a_model_twice_is_two_clean_calls(make):
    model = make()
    tasks = [fit(model, 2), fit(model, 2.0), fit(model, 2)]
    run(tasks)
    assert value(tasks) == [summary(make().fit(x)) for x in (2, 2.0, 2)]
    assert summary(model) == summary(make())


def test_another_try_begins_with_the_model_that_was_written(recording):
    @TaskGenerator(name="fails", retries=2)
    def fails(model):
        model.fit(1)
        raise ValueError(f"seen {model.seen}")

    task = fails(Model())
    run(task, check=False)
    assert recording.results.record(task.key).failure.message == "seen [1]"


def test_a_model_with_a_task_in_it_gets_its_result():
    rate = fit.f  # a plain function
    first = of([1.5])
    model = Model(first[0])
    task = fit(model, 2)
    run(task)
    assert task.needs == (first,)
    assert value(task) == rate(Model(1.5), 2)
    assert model.rate is not value(model).rate == 1.5


def test_an_object_without_attributes_is_the_very_same_in_the_task():
    task = is_missing(MISSING)
    run(task)
    assert value(task) is True


def test_a_model_that_changed_after_the_call_was_written_is_noticed():
    model = Model()
    task = fit(model, 2)
    assert not task.changed()
    model.weights[1] = 7
    assert task.changed()
    assert fit(model, 2).key != task.key


def test_an_object_that_is_only_looked_at_does_not_change():
    class_of_now = of(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC))
    masked = np.ma.array([1.0], mask=[0])
    task = of(masked)
    assert masked.fill_value == 1e20
    assert not task.changed()
    assert not class_of_now.mutable


Row = namedtuple("Row", "name area")


@pytest.mark.parametrize(
    "value", [Row("a", 1), Model(), Slotted(), Frozen([1]), Log([1])]
)
def test_what_was_pickled_or_looked_at_has_the_same_key(value):
    before = summary(value)
    pickle.loads(pickle.dumps(value))
    assert isinstance(getattr(type(value), "__annotations__", {}), dict)
    assert summary(value) == before


class Guarded:
    def __init__(self):
        self.lock = threading.Lock()


class Ends:
    def __del__(self):
        pass


class Pickles:
    def __reduce__(self):
        return Pickles, ()


def inside_itself():
    model = Slotted()
    model.seen.append(model)
    return model


REFUSED = {
    "a lock": (Guarded, r"\.lock", "no stable hash; .* or leave .* out .* ignore="),
    "an own __del__": (Ends, "", "has a __del__ of its own"),
    "an own __reduce__": (Pickles, "", "has a __reduce__ of its own"),
    "a function inside": (
        lambda: types.SimpleNamespace(f=lambda x: x),
        r"\.f",
        "define it with def",
    ),
    "an exception": (lambda: ValueError("x"), "", "no stable hash"),
    "a method": (lambda: Model().fit, "", "a method of an object"),
    "itself": (inside_itself, r"\.seen\[0\]\.seen", "inside itself"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_may_hold_more_is_refused_with_the_place_and_the_way_out(case):
    make, place, why = REFUSED[case]
    with pytest.raises(
        UnhashableError, match=rf"of: args\[0\]\[1\]{place}.*{why}"
    ) as e:
        of([0, make()])
    assert len(str(e.value)) < 500


def loaded(tmp_path, text):
    (tmp_path / "script.py").write_text(f"from taskgraph import *\n{text}")
    return Jugfile(tmp_path / "script.py").load(open_store("memory://"))


DEFINED_AGAIN = {
    "a function": "def f(x): return x {}\n",
    "a class": "class f:\n    n = 1 {}\n",
    "a task generator": "@TaskGenerator\ndef f(x): return x {}\n",
}
TWICE = """
@TaskGenerator
def apply(f): return f
{}
first = apply(f)
{}
second = apply(f)
"""


@pytest.mark.parametrize("kind", DEFINED_AGAIN)
def test_two_things_of_one_name_are_refused_as_arguments(kind, tmp_path):
    definition = DEFINED_AGAIN[kind]
    same, other = definition.format("+ 1"), definition.format("+ 2")
    graph = loaded(tmp_path, TWICE.format(same, same)).graph
    assert len(graph.tasks) == 1
    with pytest.raises(JugfileError, match=r"f names two things.* rename one"):
        loaded(tmp_path, TWICE.format(same, other))


def test_an_object_of_a_class_that_was_defined_again_is_refused(tmp_path):
    script = """
@TaskGenerator
def size(box): return box.n
class Box: n = 1
one = size(Box())
class Box: n = 2
two = size(Box())
"""
    with pytest.raises(JugfileError, match=r"Box names two things"):
        loaded(tmp_path, script)


def test_in_a_notebook_a_class_may_be_defined_again():
    def define(n):
        made = type("Again", (), {"n": n, "__module__": __name__})
        globals()["Again"] = made
        return made()

    assert of(define(1)).key == of(define(2)).key


def test_what_a_partial_carries_counts():
    one, other = (functools.partial(max, 1) for _ in range(2))
    other.unit = "m"
    assert of(one).key != of(other).key
    assert of(one).key == of(functools.partial(max, 1)).key


def test_a_table_is_an_objects_own_too():
    pandas = pytest.importorskip("pandas")

    class_ = types.SimpleNamespace
    boxed = class_(model=Boxed(pandas.DataFrame({"a": [1, 2]})))
    tasks = [spoil(boxed, i) for i in range(2)]
    run(tasks)
    assert value(tasks) == [[7, 2], [7, 2]]


class Boxed:
    def __init__(self, table):
        self.table = table


@TaskGenerator
def spoil(boxed, i):
    boxed.model.table.loc[0, "a"] = 7
    return boxed.model.table["a"].tolist()
