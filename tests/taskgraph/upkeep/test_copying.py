"""A result is copied with what it was made of, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from backends.interface import Inputs
from backends.memory import MemoryLog, Room
from backends.opening import open_backend
from backends.store import JournalStore
from taskgraph.records import Failure
from taskgraph.results.batch import Batch
from taskgraph.results.codec import blob_refs, same_result
from taskgraph.results.results import Results
from taskgraph.upkeep.copying import copy, functions, missing, origins

KEYS = [bytes([65 + n]) * 20 for n in range(6)]
NEEDS = {0: (), 1: (), 2: (0,), 3: (0, 1), 4: (2, 3), 5: (4,)}
BIG = np.arange(50_000)


def a_store(room=None, worker="one"):
    return Results(JournalStore(MemoryLog(room or Room()), worker))


def compute(results, number, version, *, wrap=lambda value: value):
    """Publish a record that says what it was made of; skipped if an input lacks."""
    backend = results.backend
    backend.refresh()
    needs = [KEYS[need] for need in NEEDS[number]]
    if not all(backend.find(need) for need in needs):
        return
    made = [results.load(need) for need in needs]
    inputs = Inputs(backend.position, needs)
    token = backend.claim([KEYS[number]]).token
    batch = Batch()
    payload = results.encode(wrap([version, *made]), KEYS[number])
    about = ("a call", 12.5, 0.25, 0.125, 7)
    batch.add(KEYS[number], payload, (f"m.f{number}", "code"), about, inputs=inputs)
    body = batch.encode({"host": version}, backend.places)
    backend.publish(batch.keys, bytes(batch.rows), body, since=token, inputs=[inputs])


def filled(version="x", **options):
    results = a_store(**options)
    for number in NEEDS:
        compute(results, number, version)
    return results


def stored(results):
    known = results.backend.keys()
    return {key: Results(results.backend).load(key) for key in known}


def assert_whole(results):
    """Each stored record was made of the stored ones."""
    found = stored(results)
    for key, value in found.items():
        assert value[1:] == [found[KEYS[need]] for need in NEEDS[KEYS.index(key)]]


def copied_from(source, target, keys=None):
    done = copy(source, target, source.backend.keys() if keys is None else keys)
    target.backend.poll()
    assert not target.backend.locks()
    return done


def test_all_results_are_there_afterwards_with_their_provenance():
    source, target = filled(), a_store()

    done = copied_from(source, target)

    assert (done.copied, done.there, done.left_out) == (6, 0, 0)
    assert stored(target) == stored(source)
    for key in KEYS:
        assert target.record(key) == source.record(key)
    assert functions(target) == {key: f"m.f{n}" for n, key in enumerate(KEYS)}


def test_copying_again_copies_nothing():
    source, target = filled(), a_store()
    copied_from(source, target)
    end = target.backend.position

    done = copied_from(source, target)

    assert (done.copied, done.there) == (0, 6)
    assert target.backend.position == end


choices = st.lists(st.sampled_from(["x", "y", ""]), min_size=6, max_size=6)


@given(source=choices, target=choices, wanted=st.sets(st.sampled_from(KEYS)))
def test_what_is_stored_was_made_of_what_is_stored(source, target, wanted):
    here, there = a_store(), a_store()
    for results, versions in ((here, source), (there, target)):
        for number, version in enumerate(versions):
            if version:
                compute(results, number, version)
    before = stored(there)
    keys = origins(here, wanted)

    done = copied_from(here, there, keys)

    assert_whole(there)
    after = stored(there)
    assert {key: after[key] for key in before} == before
    assert done.copied == len(after) - len(before)
    assert done.copied + done.there + done.left_out == len(keys)
    assert all(key in after or _hindered(here, after, key) for key in keys)


def _hindered(here, after, key):
    """Whether something that a result was made of is another one there."""
    needs = [KEYS[need] for need in NEEDS[KEYS.index(key)]]
    return any(after.get(need) != here.load(need) for need in needs)


def test_what_results_were_made_of_is_found_in_their_records():
    assert origins(filled(), [KEYS[2], b"?" * 20]) == {KEYS[0], KEYS[2]}
    assert origins(filled(), [KEYS[5]]) == set(KEYS)


def test_inputs_come_first_whatever_the_order_asked_for():
    found = missing(filled(), a_store(), reversed(KEYS))

    assert [KEYS.index(key) for key in found] == sorted(range(6))


def test_equal_values_stored_twice_are_the_same_result():
    source, target = a_store(), a_store()
    for results in (source, target):
        compute(results, 0, "x", wrap=lambda _: BIG)
    compute(source, 2, "x", wrap=lambda _: BIG)
    one, other = source.payload(KEYS[0]), target.payload(KEYS[0])
    assert one != other

    assert same_result(one, other)
    assert copied_from(source, target).copied == 1


def test_values_that_differ_in_one_number_are_not_the_same_result():
    results, changed = a_store(), BIG.copy()
    changed[7] += 1
    payloads = [results.encode(value, KEYS[0]) for value in (BIG, changed)]

    assert not same_result(*payloads)


def test_who_is_stopped_goes_on_from_there(monkeypatch):
    source, target = a_store(), a_store()
    for number in NEEDS:
        compute(source, number, str(number), wrap=lambda _: BIG)
    written = []
    write = target.backend.blobs.write
    monkeypatch.setattr(
        target.backend.blobs, "write", lambda *a: written.append(a[0]) or write(*a)
    )

    def stop(done):
        if done.copied == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, target, source.backend.keys(), stop)
    assert not target.backend.locks()

    done = copied_from(source, target)

    assert (done.copied, done.there) == (3, 3)
    assert len(written) == len(set(written)) == 6


def test_a_large_value_that_was_brought_before_is_not_written_again(monkeypatch):
    source, room = a_store(), Room()
    compute(source, 0, "x", wrap=lambda _: BIG)
    target = a_store(room)
    with monkeypatch.context() as patch:
        patch.setattr(target.backend, "publish", _raising)
        with pytest.raises(KeyboardInterrupt):
            copy(source, target, KEYS)
    monkeypatch.setattr(target.backend.blobs, "write", _raising)

    assert copied_from(source, target).copied == 1
    np.testing.assert_array_equal(target.load(KEYS[0]), BIG)


def _raising(*_, **__):
    raise KeyboardInterrupt


def test_what_is_forgotten_meanwhile_takes_its_dependants_along(monkeypatch):
    source, room = a_store(), Room()
    compute(source, 0, "x")
    compute(source, 2, "x", wrap=lambda _: BIG)
    target = a_store(room)
    copied_from(source, target, [KEYS[0]])
    other = a_store(room, "other")
    write = target.backend.blobs.write

    def another_result_comes(*args):
        other.backend.poll()
        other.backend.discard([KEYS[0]], reason="invalidate")
        compute(other, 0, "y")
        return write(*args)

    monkeypatch.setattr(target.backend.blobs, "write", another_result_comes)
    done = copied_from(source, target, [KEYS[2]])

    assert (done.copied, done.elsewise) == (0, 1)
    assert stored(target) == {KEYS[0]: ["y"]}


def test_what_somebody_runs_there_is_left_to_him():
    source, room = filled(), Room()
    target = a_store(room)
    a_store(room, "other").backend.claim([KEYS[0]])

    done = copy(source, target, KEYS)

    assert (done.copied, done.locked, done.lacking) == (1, 1, 4)
    assert target.backend.locked_by(KEYS[0]) == "other"


def test_what_is_damaged_is_left_out_and_named(tmp_path):
    source = Results(open_backend(tmp_path / "store"))
    compute(source, 0, "x", wrap=lambda _: BIG)
    compute(source, 2, "x", wrap=lambda _: [1])
    compute(source, 1, "x")
    (ref,) = blob_refs(source.payload(KEYS[0]))
    path = tmp_path / "store" / "blobs" / ref.name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    target = a_store()

    done = copied_from(source, target)

    assert (done.copied, done.lacking) == (1, 1)
    assert len(done.damaged) == 1
    assert ref.name in done.damaged[0]
    assert set(stored(target)) == {KEYS[1]}


def test_a_value_under_the_name_of_another_task_is_not_brought():
    """Else a stranger's store could put something in the place of what is there."""
    source, target = a_store(), a_store()
    compute(target, 0, "x", wrap=lambda _: BIG)
    backend = source.backend
    payload = target.payload(KEYS[0])
    (ref,) = blob_refs(payload)
    backend.blobs.write(ref.name, [bytes(target.backend.blobs.open(ref.name))])
    batch = Batch()
    batch.add(KEYS[1], payload, ("f", ""), ("", 0.0, 0.0, 0.0, 0))
    token = backend.claim([KEYS[1]]).token
    backend.publish(batch.keys, bytes(batch.rows), batch.encode({}), since=token)

    done = copied_from(source, target, [KEYS[1]])

    assert (done.copied, len(done.damaged)) == (0, 1)
    assert "another task" in done.damaged[0]


def test_failures_are_not_copied():
    source, target = a_store(), a_store()
    compute(source, 0, "x")
    batch = Batch()
    batch.add(KEYS[1], Failure("exception", "E", "", ""), ("f", ""), ("", 0, 0, 0, 0))
    token = source.backend.claim([KEYS[1]]).token
    source.backend.publish(batch.keys, bytes(batch.rows), batch.encode({}), since=token)

    assert copied_from(source, target).copied == 1
    assert not target.backend.failures()
