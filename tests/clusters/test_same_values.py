"""One jugfile gives the same values, wherever its workers and its results are.

Here it is small; `-m clusters` runs all of it (2,000 tasks, arrays up to 64 MB).
"""

from __future__ import annotations

import os
import re

import pytest

from ..backends.bucket.servers import azurite, let_in, running
from ..machine import IN_CI, needs_clusters
from ..nfs.rig import Rig
from ..redis_servers import SERVERS, RedisServer
from ..taskgraph.rough import ENVIRONMENT
from .rigs import host_at_work, kill_node, wait_for_nodes
from .same_values import LEASE, Job, digest_on_nfs

pytestmark = pytest.mark.timeout(3600)
SIZES = [
    pytest.param((60, 1_000_000), id="short"),
    pytest.param((2000, 64_000_000), id="long", marks=pytest.mark.clusters),
]
PATIENCE = 1500


@pytest.fixture(scope="module", params=SIZES)
def size(request):
    return request.param


@pytest.fixture(scope="module")
def expected(size, tmp_path_factory):
    """Return the digest of what one process came to."""
    job = Job(tmp_path_factory.mktemp("alone"), size)
    job.start()
    job.finish()
    assert job.done() == size[0]
    return job.digest()


def digest_of_two_groups(job, processes=2):
    """Return the digest of what two commands did, of so many processes each."""
    for _ in range(2):
        job.start("-j", processes)
    job.finish()
    return job.digest()


def test_eight_processes(tmp_path, size, expected):
    assert digest_of_two_groups(Job(tmp_path, size), 4) == expected


@pytest.mark.parametrize("program", SERVERS)
def test_each_redis(tmp_path, size, expected, program):
    server = RedisServer(program)
    try:
        job = Job(tmp_path, size, server.url("same"))
        assert digest_of_two_groups(job) == expected
    finally:
        server.close()


@pytest.mark.parametrize("scheme", ["s3", "az"])
def test_buckets(tmp_path, size, expected, scheme, monkeypatch):
    if scheme == "az" and not IN_CI and azurite() is None:
        pytest.skip("needs Azurite (python -m tests.backends.bucket.servers)")
    let_in(monkeypatch, os.environ, ENVIRONMENT)
    with running(scheme) as server:
        job = Job(tmp_path, size, server.url("some/store"))
        assert digest_of_two_groups(job) == expected


@needs_clusters
@pytest.mark.parametrize("version", ["4.2", pytest.param("3", marks=pytest.mark.nfs)])
def test_two_machines_on_nfs(size, expected, version):
    with Rig(clients=2, lease=10, image_mb=1024, memory="1024M") as rig:
        rig.mount(f"vers={version}")
        assert digest_on_nfs(rig, size) == expected


@pytest.fixture
def on_slurm(slurm, size, tmp_path):
    """Return a Slurm whose three nodes are there, and the job."""
    cluster = slurm(tmp_path)
    wait_for_nodes(cluster)
    yield cluster, Job(tmp_path, size)
    cluster.sh("scancel --quiet --full --user root || true")


def submit(cluster, job, *options):
    """Submit an array; return its number in the words of its batch system."""
    options += ("--lease", LEASE, "--", *job.words)
    said = cluster.tg("submit", "job.py", *options).stderr
    return re.search(r"\((?:Slurm|Grid Engine) (\d+)\)", said)[1]


@needs_clusters
def test_a_slurm_array_beside_workers_that_were_started_by_hand(on_slurm, expected):
    cluster, job = on_slurm
    submit(cluster, job, "-n", 3, "--directive", "--exclusive")
    job.wait_for(1, 100)
    job.start("-j", 2)
    job.finish()
    assert job.digest() == expected
    jobs, _ = cluster.ran_by()
    assert len(jobs) > 1


@needs_clusters
@pytest.mark.clusters
def test_a_slurm_array_is_queued_again_and_a_node_is_killed(on_slurm, expected):
    cluster, job = on_slurm
    limit = ("--max-tasks", job.tasks // 5, "--directive", "--exclusive")
    submit(cluster, job, "-n", 3, *limit)
    job.wait_for(job.tasks // 4, PATIENCE)
    node = host_at_work(cluster)["host"]
    kill_node(cluster, node)
    job.wait_for(job.tasks, PATIENCE)
    cluster.sh(f"slurmd -N {node}")
    cluster.wait_until(cluster.no_lock_is_left)
    assert job.digest() == expected
    assert "this job is queued again" in cluster.tg("jobs", "job.py", "--log").stdout


@needs_clusters
def test_a_grid_engine_array_of_which_one_is_deleted(
    grid_engine, size, expected, tmp_path
):
    cluster = grid_engine(tmp_path)
    job = Job(tmp_path, size)
    number = submit(cluster, job, "--sge", "-n", 4)
    job.wait_for(job.tasks // 6, PATIENCE)
    cluster.sh(f"qdel {number}.2 || true")  # in a short run it may have ended
    job.wait_for(job.tasks, PATIENCE)
    cluster.wait_for_jobs()
    assert job.digest() == expected
