"""Results of safe kinds are stored and loaded without pickle, others as before."""

import collections
import datetime
import enum
import math
import pickle
import sys
from collections import Counter
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

import segkit
from taskgraph import open_store
from taskgraph.results import codec, plain, short
from taskgraph.results.codec import decode, encode, is_plain

KEY = b"k" * 20


@pytest.fixture
def results(tmp_path):
    return open_store(tmp_path / "store")


def same(one, two):
    """Return whether two values are of one type and equal, nan and -0.0 included."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == two.dtype and one.shape == two.shape and (
            one.tobytes() == two.tobytes()
        )  # fmt: skip
    if isinstance(one, float):
        return math.copysign(1, one) == math.copysign(1, two) and (
            one == two or (one != one and two != two)
        )
    if isinstance(one, complex):
        return same(one.real, two.real) and same(one.imag, two.imag)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return same(list(one), list(two)) and same(list(one.values()), [*two.values()])
    if isinstance(one, set | frozenset):
        return one == two and Counter(map(type, one)) == Counter(map(type, two))
    return one == two


_any_text = st.text(st.characters(exclude_categories=()), max_size=20)
_hashable = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
    | _any_text | st.binary(max_size=9) | st.complex_numbers(allow_nan=False),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
_dtypes = hnp.scalar_dtypes() | hnp.unicode_string_dtypes(min_len=1, max_len=4)
_arrays = hnp.arrays(_dtypes, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
_values = st.recursive(
    _hashable | st.floats() | _arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(_hashable, inner, max_size=4)
        | st.sets(_hashable, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(_values)
def test_whatever_is_plain_comes_back_the_same(value):
    payload = encode(value, str, None)
    assert same(decode(payload, None), value)


@settings(max_examples=300, deadline=None)
@given(_hashable | st.floats())
def test_what_is_short_has_the_same_bytes_as_if_it_were_not(value):
    whole, brief = plain.pack(value, lambda _: None), short.pack(value)
    assert brief in (None, whole)
    assert same(short.unpack(whole), value)


def structures(value):
    """Return a value in the containers that are plain."""
    return [value, [value], (value,), {"key": value}, {1: [(value, 2)]}]


PLAIN = [
    None, True, 3, -(2**100), 2.5, 3j, "text", "\udcff", b"bytes", range(1, 9, 2),
    {1, 2}, frozenset({"a"}), np.float32(2), np.bool_(1), np.datetime64("2020", "s"),
    np.str_("x"), np.arange(3), np.zeros((2, 0)), np.asfortranarray(np.ones((3, 2))),
    np.arange(6)[::-2], np.array(7), np.array(["a", "bc"]), np.arange(9, dtype=">i4"),
    np.array(["2020"], "M8[D]"), segkit.Box((0, 0), (3, 4)),
    segkit.tiles((8, 8), 4, halo=1)[0],
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_what_is_plain_needs_no_pickle(results, value):
    for whole in structures(value):
        payload = results.encode(whole, KEY)
        assert is_plain(payload, results.backend.blobs.open)
        assert same(results.decode(payload, KEY), whole)


@pytest.mark.parametrize(
    "text", ["", "a\0", "\0", "a\0b\0\0", "\udcff", "\U0001f52c"], ids=ascii
)
def test_zeros_at_the_end_of_a_text_of_numpy_stay(results, text):
    data = text.encode("utf-8", "surrogatepass")
    for value in (np.str_(text), np.bytes_(data)):
        back = results.decode(results.encode((value, 1), KEY), KEY)[0]
        assert type(back) is type(value)
        assert back.tobytes() == value.tobytes()


def test_large_arrays_are_files_beside_a_plain_structure(results):
    value = {"a": np.random.default_rng(1).random((90, 80)), "b": ["x" * 300_000]}
    payload = results.encode(value, KEY)
    assert payload[:1] == b"Z"
    assert is_plain(payload, results.backend.blobs.open)
    names = [name for name, _ in results.backend.blobs.all()]
    assert {name.partition(".")[2] for name in names} == {"npy", "msgpack.zst"}
    back = results.decode(payload, KEY)
    assert same(back, value)
    back["a"][0] = 7  # it is the reader's own


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_of_an_array_stays(results, order):
    array = np.asarray(np.random.default_rng(1).random((90, 80)), order=order)
    for each in (array, array[:3, :2].copy(order)):
        back = results.decode(results.encode([each], KEY), KEY)[0]
        assert back.flags.f_contiguous == each.flags.f_contiguous
        assert back.flags.writeable
        np.testing.assert_array_equal(back, each)


class Colour(enum.IntEnum):
    RED = 1


class Own(int):
    pass


class Pair(collections.namedtuple("Pair", "a b")):
    __slots__ = ()


Trio = collections.namedtuple("Trio", "a b c")
SHARED = [1]
OTHERS = [
    Colour.RED, Own(3), Pair(1, 2), Trio(1, 2, 3), collections.OrderedDict(a=1),
    collections.Counter("aab"), bytearray(b"x"), datetime.date(2020, 1, 1),
    np.zeros(2, "i4,f8"), np.array([None, 1]), np.ma.masked_array([1, 2], [0, 1]),
    np.zeros(1, np.dtype("f8", metadata={"a": 1})), len, int, [SHARED, SHARED],
    {"a": SHARED, "b": (SHARED,)},
]  # fmt: skip


@pytest.mark.parametrize("value", OTHERS, ids=repr)
def test_the_rest_goes_by_pickle(results, value):
    payload = results.encode([value], KEY)
    assert not is_plain(payload, results.backend.blobs.open)
    (back,) = results.decode(payload, KEY)
    assert type(back) is type(value)
    assert np.all(back == value)


def test_what_is_met_twice_stays_one_thing(results):
    array, items = np.arange(3), []
    array2, array3, one, two = results.decode(
        results.encode([array, array, items, items], KEY), KEY
    )
    assert array2 is array3
    assert one is two


def test_what_holds_itself_still_does(results):
    ring = [1]
    ring.append(ring)
    back = results.decode(results.encode(ring, KEY), KEY)
    assert back[1] is back


def test_nesting_has_no_end_that_python_has_not(results):
    deep = []
    for _ in range(300):
        deep = [deep]
    assert results.decode(results.encode(deep, KEY), KEY) == deep


def test_long_text_that_is_met_twice_is_written_once():
    text = "x" * 100_000
    assert len(encode([text] * 1000, str, lambda *_: 0)) < 200_000


def test_many_names_for_nothing_do_not_explode():
    doubled = (1, 2)
    for _ in range(60):
        doubled = (doubled, doubled)
    assert len(encode(doubled, str, None)) < 2000


_NOTED = []


def _note(event, args):
    if _NOTED and event.partition(".")[0] in {"exec", "os", "pickle", "subprocess"}:
        _NOTED[0].append((event, args))


sys.addaudithook(_note)


@contextmanager
def noted():
    """Note what Python is made to run."""
    _NOTED.append([])
    try:
        yield _NOTED[0]
    finally:
        _NOTED.clear()


def test_what_a_pickle_runs_is_noted():
    with noted() as events, suppress(SystemExit):
        decode(b"P" + pickle.dumps(Runs()), None)
    assert {"pickle.find_class", "exec"} <= {event for event, _ in events}


class Runs:
    """What a stranger would have run."""

    def __reduce__(self):
        return exec, ("raise SystemExit('pwned')",)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"), ("builtins", "eval"), ("segkit.__main__", "main"),
        ("segkit", "gaussian"), ("taskgraph", "TaskGenerator"), ("segkit", "Pipeline"),
        ("taskgraph.names", "import_module"), ("taskgraph.cli.program", "run_program"),
        (["os"], "system"), (None, None), ("segkit.io", "../x"),
        ("subprocess", "Popen"),
        ("segkit", "__builtins__"), ("taskgraph.results.plain", "NotPlainError"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("code", [9, 10])
def test_only_classes_that_are_nothing_but_their_fields_are_made(module, name, code):
    import msgpack

    inner = msgpack.packb([module, name, {"a": "touch PWNED"} if code == 9 else ["x"]])
    data = msgpack.packb([msgpack.ExtType(code, inner)])
    with pytest.raises((ValueError, TypeError, AttributeError, ImportError)):
        plain.unpack(data, [])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_at_all_make_a_plain_value_run_something(data):
    payload = bytearray(encode([{"a": (1, 2.0)}, np.arange(4), {5}], str, None))
    assert payload[1:2] == b"\xc1"
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(2, len(payload) - 1))
        payload[place] = data.draw(st.integers(0, 255))
    with noted() as events, suppress(Exception):
        decode(bytes(payload), None)
    assert not events


def test_a_pickle_that_says_it_is_plain_is_refused():
    evil = b"P\xc1" + pickle.dumps(Runs())
    with pytest.raises(ValueError, match=r"extra data|Unpack failed|incomplete"):
        decode(evil, None)


def test_an_empty_array_claims_no_memory():
    import msgpack

    parts = msgpack.packb(["<f8", [10**6, 10**9], "C", b""])
    with pytest.raises(ValueError, match="reshape"):
        plain.unpack(msgpack.packb(msgpack.ExtType(7, parts)), [])


def test_the_forms_are_told_apart_by_their_first_byte():
    assert codec.encode(1, str, None)[1:2] == b"\xc1"
    assert codec.encode(Own(1), str, None)[1:2] == b"\x80"
