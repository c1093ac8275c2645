"""A key says everything about its result."""

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import os
import pathlib
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given, strategies as st

from taskgraph.errors import UnhashableError
from taskgraph.identity.call_keys import KEY_SIZE, digest
from taskgraph.identity.hashing import Encoder
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task, TaskGenerator


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Config:
    sigma: float
    extra: object = None


Point = collections.namedtuple("Point", "x y")


class Hooked:
    def __init__(self, name, cache):
        self.name, self.cache = name, cache

    def __taskgraph_hash__(self):
        return self.name


def encode(value):
    return Encoder().encode(value)


GOLDEN = [
    (None, "4e"),
    (True, "54"),
    (0, "69303b"),
    (-7, "692d373b"),
    (1.5, "663ff8000000000000"),
    (float("nan"), "667ff8000000000000"),
    (-0.0, "668000000000000000"),
    (1 + 2j, "633ff00000000000004000000000000000"),
    ("ä", "73323ac3a4"),
    (b"ab", "62323a6162"),
    ((), "28303a"),
    ([1, [2]], "5b323a69313b5b313a69323b"),
    ({"b": 1, "a": 2}, "64323a73313a6169323b73313a6269313b"),
    ({3, 1, 2}, "7b333a69313b69323b69333b"),
    (frozenset(), "3c303a"),
    (len, "6d73383a6275696c74696e7373333a6c656e"),
]


@pytest.mark.parametrize(("value", "expected"), GOLDEN, ids=lambda x: repr(x)[:20])
def test_the_encoding_is_the_written_one(value, expected):
    assert encode(value).hex() == expected


def test_the_encoding_of_arrays_is_the_written_one():
    array = np.arange(3, dtype="<i2")
    assert encode(array) == b"as3:<i2(1:i3;" + blake3(array.tobytes()).digest()


def test_the_key_of_a_call_is_the_written_one():
    @TaskGenerator(name="mod.f", version=2)
    def f(x, y=3):
        return x

    assert f(1).key == digest(b"taskgraph2\0s5:mod.fi2;", b"(2:i1;i3;d0:")
    assert f(1).key.hex() == "85be1ec09195ef2fd882f69fa0bf034531650b4f"
    assert len(f(1).key) == KEY_SIZE


@pytest.mark.parametrize("size", [0, 10, 2**16, 2**16 + 1, 10**6])
def test_a_key_is_the_digest_of_both_halves_one_after_the_other(size):
    prefix, arguments = b"f" * 7, bytes(range(256)) * (size // 256 + 1)
    key = blake3(prefix + arguments[:size]).digest(length=KEY_SIZE)
    assert digest(prefix, arguments[:size]) == key == digest(prefix, arguments[:size])


def test_threads_that_make_keys_at_once_make_the_same_keys():
    def work(place):
        made[place] = [digest(b"%d:" % place, b"%d" % n) for n in range(2_000)]

    made, before = {}, sys.getswitchinterval()
    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    for place, keys in made.items():
        plain = [blake3(b"%d:%d" % (place, n)).digest() for n in range(2_000)]
        assert keys == [whole[:KEY_SIZE] for whole in plain]


DIFFERENT = [
    1, 1.0, True, "1", b"1", bytearray(b"1"), [1], (1,), {1}, frozenset([1]), {1: 1},
    [[1], 2], [[1, 2]], [1, [2]], [[], 1], [1, []], {"a": {"b": 1}, "c": 2},
    {"a": {"b": 1, "c": 2}}, ("ab",), ("a", "b"), "a", b"a", 0.0, -0.0, None, (), [],
    {}, set(), frozenset(), "", b"", 0, False, ..., 1j, range(3), range(4), slice(3),
    Colour.RED, Colour.BLUE, Config(1.0), Config(2.0), Config(1.0, [1]), Point(1, 2),
    (1, 2), pathlib.PurePosixPath("a"), np.float32(1), np.float64(1), np.int64(1),
    np.int32(1), np.arange(3), np.arange(3.0), np.arange(4), np.zeros((2, 3)),
    np.zeros((3, 2)), np.zeros(0), np.zeros((0, 2)), np.array(["a"]), np.array([b"a"]),
    np.array([1, "a"], dtype=object), np.array(["2020-01-01"], dtype="M8[D]"),
    np.array([1], dtype="m8[s]"), np.zeros(2, dtype="i4,f8"),
    np.ma.masked_array([1, 2], [0, 1]), np.dtype("i4"), np.dtype("i8"), int, float, len,
    print, datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1),  # noqa: DTZ001 - naive ones count too
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(1),
    datetime.time(1), decimal.Decimal("1.0"), decimal.Decimal("1.00"),
    functools.partial(int, base=2), collections.OrderedDict(a=1, b=2),
    collections.OrderedDict(b=2, a=1), collections.Counter("ab"),
    collections.defaultdict(list, a=1), collections.deque([1]), 10**5000, 10**5001,
]  # fmt: skip


def test_different_values_have_different_encodings():
    encoded = [encode(value) for value in DIFFERENT]
    assert len(set(encoded)) == len(DIFFERENT)


EQUAL = [
    ({"a": 1, "b": [{1, 2}]}, {"b": [{2, 1}], "a": 1}),
    (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
    (np.arange(10)[::2], np.array([0, 2, 4, 6, 8])),
    (float("nan"), float("inf") - float("inf")),
    (np.float32("nan"), -np.float32("nan")),
    (Config(1.0, {1, 2}), Config(1.0, {2, 1})),
    (Hooked("a", 1), Hooked("a", 2)),
    ("ab", "".join(["a", "b"])),
    (range(3), range(0, 3, 1)),
    (pathlib.Path("a") / "b", pathlib.Path("a/b")),
]


@pytest.mark.parametrize(("one", "other"), EQUAL, ids=lambda x: repr(x)[:20])
def test_equal_values_have_one_encoding(one, other):
    assert encode(one) == encode(other)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner)
    | st.dictionaries(st.text(), inner) | st.frozensets(st.integers()),
    max_leaves=12,
)  # fmt: skip


def same(one, other):
    """Strict equality: types, order of dicts aside, and the sign of zero."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, float):
        return one.hex() == other.hex()
    return one == other


@given(plain, plain)
def test_encodings_are_equal_just_if_values_are(one, other):
    assert (encode(one) == encode(other)) == same(one, other)


@given(st.lists(plain, max_size=4))
def test_no_encoding_begins_another_one(values):
    """Items can be told apart when they are put one after another."""
    joined = b"".join(encode(value) for value in values)
    assert encode(values) == b"[%d:" % len(values) + joined


REFUSED = [
    (lambda: [1, {"cfg": Config(1.0, lambda x: x)}], "value[1]['cfg'].extra"),
    (lambda: (object(),), "value[0]"),
    (lambda: {"f": threading.Lock()}, "value['f']"),
    (lambda: [1].append, "value"),
    (lambda: [np.random.PCG64(0)], "value[0]"),
]


@pytest.mark.parametrize(
    ("make", "path"), REFUSED, ids=["lambda", "object", "lock", "method", "rng"]
)
def test_a_refusal_names_the_place(make, path):
    with pytest.raises(UnhashableError) as caught:
        encode(make())
    assert caught.value.path == path


def test_what_contains_itself_is_refused():
    items = []
    items.append(items)
    with pytest.raises(UnhashableError, match="inside itself"):
        encode(items)


def test_a_refused_argument_is_named_by_its_call():
    @TaskGenerator
    def f(a, b):
        return a

    with pytest.raises(UnhashableError, match=r"f: args\[1\]\['x'\]: .*no stable hash"):
        f(1, {"x": object()})


SCRIPT = """
import numpy as np, pathlib, sys
from taskgraph.identity.hashing import Encoder
print(Encoder().encode([
    {"b", "a", "c"}, {"x": {1: {2, 3}}, "y": frozenset("hello")}, np.arange(5),
    pathlib.Path("p"), np.float64(2), ("t", [None, True, 1.5, 2j, b"x"]),
]).hex())
"""


def encoded_by(python, seed):
    env = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(
        [python, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_encodings_do_not_depend_on_process_or_hash_seed():
    assert encoded_by(sys.executable, "1") == encoded_by(sys.executable, "2")


def test_a_large_array_is_digested_once(monkeypatch):
    import taskgraph.identity.array_digests

    digested = []
    whole = taskgraph.identity.array_digests.blake3

    def counted(data=b"", **options):
        digested.append(len(data))
        return whole(data, **options)

    counted.AUTO = whole.AUTO
    monkeypatch.setattr(taskgraph.identity.array_digests, "blake3", counted)
    array = np.zeros(100_000)
    f = TaskGenerator(np.mean, name="mean")
    with recorded_in(Recording()):
        for axis in range(20):
            f(array, axis)
    assert sum(size >= array.nbytes for size in digested) == 1


def test_an_array_that_changes_gets_another_key():
    array = np.zeros(100_000)
    f = TaskGenerator(np.mean, name="mean")
    with recorded_in(Recording()):
        before = f(array).key
        array[5] = 1
        after = f(array).key
    assert before != after


def test_padding_between_fields_does_not_count():
    padded = np.dtype({"names": ["a", "b"], "formats": ["i1", "i8"], "offsets": [0, 8]})
    one, other = np.zeros(2, padded), np.zeros(2, padded)
    other.view("u1")[1] = 77
    assert encode(one) == encode(other)


def test_dataframes_are_known_by_their_contents():
    pandas = pytest.importorskip("pandas")
    one = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    same_ = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    other = pandas.DataFrame({"a": [1, 3], "b": ["x", None]})
    renamed = one.rename(columns={"a": "c"})
    indexed = one.set_index(pandas.Index([5, 6]))
    assert encode(one) == encode(same_)
    assert len({encode(x) for x in (one, other, renamed, indexed, one["a"])}) == 5


def test_what_pickle_adds_to_a_table_does_not_count():
    pandas = pytest.importorskip("pandas")
    for made in (pandas.DataFrame({"a": [1]}), pandas.Series([1], name="a")):
        copied = pickle.loads(pickle.dumps(made))
        vars(copied)["_metadata"] = list(type(made)._metadata)  # as pandas 2 does
        assert encode(copied) == encode(made)


@pytest.mark.parametrize("kind", ["f8", "i4", "M8[s]", "Int64"])
def test_how_a_wide_table_keeps_its_columns_does_not_count(kind):
    pandas = pytest.importorskip("pandas")
    numbers = np.arange(200).reshape(2, 100)
    one = pandas.DataFrame(numbers).astype(kind)
    by_column = {k: pandas.Series(numbers[:, k]).astype(kind) for k in range(100)}
    apart = pandas.DataFrame(by_column)
    apart.columns = one.columns  # a range, which pandas 2 does not see in them
    assert Encoder().encode(one) == Encoder().encode(apart)
    other = one.copy()
    other.iloc[1, 99] = other.iloc[0, 0]
    assert Encoder().encode(one) != Encoder().encode(other)


def test_tasks_are_found_deep_inside_arguments():
    @TaskGenerator
    def f(x):
        return x

    with recorded_in(Recording()):
        inner = f(1)
        outer = f([{"a": (inner, {inner[0]: Config(1.0, inner)})}])
    assert outer.needs == (inner,)


def test_a_task_stands_for_itself_by_its_key():
    @TaskGenerator
    def f(x):
        return x

    with recorded_in(Recording()):
        assert f(f(1)).key == f(f(1)).key
        assert f(f(1)).key != f(f(2)).key
        assert f(f(1)[0]).key != f(f(1)[1]).key
        assert f(f(1)).key != f(1).key


@pytest.mark.parametrize("depth", [100_000])
def test_long_chains_and_wide_fans_need_no_recursion(depth):
    from taskgraph.tasks.frontier import Frontier
    from taskgraph.tasks.graph import Graph

    @TaskGenerator
    def f(x):
        return x

    with recorded_in(Recording()):
        task = f(0)
        for _ in range(depth - 1):
            task = f(task)
    graph = Graph([task])
    assert len(graph) == depth
    assert Frontier(graph).ready == 1


@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("count", [1, 2, 11, 10_000, 10_001])
def test_many_tasks_in_a_row_are_encoded_as_each_of_them(kind, count):
    @TaskGenerator
    def f(x):
        return x

    with recorded_in(Recording()):
        tasks = kind(f(x) for x in range(count))
        whole = f(tasks)
    one_by_one, together = Encoder(), Encoder()
    each = b"".join(map(one_by_one.item, tasks))
    opening = b"[" if kind is list else b"("
    assert together.encode(tasks) == opening + b"%d:" % count + each
    assert together.tasks == one_by_one.tasks == list(tasks) == list(whole.needs)


def test_task_is_the_same_as_its_generator():
    @TaskGenerator
    def f(x, y=2):
        return x

    assert Task(f.f, 1).key == f(1, y=2).key == f(x=1).key == Task(f, 1, 2).key


def test_an_unpacked_alias_has_a_key_of_its_own():
    whole, (unpacked,) = tuple[int], list(tuple[int])
    assert Encoder().encode(whole) == Encoder().encode(tuple[int])
    assert Encoder().encode(whole) != Encoder().encode(unpacked)
