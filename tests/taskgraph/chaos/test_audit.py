"""What is wrong at the end of a run is found."""

from __future__ import annotations

import pytest

from backends.interface import Inputs
from backends.memory import MemoryLog, Room
from backends.store import JournalStore
from taskgraph.chaos.audit import audit
from taskgraph.records import Failure
from taskgraph.results.batch import Batch
from taskgraph.results.results import Results
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task
from taskgraph.upkeep.growing import take


@pytest.fixture
def graph(tmp_path):
    """A task, and another one that is made of its result."""
    with recorded_in(Recording()):
        one = Task(abs, -1)
        return take(Graph([one, Task(abs, one)]), tmp_path / "job.py")


@pytest.fixture
def results():
    return Results(JournalStore(MemoryLog(Room()), "anna"))


def publish(results, key, value, *needs):
    backend = results.backend
    token = backend.claim([key]).token
    inputs = Inputs(backend.position, needs)
    batch = Batch()
    payload = value if isinstance(value, Failure) else results.encode(value, key)
    batch.add(key, payload, ("abs", ""), ("", 0.0, 0.0, 0.0, 0), inputs=inputs)
    body = batch.encode({}, backend.places)
    backend.publish([key], bytes(batch.rows), body, since=token, inputs=[inputs])


def finish(results, graph):
    one, other = graph.split()
    publish(results, one, 1)
    publish(results, other, 1, one)
    return one, other


def test_of_a_finished_run_nothing_is_wrong(results, graph):
    finish(results, graph)

    assert list(audit(results, graph)) == []


def test_a_task_without_a_result_is_wrong(results, graph):
    publish(results, graph.split()[0], 1)

    (wrong,) = audit(results, graph)
    assert "has no result" in wrong


def test_a_result_that_was_made_of_another_one_than_is_stored_is_wrong(results, graph):
    one, _ = finish(results, graph)
    results.backend.discard([one], reason="its dependants stay, by mistake")
    publish(results, one, 2)

    (wrong,) = audit(results, graph)
    assert "made of another" in wrong


def test_a_lock_that_is_left_is_wrong(results, graph):
    finish(results, graph)
    results.backend.claim([b"k" * 20])

    (wrong,) = audit(results, graph)
    assert "still locked by anna" in wrong


def test_what_is_blocked_by_an_exception_of_its_own_is_not_wrong(results, graph):
    failure = Failure("exception", "ValueError", "no", "")
    publish(results, graph.split()[0], failure)

    assert list(audit(results, graph)) == []


def test_a_task_that_failed_for_the_death_of_its_workers_is_wrong(results, graph):
    publish(results, graph.split()[0], Failure("killed", "", "", ""))

    (wrong,) = audit(results, graph)
    assert "only its workers were killed" in wrong
