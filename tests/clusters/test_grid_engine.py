"""Workers as jobs of a real Grid Engine with two hosts."""

from __future__ import annotations

import pytest

from ..machine import needs_clusters
from .rigs import PROGRAMS

pytestmark = [needs_clusters, pytest.mark.timeout(300)]


@pytest.fixture
def cluster(grid_engine, tmp_path):
    return grid_engine(tmp_path)


def test_an_array_ends_before_its_time_and_goes_on_when_it_is_queued_again(cluster):
    said = cluster.tg(
        *("submit", "job.py", "--sge", "-n", 4, "--time", "14s", "--", 1, 44)
    )

    assert "(Grid Engine " in said.stderr
    cluster.wait_until(lambda: cluster.all_done(44))
    cluster.wait_for_jobs()
    jobs, hosts = cluster.ran_by()
    assert {job.partition(":")[0] for job in jobs} == {"sge"}
    assert hosts == {"g1", "g2"}
    assert "asks to be queued again" in cluster.tg("jobs", "job.py", "--log").stdout
    assert cluster.begun() == 44
    assert cluster.left_clean()


def test_jobs_that_are_deleted_give_back_what_they_run(cluster):
    cluster.tg(*("submit", "job.py", "--sge", "-n", 2, "--", 600, 4))
    cluster.wait_until(lambda: cluster.begun() == 2)

    assert "2 jobs told to end" in cluster.tg("cancel", "job.py").stderr

    cluster.wait_for_jobs()
    assert cluster.left_clean()


def test_a_command_of_one_line_will_do_and_a_limit_of_the_queue_is_known(cluster):
    line = (
        f"qsub -terse -sync y -t 1-2 -b y -cwd -l h_rt=60 {PROGRAMS}/tg execute job.py"
    )
    cluster.sh(f"{line} -- 0.2 8")

    assert cluster.done() == 8
    told = "".join(path.read_text() for path in cluster.folder.glob("tg.[eo]*"))
    assert "not known" not in told


def test_a_refusal_is_told_in_grid_engine_s_words_and_nothing_is_left(cluster):
    given = ("--sge", "--directive", "-q nowhere.q")
    said = cluster.tg("submit", "job.py", *given, "--", 1, 4, code=2).stderr

    assert "qsub refused" in said
    assert "nowhere.q" in said
    assert not (cluster.folder / "job.tgjobs").exists()


def test_a_host_that_dies_delays_its_tasks_and_loses_nothing(cluster):
    cluster.tg(*("submit", "job.py", "--sge", "-n", 4, "--lease", 3, "--", 0.5, 16))
    cluster.wait_until(lambda: cluster.begun() >= 4)

    cluster.lose(2)

    cluster.wait_until(lambda: cluster.all_done(16))
    cluster.wait_until(cluster.no_lock_is_left)
