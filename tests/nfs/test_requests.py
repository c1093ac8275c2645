"""What the server of an NFS is asked for: seldom, and in time."""

from __future__ import annotations

import itertools
import json
import logging
from collections import Counter
from statistics import median

import pytest

from .rig import EXPORT, MOUNT, PYTHON, TG

pytestmark = [pytest.mark.nfs, pytest.mark.timeout(900)]
logger = logging.getLogger(__name__)
SMALL = """
import sys, time
from taskgraph import TaskGenerator

count, seconds = int(sys.argv[1]), float(sys.argv[2])

@TaskGenerator
def small(number):
    if seconds:
        time.sleep(seconds)
    return number

@TaskGenerator
def total(numbers):
    return sum(numbers)

result = total([small(number) for number in range(count)])
"""
HOPS = 60
CHAIN = f"""
from taskgraph import TaskGenerator

@TaskGenerator
def ping(hop):
    return hop + 1

@TaskGenerator
def pong(hop):
    return hop + 1

hop = 0
for _ in range({HOPS}):
    hop = pong(ping(hop))
"""
TIMES = """
import json
from taskgraph import open_store

results = open_store("job.tgdata", create=False)
results.backend.poll()
records = [(results.load(key), results.record(key)) for key in results.keys()]
ordered = [record for _, record in sorted(records, key=lambda each: each[0])]
print(json.dumps([(record.start, record.end) for record in ordered]))
"""


def requests_of(nodes):
    """Return how often the nodes have asked their server so far, by what for."""
    found = Counter()
    for node in nodes:
        told = node.sh(
            f"sed -n '/{MOUNT[1:].replace('/', '.')}/,$p' /proc/self/mountstats"
        )
        _, _, operations = told.out.partition("per-op statistics")
        for line in operations.splitlines():
            name, colon, numbers = line.strip().partition(":")
            if colon and name.isupper():
                found[name] += int(numbers.split()[0])
    return found


def run_small(mounted, put, machines, count, seconds):
    """Run small tasks; return how many requests and segments that took."""
    nodes = mounted.clients[:machines]
    job = put(job=SMALL)
    before = requests_of(nodes)
    command = f"cd {MOUNT}/{job} && {TG} execute job.py -q -j 2 -- {count} {seconds}"
    for run in [node.start(command, 600) for node in nodes]:
        ended = run.result(620)
        assert ended.rc == 0, ended.err
    asked = requests_of(nodes) - before
    store = f"{EXPORT}/{job}/job.tgdata"
    assert int(mounted.server.sh(f"find {store} | wc -l").out) < 2000
    segments = int(mounted.server.sh(f"find {store}/log -type f | wc -l").out)
    logger.warning(
        "%d machines, %d tasks of %s s: %.3f requests each, %d segments, %s",
        *(machines, count, seconds, asked.total() / count, segments),
        dict(asked.most_common(8)),
    )
    return asked.total(), segments


@pytest.mark.parametrize("machines", [1, 2])
def test_a_small_task_costs_half_a_request_at_most(mounted, put, machines):
    asked, _ = run_small(mounted, put, machines, 20_000, 0)
    assert 0 < asked <= 20_000 / 2


def test_requests_grow_with_segments_and_not_with_tasks(mounted, put):
    """Of tasks that take longer fewer are in a segment; each is read by all workers."""
    asked, segments = run_small(mounted, put, 2, 2_000, 0.01)
    assert 0 < asked <= 60 * segments


def test_a_dependant_is_begun_in_less_than_two_seconds_each_time(mounted, put):
    job = put(job=CHAIN, times=TIMES)
    runs = [
        node.start(f"cd {MOUNT}/{job} && {TG} execute job.py -q --name {name}", 600)
        for node, name in zip(mounted.clients, ("ping", "pong"), strict=True)
    ]
    assert [run.result(620).rc for run in runs] == [0, 0]
    told = mounted.server.sh(f"cd {EXPORT}/{job} && {PYTHON} times.py", check=True)
    times = json.loads(told.out)
    assert len(times) == 2 * HOPS
    gaps = [late[0] - early[1] for early, late in itertools.pairwise(times)]
    # There and back: what two clocks differ by is no part of it. At first they start.
    trips = [there + back for there, back in itertools.pairwise(gaps[1:])]
    told = "there and back takes %.2f s, %.2f at most"
    logger.warning(told, median(trips), max(trips))
    assert max(trips) < 2
