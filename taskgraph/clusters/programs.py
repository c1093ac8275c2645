"""The programs of batch systems: asked, and what they say when they refuse."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from taskgraph.errors import TaskgraphError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_PATIENCE = 120.0
"""Seconds; a controller under load takes its time."""
_LONGEST = 300
"""Letters of what a program said that are passed on."""


class ClusterError(TaskgraphError):
    """A batch system is not there, does not answer, or refuses what it is asked."""


def ask(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    given: str = "",
    environ: Mapping[str, str] | None = None,
    patience: float = _PATIENCE,
) -> str:
    """Run a program of a batch system; return what it printed.

    Parameters
    ----------
    command : sequence of str
        Its name and arguments.
    folder : Path, optional
        Where it runs.
    given : str
        Its standard input.
    environ : mapping, optional
        Its environment, this process's by default.
    patience : float
        Seconds that it has.

    Raises
    ------
    ClusterError
        It is not there, takes too long, or refuses, in its own words.

    Examples
    --------
    >>> ask(["echo", "17"])
    '17'
    >>> ask(["sh", "-c", "echo no such queue >&2; exit 1"])
    Traceback (most recent call last):
    taskgraph.clusters.programs.ClusterError: sh refused: no such queue
    """
    name = command[0]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            input=given,
            env=environ,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=patience,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"there is no {name} on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"{name} did not answer in {patience:.0f} s") from error
    except OSError as error:
        raise ClusterError(f"{name} cannot be run: {error}") from error
    if done.returncode:
        raise ClusterError(f"{name} refused: {_words(done, name)}")
    return done.stdout.strip()


def _words(done: subprocess.CompletedProcess[str], name: str) -> str:
    """Return what a program said of its refusal, in one line."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    lines = lines or [line.strip() for line in done.stdout.splitlines() if line.strip()]
    kept = [line.removeprefix(f"{name}: ").removeprefix("error: ") for line in lines]
    said = "; ".join(kept)
    return said[:_LONGEST] or f"it ended with code {done.returncode}"
