"""Where a result comes from: host, user, job, versions, commit."""

from __future__ import annotations

import getpass
import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_JOB_VARIABLES = (
    ("slurm", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"),
    ("slurm", "SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID"),
    ("sge", "JOB_ID", "SGE_TASK_ID"),
    ("pbs", "PBS_JOBID", "PBS_ARRAY_INDEX"),
    ("lsf", "LSB_JOBID", "LSB_JOBINDEX"),
    ("aws", "AWS_BATCH_JOB_ID", ""),
    ("google", "BATCH_JOB_UID", "BATCH_TASK_INDEX"),
    ("azure", "AZ_BATCH_JOB_ID", "AZ_BATCH_TASK_ID"),
)
_ELEMENT = re.compile(r"(?<=\[)[0-9]+(?=\])|:[0-9]+$")
"""Which job of an array, in the name of one of PBS or of AWS."""
_GIT_SECONDS = 5.0


class Provenance:
    """Collects what the records of one worker share.

    Parameters
    ----------
    folder : str
        Whose git commit counts: where the jugfile is.
    environ : mapping
        The environment, for the batch system's job id.
    """

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self._git = _start_git(folder)
        self._modules = 0
        self._context: dict[str, Any] = {
            "host": os.uname().nodename,
            "user": _user(),
            "pid": os.getpid(),
            "job": job_id(environ),
            "array": array_id(environ),
            "python": platform.python_version(),
        }

    def context(self) -> Mapping[str, Any]:
        """Return what is known now: versions are of the packages imported so far."""
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            self._context["packages"] = _versions()
        if self._git is not None:
            self._context["git"] = _finish_git(self._git)
            self._git = None
        self._context["pid"] = os.getpid()
        return self._context

    def close(self) -> None:
        """Wait for git, if nothing was recorded that could have asked it."""
        if self._git is not None:
            _finish_git(self._git)
            self._git = None


def job_id(environ: Mapping[str, str]) -> str:
    """Return the batch system's name for this job, empty outside of one.

    Examples
    --------
    >>> job_id({"SLURM_JOB_ID": "71", "SLURM_ARRAY_TASK_ID": "3"})
    'slurm:71.3'
    >>> job_id({})
    ''
    """
    for system, job, element in _JOB_VARIABLES:
        if job in environ:
            number = environ.get(element, "undefined")
            part = "" if number in ("undefined", "0") else f".{number}"
            return f"{system}:{environ[job]}{part}"
    return ""


def array_id(environ: Mapping[str, str]) -> str:
    """Return what all jobs of an array are called together, empty outside of a batch.

    A job that is no array is one of its own; it keeps its name if it is queued again.

    Examples
    --------
    >>> array_id({"SLURM_JOB_ID": "74", "SLURM_ARRAY_JOB_ID": "71"})
    'slurm:71'
    >>> array_id({"PBS_JOBID": "71[3].host"}), array_id({"JOB_ID": "9"}), array_id({})
    ('pbs:71[].host', 'sge:9', '')
    >>> array_id({"AWS_BATCH_JOB_ID": "4f1b:3"})
    'aws:4f1b'
    """
    for system, job, _ in _JOB_VARIABLES:
        if job in environ:
            return f"{system}:{_ELEMENT.sub('', environ[job])}"
    return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _versions() -> dict[str, str]:
    """Return the versions of the packages that are imported, by import name."""
    versions = {}
    for name, module in list(sys.modules.items()):
        if "." in name or name.startswith("_") or name in sys.stdlib_module_names:
            continue
        version = getattr(module, "__dict__", {}).get("__version__")
        if isinstance(version, str):
            versions[name] = version
    return versions


def _start_git(folder: str) -> subprocess.Popen[str] | None:
    command = ["git", "-C", folder, "--no-optional-locks"]
    command += ["status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    with suppress(OSError):
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    return None


def _finish_git(git: subprocess.Popen[str]) -> dict[str, Any]:
    try:
        out, _ = git.communicate(timeout=_GIT_SECONDS)
    except subprocess.TimeoutExpired:
        git.kill()
        git.communicate()
        return {}
    commit, dirty = "", False
    for line in out.splitlines():
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif not line.startswith("#"):
            dirty = True
    return {"commit": commit, "dirty": dirty} if commit else {}
