"""When the batch system ends the job that this process is part of."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from taskgraph.clusters.programs import ClusterError, ask
from taskgraph.durations import clock_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PATIENCE = 20.0
_STARTED = 19
"""Where in ``/proc/self/stat`` it is when the process began, after its name."""
_SGE_LIMIT = re.compile(r"\b[sh]_rt=(\d+)")
_SGE_QUEUE_LIMIT = re.compile(r"^[sh]_rt\s+(\S+)", re.MULTILINE)
_PBS_LIMIT = re.compile(r"Resource_List\.walltime = ([\d:]+)")
_PBS_USED = re.compile(r"resources_used\.walltime = ([\d:]+)")
_LSF_LEFT = re.compile(r"(\d+):(\d+)")


def seconds_left(environ: Mapping[str, str]) -> float | None:
    """Return how long the batch system will let this job run, as it knows.

    Nothing is asked outside of a job.

    Returns
    -------
    float or None
        Seconds; None outside of a job, and in one without a limit.

    Raises
    ------
    ClusterError
        This is a job, and its batch system does not answer.

    Examples
    --------
    >>> import time
    >>> left = seconds_left({"SLURM_JOB_END_TIME": str(time.time() + 100)})
    >>> 99 < left <= 100
    True
    >>> seconds_left({}) is None
    True
    """
    for variable, ask_for in _SYSTEMS.items():
        if variable in environ:
            return ask_for(environ)
    return None


def process_age() -> float:
    """Return for how many seconds this process has been there; 0 if not on Linux.

    Examples
    --------
    >>> process_age() > 0
    True
    """
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    told = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    started = int(told[_STARTED]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def _slurm_end(environ: Mapping[str, str]) -> float | None:
    return float(environ["SLURM_JOB_END_TIME"]) - time.time()


def _slurm(environ: Mapping[str, str]) -> float | None:
    job = environ["SLURM_JOB_ID"]
    return slurm_left(_asked("squeue", "--noheader", "--job", job, "--format", "%L"))


def slurm_left(said: str) -> float | None:
    """Return the seconds that ``squeue -o %L`` says; None for no limit.

    Examples
    --------
    >>> slurm_left("1-00:00:30"), slurm_left("0:07"), slurm_left("UNLIMITED")
    (86430.0, 7.0, None)
    """
    return clock_seconds(said)


def _grid_engine(environ: Mapping[str, str]) -> float | None:
    job = _asked("qstat", "-j", environ["JOB_ID"])
    queue = environ.get("QUEUE", "")
    try:
        limits = _asked("qconf", "-sq", queue) if queue else ""
    except ClusterError:
        limits = ""  # hosts may run jobs and not be let ask for queues
    limit = grid_engine_limit(job, limits)
    return None if limit is None else limit - process_age()


def grid_engine_limit(job: str, queue: str) -> float | None:
    """Return the least limit in ``qstat -j`` and ``qconf -sq``, s_rt and h_rt alike.

    Examples
    --------
    >>> grid_engine_limit("hard resource_list:  h_rt=300,s_rt=240", "h_rt  INFINITY")
    240.0
    >>> grid_engine_limit("job_number: 1", "s_rt 08:00:00"), grid_engine_limit("", "")
    (28800.0, None)
    """
    found = [float(number) for number in _SGE_LIMIT.findall(job)]
    for limit in _SGE_QUEUE_LIMIT.findall(queue):
        seconds = float(limit) if limit.isdecimal() else clock_seconds(limit)
        found += [] if seconds is None else [seconds]
    return min(found, default=None)


def _pbs(environ: Mapping[str, str]) -> float | None:
    return pbs_left(_asked("qstat", "-f", environ["PBS_JOBID"]))


def pbs_left(said: str) -> float | None:
    """Return what ``qstat -f`` of PBS leaves of the time that was asked for.

    Examples
    --------
    >>> used = "resources_used.walltime = 00:10:00"
    >>> pbs_left(f"Resource_List.walltime = 01:00:00, {used}")
    3000.0
    """
    limit, used = _PBS_LIMIT.search(said), _PBS_USED.search(said)
    whole = clock_seconds(limit[1]) if limit else None
    if whole is None:
        return None
    return whole - ((clock_seconds(used[1]) if used else None) or 0.0)


def _lsf(environ: Mapping[str, str]) -> float | None:
    job, index = environ["LSB_JOBID"], environ.get("LSB_JOBINDEX", "0")
    name = job if index == "0" else f"{job}[{index}]"
    return lsf_left(_asked("bjobs", "-noheader", "-o", "time_left", name))


def lsf_left(said: str) -> float | None:
    """Return what ``bjobs -o time_left`` says: hours and minutes.

    Examples
    --------
    >>> lsf_left("1:20 L"), lsf_left("-")
    (4800.0, None)
    """
    match = _LSF_LEFT.match(said.strip())
    return 3600.0 * int(match[1]) + 60.0 * int(match[2]) if match else None


def _asked(*command: str) -> str:
    return ask(command, patience=_PATIENCE)


_SYSTEMS: dict[str, Callable[[Mapping[str, str]], float | None]] = {
    "SLURM_JOB_END_TIME": _slurm_end,
    "SLURM_JOB_ID": _slurm,
    "SGE_TASK_ID": _grid_engine,
    "PBS_JOBID": _pbs,
    "LSB_JOBID": _lsf,
}
"""How each is asked, by a variable that its jobs have."""
