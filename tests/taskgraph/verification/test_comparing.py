"""Where values differ: bit by bit, or by more than a tolerance."""

from __future__ import annotations

import copy
import math
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from taskgraph.verification.comparing import Tolerance, difference

BITWISE = Tolerance()
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@dataclass
class Point:
    x: float
    name: str = "p"


def apart(old, new, tolerance=BITWISE):
    return str(difference(old, new, tolerance) or "")


@settings(max_examples=50)
@given(plain)
def test_a_value_is_the_same_as_itself(value):
    assert apart([value], [value]) == ""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (1, 1.0, "result: int -> float"),
        (0.0, -0.0, "result: 0.0 -> -0.0"),
        (1, True, "result: int -> bool"),
        ({"a": [1, 2.0]}, {"a": [1, 3.0]}, "result['a'][1]: 2.0 -> 3.0"),
        ({"a": 1}, {"b": 1}, "result: other keys: 'a', 'b'"),
        ([1], [1, 2], "result: 1 items -> 2 items"),
        ({1, 2}, {2, 3}, "result: 2 elements differ"),
        (Point(1.0), Point(2.0), "result.x: 1.0 -> 2.0"),
        (Path("a"), Path("b"), "result"),
        (np.float32(1), np.float32(2), "result: 1.0 -> 2.0"),
        (np.zeros(2), np.zeros(3), "result: float64[2] -> float64[3]"),
        (
            np.arange(6).reshape(2, 3),
            np.arange(6).reshape(2, 3) * 2,
            "result[0][1]: 1 ",
        ),
        (
            np.array([1, "a"], object),
            np.array([1, "b"], object),
            "result[1]: 'a' -> 'b'",
        ),
        (
            np.array([(1, 2)], "i,i"),
            np.array([(1, 3)], "i,i"),
            "result['f1'][0]: 2 -> 3",
        ),
    ],
)
def test_the_first_difference_is_named(old, new, told):
    assert apart(old, new).startswith(told)
    assert apart(new, old)


@pytest.mark.parametrize("kind", [float, np.float64, lambda x: np.array([x, 1.0])])
@pytest.mark.parametrize(
    ("old", "new", "same"),
    [(1.0, 1.05, True), (1.0, 1.2, False), (0.0, 0.005, True), (0.0, 0.02, False)],
)
def test_numbers_may_differ_by_a_tolerance(kind, old, new, same):
    found = apart(kind(old), kind(new), Tolerance(relative=0.1, absolute=0.01))
    assert (not found) == same


@pytest.mark.parametrize("kind", [float, lambda x: np.array([x])])
def test_nan_is_nan_and_nothing_else(kind):
    loose = Tolerance(relative=1.0)
    assert not apart(kind(math.nan), kind(math.nan), loose)
    assert apart(kind(math.nan), kind(1.0), loose)
    assert apart(kind(1.0), kind(math.nan), loose)


def test_columns_of_tables_are_compared_one_by_one():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1, 2], "b": [1.0, 2.0]})
    assert not apart(table, table.copy())
    other = table.assign(b=[1.0, 2.5])
    assert apart(table, other) == "result['1: b'][1]: 2.0 -> 2.5 (1 of 2 differ)"
    assert not apart(table, other, Tolerance(absolute=1.0))


def of(kind, content, **attributes):
    value = kind(content)
    for name, one in attributes.items():
        setattr(value, name, one)
    return value


class Text(str):
    pass


class Counts(dict):
    pass


class Line(deque):
    pass


class WrongError(Exception):
    pass


ALIKE = {
    "mask": (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
    "items of a derived class": (of(Line, [1], k=1), of(Line, [2], k=1)),
    "attributes of a dict": (of(Counts, {1: 2}, k=1), of(Counts, {1: 2}, k=2)),
    "attributes of a text": (of(Text, "a", unit="m"), of(Text, "a", unit="s")),
    "arguments of an error": (of(WrongError, "a", k=1), of(WrongError, "b", k=1)),
    "factory": (defaultdict(int, a=1), defaultdict(list, a=1)),
    "type of a key": ({1: 2}, {True: 2}),
    "type of an element": ({1}, {1.0}),
    "sign of an element": ({0.0}, {-0.0}),
    "infinity": (math.inf, 5.0),
    "infinite part": (complex(math.inf, 0), 1 + 0j),
    "object in an array": (np.array({1}, object), np.array({2}, object)),
}


@pytest.mark.parametrize("tolerance", [BITWISE, Tolerance(1e-6)])
@pytest.mark.parametrize("what", ALIKE)
def test_what_looks_alike_is_told_apart(what, tolerance):
    old, new = ALIKE[what]
    assert apart(old, new, tolerance)
    assert apart([new], [old], tolerance)
    for value in (old, new):
        assert apart(value, copy.deepcopy(value), tolerance) == ""


def test_what_contains_itself_is_compared_as_well():
    old, new = [1], [1]
    old.append(old)
    new.append(new)
    assert apart(old, new) == ""
    assert apart(old, [2, old])
