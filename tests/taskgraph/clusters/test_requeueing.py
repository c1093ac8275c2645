"""A job is queued again once, whichever of its processes asks first."""

import pytest

from taskgraph.clusters.programs import ClusterError
from taskgraph.clusters.requeueing import queue_again


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Return a function that makes `scontrol` refuse with a sentence."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    def refuse(sentence):
        program = tmp_path / "scontrol"
        program.write_text(f'#!/bin/sh\necho "{sentence}" >&2; exit 1\n')
        program.chmod(0o755)

    return refuse


def test_one_that_another_process_has_queued_is_queued(slurm):
    slurm("Job is pending execution for job 17")

    assert queue_again({"SLURM_JOB_ID": "17"}).sentence == "this job is queued again"


def test_one_that_is_being_ended_for_that_is_no_refusal(slurm):
    slurm("$(kill $$)")

    assert "being ended" in queue_again({"SLURM_JOB_ID": "17"}).sentence


def test_another_refusal_is_told(slurm):
    slurm("Requested operation is presently disabled for job 17")

    with pytest.raises(ClusterError, match="scontrol refused: Req"):
        queue_again({"SLURM_JOB_ID": "17"})
