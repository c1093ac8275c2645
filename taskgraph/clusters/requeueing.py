"""Queueing this job again: what that is differs between batch systems."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskgraph.clusters.programs import ClusterError, ask
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

_SGE_AGAIN = 99
"""The exit code with which a job of Grid Engine asks to be queued again."""
_QUEUED = "Job is pending execution"
"""What Slurm says of a job that another of its processes has asked it to queue."""
_ENDED = f"ended with code {-signal.SIGTERM}"
"""How `scontrol` ends while Slurm ends all processes of the job that it is part of."""


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
        return Again(ExitCode.LEFT, _ask_slurm(environ["SLURM_JOB_ID"]))
    if "SGE_TASK_ID" in environ:
        return Again(_SGE_AGAIN, "this job asks to be queued again")
    return Again(ExitCode.LEFT, f"exit code {ExitCode.LEFT:d} asks for another start")


def _ask_slurm(job: str) -> str:
    """Have a job queued again, once for all processes that `srun` has started of it.

    Returns what to tell the user.
    """
    try:
        ask(["scontrol", "requeue", job])
    except ClusterError as error:
        if _ENDED in str(error):
            return "this job is being ended, as it is to be queued again"
        if _QUEUED not in str(error):
            raise
    return "this job is queued again"
