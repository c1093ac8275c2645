"""What cannot be loaded again is refused when it is stored, whoever stores it."""

import collections
import datetime

import numpy as np
import pytest

from taskgraph import UnstorableError
from taskgraph.results import codec, pickled


class TwoArgumentsError(Exception):
    def __init__(self, path, line):
        super().__init__(f"{path}:{line}")


class NeedsMore:
    def __new__(cls, x):
        return object.__new__(cls)


class NoState:
    def __init__(self):
        self.x = 1

    def __setstate__(self, state):
        raise ValueError("another version")


class LooksInside:
    def __init__(self):
        self.held = {"a": 1}

    def __getattr__(self, name):
        return self.held[name]


class Scaled:
    """Changes its array in place when it is loaded."""

    def __init__(self, array):
        self.array = array

    def __setstate__(self, state):
        self.array = state["array"]
        self.array *= 2


class Holding:
    def __init__(self, part):
        self.part = part


LOST = [
    (np.finfo(np.float64), "finfo"),
    (TwoArgumentsError("a", 1), "line"),
    (NeedsMore(1), "NeedsMore"),
    (NoState(), "ValueError: another version"),
    (LooksInside(), "RecursionError"),
]


def back(value):
    return codec.decode(codec.encode(value, str, None), None)


@pytest.mark.parametrize(("value", "why"), LOST, ids=lambda one: type(one).__name__)
def test_what_is_pickled_but_cannot_be_loaded_is_refused(value, why):
    with pytest.raises(UnstorableError, match=f"(?s)not loaded again.*{why}.*return"):
        codec.encode(value, str, None)


def test_the_part_that_cannot_be_stored_is_named():
    value = [1, {"model": Holding((0, np.finfo(np.float32)))}]
    place = r"its part \[1\]\['model'\]\.part\[1\] is of type finfo"
    with pytest.raises(UnstorableError, match=place):
        codec.encode(value, str, None)
    with pytest.raises(UnstorableError, match=r"part \['f'\] is of type function"):
        codec.encode({"f": lambda: 1}, str, None)


def test_trying_changes_nothing_of_the_result():
    value = Scaled(np.arange(10_000.0))
    blobs = {}
    payload = codec.encode(
        value, lambda: "b", lambda n, data: blobs.update({n: b"".join(data)}) or 1
    )
    assert np.array_equal(value.array, np.arange(10_000.0))
    found = codec.decode(payload, lambda n: memoryview(bytearray(blobs[n])))
    assert np.array_equal(found.array, 2 * np.arange(10_000.0))


def usual():
    """Yield values that go by pickle, as each holds something twice."""
    day = datetime.date(2026, 11, 30)
    yield [day, day]
    rows = [{"a": np.arange(3), "b": np.float64(1)}]
    yield [rows, rows, np.zeros(3, "M8[s]"), len]
    yield collections.Counter("aab")
    pandas = pytest.importorskip("pandas")
    yield pandas.DataFrame(
        {"a": [1, 2], "b": ["x", "y"], "c": pandas.to_datetime([1, 2])}
    )


def test_what_surely_comes_back_is_not_loaded_to_try(monkeypatch):
    def refuse(*_):
        raise AssertionError("it was loaded")

    monkeypatch.setattr(pickled, "_try_to_load", refuse)
    for value in usual():
        assert codec.encode(value, str, None)[1:2] != codec.PLAIN
    with pytest.raises(UnstorableError, match="it was loaded"):
        codec.encode(Holding(1), str, None)
