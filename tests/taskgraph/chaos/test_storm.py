"""`tg chaos` kills workers on a real store and finds that nothing was lost."""

import json

import pytest

JOB = """
import os, time
from taskgraph import TaskGenerator

@TaskGenerator
def leaf(number):
    time.sleep(0.05)
    return os.urandom(4)

@TaskGenerator
def pair(one, other):
    time.sleep(0.02)
    return [one, other, os.urandom(4)]

leaves = [leaf(number) for number in range(40)]
pairs = [pair(*two) for two in zip(leaves, leaves[1:])]
"""


@pytest.mark.timeout(110)
def test_workers_are_struck_and_nothing_is_lost(tg):
    tg.write("job.py", JOB)

    said = tg("chaos", "--json", "job.py", "-w", 3, "--minutes", 0.1, "--lease", 2)

    found = json.loads(said.stdout)
    assert found["wrong"] == []
    assert found["exit_code"] == 0
    assert sum(found["deeds"].values()) > 0
    assert (tg.folder / "job.chaos.tgdata").is_dir()
    assert not (tg.folder / "job.tgdata").exists()
    assert tg("check", "job.py", "--store", "job.chaos.tgdata")


def test_no_worker_is_refused(tg):
    tg.write("job.py", JOB)

    tg("chaos", "job.py", "--workers", 0, code=2)
    assert not (tg.folder / "job.chaos.tgdata").exists()


def test_a_storm_that_struck_no_worker_says_so(tg):
    tg.write("job.py", JOB.replace("range(40)", "range(2)"))

    said = tg("chaos", "job.py", "-w", 1, "--minutes", 0.001)

    assert "no worker was killed or frozen" in said.stdout


def test_a_broken_script_is_told_before_its_workers(tg):
    tg.write("job.py", "def f(:\n")

    assert "worker" not in tg("chaos", "job.py", code=2).stderr
