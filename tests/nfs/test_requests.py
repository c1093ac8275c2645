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
HOPS = 20
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
CACHED = 20
"""Seconds after which a client that trusts its caches sees a new file, at the least."""


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


@pytest.mark.parametrize(
    ("machines", "count", "seconds"),
    [(1, 20_000, 0), (2, 20_000, 0), (2, 10_000, 0.01)],
)
def test_a_small_task_costs_half_a_request_at_most(
    mounted, put, machines, count, seconds
):
    nodes = mounted.clients[:machines]
    job = put(job=SMALL)
    before = requests_of(nodes)
    command = f"cd {MOUNT}/{job} && {TG} execute job.py -q -j 2 -- {count} {seconds}"
    runs = [node.start(command, 600) for node in nodes]
    assert [(run.result(620).rc, run.result().err) for run in runs] == [
        (0, "")
    ] * machines
    asked = requests_of(nodes) - before
    each = asked.total() / count
    logger.warning(
        "%d machines, %d tasks of %s s: %.3f requests each, %s",
        *(machines, count, seconds, each, dict(asked.most_common(8))),
    )
    assert 0 < each <= 0.5
    files = int(mounted.server.sh(f"find {EXPORT}/{job}/job.tgdata | wc -l").out)
    assert files < 2000


def test_a_dependant_is_begun_long_before_caches_are_out_of_date(mounted, put):
    job = put(job=CHAIN, times=TIMES)
    runs = [
        node.start(f"cd {MOUNT}/{job} && {TG} execute job.py -q --name {name}", 600)
        for node, name in zip(mounted.clients, ("ping", "pong"), strict=True)
    ]
    assert [(run.result(620).rc, run.result().err) for run in runs] == [(0, "")] * 2
    told = mounted.server.sh(f"cd {EXPORT}/{job} && {PYTHON} times.py", check=True)
    times = json.loads(told.out)
    assert len(times) == 2 * HOPS
    gaps = [late[0] - early[1] for early, late in itertools.pairwise(times)]
    # There and back: what the two clocks differ by is no part of it.
    hops = [(there + back) / 2 for there, back in itertools.pairwise(gaps)]
    logger.warning("a hop takes %.2f s, %.2f at most", median(hops), max(hops))
    assert median(hops) < CACHED / 2
