"""Undoing is one step, and nobody finds a mix of old and new after it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from backends.errors import DamagedError
from backends.interface import Inputs
from backends.memory import MemoryLog, Room
from backends.opening import open_backend
from backends.segment import VOID_FRAME
from backends.store import JournalStore
from taskgraph.results.batch import Batch
from taskgraph.results.failures import discard_failures
from taskgraph.results.lineage import discard_damaged, made_of
from taskgraph.results.results import Results
from taskgraph.upkeep.undoing import undo

A, B, C, D = (letter.encode() * 20 for letter in "abcd")
NEEDS = {A: (), B: (A,), C: (B,), D: (A, C)}


def compute(results: Results, key: bytes, version: str) -> None:
    """Publish a record that says what it was made of."""
    backend = results.backend
    backend.refresh()
    inputs = Inputs(backend.position, NEEDS[key])
    made = [results.load(need) for need in NEEDS[key]]
    token = backend.claim([key]).token
    batch = Batch()
    payload = results.encode([version, *made], key)
    batch.add(key, payload, ("f", ""), ("", 0.0, 0.0, 0.0, 0), inputs=inputs)
    body = batch.encode({}, backend.places)
    backend.publish([key], bytes(batch.rows), body, since=token, inputs=batch.inputs)


def stored(results: Results) -> dict[bytes, list[object]]:
    results.backend.poll()
    known = results.backend.keys()
    return {key: Results(results.backend).load(key) for key in known}


def assert_whole(results: Results) -> None:
    """Each stored record was made of the stored ones."""
    found = stored(results)
    for key, value in found.items():
        assert value[1:] == [found[need] for need in NEEDS[key]]


@pytest.fixture
def results():
    results = Results(open_backend("memory://"))
    for key in NEEDS:
        compute(results, key, "old")
    return results


def forget(results, *keys, reason="invalidate f"):
    position = results.backend.discard(keys, reason=reason)
    return next(d for d in results.backend.discards() if d.position == position)


def test_what_was_invalidated_comes_back(results):
    before = stored(results)

    done = undo(results, forget(results, B, C, D))

    assert set(done.back) == {B, C, D}
    assert stored(results) == before


def test_what_is_new_goes_with_all_that_was_made_of_it(results):
    before = stored(results)
    chosen = forget(results, A, B, C, D)
    for key in (A, B, C):
        compute(results, key, "new")

    done = undo(results, chosen)

    assert set(done.gone) == {A, B, C}
    assert stored(results) == before
    (newer,) = results.backend.discards()
    assert set(undo(results, newer).back) == {A, B, C}
    assert_whole(results)


@pytest.mark.parametrize("reason", ["retry", "cleanup"])
def test_what_was_retried_and_is_new_stays(results, reason):
    chosen = forget(results, D, reason=reason)
    compute(results, D, "new")

    done = undo(results, chosen)

    assert (list(done.back), list(done.gone)) == ([], [])
    assert stored(results)[D][0] == "new"


def test_what_was_made_of_something_else_does_not_come_back(results):
    first = forget(results, D)
    forget(results, A, B, C)
    for key in (A, B, C):
        compute(results, key, "new")

    done = undo(results, first)

    assert list(done.back) == []
    assert D not in stored(results)


def test_undone_in_reverse_order_everything_is_as_it_was(results):
    before = stored(results)
    first = forget(results, D)
    second = forget(results, A, B, C)
    undo(results, second)

    undo(results, first)

    assert stored(results) == before


def test_a_result_that_comes_between_the_look_and_the_undoing_goes_too():
    room = Room()
    anna, bert = (
        Results(JournalStore(MemoryLog(room), name)) for name in ("anna", "bert")
    )
    for key in NEEDS:
        compute(anna, key, "old")
    before = stored(anna)
    chosen = forget(anna, A, B, C, D)
    append = anna.backend._log.append

    def late(position, staged, link=b""):
        anna.backend._log.append = append
        compute(bert, A, "new")
        compute(bert, B, "new")
        return append(position, staged, link)

    anna.backend._log.append = late

    undo(anna, chosen)

    assert stored(anna) == before == stored(bert)


def test_what_cannot_be_read_may_have_been_made_of_what_is_damaged(results):
    results.backend._log.replace(results.backend.find(C).position, VOID_FRAME)

    reader = Results(results.backend)
    discard_damaged(reader, B, DamagedError("a segment", "it is gone"))

    assert set(results.backend.keys()) == {A}


def test_dependants_are_found_by_what_their_records_say(results):
    assert made_of(results, [B]) == {B, C, D}
    assert made_of(results, [D]) == {D}
    assert made_of(results, [b"x" * 20]) == set()


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("compute"), st.sampled_from([A, B, C, D])),
        st.tuples(st.just("invalidate"), st.sampled_from([A, B, C, D])),
        st.tuples(st.just("undo"), st.integers(0, 5)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(DEEDS)
def test_whatever_is_done_nothing_is_made_of_what_is_not_stored(deeds):
    results = Results(open_backend("memory://"))
    for number, (deed, what) in enumerate(deeds):
        known = results.backend.keys()
        if deed == "compute" and what not in known:
            if all(need in known for need in NEEDS[what]):
                compute(results, what, str(number))
        elif deed == "invalidate":
            keys = sorted(made_of(results, [what]))
            results.backend.discard(keys, reason="invalidate")
        elif deed == "undo":
            found = results.backend.discards()
            if found:
                undo(results, found[what % len(found)])
        assert_whole(results)


def test_a_retry_that_comes_late_leaves_what_has_succeeded_since(results):
    failed = [D]
    position = discard_failures(results.backend, failed, reason="retry")

    assert position is None
    assert D in stored(results)
