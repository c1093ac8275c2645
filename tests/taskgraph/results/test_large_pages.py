"""Long bytes come back whole, as objects of their own."""

import random

import pytest

from taskgraph import open_store
from taskgraph.results import large_pages
from taskgraph.results.large_pages import bytes_of

LARGE = large_pages._LARGE


@pytest.mark.parametrize("size", [0, 1, LARGE - 1, LARGE, LARGE + 1, LARGE + 12345])
def test_a_copy_is_equal_and_complete(size):
    data = bytearray(random.Random(size).randbytes(size))
    copy = bytes_of(memoryview(data))
    assert type(copy) is bytes
    assert copy == data
    assert hash(copy) == hash(bytes(data))
    before = copy + b"y"  # copied with the zero that C finds behind it
    data[:] = bytes(size)
    assert copy + b"y" == before


def test_a_copy_of_what_cannot_be_written_is_one_too():
    data = random.Random(0).randbytes(LARGE)
    assert bytes_of(memoryview(data)) == data


def test_where_no_large_pages_can_be_asked_for_the_copy_is_the_same(monkeypatch):
    monkeypatch.setattr(large_pages, "_system", object())
    data = random.Random(1).randbytes(LARGE + 7)
    assert bytes_of(memoryview(data)) == data


def test_long_bytes_of_a_store_are_as_they_were(tmp_path):
    results = open_store(tmp_path / "store.tgdata")
    value = {"a": random.Random(2).randbytes(LARGE + 3), "b": bytes(LARGE)}
    assert results.decode(results.encode(value, b"k" * 20), b"k" * 20) == value
