"""Queueing this job again: what that is differs between batch systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskgraph.clusters.programs import ask
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

_SGE_AGAIN = 99
"""The exit code with which a job of Grid Engine asks to be queued again."""


@dataclass(frozen=True, slots=True)
class Again:
    """How this process has to end, and what to tell the user."""

    exit_code: int
    sentence: str


def queue_again(environ: Mapping[str, str]) -> Again:
    """Let the batch system start this job again; return how to end.

    Slurm is asked, and ends this job meanwhile. Grid Engine goes by the exit code, and
    so do LSF (``bsub -Q 5``), Kubernetes and the job script for PBS, whose users may
    not queue a job again.

    Raises
    ------
    ClusterError
        The batch system refuses.

    Examples
    --------
    >>> queue_again({"SGE_TASK_ID": "3", "JOB_ID": "17"}).exit_code
    99
    >>> queue_again({}).exit_code == ExitCode.LEFT
    True
    """
    if "SLURM_JOB_ID" in environ:
        ask(["scontrol", "requeue", environ["SLURM_JOB_ID"]])
        return Again(ExitCode.LEFT, "this job is queued again")
    if "SGE_TASK_ID" in environ:
        return Again(_SGE_AGAIN, "this job asks to be queued again")
    return Again(ExitCode.LEFT, f"exit code {ExitCode.LEFT:d} asks for another start")
