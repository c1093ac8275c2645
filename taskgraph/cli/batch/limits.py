"""Being a job of a batch system: its time limit, and starting it again."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from taskgraph.cli.sentences import note
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskgraph.execution.options import RunOptions

_BATCH = ("SLURM_JOB_ID", "SGE_TASK_ID", "PBS_JOBID", "LSB_JOBID")
"""Variables of jobs whose time may be limited."""
_OF_LIMITS = (signal.SIGUSR1, signal.SIGXCPU)
"""What batch systems send when a limit is near: a soft one of time, or one of CPU."""


def in_its_time(options: RunOptions) -> RunOptions:
    """Return how to run with the time limit of this job, if this is one.

    What the user gives counts from when this program was started.
    """
    per_worker = options.per_worker
    limit = per_worker.max_time
    if limit is not None:
        from taskgraph.clusters.time_limit import process_age

        limit = max(0.0, limit - process_age())
    if any(variable in os.environ for variable in _BATCH):
        limit = time_given(limit, os.environ)
    return replace(options, per_worker=replace(per_worker, max_time=limit))


def heed_jug_variables(environ: Mapping[str, str]) -> None:
    """Let the workers of this process end as ``JUG_MAX_TASKS`` and its like say.

    Raises
    ------
    UsageError
        One that should be a whole number is none.
    """
    if any(name.startswith("JUG_") for name in environ):
        from taskgraph.hooks.exit_checks import exit_env_vars

        exit_env_vars(environ)


def time_given(max_time: float | None, environ: Mapping[str, str]) -> float | None:
    """Return how long a run may take: what the user says, or less in a batch job.

    The user is told if the batch system cannot be asked.

    Parameters
    ----------
    max_time : float or None
        Seconds that the user gives.
    environ : mapping
        The environment, by which a batch job is known.
    """
    from taskgraph.clusters.programs import ClusterError
    from taskgraph.clusters.time_limit import seconds_left

    try:
        left = seconds_left(environ)
    except (ClusterError, ValueError) as error:
        if max_time is None:
            note(f"when this job has to end is not known ({error}); give --max-time")
        return max_time
    if left is None:
        return max_time
    return max(0.0, min(left, left if max_time is None else max_time))


def ends_for_limit(signo: int) -> bool:
    """Return whether a signal says that a limit of the batch system is near."""
    return signo in _OF_LIMITS


def concluded_early(*, progress: bool, requeue: bool) -> int:
    """Return the exit code of a run that a limit ended; queue the job again.

    Parameters
    ----------
    progress : bool
        Whether the run has finished a task. If not, it would go on like that for ever.
    requeue : bool
        Whether the job is to be queued again.
    """
    from taskgraph.clusters.programs import ClusterError
    from taskgraph.clusters.requeueing import queue_again

    if not progress:
        again = "; the job is not queued again" if requeue else ""
        note(
            "no task was finished in the time that there was, or before a hook of the "
            f"jugfile ended the run{again}: give more time, or mend the hook"
        )
        return ExitCode.NOT_DONE
    if not requeue:
        note("work is left: start it again")
        return ExitCode.LEFT
    try:
        told = queue_again(os.environ)
    except ClusterError as error:
        note(f"work is left, and this job cannot be queued again: {error}")
        return ExitCode.LEFT
    note(f"work is left: {told.sentence}")
    return told.exit_code
