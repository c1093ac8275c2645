"""Tasks in containers: each one that is found is replaced by its result."""

import argparse
import functools
import os
import time
import types
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from taskgraph import (
    TaskGenerator,
    bvalue,
    open_store,
    run,
    value,
)
from taskgraph.execution.runner import Runner
from taskgraph.identity.hashing import Encoder
from taskgraph.results.batch import Batch
from taskgraph.tasks.recording import Recording, recorded_in

ARRIVED = []


class Square(namedtuple("Square", "height width")):
    """A named tuple whose `__new__` takes something else than its fields."""

    def __new__(cls, side):
        return super().__new__(cls, side, [side])


@dataclass(frozen=True)
class Frozen:
    first: object
    rest: tuple = ()


@dataclass(slots=True)
class Slotted:
    entries: list
    computed: int = field(init=False, default=0)

    def __post_init__(self):
        self.computed = len(self.entries)


class Rows(list):
    def __init__(self, title, rows):
        super().__init__(rows)
        self.title = title


class Closed(dict):
    def __setitem__(self, key, entry):
        raise TypeError("closed")


class Noted(namedtuple("Noted", "first second")):
    pass


class Model:
    def __init__(self, *layers):
        self.layers = layers
        self.by_name = {str(i): layer for i, layer in enumerate(layers)}


class Compact:
    __slots__ = ("left", "right")


class Text(str):
    pass


@dataclass
class Titled(list):
    title: object


@TaskGenerator
def number(i):
    return 1000 + i


@TaskGenerator
def pair(i):
    return ["first", 2000 + i]


@TaskGenerator
def arrives(box):
    ARRIVED.append(box)


@pytest.fixture(autouse=True)
def recording():
    with recorded_in(Recording(open_store("memory://"))) as recording:
        yield recording
    ARRIVED.clear()


def object_array(entries):
    array = np.empty(len(entries), object)
    for place, entry in enumerate(entries):
        array[place] = entry
    return array


def with_attributes(thing, entries):
    for name, entry in named(entries).items():
        setattr(thing, name, entry)
    return thing


def compact(entries):
    thing = Compact()
    for name, entry in zip(Compact.__slots__, entries, strict=False):
        setattr(thing, name, entry)
    return thing


def named(entries):
    return {f"k{i}": entry for i, entry in enumerate(entries)}


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "dict": named,
    "ordered": lambda x: OrderedDict(reversed(named(x).items())),
    "default": lambda x: defaultdict(list, named(x)),
    "counter": lambda x: Counter(named(x)),
    "deque": lambda x: deque(x, maxlen=5),
    "namespace": lambda x: types.SimpleNamespace(**named(x)),
    "partial": lambda x: functools.partial(dict, *x[:1], **named(x[1:])),
    "slice": lambda x: slice(*x[:3]) if x else slice(None),
    "square": lambda x: Square(tuple(x)),
    "frozen": lambda x: Frozen(x, tuple(x)),
    "slotted": Slotted,
    "array": object_array,
    "rows": lambda x: Rows(x[:1], x),
    "closed": lambda x: Closed(named(x)),
    "noted": lambda x: with_attributes(Noted(1, x), x),
    "model": lambda x: Model(*x),
    "compact": compact,
    "text": lambda x: with_attributes(Text("text"), x),
    "titled": Titled,
    "called": lambda x: with_attributes(functools.partial(max, 1), x),
    "arguments": lambda x: argparse.Namespace(**named(x)),
    "chained": lambda x: ChainMap(named(x), {"last": x}),
    "table": lambda x: np.concatenate([object_array(x)] * 2).reshape(2, -1),
}

LEAVES = st.one_of(
    st.integers(0, 3),
    st.sampled_from(["text", None, 2.5]),
    st.tuples(
        st.sampled_from(["task", "item", "in a set", "a key"]), st.integers(0, 3)
    ),
)
BOXES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(
        st.sampled_from(sorted(CONTAINERS)), st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)


def built(box, tasks):
    """Return a described container, with tasks in it or with their results."""
    if not isinstance(box, tuple):
        return box
    kind, inside = box
    if kind in CONTAINERS:
        return CONTAINERS[kind]([built(entry, tasks) for entry in inside])
    result = number(inside) if tasks else 1000 + inside
    if kind == "item":
        return pair(inside)[1] if tasks else 2000 + inside
    if kind == "in a set":
        return {result, "other"} if inside % 2 else frozenset([result])
    return {result: "entry"} if kind == "a key" else result


def needed(box):
    if not isinstance(box, tuple):
        return set()
    kind, inside = box
    if kind in CONTAINERS:
        shown = inside
        if kind == "slice":
            shown = inside[:3]
        if kind == "compact":
            shown = inside[:2]
        return {key for entry in shown for key in needed(entry)}
    return {("pair" if kind == "item" else "number", inside)}


def known_by(item):
    return Encoder().encode(item)


@settings(max_examples=200, deadline=None)
@given(BOXES)
def test_every_task_that_is_found_in_a_container_is_replaced(box):
    with recorded_in(Recording(open_store("memory://"))) as recording:
        task = arrives(built(box, tasks=True))
        names = {"pair": pair, "number": number}
        assert set(task.needs) <= set(recording.tasks)
        assert {need.key for need in task.needs} == {
            names[name](i).key for name, i in needed(box)
        }
        run(task.needs)
        Runner(recording.results).run(task, Batch, str)
        expected = known_by(built(box, tasks=False))
        assert known_by(ARRIVED.pop()) == expected
        assert known_by(value(task.args[0])) == expected
        assert known_by(bvalue(task.args[0])) == expected
        assert (arrives(built(box, tasks=False)).key == task.key) == (not needed(box))


@pytest.mark.parametrize("kind", sorted(CONTAINERS))
def test_a_container_comes_back_as_what_it_was(kind, recording):
    box = CONTAINERS[kind]([number(1), "x", 3][: 2 if kind == "partial" else 3])
    run(recording.tasks)
    found = value(box)
    assert type(found) is type(box)
    assert found is not box


@pytest.mark.parametrize("kind", sorted(set(CONTAINERS) - {"slice", "tuple"}))
def test_what_a_task_does_to_a_container_stays_with_it(kind, recording):
    box = CONTAINERS[kind]([[1], [2]] if kind != "partial" else [[(1, 2)], [2]])
    tasks = [spoils(box, i) for i in range(2)]
    run(tasks)
    assert tasks[0].result == tasks[1].result
    assert not tasks[0].changed()


@TaskGenerator
def spoils(box, i):
    before = known_by(box)
    for entry in _lists(box):
        entry.append("spoiled")
    assert known_by(box) != before
    return before


def _lists(box):
    from taskgraph.identity.containers import parts

    return [part for part in parts(box) if type(part) is list and part in ([1], [2])]


def test_the_lasting_attributes_of_containers_are_kept(recording):
    bounded = value(deque([1], maxlen=3))
    counted = value(Counter({"a": 2}))
    called = functools.partial(max, 1)
    called.note = "mine"
    assert bounded.maxlen == 3
    assert counted == Counter("aa")
    assert value(called).note == "mine"
    assert value(defaultdict(list)).default_factory is list


@pytest.mark.parametrize("tuple_like", [os.stat("."), time.localtime()])  # noqa: PTH116
def test_tuples_that_cannot_be_made_come_back_as_they_are(tuple_like):
    assert value([tuple_like])[0] is tuple_like


def test_results_that_are_equal_do_not_swallow_entries(recording):
    boxes = [
        {number(1): 1, 1001: 2},
        {number(1), 1001},
        OrderedDict({number(1): 1, 1001: 2}),
    ]
    tasks = [arrives(box) for box in boxes]
    run(recording.tasks, check=False)
    for task in tasks:
        failure = recording.results.record(task.key).failure
        assert "have equal results: an entry would be lost" in failure.message
        assert "Use a list" in failure.message
