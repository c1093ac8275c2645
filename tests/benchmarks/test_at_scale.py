"""The formula that `tg doctor` goes by says what comes of workers one by one."""

import importlib
import sys
from math import inf
from pathlib import Path

import pytest

from backends.interface import Service
from taskgraph.doctor.capacity import Costs, Crew, load, most_workers, shortest_task

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").exists(), reason="tested away from the checkout"
)

FILES = Costs(0.01, 0.005, 50e-6, wait=1e-3, latency=0.5)
SERVER = Costs(0.001, 0.0003, 20e-6, service=Service(2e-4, 2e-5, 1e-3, 1e-4))
REQUESTS = Costs(0.1, 0.1, 1e-4, service=Service(5e-4, 2e-4, 2e-4, 2e-4, 16))
ALL = pytest.mark.parametrize("costs", [FILES, SERVER, REQUESTS])


@pytest.fixture(scope="module")
def simulate():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(ROOT / "benchmarks")])
        yield importlib.import_module("at_scale").simulate


@ALL
@pytest.mark.parametrize("workers", [20, 300])
@pytest.mark.parametrize("seconds", [0.1, 3.0, 100.0])
def test_a_formula_and_workers_one_by_one_agree(costs, workers, seconds, simulate):
    crew = Crew(workers, inf)
    said = load(costs, crew, seconds).rate
    assert simulate(costs, crew, seconds, 10**9).rate == pytest.approx(said, rel=0.25)


@ALL
def test_who_takes_the_advice_has_workers_that_work(costs, simulate):
    seconds = shortest_task(costs, 300, inf)
    made = simulate(costs, Crew(300, inf), seconds, 10**9)
    assert made.rate * seconds / 300 > 0.8


@ALL
def test_who_asks_for_far_more_has_workers_that_wait(costs, simulate):
    workers = 4 * most_workers(costs, 1.0, inf)
    made = simulate(costs, Crew(workers, inf), 1.0, 10**9)
    assert made.rate / workers < 0.75


@ALL
def test_more_workers_need_longer_tasks(costs):
    lengths = [shortest_task(costs, n, inf) for n in (1, 10, 100, 1000, 10_000)]
    assert lengths == sorted(lengths)
    assert lengths[-1] > 10 * lengths[0]


def test_workers_of_one_machine_share_its_cores(simulate):
    crew = Crew(16, 2)
    assert load(FILES, crew, 0.1).rate <= 20
    # What is published at once may have been run before the counting began.
    assert simulate(FILES, crew, 0.1, 10**9).rate == pytest.approx(20, rel=0.2)
