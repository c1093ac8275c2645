"""One model of how a run goes: counts, rates, workers, errors, time left."""

import time
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from backends.interface import Lock, Member
from taskgraph import TaskGenerator, invalidate, open_store, run
from taskgraph.cli import costs
from taskgraph.tasks.graph import Graph
from taskgraph.upkeep.growing import take
from taskgraph.upkeep.status import STATES
from taskgraph.watching.at_work import first_locked, worker_rows
from taskgraph.watching.looks import Look
from taskgraph.watching.rates import Rates


@TaskGenerator
def load(x):
    if x < 0:
        raise ValueError(f"no picture {x}")
    return x


@TaskGenerator
def total(xs):
    return sum(xs)


@pytest.fixture
def store():
    return open_store("memory://")


def looked(store, tasks, seconds=None):
    now = iter(seconds or [0.0] * 99)
    look = Look(store.backend, lambda: next(now))
    snapshot = take(Graph(tasks), Path("work.py"))
    return look, lambda: look(snapshot)


def test_a_run_is_seen_from_its_begin_to_its_end(store):
    images = [load(x) for x in (1, 2, -1, -2)]
    tasks = [*images, total(images[:2]), total(images)]
    _, view = looked(store, tasks, [0.0, 0.0, 2.0, 2.5, 2.5, 3.0, 3.0])
    before = view()
    assert (before.tasks, before.totals["ready"], before.over) == (6, 4, False)
    assert (before.rate, before.left, list(before.errors)) == (0.0, None, [])

    run(tasks, store=store, check=False)
    after = view()
    assert after.over
    assert after.totals == dict(zip(STATES, (2, 1, 0, 0, 0, 3), strict=True))
    assert after.rate == pytest.approx(5 / 2.0)
    (row,) = after.errors  # one place, two messages
    assert (row.error, row.count) == ("ValueError", 2)
    assert row.message.startswith("no picture")

    invalidate(images, store=store)
    assert view().totals["done"] == 0


def test_who_runs_what_is_seen_and_the_time_left(store):
    tasks = [load(x) for x in range(8)]
    run(tasks[:2], store=store)
    claim = store.backend.claim([tasks[3].key, tasks[4].key])
    _, view = looked(store, tasks)
    found = view()
    assert found.totals["running"] == 0  # nobody who has a heartbeat holds them
    store.backend.release(claim.keys)
    assert found.left is not None
    assert 0 <= found.left.low <= found.left.expected <= found.left.high
    (row,) = [row for row in found.functions if row.name.endswith("load")]
    assert row.mean > 0
    plain = found.plain()
    assert plain["tasks"] == 8
    assert plain["workers"][0]["alive"] is False


def test_what_runs_for_longer_than_all_before_it_is_told(store, monkeypatch):
    monkeypatch.setattr(costs, "_LONG", 0.0)
    tasks = [load(x) for x in range(8)]
    run(tasks[:7], store=store)
    left = {load.name: 1}, store.backend, [(task.key, load.name) for task in tasks]
    assert costs.rest_text(*left) == "less than 1 s with 1 worker"
    claim = store.backend.claim([tasks[7].key])
    time.sleep(0.5)
    assert costs.rest_text(*left).startswith("more than tasks before took (")
    store.backend.release(claim.keys)


def test_workers_come_with_the_call_that_they_run(store):
    members = [
        Member("b", {"host": "z", "pid": 2}, beat=1.0, age=3.0),
        Member("a", {"host": "z", "pid": 1}, beat=1.0, age=1.0),
    ]
    locks = [Lock(b"k", "b", 5.0, 1), Lock(b"l", "gone", 1.0, 1)]
    rows = worker_rows(members, locks, {"gone"}, {b"k": "f(1)"})
    assert [(r.worker, r.call, r.alive) for r in rows] == [
        ("a", "", True),
        ("b", "f(1)", True),
        ("gone", "6c", False),
    ]


def test_the_first_task_of_a_worker_is_the_one_whose_turn_is_first():
    locks = [
        Lock(b"later", "a", 1.0, 9),  # its clock was put back
        Lock(b"first", "a", 5.0, 2),
        Lock(b"second", "a", 5.0, 2),
        Lock(b"other", "b", 5.0, 3),
    ]
    first = first_locked(locks)
    assert {who: lock.key for who, lock in first.items()} == {
        "a": b"first",
        "b": b"other",
    }


def test_causes_keep_their_places_while_more_fail_of_them(store):
    old = [load(x) for x in (-1, -2)]
    run(old[:1], store=store, check=False)
    time.sleep(0.01)
    new = total([load])
    run([new], store=store, check=False)
    _, view = looked(store, [*old, new])
    causes = [row.function.rpartition(".")[2] for row in view().errors]
    assert causes == ["total", "load"]
    time.sleep(0.01)
    run(old[1:], store=store, check=False)
    _, view = looked(store, [*old, new])
    assert [row.function.rpartition(".")[2] for row in view().errors] == causes


@given(st.lists(st.tuples(st.floats(0.01, 99), st.integers(0, 99)), min_size=1))
def test_rates_are_no_less_than_none_and_of_the_last_half_minute(steps):
    rates, now, ended = Rates(window=30.0), 0.0, 0
    for seconds, more in steps:
        now, ended = now + seconds, ended + more
        rates.add(now, {"f": ended})
        assert rates.total() >= 0.0
    rates.add(now + 100, {"f": ended})
    rates.add(now + 200, {"f": ended})
    assert rates.total() == 0.0
