"""Random numbers of a task's own: a parameter that is left to the engine."""

from __future__ import annotations

import numpy
import numpy as np
import pytest

from taskgraph import TaskGenerator, UsageError, run, value


@TaskGenerator
def drawn(x, rng: numpy.random.Generator):
    return x, rng.random(3)


@TaskGenerator
def by_name(x, *, rng: np.random.Generator, scale=1.0):
    return scale * rng.random()


@TaskGenerator(retries=1)
def tried_twice(folder, rng: numpy.random.Generator):
    found = rng.random()
    mark = folder / str(found)
    if not mark.exists():
        mark.touch()
        raise OSError("once")
    return found


def values(tasks, **options):
    run(tasks, **options)
    return [value(task)[1].tolist() for task in tasks]


def test_a_task_draws_the_same_in_every_store_and_process(tmp_path):
    first = values([drawn(1), drawn(2)])
    assert values([drawn(2), drawn(1)], store=tmp_path / "s", workers=1) == first[::-1]
    assert first[0] != first[1]


def test_it_may_be_given_by_name_and_its_name_may_be_text():
    tasks = [by_name(1), by_name(2), by_name(1, scale=2.0)]
    run(tasks)
    assert len({value(task) for task in tasks}) == 3


def test_a_generator_that_is_given_wins_and_counts():
    rng = np.random.default_rng(5)
    tasks = [drawn(1, rng), drawn(2, rng=rng), drawn(1, np.random.default_rng(6))]
    found = values(tasks)
    assert found[0] == found[1] == np.random.default_rng(5).random(3).tolist()
    assert found[0] != found[2]
    assert len({task.key for task in [*tasks, drawn(1)]}) == 4


def test_each_try_draws_the_same(tmp_path):
    task = tried_twice(tmp_path)
    run(task, workers=0)
    assert [path.name for path in tmp_path.iterdir()] == [str(value(task))]


def test_a_default_of_its_own_stays_what_it_is():
    def plain(x, rng: numpy.random.Generator = None):
        return rng

    assert value(ran(TaskGenerator(plain, name="plain")(1))) is None


def ran(task):
    run(task)
    return task


def test_it_must_be_last():
    def first(rng: numpy.random.Generator, x):
        return x

    with pytest.raises(UsageError, match=r"put rng last, or after a \*"):
        TaskGenerator(first)
