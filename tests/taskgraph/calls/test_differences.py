"""In what calls differ, and which earlier one is the nearest."""

import msgpack
import pytest
from hypothesis import given, settings, strategies as st

from taskgraph.calls.differences import (
    ABSENT,
    What,
    differences,
    is_plain,
    nearest,
    skeleton,
)
from taskgraph.calls.kept import MARK, Part, Signature


def task(number):
    return msgpack.ExtType(Part.TASK, bytes([number]) * 20)


def file(path, content):
    about = msgpack.packb(["File", [path], content])
    return msgpack.ExtType(Part.FILES, about)


CALL = {
    "cfg": {MARK: "Settings", "folder": "/a", "sizes": (1, 2, 3)},
    "table": {"a": 1, "b": {"c": 2}},
    "picture": file("a.tif", "12"),
    "mask": task(1),
}


@pytest.mark.parametrize(
    ("change", "path", "what"),
    [
        ({"cfg": CALL["cfg"] | {"folder": "/b"}}, "args.cfg.folder", What.VALUE),
        ({"cfg": CALL["cfg"] | {"sizes": (1, 9, 3)}}, "args.cfg.sizes[1]", What.VALUE),
        ({"cfg": CALL["cfg"] | {"sizes": (1, 2)}}, "args.cfg.sizes", What.VALUE),
        ({"cfg": CALL["cfg"] | {MARK: "Other"}}, "args.cfg", What.VALUE),
        ({"table": {"a": 1, "b": {"c": 3}}}, "args.table['b']['c']", What.VALUE),
        ({"picture": file("a.tif", "34")}, "args.picture", What.FILE),
        ({"picture": file("b.tif", "12")}, "args.picture", What.VALUE),
        ({"mask": task(2)}, "args.mask", What.TASK),
        ({"mask": 1}, "args.mask", What.VALUE),
        ({"[4]": 1}, "args[4]", What.VALUE),
        ({"mask": True, "cfg": CALL["cfg"]}, "args.mask", What.VALUE),
    ],
)
def test_the_place_that_differs_is_named(change, path, what):
    (found,) = differences(CALL, CALL | change)
    assert (found.path, found.what) == (path, what)
    assert found.argument == ("" if path.startswith("args[") else found.path[5:8])[
        :3
    ] or (path.startswith(f"args.{found.argument}"))


def test_true_is_not_one():
    (found,) = differences({"x": 1}, {"x": True})
    assert (found.before, found.after) == (1, True)


def test_an_argument_that_only_one_has_is_told():
    (found,) = differences({}, {"x": 1})
    assert (found.path, found.before) == ("args.x", ABSENT)


ONE = Signature(("x", "y", "z"))


def test_the_call_that_differs_least_is_the_nearest_and_of_equals_the_last():
    earlier = [
        (b"1", (1, 9, 9)),
        (b"2", (1, 2, 9)),
        (b"3", (1, 8, 3)),
        (b"4", (7, 7, 7)),
    ]
    key, (found,) = nearest((1, 2, 3), ONE, earlier)
    assert (key, found.path, found.before) == (b"3", "args.y", 8)


def test_how_a_call_was_written_makes_no_difference():
    _, found = nearest((1, 2, 3), ONE, [(b"1", {MARK: (1,), "z": 3, "y": 2})])
    assert found == []


def test_other_defaults_are_a_difference():
    past = Signature(("x", "y"), defaults={"y": 2})
    now = Signature(("x", "y"), defaults={"y": 3})
    _, (found,) = nearest((1,), now, [(b"1", (1,))], past)
    assert (found.path, found.before, found.after) == ("args.y", 2, 3)


def test_what_is_not_part_of_the_key_is_no_difference():
    signature = Signature(("x", "threads"), ("threads",))
    _, found = nearest((1, 8), signature, [(b"1", (1, 4))])
    assert found == []


def test_of_no_call_or_of_unknown_ones_none_is_near():
    unknown = msgpack.ExtType(Part.UNKNOWN, b"")
    assert nearest((1,), ONE, []) is None
    assert nearest((1,), ONE, [(b"1", unknown)]) is None


values = st.recursive(
    st.integers(0, 2)
    | st.text(max_size=1)
    | st.builds(task, st.integers(0, 2))
    | st.builds(file, st.sampled_from("ab"), st.sampled_from("ab")),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=50)
@given(values, values)
def test_skeletons_are_the_same_if_only_tasks_and_contents_differ(one, other):
    kinds = {found.what for found in differences({"x": one}, {"x": other})}
    assert (skeleton(one) == skeleton(other)) == (What.VALUE not in kinds)
    assert hash(skeleton(one)) is not None


@given(values)
def test_a_plain_call_has_neither_tasks_nor_files(value):
    if is_plain((value,)):
        assert not isinstance(value, msgpack.ExtType | dict)


@pytest.mark.parametrize(
    ("one", "other", "path", "before", "after"),
    [
        ((1, 2, 3, 4, 5), (1, 2, 4, 5), "args.xs[2:3]", (3,), ()),
        ((1, 2, 3, 4), (1, 2, 3, 4, 5), "args.xs[4:]", (), (5,)),
        ((1, 1, 1, 1, 1), (1, 1), "args.xs[2:]", (1, 1, 1), ()),
        ((2, 3, 4, 5), (1, 2, 3, 4, 5), "args.xs[0:0]", (), (1,)),
        ((1, 5, 5, 5, 5), (True, 7), "args.xs", (1, 5, 5, 5, 5), (True, 7)),
        ((1, 2, 3), (1, 3), "args.xs", (1, 2, 3), (1, 3)),  # short: shown whole
    ],
)
def test_of_lists_of_other_lengths_what_differs_is_told(
    one, other, path, before, after
):
    (found,) = differences({"xs": one}, {"xs": other})
    assert (found.path, found.before, found.after) == (path, before, after)
