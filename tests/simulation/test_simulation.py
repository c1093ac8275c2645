"""Workers and commands take turns as an adversary likes: what must hold, holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .schedule import Schedule, planned_deeds

ROOT = Path(__file__).parents[2]
SCHEDULES = 150  # in one process; four of them are more than finds any known fault


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, 4 * SCHEDULES, SCHEDULES))
def test_no_schedule_breaks_an_invariant(first):
    command = [sys.executable, "-m", "tests.simulation"]
    command += ["--schedules", str(SCHEDULES), "--first", str(first), "--jobs", "2"]
    done = subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("seed", range(40))
def test_where_nobody_disturbs_them_workers_do_each_task_once(seed):
    nothing = range(len(planned_deeds(seed)))
    schedule = Schedule(seed, dropped=nothing)
    schedule.raising = 0.0
    outcome = schedule.run()
    assert outcome.broken is None
    assert outcome.runs == len(schedule.truth.numbers)


@pytest.mark.parametrize("seed", [3, 8, 21])
def test_a_seed_says_all_that_happens(seed):
    first, second = (Schedule(seed, traced=True).run() for _ in range(2))
    assert list(first.trace) == list(second.trace)
    assert len(first.trace) > 200
