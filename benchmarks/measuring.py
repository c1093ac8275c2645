"""How benchmarks measure: calls that take turns, commands with all their processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Through a small process: a child's peak begins with that of its parent.
MEASURE = """
import json, resource, subprocess, sys, time
quiet = {"stdout": subprocess.DEVNULL}
start = time.perf_counter()
running = [subprocess.Popen(one, **quiet) for one in json.loads(sys.argv[1])]
codes = [one.wait() for one in running]
wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([codes, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


@contextmanager
def in_memory() -> Iterator[Path]:
    """Yield a new folder in memory, or where temporary files are if there is none."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


class Took(NamedTuple):
    """What commands took, all their processes together."""

    wall: float
    cpu: float
    peak_mb: float
    """That of the largest process."""
    errors: str
    """What they wrote to standard error."""


def measured(*commands: list[Any], cwd: Path | None = None, **more: str) -> Took:
    """Run commands at once, with `more` in their environment, to the end of the last.

    Raises
    ------
    SystemExit
        If one of them fails; what it said is told.
    """
    environment = {**os.environ, **more}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    words = json.dumps([[str(word) for word in one] for one in commands])
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, words],
        check=True,
        capture_output=True,
        cwd=cwd,
        env=environment,
        text=True,
    )
    codes, wall, cpu, peak = json.loads(done.stdout)
    if any(codes):
        sys.exit(f"{words} ended with {codes}: {done.stderr[-2000:]}")
    return Took(wall, cpu, peak, done.stderr)


def least(
    clock: Callable[[], float], calls: tuple[Callable[[], Any], ...], runs: int
) -> list[float]:
    """Return the least time of each call by a clock; the calls take turns.

    They take turns, so that what else the machine does falls on all of them.
    """
    best = [float("inf")] * len(calls)
    for _ in range(runs):
        for k, call in enumerate(calls):
            start = clock()
            call()
            best[k] = min(best[k], clock() - start)
    return best


def cpu_seconds(*calls: Callable[[], Any], runs: int = 3) -> list[float]:
    """Return the least CPU time of each call, threads included."""
    return least(time.process_time, calls, runs)


def seconds(*calls: Callable[[], Any], runs: int = 3) -> list[float]:
    """Return the least time of each call."""
    return least(time.perf_counter, calls, runs)
