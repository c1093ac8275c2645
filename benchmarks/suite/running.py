"""Run one benchmark in a process of its own, within a limit of time."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reporting import Row

if TYPE_CHECKING:
    from suite.parts import Part

BENCHMARKS = Path(__file__).parent.parent
ROOT = BENCHMARKS.parent


class Outcome(NamedTuple):
    """What a benchmark found, and what it took."""

    rows: list[Row]
    seconds: float
    cpu: float
    """Of it and all that it started, in seconds."""
    others: float | None
    """How many cores other programs used meanwhile; None where nothing tells."""
    failure: str
    """Why there are no more rows, or nothing."""


def run(part: Part, python: str, limit: float) -> Outcome:
    """Run a benchmark by a Python, with the packages that this one has."""
    script, *arguments = part.call.split()
    command = [python, str(BENCHMARKS / script), *arguments, "--json"]
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".benchmarks-") as name:
        out, err = Path(name, "out"), Path(name, "err")
        busy, used, start = busy_seconds(), children_seconds(), time.perf_counter()
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                command,
                stdout=stdout,
                stderr=stderr,
                cwd=name,
                env=environment(name),
                start_new_session=True,  # so that all it starts can be stopped
            )
            failure = ended(process, limit)
        seconds = time.perf_counter() - start
        cpu = children_seconds() - used
        rows = rows_of(out.read_text())
        if not failure and process.returncode:
            last = err.read_text().strip().splitlines()[-1:]
            said = "".join(last).replace(f"{ROOT}/", "").replace(name, "")
            failure = f"ended with exit code {process.returncode}: {said}"
    after = busy_seconds()
    known = busy is not None and after is not None
    others = max(0.0, after - busy - cpu) / seconds if known else None
    return Outcome(rows, seconds, cpu, others, failure)


def environment(folder: str) -> dict[str, str]:
    """Return the environment of a benchmark whose temporary files are in a folder."""
    own = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return {**own, "PATH": search_path(), "TMPDIR": folder}


def search_path() -> str:
    """Return where programs are looked for: also where a checkout has its uv."""
    return os.pathsep.join([str(ROOT / ".uv" / "bin"), os.environ.get("PATH", "")])


def let_interrupts_through() -> None:
    """Let what this process starts hear interrupts, which it would not behind ``&``."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def ended(process: subprocess.Popen[bytes], limit: float) -> str:
    """Wait for a process, and stop it with all that it started if that takes long.

    At first by an interrupt, so that it removes what it has in memory.
    """
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        for kind, patience in ((signal.SIGINT, 10), (signal.SIGKILL, None)):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, kind)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        return f"stopped after {limit:.0f} s"
    return ""


def rows_of(text: str) -> list[Row]:
    r"""Return the rows of what a benchmark printed; a line cut short is none.

    >>> rows_of('{"case": "to sum", "ours": 1.5}\n{"case": "to')
    [Row(case='to sum', ours=1.5, ...)]
    """
    lines = text.splitlines(keepends=True)
    return [Row(**json.loads(line)) for line in lines if line.endswith("\n")]


def children_seconds() -> float:
    """Return the CPU time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy_seconds() -> float | None:
    """Return the CPU time of all programs since the machine began (Linux)."""
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    user, nice, system, _, _, *interrupts = map(int, first.split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
