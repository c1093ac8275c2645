"""Results by key: what is kept decoded is what is stored."""

import pytest
from hypothesis import given, strategies as st

from taskgraph import TaskGenerator, open_store, run, value
from taskgraph.errors import NoResultError
from taskgraph.results.batch import Batch
from taskgraph.results.results import Results
from taskgraph.tasks.recording import Recording, recorded_in


@TaskGenerator
def double(x):
    return 2 * x


@pytest.mark.parametrize("new", [7, "seven", [7]])
def test_a_small_result_that_was_computed_anew_is_another_one(new):
    results = open_store("memory://")
    task = double(1)
    run(task, store=results, workers=0)
    assert [value(task), value(task)] == [2, 2]

    results.backend.discard([task.key], reason="wanted")
    double.function, kept = (lambda _x: new), double.function
    try:
        run(task, store=results, workers=0)
    finally:
        double.function = kept

    assert value(task) == new


def test_a_result_that_can_change_is_another_object_each_time():
    results = open_store("memory://")
    task = double([1])
    run(task, store=results, workers=0)
    value(task).append(3)
    assert value(task) == [1, 1]


def test_results_asked_for_together_are_those_asked_for_one_by_one():
    results = open_store("memory://")
    with recorded_in(Recording(results)):
        tasks = [double(1), double([1]), double("a"), double([1])]
    run(tasks, store=results, workers=0)
    for _ in range(2):
        assert value(tasks) == [task.value() for task in tasks]
    first, last = value([tasks[1], tasks[1]])
    assert first == last == [1, 1]
    assert first is not last


def test_of_results_asked_for_together_the_one_that_is_missing_is_named():
    results = open_store("memory://")
    done, open_ = double(1), double(2)
    run(done, store=results, workers=0)
    open_.recording.results = results
    with pytest.raises(
        NoResultError, match=f"double .{open_.key.hex()[:12]}.*no result"
    ):
        value([done, open_])


def test_a_result_that_the_store_refused_is_not_kept_decoded():
    results = open_store("memory://")
    task = double(1)
    results.pending[task.key] = results.encode("mine", task.key)
    assert results.load(task.key) == "mine"

    batch = Batch()
    payload = results.encode("another worker's", task.key)
    batch.add(task.key, payload, (task.name, ""), ("1", 0.0, 0.0, 0.0, 0))
    rows, body = bytes(batch.rows), batch.encode({})
    results.backend.publish(batch.keys, rows, body, since=0)
    results.settle([task.key], stored=False)

    assert results.load(task.key) == "another worker's"


CONSTANTS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
)


def published(results, key, made, since=0):
    """Publish a result as a worker does, and return whether it was accepted."""
    batch = Batch()
    results.pending[key] = payload = results.encode(made, key)
    batch.add(key, payload, ("f", ""), ("", 0.0, 0.0, 0.0, 0))
    body = batch.encode({})
    stored = results.backend.publish([key], bytes(batch.rows), body, since=since) == 1
    results.settle([key], stored=stored)
    return stored


@given(CONSTANTS)
def test_what_was_made_here_is_kept_as_everybody_else_finds_it(made):
    results, key = open_store("memory://"), b"k" * 20
    assert published(results, key, made)

    kept, found = results.load(key), Results(results.backend).load(key)
    assert (type(kept), repr(kept)) == (type(found), repr(found))
    assert [repr(kept)] == [repr(x) for x in results.load_many((key,))]


def test_what_was_made_here_is_not_read_again(monkeypatch):
    results = open_store("memory://")
    keys = tuple(bytes([number]) * 20 for number in range(9))
    for number, key in enumerate(keys):
        assert published(results, key, number)

    monkeypatch.setattr(results.backend, "segment", None)
    assert results.load_many(keys) == list(range(9))


def test_who_asks_for_many_once_more_is_told_what_is_there_now():
    results, keys = open_store("memory://"), tuple(bytes([n]) * 20 for n in range(9))
    for number, key in enumerate(keys):
        assert published(results, key, number)
    first = results.load_many(keys)
    first.clear()  # it is whoever asked's own
    assert results.load_many(keys) == list(range(9))

    results.backend.discard(keys[:1], reason="wanted")
    with pytest.raises(NoResultError):
        results.load_many(keys)

    other, since = Results(results.backend), results.backend.position
    assert published(other, keys[0], "new", since)
    assert results.load_many(keys) == ["new", *range(1, 9)]

    results.pending[keys[1]] = results.encode("pending", keys[1])
    assert results.load_many(keys)[1] == "pending"


def test_of_what_was_made_twice_the_stored_one_counts():
    results, key = open_store("memory://"), b"k" * 20
    other = Results(results.backend)
    assert published(other, key, "first")
    assert not published(results, key, "second")
    assert results.load(key) == "first"


def test_what_was_made_here_and_forgotten_is_not_kept():
    results, key = open_store("memory://"), b"k" * 20
    assert published(results, key, 1)
    results.backend.discard([key], reason="wanted")
    with pytest.raises(NoResultError):
        results.load(key)


def test_all_of_some_are_there_until_one_is_forgotten_or_fails():
    results = open_store("memory://")
    done, more = [double(n) for n in range(3)], double(())
    run(done, store=results, workers=0)
    keys = b"".join(task.key for task in done)
    assert not results.has_all(keys + more.key)
    assert [results.has_all(some) for some in (b"", keys, keys)] == [True] * 3

    results.backend.discard([done[1].key], reason="wanted")
    assert not results.has_all(keys)
    assert results.has_all(done[0].key + done[2].key)

    run(done, store=results, workers=0)
    assert results.has_all(keys)


def test_a_failure_is_no_result_of_some():
    results = open_store("memory://")
    done, failed = double(1), double(None)
    run([done, failed], store=results, workers=0, check=False)
    assert failed.key in results.backend.failures()
    assert results.has_all(done.key)
    assert not results.has_all(done.key + failed.key)


made = st.tuples(st.sampled_from(["job.f", "job.g"]), st.sampled_from(["1", "2 x=3"]))


@given(st.lists(st.lists(made, min_size=1, max_size=4), max_size=4))
def test_makers_are_the_functions_of_all_records_with_their_code(segments):
    results = open_store("memory://")
    keys = (bytes([number]) * 20 for number in range(99))
    for functions in segments:
        batch = Batch()
        for function in functions:
            batch.add(next(keys), b"", function, ("", 1.0, 2.0, 3.0, 4))
        body = batch.encode({})
        results.backend.publish(batch.keys, bytes(batch.rows), body, since=0)

    assert results.makers(len(segments)) == set().union(*segments)
    assert results.makers(0) == (None if segments else set())
