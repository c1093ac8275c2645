"""Whole numbers in fewer bytes come back exactly; nothing else is taken for them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from backends.errors import DamagedError
from backends.opening import open_backend
from taskgraph.results import codec, narrowed as module
from taskgraph.results.narrowed import narrowed, widen
from taskgraph.results.results import Results

KEY = b"k" * 20
EDGES = [0, 1, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]


NOISE = np.random.default_rng(3).bytes(24)


def in_steps(first, steps):
    return np.cumsum(np.array([first, *steps], np.uint64))


words = st.sampled_from(EDGES) | st.integers(0, 2**64 - 1)
steps = st.sampled_from(EDGES[1:8]).flatmap(
    lambda most: st.lists(st.integers(0, most), min_size=1, max_size=40)
)
near = st.builds(
    lambda base, above: base + np.array(above, np.uint64), words.map(np.uint64), steps
)
growing = st.builds(
    lambda first, least, more: in_steps(first, [(least + n) % 2**64 for n in more]),
    words,
    words | st.integers(-9, 9),
    steps,
)
mixed = st.lists(words, min_size=1, max_size=40).map(lambda x: np.array(x, np.uint64))


@settings(max_examples=300)
@example(in_steps(2**64 - 1, [1, 255]), 1)
@example(in_steps(2**64 - 9, [5] * 9), 3)
@given(near | growing | mixed, st.sampled_from([1, 3, 1 << 16]))
def test_numbers_come_back_and_are_as_narrow_as_they_may_be(numbers, block):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_BLOCK", block)
        found = narrowed(numbers.tobytes())
        signed = numbers.view(np.int64).tolist()
        jumps = [(b - a + 2**63) % 2**64 - 2**63 for a, b in pairwise(signed)] or [0]
        most = min(max(signed) - min(signed), max(jumps) - min(jumps))
        if found is None:
            assert most >= 2**32
            return
        how, data = found
        assert len(data) == how.width * len(numbers)
        assert most < 256**how.width
        assert how.width == 1 or most >= 256 ** (how.width // 2)
        assert widen(how, data) == numbers.tobytes()


@pytest.mark.parametrize(
    "data", [b"", b"1234567", b"123456789", bytes(range(24))[::-1] + b"8 bytes."]
)
def test_what_is_no_such_numbers_is_left_alone(data):
    assert narrowed(data) is None


def test_numbers_may_lie_anywhere():
    numbers = np.arange(100).tobytes()
    how, data = narrowed(memoryview(b"?" + numbers)[1:])
    assert widen(how, data) == numbers


# in results


@pytest.fixture
def results(tmp_path):
    return Results(open_backend(tmp_path / "store"))


ROWS = 150_000
COLUMNS = {
    "indexes": np.arange(ROWS),
    "counts": np.random.default_rng(1).integers(-5, 5, ROWS),
    "times": np.datetime64("2000-01-01", "us") + np.arange(ROWS) * 60_000_000,
    "durations": np.arange(ROWS).astype("m8[s]"),
    "unsigned": np.arange(ROWS, dtype=np.uint64) + np.uint64(2**63),
    "planes": np.asfortranarray(np.arange(ROWS).reshape(-1, 300) % 60_000),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_whole_numbers_take_less_room(results, name):
    column = COLUMNS[name]
    for value in (column, [column, len]):  # plain and pickled
        payload = results.encode(value, KEY)
        (ref,) = codec.blob_refs(payload)
        assert [how is not None for *_, how in ref.parts] == [True]
        assert codec.stored_size(payload) <= column.nbytes / 3
        back = results.decode(payload, KEY)
        found = back if value is column else back[0]
        assert found.dtype == column.dtype
        assert found.flags.f_contiguous == column.flags.f_contiguous
        assert np.array_equal(found, column)
        found[...] = column[::-1]  # the reader's own
        assert np.array_equal(column, COLUMNS[name])


RANDOM = np.random.default_rng(2)


@pytest.mark.parametrize(
    "column",
    [
        RANDOM.random(300_000),
        RANDOM.random(300_000, np.float32),
        RANDOM.permutation(ROWS),
    ],
    ids=["float64", "float32", "an order"],
)
def test_what_would_not_shrink_to_a_third_stays_a_file_of_numpy(results, column):
    (ref,) = codec.blob_refs(results.encode(column, KEY))
    assert not ref.parts
    assert ref.name.endswith(".npy")


@pytest.mark.parametrize(
    "last", [(3, 0), (1, -1), (1, 0, -1), (0, 0), (1,), (1, 0, "1"), (1, 0, 0, 0), 7]
)
def test_a_narrowing_that_makes_no_sense_is_damage(last):
    fields = ("ab/cd", False, 0, 10, 0, [(0, 0, 10, last)])
    payload = b"B" + codec.msgpack.packb([[fields], b"\xc1\xc0"])
    with pytest.raises(DamagedError, match="no sense"):
        codec.blob_refs(payload)
