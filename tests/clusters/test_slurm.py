"""Workers as jobs of a real Slurm with three nodes."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ..machine import needs_clusters
from ..test_florin_example import FILE, files, write_volume
from .rigs import PROGRAMS, host_at_work, kill_node, wait_for_nodes

pytestmark = [needs_clusters, pytest.mark.timeout(300)]


@pytest.fixture
def cluster(slurm, tmp_path):
    found = slurm(tmp_path)
    yield found
    found.sh("scancel --quiet --full --user root || true")


def test_an_array_shares_the_tasks_and_is_queued_again_while_its_limits_leave_work(
    cluster,
):
    cluster.tg(*("submit", "job.py", "-n", 3, "--max-tasks", 5, "--", 0.3, 24))

    cluster.wait_until(lambda: cluster.all_done(24))

    jobs, _ = cluster.ran_by()
    assert len(jobs) >= 2
    assert {job.partition(":")[0] for job in jobs} == {"slurm"}
    log = cluster.tg("jobs", "job.py", "--log").stdout
    assert "work is left: this job is queued again" in log
    cluster.tg("cancel", "job.py")
    cluster.wait_for_jobs()
    assert cluster.left_clean()


def test_a_job_script_of_one_line_will_do_and_scancel_loses_nothing(cluster):
    tg = PROGRAMS / "tg"
    line = f"sbatch --parsable --array=1-2 --wrap '{tg} execute job.py -- 600 4'"
    job = cluster.sh(line).stdout.strip()
    cluster.wait_until(lambda: cluster.begun() == 2)

    cluster.sh(f"scancel {job}")

    cluster.wait_until(lambda: not cluster.sh(f"squeue -h -j {job}").stdout)
    assert cluster.left_clean()
    assert "given" not in (cluster.folder / f"slurm-{job}_1.out").read_text()


def test_each_process_of_srun_is_a_worker_and_one_of_them_tells(cluster):
    tg = PROGRAMS / "tg"
    said = cluster.sh(f"srun --ntasks=3 {tg} execute job.py -- 0.5 12")

    assert cluster.done() == 12
    assert (said.stdout + said.stderr).count("12 done") == 1


def test_a_worker_knows_when_its_job_has_to_end(cluster):
    code = (
        "import os; from taskgraph.clusters.time_limit import seconds_left;"
        "print(seconds_left(os.environ))"
    )
    call = f'{sys.executable} -c "{code}"'

    limited = cluster.sh(f"srun --time=2 {call}").stdout
    free = cluster.sh(f"srun {call}").stdout

    assert 60 < float(limited) <= 120
    assert free.strip() == "None"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("-n", "2000"), "Invalid job array specification"),
        (
            ("--directive", "--partition=nowhere"),
            "invalid partition specified: nowhere",
        ),
        (("--directive", "--nonsense"), "unrecognized option '--nonsense'"),
        (("--sge",), "refused"),
    ],
)
def test_a_refusal_is_told_in_slurm_s_words_and_nothing_is_left(cluster, given, why):
    said = cluster.tg("submit", "job.py", *given, "--", 1, 4, code=2).stderr

    assert why in said or "there is no qsub" in said
    assert not (cluster.folder / "job.tgjobs").exists()


def test_a_node_that_is_killed_delays_its_tasks_and_loses_nothing(cluster):
    alone = ("--directive", "--exclusive")
    cluster.tg(*("submit", "job.py", "-n", 3, *alone, "--lease", 3, "--", 0.7, 18))
    cluster.wait_until(lambda: cluster.begun() >= 3)
    node = host_at_work(cluster)["host"]

    kill_node(cluster, node)

    cluster.wait_until(lambda: cluster.all_done(18))
    cluster.wait_until(cluster.no_lock_is_left)
    cluster.sh(f"scancel --user root; slurmd -N {node}")


@pytest.mark.clusters
def test_the_jobs_of_a_lost_node_are_started_elsewhere_by_slurm(cluster):
    wait_for_nodes(cluster)
    alone = ("--directive", "--exclusive")
    cluster.tg(*("submit", "job.py", "-n", 2, *alone, "--lease", 3, "--", 2, 90))
    cluster.wait_until(lambda: cluster.begun() >= 2)
    row = host_at_work(cluster)

    kill_node(cluster, row["host"])

    def elsewhere():
        rows = {r["job"]: r for r in cluster.json("jobs", "job.py", "1")}
        now = rows[row["job"]]
        return now["state"] == "running" and now["host"] != row["host"]

    cluster.wait_until(elsewhere, 150.0)
    cluster.wait_until(lambda: cluster.all_done(90), 200.0)
    cluster.sh(f"scancel --user root; slurmd -N {row['host']}")


@pytest.mark.clusters
def test_a_job_ends_before_its_time_limit_and_goes_on_when_it_is_queued_again(cluster):
    cluster.tg(*("submit", "job.py", "-n", 1, "--time", "60s", "--", 4, 20))

    cluster.wait_until(lambda: cluster.all_done(20), 250.0)

    log = cluster.tg("jobs", "job.py", "--log").stdout
    assert "queued again" in log
    assert "DUE TO TIME LIMIT" not in log
    assert cluster.begun() == 20
    assert cluster.left_clean()


@pytest.mark.clusters
def test_the_processes_of_srun_are_queued_again_together(cluster):
    """Each asks for it as it ends with work left, and once is enough."""
    run = f"{PROGRAMS / 'tg'} execute job.py --requeue --max-tasks 2 -- 0.3 16"
    batch = "sbatch --requeue --ntasks=3 --output=log --open-mode=append --wrap '{}'"
    cluster.sh(batch.format(f"srun {run}"))

    cluster.wait_until(lambda: cluster.all_done(16), 250.0)

    cluster.wait_for_jobs()
    log = (cluster.folder / "log").read_text()
    assert "this job is queued again" in log
    assert "refused" not in log
    assert cluster.begun() == 16
    assert cluster.left_clean()


@pytest.mark.clusters
@pytest.mark.timeout(900)
def test_florin_s_example_makes_the_same_as_jobs_steps_and_ranks(cluster):
    """By one process; an array of three jobs; three processes of srun, of mpiexec."""
    folder, segkit = cluster.folder, PROGRAMS / "segkit"
    volume = write_volume(folder / "volume.tif")
    cluster.sh(f"{sys.executable} {FILE} {volume} --out alone --workers 1")
    expected = files(folder / "alone")
    call = f"alone/florin.toml {volume} -o"

    cluster.sh(f"{segkit} submit {call} jobs --store a.tgdata --slurm -n 3 --time 10m")
    cluster.wait_until(lambda: not cluster.sh("squeue -h").stdout, 300)
    cluster.sh(f"srun --ntasks=3 {segkit} run {call} steps --store b.tgdata -q")
    mpiexec = f"{PROGRAMS / 'mpiexec'} -localhost 127.0.0.1 -n 3"
    cluster.sh(f"{mpiexec} {segkit} run {call} ranks --store c.tgdata -q")

    assert expected[1].any()
    for name in ("jobs", "steps", "ranks"):
        for found, one in zip(files(folder / name), expected, strict=True):
            np.testing.assert_array_equal(found, one)
