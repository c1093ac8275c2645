"""Results by key: what is kept decoded is what is stored."""

import pytest

from taskgraph import TaskGenerator, open_store, run, value


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
