"""The arguments of tasks, kept as plain data beside the graph."""

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from taskgraph import File, Task, TaskGenerator
from taskgraph.calls.kept import Call, Calls, Signature, arguments_of, pack_block
from taskgraph.calls.packing import calls_of, signature_of
from taskgraph.calls.past import Past
from taskgraph.calls.text import call_text
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.unsafe import NoHash


def f(x, y=2, *rest, threads=1, **more):
    return x


@dataclass(frozen=True)
class Settings:
    folder: str
    sigma: float


class Point(NamedTuple):
    x: int
    y: int


class Colour(enum.Enum):
    RED = 1


def kept(*args, **kwargs):
    """Return what is kept of a call of `f`."""
    with recorded_in(Recording()):
        (call,) = calls_of([Task(f, *args, **kwargs)])
    return call


def shown(*args, **kwargs):
    return call_text(kept(*args, **kwargs), lambda key: "job.load", 200)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


def tupled(value):
    """Return a value with tuples in the place of lists."""
    if isinstance(value, list):
        return tuple(map(tupled, value))
    if isinstance(value, dict):
        return {key: tupled(item) for key, item in value.items()}
    return value


@settings(max_examples=50)
@given(st.lists(plain, min_size=1, max_size=4), st.data())
def test_plain_arguments_are_kept_as_they_are(args, data):
    by_name = data.draw(st.dictionaries(st.sampled_from(["threads", "z"]), plain))
    large = [*args, *by_name.values()]
    call = kept(*args, **by_name)

    if not any("int of" in repr(part) or len(repr(part)) > 150 for part in large):
        small = all(-(2**63) <= n < 2**63 for n in numbers_in(large))
        assert not small or call == Call(tupled(args), tupled(by_name))


def numbers_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in numbers_in(item)]
    return [value] if isinstance(value, int) else []


def test_objects_are_kept_by_their_fields():
    assert shown(Settings("/a", 1.5)) == "Settings(folder='/a', sigma=1.5)"
    assert shown(Point(1, 2)) == "Point(x=1, y=2)"
    assert shown(str.upper) == "builtins.str.upper"
    assert shown(Colour.RED) == "<Colour.RED: 1>"
    assert shown(Path("/a/b")) == "PosixPath('/a/b')"
    assert shown(np.zeros((3, 4))) == "ndarray(3, 4)float64"
    assert shown(NoHash(3)) == "NoHash"
    assert shown(len) == "builtins.len"
    assert shown({1: "a"}) == "dict('1': 'a')"


def test_files_are_kept_by_path_and_tasks_by_key(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a")
    assert shown(File(path)).startswith("File('/")
    with recorded_in(Recording()):
        task = Task(f, 1)
        (call,) = calls_of([Task(f, task, [task["a"]])])
    digits = task.key.hex()[:8]
    text = call_text(call, {task.key: "job.load"}.get)
    assert text == f"load:{digits}, [load:{digits}['a']]"


def test_of_what_is_large_little_is_kept():
    big = list(range(10_000))
    deep = []
    for _ in range(100):
        deep = [deep]
    with recorded_in(Recording()):
        tasks = [Task(f, number, big, "a" * 5000, deep) for number in range(50)]
        calls = calls_of(tasks)

    assert sum(len(data) for _, data in calls.blocks) < 5000
    assert [call.args[0] for call in calls] == list(range(50))
    assert "5000 long" in call_text(calls.at(7), str, 500)


def test_long_texts_that_differ_in_the_middle_are_told_apart():
    one, other = ("a" * 500 + middle + "b" * 500 for middle in "xy")
    assert kept(one) != kept(other)


class Rude:
    """Nobody may look at it."""

    def __taskgraph_hash__(self):
        return "rude"

    def __repr__(self):
        raise RuntimeError


def test_an_object_that_cannot_be_shown_stops_nothing():
    assert shown(Rude()) == "<Rude>"


def test_a_call_is_found_at_its_place_also_after_cutting_and_joining():
    with recorded_in(Recording()):
        calls = calls_of([Task(f, number) for number in range(3000)])
    cut = calls.first(1500)

    assert (len(cut), cut.at(1499), cut.at(1500)) == (1500, Call((1499,)), None)
    assert cut + Calls(((1, pack_block([7])),)) == calls.first(1500) + Calls(
        ((1, pack_block([7])),)
    )
    assert [*calls.first(0)] == []
    assert calls.first(1024) + calls.first(1) != calls.first(1025)


@pytest.mark.parametrize("data", [b"", b"nonsense", pack_block([1, 2])])
def test_what_cannot_be_read_of_a_stranger_is_unknown(data):
    calls = Calls(((1, data),))
    assert calls.at(0) is None
    assert [*calls] == [Call()]
    assert Signature.decode(data) == Signature()


def test_arguments_that_do_not_count_are_left_out_and_defaults_filled_in():
    with recorded_in(Recording()):
        written = TaskGenerator(f, ignore=("threads",), version=3)
        (call,) = calls_of([written(1, threads=9)])
    signature = Signature.decode(signature_of(written).encode())

    assert signature.version == "3"
    assert arguments_of(call, signature) == {"x": 1, "y": 2}


def test_of_one_key_the_last_call_is_kept():
    key, other = b"k" * 20, b"l" * 20
    past = Past.of([(key, "f", (1,)), (other, "g", 4), (key, "f", (2,))])
    assert dict.fromkeys(key for key, *_ in past.rows()) == {key: None, other: None}
    assert [call for *_, call in past.rows()] == [(2,), 4]
