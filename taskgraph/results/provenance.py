"""Where a result comes from: host, user, job, versions, commit, code."""

from __future__ import annotations

import getpass
import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from blake3 import blake3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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


def code_fingerprint(f: Callable[..., Any]) -> str:
    """Return a digest of a function's code: what it does, not where it stands.

    Functions and classes of the same folder that it uses by name count, too, and what
    these use. Comments, line numbers and docstrings do not count. Empty for functions
    without Python code.

    Examples
    --------
    >>> def f(x): return x + 1
    >>> def g(x):
    ...     # the same
    ...     return x + 1
    >>> code_fingerprint(f) == code_fingerprint(g)
    True
    """
    function = getattr(f, "__wrapped__", f)
    if not hasattr(function, "__code__"):
        return ""
    about = [_describe_code(function.__code__, function.__doc__)]
    about += sorted(
        f"{helper.__qualname__} {_describe_code(helper.__code__, helper.__doc__)}"
        for helper in _helpers(function)
    )
    return blake3("\n".join(about).encode()).hexdigest()[:16]


def _helpers(function: Any) -> list[Any]:
    """Return the functions of the same folder that a function uses by name."""
    folder = _folder(function.__code__)
    found: dict[CodeType, Any] = {}
    left = [function]
    while left:
        user = left.pop()
        for helper in _used(user):
            code = helper.__code__
            if code in found or code is function.__code__:
                continue
            if _folder(code) == folder and not code.co_filename.startswith("<"):
                found[code] = helper
                left.append(helper)
    return list(found.values())


def _folder(code: CodeType) -> str:
    return os.path.dirname(os.path.abspath(code.co_filename))  # noqa: PTH100, PTH120


def _used(function: Any) -> Iterator[Any]:
    """Yield the Python functions and methods that the names in a function mean."""
    names = set(_names_in(function.__code__))
    space = getattr(function, "__globals__", {})
    values = [space[name] for name in names if name in space]
    modules = [value for value in values if isinstance(value, ModuleType)]
    values += [vars(m)[name] for m in modules for name in names if name in vars(m)]
    for value in values:
        members = list(vars(value).values()) if isinstance(value, type) else [value]
        for member in members:
            inner = getattr(member, "__func__", getattr(member, "fget", member))
            inner = getattr(inner, "__wrapped__", inner)
            if isinstance(inner, FunctionType):
                yield inner


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _names_in(item)


def _describe_code(code: CodeType, doc: str | None) -> str:
    constants = [
        _describe_code(item, None) if hasattr(item, "co_code") else repr(item)
        for item in code.co_consts
        if doc is None or item != doc
    ]
    names = (code.co_names, code.co_varnames, code.co_freevars)
    # Byte code differs between versions of Python; so does the fingerprint.
    return repr((sys.version_info[:2], code.co_code.hex(), constants, names))


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
