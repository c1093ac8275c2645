"""Two machines share a store on NFS; one freezes, one is cut off or loses its power."""

from __future__ import annotations

import json
import textwrap
import time
from pathlib import Path

import pytest

from .rig import EXPORT, MOUNT, PYTHON, TG

pytestmark = [pytest.mark.nfs, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
LEASE = 8
LAYERS, WIDTH = 8, 120
TASKS = LAYERS * WIDTH + 1
JOB = f"""
import time
from taskgraph import TaskGenerator

@TaskGenerator
def step(number, *before):
    time.sleep(0.08)
    return number + sum(before) % 1_000_003

@TaskGenerator
def total(numbers):
    return sum(numbers)

layer = [step(place) for place in range({WIDTH})]
for number in range(1, {LAYERS}):
    layer = [
        step(number * 1000 + place, layer[place], layer[(place * 7 + 1) % {WIDTH}])
        for place in range({WIDTH})
    ]
result = total(layer)
"""
CHECK = f"""
import sys
from pathlib import Path

sys.path.insert(0, {str(ROOT)!r})
from tests.taskgraph.rough import assert_sound, value_of

folder = Path(sys.argv[1])
assert_sound(folder / "job.tgdata", {TASKS})
print(value_of(folder))
"""


def expected():
    layer = list(range(WIDTH))
    for number in range(1, LAYERS):
        layer = [
            number * 1000 + p + (layer[p] + layer[(p * 7 + 1) % WIDTH]) % 1_000_003
            for p in range(WIDTH)
        ]
    return sum(layer)


@pytest.fixture
def job(put):
    """Return a folder on the mount, by its name, that has the jugfile."""
    return put(job=JOB, check=CHECK)


def execute(node, job):
    """Start two workers on a node."""
    options = f"-j 2 -q --lease {LEASE} --max-wait 120"
    return node.start(f"cd {MOUNT}/{job} && {TG} execute job.py {options}", 400)


def wait_for(rig, job, number):
    """Wait until so many tasks are done, as the server sees it."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = rig.server.sh(f"cd {EXPORT}/{job} && {TG} status job.py --json")
        if found.rc == 0 and (done := json.loads(found.out)["total"]["done"]) >= number:
            return done
        time.sleep(0.3)
    raise AssertionError(f"{number} tasks were never done")


def assert_all_end_well(rig, job, runs):
    """Check each result, once and whole, as a client and as the server see them."""
    ends = [run.result(400) for run in runs]
    errors = rig.server.sh(f"cd {EXPORT}/{job} && {TG} errors job.py").out
    assert [end.rc for end in ends] == [0] * len(ends), f"{ends}\n{errors}"
    for node, place in ((rig.clients[1], MOUNT), (rig.server, EXPORT)):
        found = node.sh(f"cd {place}/{job} && {PYTHON} check.py {place}/{job}")
        assert found.rc == 0, textwrap.indent(found.err, "    ")
        assert int(found.out) == expected()


def test_nodes_whose_clocks_differ_share_the_work(mounted, job):
    a, b = mounted.clients
    b.sh("date -s '+1 hour'", check=True)
    runs = [execute(node, job) for node in (a, b)]
    assert_all_end_well(mounted, job, runs)
    b.sh("date -s '-1 hour'", check=True)


def test_what_a_frozen_node_held_is_done_by_others_and_it_changes_nothing(mounted, job):
    a, b = mounted.clients
    runs = [execute(node, job) for node in (a, b)]
    wait_for(mounted, job, 30)
    b.pause()
    time.sleep(2.5 * LEASE)
    frozen = wait_for(mounted, job, 31)
    b.cont()
    assert_all_end_well(mounted, job, runs)
    assert frozen > WIDTH  # the layer that b had begun is done


def test_a_node_that_is_cut_off_goes_on_when_the_network_is_back(mounted, job):
    a, b = mounted.clients
    runs = [execute(node, job) for node in (a, b)]
    wait_for(mounted, job, 30)
    b.cut()
    time.sleep(2.5 * LEASE)
    b.heal()
    assert_all_end_well(mounted, job, runs)


def test_work_goes_on_when_the_server_has_lost_its_power_and_is_back(mounted, job):
    runs = [execute(node, job) for node in mounted.clients]
    done = wait_for(mounted, job, 60)
    mounted.server.kill()
    assert done < TASKS
    time.sleep(LEASE)
    mounted.server.power_on().result(120)
    assert_all_end_well(mounted, job, runs)


def test_a_node_finishes_alone_when_the_other_loses_its_power(mounted, job):
    a, b = mounted.clients
    execute(a, job)
    run = execute(b, job)
    done = wait_for(mounted, job, 60)
    a.kill()
    assert done < TASKS
    assert_all_end_well(mounted, job, [run])
