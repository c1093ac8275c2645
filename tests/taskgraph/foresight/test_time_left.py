"""How long tasks will take, by what records say."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from taskgraph import Task, TaskGenerator, open_store, run
from taskgraph.foresight.learned import Times, learned
from taskgraph.foresight.time_left import longest_chain, time_left
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.upkeep.growing import take

SECOND = Times(100, 1.0, 0.0, 0)


def test_times_are_those_of_the_records():
    store = open_store("memory://")
    tasks = [Task(divmod, number, 2) for number in range(400)]
    run(tasks, store=store)
    walls = [record.wall for _, record in store.records(iter(store.keys()))]

    found = learned(store, [(task.key, task.name) for task in tasks])

    times = found["builtins.divmod"]
    assert times.count == 250
    assert min(walls) <= times.mean <= max(walls)
    assert times.memory > 1_000_000


def test_of_failures_no_time_is_learned():
    store = open_store("memory://")
    task = Task(divmod, 1, 0)
    run(task, store=store, check=False)
    assert learned(store, [(task.key, task.name)]) == {}


def test_what_never_ran_is_told():
    found = time_left({"f": 3, "g": 2}, {"f": SECOND}, workers=1)
    assert (found.expected, found.unknown) == (3.0, {"g": 2})


@given(
    count=st.integers(1, 1000),
    measured=st.integers(1, 1000),
    deviation=st.floats(0, 10),
    workers=st.integers(1, 64),
    longest=st.floats(0, 100),
)
def test_the_interval_has_the_expected_time_in_it(
    count, measured, deviation, workers, longest
):
    times = {"f": Times(measured, 1.0, deviation, 0)}
    found = time_left({"f": count}, times, workers=workers, longest=longest)
    more = time_left(
        {"f": count},
        {"f": replace(times["f"], count=measured + 1)},
        workers=workers,
        longest=longest,
    )

    assert longest <= found.low <= found.expected <= found.high
    assert found.expected == max(longest, count / workers)
    assert more.high <= found.high


@TaskGenerator
def grow(x, *more):
    return x


@pytest.mark.parametrize(("left", "seconds"), [(4, 3.0), (1, 1.0), (0, 0.0)])
def test_no_number_of_workers_makes_a_chain_shorter(left, seconds):
    with recorded_in(Recording()):
        first = grow(0)
        second = grow(first)
        last = grow(second, grow(1))
    snapshot = take(Graph([last]), Path("x.py"))
    keys = [last.key, second.key, first.key, *snapshot.split()][:left]
    if left == 4:
        keys = snapshot.split()

    assert longest_chain(snapshot, set(keys), {grow.name: SECOND}) == seconds
