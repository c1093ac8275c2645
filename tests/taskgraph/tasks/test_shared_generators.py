"""Random numbers that all code of a process shares: a seed ends with its task."""

import json
import random

import numpy as np
import pytest

from taskgraph import TaskGenerator, open_store, run, value
from taskgraph.execution.at_once import run_at_once
from taskgraph.tasks.recording import Recording, recorded_in

SEEDS = """
import {library}
{more}
from taskgraph import TaskGenerator

@TaskGenerator
def seeded(x):
    {library}.seed({seed})
    return {library}.random()

@TaskGenerator
def free(before, x):
    return {library}.random()

first = [seeded(i) for i in range(3)]
drawn = [free(seed, i) for i, seed in enumerate(first)]
"""


@pytest.mark.parametrize("seed", ["7", "x + 1"])
@pytest.mark.parametrize("library", ["random", "numpy.random"])
@pytest.mark.parametrize("how", [[], ["--preload"], ["-j", "2"]])
def test_a_worker_forgets_the_seeds_of_its_tasks(tg, library, seed, how):
    (tg.folder / "job.py").write_text(SEEDS.format(library=library, seed=seed, more=""))
    tg("execute", "job.py", *how)
    wanted = [tg("value", "job.py", name).stdout for name in ("first", "drawn")]
    first, drawn = map(json.loads, wanted)
    assert len(set(drawn)) == 3
    twice = random.Random(7) if library == "random" else np.random.RandomState(7)
    of_seed = [twice.random() for _ in range(10)]
    assert not set(drawn) & set(of_seed)
    assert seed != "7" or set(first) == {of_seed[0]}


@pytest.mark.parametrize(
    ("before", "kind"), [("", "MT19937"), ("numpy.random.seed(x), ", "PCG64")]
)
def test_another_generator_ends_with_its_task(tg, before, kind):
    given = f"{before}numpy.random.set_bit_generator(numpy.random.{kind}(7))"
    text = SEEDS.format(library="numpy.random", seed="x", more="")
    text = text.replace("numpy.random.seed(x)", given)
    (tg.folder / "job.py").write_text(text)
    tg("execute", "job.py")
    first, drawn = (
        json.loads(tg("value", "job.py", name).stdout) for name in ("first", "drawn")
    )
    assert len(set(first)) == 1
    assert len(set(drawn)) == 3


@pytest.mark.parametrize("kind", ["PCG64", "SFC64", "Philox"])
def test_a_seed_ends_with_its_task_of_any_generator_of_the_script(tg, kind):
    given = f"numpy.random.set_bit_generator(numpy.random.{kind}(1))"
    text = SEEDS.format(library="numpy.random", seed="7", more=given)
    (tg.folder / "job.py").write_text(text)
    tg("execute", "job.py")
    wanted = [tg("value", "job.py", name).stdout for name in ("first", "drawn")]
    first, drawn = map(json.loads, wanted)
    of_seed = np.random.Generator(getattr(np.random, kind)(7)).random(10)
    assert set(first) == {of_seed[0]}
    assert len({*drawn, *of_seed}) == 13


def test_functions_of_random_may_be_replaced(tg):
    replaced = "random.random = random.seed = lambda *_: 0.5"
    text = SEEDS.format(library="random", seed="x", more=replaced)
    (tg.folder / "job.py").write_text(text)
    assert "died" not in tg("execute", "job.py").stderr
    assert json.loads(tg("value", "job.py", "drawn").stdout) == [0.5] * 3


def test_tasks_go_on_from_the_seed_of_the_script(tg):
    text = SEEDS.format(library="random", seed="x", more="random.seed(3)")
    (tg.folder / "job.py").write_text(text)
    drawn = []
    for store in ("one", "two"):
        tg("execute", "job.py", "--store", store)
        drawn += [tg("value", "job.py", "drawn", "--store", store).stdout]
    assert drawn[0] == drawn[1]


@TaskGenerator
def seed_all(_):
    random.seed(1)
    np.random.seed([1, 2])  # noqa: NPY002 - what is tried


@TaskGenerator
def draw(_, before):
    return [random.random(), float(np.random.random())]  # noqa: NPY002 - what is tried


def test_a_notebook_goes_on_from_its_own_seed():
    def drawn():
        with recorded_in(Recording(open_store("memory://"), run_at_once)):
            random.seed(5)
            np.random.seed(5)  # noqa: NPY002 - what is tried
            tasks = [draw(i, seed_all(i)) for i in range(2)]
            run(tasks)
            return value(tasks), random.random(), np.random.random()  # noqa: NPY002 - what is tried

    one, other = drawn(), drawn()
    assert one == other
    assert one[0][0] != one[0][1]
    assert one[1] != random.Random(1).random()
