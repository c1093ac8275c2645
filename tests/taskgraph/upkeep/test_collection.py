"""What nobody needs: results of no task, and blobs of no result."""

import numpy as np
import pytest

from backends.opening import open_backend
from taskgraph.results.batch import Batch
from taskgraph.results.results import Results
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task
from taskgraph.upkeep.collection import (
    empty,
    expired,
    key_of_blob,
    orphans,
    unneeded,
)
from taskgraph.upkeep.growing import take

BIG = np.arange(100_000)


@pytest.fixture
def results(tmp_path):
    return Results(open_backend(tmp_path / "store"))


def keys_of(count):
    with recorded_in(Recording()):
        return Graph([Task(abs, i) for i in range(count)])


def store(results, key, value):
    batch = Batch()
    payload = results.encode(value, key)
    batch.add(key, payload, ("f", ""), ("", 0.0, 0.0, 0.0, 0))
    end = 1 << 40  # as if it had been locked after everything
    body = batch.encode({}, results.backend.places)
    results.backend.publish([key], bytes(batch.rows), body, since=end)
    return {name for name, _ in results.backend.blobs.all() if key_of_blob(name) == key}


def test_what_any_graph_has_is_needed(tmp_path):
    small, large = keys_of(2), keys_of(4)
    mine = take(small, tmp_path / "mine.py")
    other = take(large, tmp_path / "other.py")
    known = [*large, b"x" * 20]

    found = unneeded(known, mine, [other])

    assert found.keys == [b"x" * 20]
    assert found.spared == 2
    assert set(unneeded(known, mine, []).keys) == set(known) - set(small)


def test_blobs_of_records_are_no_orphans(results):
    store(results, b"a" * 20, BIG)

    assert orphans(results) == []


def test_a_blob_without_a_record_is_an_orphan(results):
    results.encode(BIG, b"a" * 20)

    ((name, size),) = orphans(results)

    assert key_of_blob(name) == b"a" * 20
    assert 0 < size < BIG.nbytes


def test_a_blob_of_a_locked_task_is_no_orphan(results):
    results.backend.claim([b"a" * 20])
    results.encode(BIG, b"a" * 20)

    assert orphans(results) == []


def test_a_second_try_leaves_an_orphan(results):
    kept = store(results, b"a" * 20, BIG)
    results.encode(BIG, b"a" * 20)

    lost = [name for name, _ in orphans(results)]

    assert len(lost) == 1
    assert kept.isdisjoint(lost)


def test_what_can_be_undone_keeps_its_blobs(results):
    store(results, b"a" * 20, BIG)
    results.backend.discard([b"a" * 20], reason="test")

    assert orphans(results) == []


def test_emptying_removes_what_only_discarded_records_need(results):
    gone = store(results, b"a" * 20, BIG)
    kept = store(results, b"b" * 20, BIG)
    results.backend.discard([b"a" * 20, b"b" * 20], reason="test")
    new = store(results, b"b" * 20, BIG + 1) - kept

    count, _ = empty(results, results.backend.discards())

    left = {name for name, _ in results.backend.blobs.all()}
    assert count == len(gone) + len(kept)
    assert left == new
    assert results.backend.discards() == []
    assert np.array_equal(results.load(b"b" * 20), BIG + 1)


def test_only_what_is_old_expires(results):
    backend = results.backend
    for letter in (b"a", b"b"):
        store(results, letter * 20, 1)
        backend.discard([letter * 20], reason="test")
    first, second = backend.discards()

    assert expired([first, second], first.time - 1) == []
    assert expired([first, second], second.time) == [first, second]


def test_what_was_emptied_cannot_be_undone(results):
    store(results, b"a" * 20, 1)
    store(results, b"b" * 20, 1)
    results.backend.discard([b"a" * 20], reason="one")
    results.backend.discard([b"b" * 20], reason="two")
    first, second = results.backend.discards()

    empty(results, [first])

    assert results.backend.undo(first.position) == 0
    assert results.backend.discards() == [second]


@pytest.mark.parametrize("name", ["x", "ab/xyz-1.npy", "ab/abcd-1.npy"])
def test_names_without_a_key_have_none(name):
    assert key_of_blob(name) is None
