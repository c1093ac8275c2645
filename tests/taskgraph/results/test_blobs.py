"""Buffers of values in blobs: what lies together, and what is unpacked once."""

import errno
import operator
import os
import random
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from backends.errors import DamagedError
from backends.opening import open_backend
from taskgraph.results import codec, compressed, unpacked
from taskgraph.results.results import Results

KEY = b"k" * 20
NOISE = np.random.default_rng(0).integers(0, 256, 1 << 21, np.uint8).tobytes()


@pytest.fixture
def results(tmp_path):
    return Results(open_backend(tmp_path / "store"))


def names(results):
    return [name for name, _ in results.backend.blobs.all()]


def test_many_small_arrays_lie_in_one_file(results):
    value = [np.full(8192 + number, number, np.float64) for number in range(50)]
    found = results.decode(results.encode(value, KEY), KEY)
    assert len(names(results)) == 1
    assert all(np.array_equal(a, b) for a, b in zip(value, found, strict=True))
    assert all(array.ctypes.data % 64 == 0 for array in found)


def test_large_ones_have_files_that_any_program_reads(results, tmp_path):
    large = np.frombuffer(NOISE, np.uint8)
    value = [large[:40000], large, large[:50000], large[::-1]]
    results.encode(value, KEY)
    files = sorted(names(results))
    assert [name.rpartition(".")[2] for name in files] == ["npy", "npy", "bin"]
    stored = np.load(tmp_path / "store" / "blobs" / files[0])
    assert np.array_equal(stored, large)


def test_who_changes_one_of_many_changes_nobody_else_s(results):
    for content in (np.zeros(9000), np.frombuffer(NOISE[:72000], np.float64)):
        payload = results.encode([content.copy() for _ in range(3)], KEY)
        first, other = results.decode(payload, KEY), results.decode(payload, KEY)
        first[1][:] = 7
        for array in (first[0], first[2], *other, *results.decode(payload, KEY)):
            assert np.array_equal(array, content, equal_nan=True)


small_or_large = st.sampled_from([0, 100, 32767, 32768, 70001, 1 << 20, 1100000])
buffers = st.builds(
    lambda size, noisy, kind: kind(NOISE[:size] if noisy else bytes(size)),
    small_or_large,
    st.booleans(),
    st.sampled_from([bytes, bytearray, lambda data: np.frombuffer(data, np.uint8)]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(buffers, max_size=6), st.booleans())
def test_whatever_lies_where_comes_back(tmp_path_factory, value, pickled):
    results = Results(open_backend(tmp_path_factory.mktemp("store")))
    if pickled:
        value.append(ValueError)
    payload = results.encode({"all": (value, [value[:0]])}, KEY)
    found = results.decode(payload, KEY)["all"][0]
    assert [type(each) for each in found] == [type(each) for each in value]
    for each, there in zip(value, found, strict=True):
        equal = np.array_equal if isinstance(each, np.ndarray) else operator.eq
        assert equal(there, each)
    assert {ref.name for ref in codec.blob_refs(payload)} == set(names(results))
    stored = sum(size for _, size in results.backend.blobs.all())
    assert codec.stored_size(payload) == len(payload) + stored


def test_a_damage_is_noticed_in_whichever_part_it_is(results, tmp_path):
    value = [np.frombuffer(NOISE[at : at + 40000], np.uint8) for at in (0, 40000)]
    payload = results.encode(value, KEY)
    (name,) = names(results)
    path = tmp_path / "store" / "blobs" / name
    data = bytearray(path.read_bytes())
    data[50000] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedError, match="checksum"):
        results.decode(payload, KEY)


@pytest.mark.parametrize(
    "fields",
    [
        ("ab/cd", False, 0, 10, 0, [(0, -1, 4)]),
        ("ab/cd", False, 0, 10, 0, [(0, 1)]),
        ("ab/cd", False, 0, 10, 0, [("0", 1, 2)]),
        ("ab/cd", False, 0, 10, 0, 7),
        ("ab/cd", False, 0, 10, 0, [], []),
        ("ab/cd", False, 0, 10, 0, [(0, 1, 2, (1, 0, True), 0)]),
        ("ab/cd", False, 0),
    ],
)
def test_parts_that_make_no_sense_are_damage(fields):
    payload = b"B" + codec.msgpack.packb([[fields], b"\xc1\xc0"])
    with pytest.raises(DamagedError, match="no sense"):
        codec.blob_refs(payload)


# compressed ones


@pytest.fixture
def unpackings(monkeypatch):
    """Return how often something was unpacked, by what for."""
    counted = []
    pieces = compressed.pieces

    def count(stored):
        counted.append(len(stored))
        return pieces(stored)

    monkeypatch.setattr(unpacked, "pieces", count)
    monkeypatch.setattr(compressed, "pieces", count)
    return counted


def test_what_many_tasks_load_is_unpacked_once(results, unpackings):
    labels = np.repeat(np.arange(1000, dtype=np.int32), 1000)
    payload = results.encode(labels, KEY)
    for _ in range(20):
        assert np.array_equal(results.decode(payload, KEY), labels)
    assert len(unpackings) == 1


def test_what_one_task_after_the_other_loads_has_one_place(
    results, unpackings, monkeypatch
):
    def none_is_left(_):
        raise OSError(errno.EMFILE, "no descriptor")

    monkeypatch.setattr(os, "memfd_create", none_is_left)
    payload = results.encode(np.ones(1_000_001, np.uint8), KEY)
    sums = [float(results.decode(payload, KEY).sum()) for _ in range(20)]
    assert sums == [1_000_001] * 20
    assert len(unpackings) == 1


@pytest.mark.parametrize("kept", [[], [None]], ids=["one at a time", "all at once"])
def test_who_changes_what_was_unpacked_changes_nobody_else_s(results, unpackings, kept):
    labels = np.repeat(np.arange(1000, dtype=np.int32), 1000)
    payload = results.encode(labels, KEY)
    for number in range(20):
        found = results.decode(payload, KEY)
        assert np.array_equal(found, labels)
        found[:] = number
        kept[1:] = [*kept[1:], found] if kept else []
    assert [int(each[5]) for each in kept[1:]] == list(range(20 * len(kept[:1])))
    assert len(unpackings) == 2


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_everybody_has_what_was_stored_and_own_changes(tmp_path_factory, data):
    results = Results(open_backend(tmp_path_factory.mktemp("store")))
    stored = [np.full(10_000 + k, k, np.int64) for k in range(3)]
    payloads = [results.encode(array, KEY) for array in stored]
    have: list[tuple[np.ndarray, np.ndarray]] = []
    for step in range(data.draw(st.integers(1, 25))):
        action = data.draw(st.sampled_from(["load", "load", "drop", "change", "part"]))
        if action == "load" or not have:
            number = data.draw(st.integers(0, 2))
            found = results.decode(payloads[number], KEY)
            have.append((found, stored[number].copy()))
        at = data.draw(st.integers(0, len(have) - 1))
        if action == "drop":
            del have[at], found
            found = None
        elif action == "part":  # a view keeps the memory that it is in
            have[at] = tuple(array[-100:] for array in have[at])
        elif action == "change":
            for array in have[at]:
                array[-1] = -step
        assert all(np.array_equal(*pair) for pair in have)


def test_two_threads_never_get_the_same_memory(results, monkeypatch):
    payload = results.encode(np.zeros(100_000), KEY)
    results.decode(payload, KEY)
    is_as_it_was, other = unpacked._Lent.is_as_it_was, []

    def slow(lent):
        if not other:
            other.append(None)
            other[0] = results.decode(payload, KEY)
        return is_as_it_was(lent)

    monkeypatch.setattr(unpacked._Lent, "is_as_it_was", slow)
    found = results.decode(payload, KEY)
    found[:] = 1
    assert not other[0].any()
    assert not results.decode(payload, KEY).any()


def test_a_child_changes_its_own_copy_of_what_was_unpacked(results):
    payload = results.encode(np.zeros(5_000_001, np.uint8), KEY)
    found = results.decode(payload, KEY)
    if not (child := os.fork()):
        found[:] = 1
        os._exit(0)
    os.waitpid(child, 0)
    assert not found.any()


def test_what_is_too_large_or_not_used_is_not_kept(results, unpackings, monkeypatch):
    monkeypatch.setattr(unpacked, "_MOST_BYTES", 500_000)
    first, second = (
        results.encode(np.full(400_001, number, np.uint8), KEY) for number in (1, 2)
    )
    large = results.encode(np.zeros(1_000_001, np.uint8), KEY)
    for payload, value in [(first, 1), (second, 2), (large, 0), (large, 0), (first, 1)]:
        assert (results.decode(payload, KEY) == value).all()
    assert len(unpackings) == 5


@pytest.mark.parametrize("broken", ["write", "memfd_create"])
def test_a_full_memory_loses_nothing(results, monkeypatch, broken):
    payload = results.encode(np.zeros(1_000_001, bool), KEY)
    first = results.decode(payload, KEY)
    write, calls = os.write, []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) == 2 or broken != "write":
            raise OSError(errno.ENOSPC, "full")
        return write(arguments[0], arguments[1][:1000])

    with monkeypatch.context() as patched:
        patched.setattr(os, broken, full)
        found = [first, results.decode(payload, KEY)]
    found += [results.decode(payload, KEY) for _ in range(3)]
    assert calls
    for number, array in enumerate(found):
        assert array.shape == (1_000_001,)
        assert not array.any()
        array[:] = 1 + number


def descriptors():
    folder = Path("/dev/fd")
    return len(list(folder.iterdir()))


def test_many_at_once_need_few_descriptors(results):
    payloads = [results.encode(np.full(10_000, n, np.int64), KEY) for n in range(200)]
    before = descriptors()
    found = [results.decode(payload, KEY) for payload in payloads]
    assert [int(array[0]) for array in found] == list(range(200))
    assert descriptors() - before < 120


def test_threads_that_unpack_at_once_each_get_their_own(results):
    values = [np.tile(np.arange(7.0) + number, 6000) for number in range(12)]
    payloads = [results.encode(v, bytes([n]) * 20) for n, v in enumerate(values)]
    wrong = []

    def read(number):
        chosen = random.Random(number)
        try:
            for _ in range(60):
                place = chosen.randrange(len(values))
                found = results.decode(payloads[place], b"k" * 20)
                if not np.array_equal(found, values[place]):
                    wrong.append(place)
                found[:] = number
        except BaseException as error:  # noqa: BLE001 - it is what is looked for
            wrong.append(error)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong
