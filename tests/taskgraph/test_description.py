"""What people see of a call: short, and told apart from its neighbours."""

from collections import Counter, OrderedDict, defaultdict, deque

import pandas
import pytest

from taskgraph.cli.printing import one_line
from taskgraph.description import brief, describe, summary
from taskgraph.displays.cells import cell

FOLDER = "/data/2026/screen-of-everything/plate-0001/well-A01/"


class Shapeless:
    @property
    def shape(self):
        raise ValueError("not loaded yet")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((FOLDER + "image-0001.tif",), (FOLDER + "image-0002.tif",)),
        ((FOLDER.encode() + b"1",), (FOLDER.encode() + b"2",)),
        ((list(range(9)),), ([*range(8), 9],)),
        (({"sigma": 1.0},), ({"sigma": 2.0},)),
        ((FOLDER, FOLDER, FOLDER + "1"), (FOLDER, FOLDER, FOLDER + "2")),
        ((FOLDER, FOLDER + "1", FOLDER), (FOLDER, FOLDER + "2", FOLDER)),
        (tuple(range(20)), (*range(19), 20)),
        ((complex(10**200, 10**200), 1), (complex(10**200, 10**200), 2)),
    ],
)
def test_calls_that_differ_late_look_different(one, other):
    assert summary(one, {}) != summary(other, {})
    assert max(len(summary(one, {})), len(summary(other, {}))) <= 80


@pytest.mark.parametrize("count", [1, 2, 8, 9, 1000])
@pytest.mark.parametrize("limit", [40, 80])
def test_a_summary_never_exceeds_its_limit(count, limit):
    kwargs = {f"argument_{number}": "x" * 100 for number in range(count)}
    assert len(summary(("y" * 10_000,), kwargs, limit)) <= limit


def test_a_call_never_exceeds_its_limit():
    assert len(describe("divmod", ("x" * 10_000, 10**100), {})) <= 80


def test_deep_containers_are_shown_to_a_depth():
    deep = 0
    for _ in range(10_000):
        deep = [deep, deep, deep]
    assert brief(deep).count("3 items") == 9


@pytest.mark.parametrize("value", [Shapeless(), [Shapeless()], {1: Shapeless()}])
def test_whatever_it_is_it_is_shown(value):
    assert "Shapeless" in brief(value)


class Tall:
    def __repr__(self):
        return "Tall:\n  1\n  2"


def test_whatever_it_is_it_is_one_line():
    assert brief(pandas.DataFrame({"area": [1, 2]})) == "DataFrame(2, 1)"
    assert brief([Tall()]) == "list(Tall: 1 2)"


def test_a_line_of_what_contains_itself_ends():
    within = [1, 10**5000]
    within.append(within)
    assert one_line(within).startswith("list(1, int of 16610 bits")


class Loud:
    """What is in the middle of a container that is shown."""

    def __repr__(self):
        raise AssertionError("this one is not to be shown")


ITEMS = [1.5, 2.5, *[Loud()] * 1000, 3.5]
CONTAINERS = [
    *(list(ITEMS), tuple(ITEMS), deque(ITEMS)),
    *(OrderedDict(enumerate(ITEMS)), defaultdict(list, enumerate(ITEMS))),
    Counter(dict(enumerate(ITEMS))),
]


@pytest.mark.parametrize("box", CONTAINERS, ids=lambda box: type(box).__name__)
def test_of_a_large_container_only_its_ends_are_shown(box):
    shown = brief(box)
    assert "1.5" in shown
    assert "3.5" in shown
    assert "1003 items" in shown


class Plain:
    def __init__(self, **given):
        vars(self).update(given)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Plain(k=3, scale=2.0), "Plain(k=3, scale=2.0)"),
        (Plain(), "Plain()"),
        (Plain(a=1, b=2, c=3, d=4), "Plain(a=1, b=2, c=3, ...)"),
        (Plain(a=Plain(b=Plain(c=1))), "Plain(a=Plain(b=Plain(...)))"),
    ],
)
def test_an_object_without_a_text_of_its_own_shows_what_was_set_on_it(value, shown):
    assert brief(value) == shown


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (len, "builtins.len"),
        (str.upper, "builtins.str.upper"),
        ("".join, "builtins.str.join"),
        (int.__add__, "builtins.int.__add__"),
        (dict.fromkeys, "builtins.dict.fromkeys"),
        (describe, "taskgraph.description.describe"),
    ],
)
def test_a_function_is_shown_by_its_name_and_not_by_its_address(function, shown):
    assert brief(function) == cell(function) == shown
