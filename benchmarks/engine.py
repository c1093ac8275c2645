"""The engine against jug 2.7 in one run: ``python benchmarks/engine.py [part ...]``.

Parts: overhead, warm, barriers, build, small, waiting, arrays, start. Every figure is
the median of some runs of the whole command, in seconds, with the ratio jug / tg beside
it; that of barriers is of CPU seconds.
Work is done in ``--folder`` (a disk) and in ``/dev/shm`` (memory).
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent
FAN = """\
from {engine} import TaskGenerator
@TaskGenerator
def f(i): return i
@TaskGenerator
def total(xs): return sum(xs)
total([f(i) for i in range({n})])
"""
BARRIERS = """\
from {engine} import TaskGenerator, barrier
@TaskGenerator
def f(i, j): return i
for i in range({n}):
    xs = [f(i, j) for j in range(100)]
    barrier()
"""
LAYERS = """\
import time
from {engine} import TaskGenerator
@TaskGenerator
def a(layer, before): time.sleep(0.5); return layer
@TaskGenerator
def b(layer, before): time.sleep(0.6); return layer
before = []
for layer in range(5):
    before = [a(layer, list(before)), b(layer, list(before))]
"""
PING = """\
import time
from {engine} import TaskGenerator
@TaskGenerator
def a(before): return time.time()
@TaskGenerator
def b(before): return time.time()
times = [None]
for i in range({n}):
    times.append((a if i % 2 == 0 else b)(times[-1]))
"""
BUILD = """\
import gc, time
{setup}
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before, start = rss(), time.perf_counter()
{body}
seconds = time.perf_counter() - start
print(seconds, (rss() - before) / {n})
"""
GENERATOR = "@TaskGenerator\ndef f(i): return i\n"
TG_SETUP = """\
from taskgraph import TaskGenerator
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.graph import Graph
from backends.garbage import few_collections
"""
JUG_SETUP = "from jug import TaskGenerator\nfrom jug.task import alltasks\n"
TG_BUILD = """\
with recorded_in(Recording()) as recording, few_collections():
    for i in range({n}): f(i)
    graph = Graph(recording.tasks)
"""
JUG_BUILD = "for i in range({n}): f(i)\nfor t in alltasks: t.hash()"
ARRAYS = """\
import os, sys, time
from pathlib import Path
import numpy as np
x = np.random.default_rng(0).random(67_108_864, dtype=np.float32)
folder = sys.argv[1]
{open}
def plain():
    with open(folder + "/plain.npy", "wb") as file:
        start = time.perf_counter()
        np.save(file, x); file.flush(); os.fsync(file.fileno())
    os.unlink(folder + "/plain.npy")
    return x.nbytes / 1e6 / (time.perf_counter() - start)
for _ in range(5):
    limit = plain()
    start = time.perf_counter(); {store}; stored = time.perf_counter() - start
    start = time.perf_counter(); y = {load}; loaded = time.perf_counter() - start
    assert y[0][-1] == x[-1] and y[1] == 1
    print(x.nbytes / 1e6 / stored, x.nbytes / 1e6 / loaded, limit)
    for path in Path(folder).rglob("*.npy"): path.unlink()  # their pages serve again
"""


def timed(*commands: list[str], cwd: Path) -> float:
    """Run commands at once and return the seconds until the last has ended."""
    start = time.perf_counter()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [
        subprocess.Popen(command, cwd=cwd, env=env, **quiet) for command in commands
    ]
    codes = [process.wait() for process in running]
    seconds = time.perf_counter() - start
    if any(codes):
        sys.exit(f"{commands} ended with {codes}")
    return seconds


def tg(*words: str) -> list[str]:
    return [str(BIN / "tg"), *words]


def jug(*words: str) -> list[str]:
    return [str(BIN / "jug"), *words, "--will-cite"]


def clean(folder: Path) -> None:
    for data in [*folder.glob("*.tgdata"), *folder.glob("*.jugdata")]:
        shutil.rmtree(data)


def cold(folder: Path, *commands: list[str], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        clean(folder)
        seconds.append(timed(*commands, cwd=folder))
    return statistics.median(seconds)


def report(
    what: str, ours: float, peer: float | None, bar: str, unit: str = "s"
) -> None:
    ratio = f"{peer / ours:8.1f}x" if peer is not None else " " * 9
    theirs = f"{peer:10.3f}" if peer is not None else " " * 10
    print(f"{what:48} tg {ours:10.3f} {unit:5} jug {theirs} {ratio}  bar: {bar}")


def write(folder: Path, name: str, text: str, **values: object) -> None:
    (folder / f"{name}_tg.py").write_text(text.format(engine="taskgraph", **values))
    (folder / f"{name}_jug.py").write_text(text.format(engine="jug", **values))


def overhead(folder: Path, runs: int) -> None:
    for place, bar in ((folder, "15x"), (Path("/dev/shm/tg-bench"), "6x")):
        place.mkdir(exist_ok=True)
        write(place, "fan", FAN, n=10_000)
        ours = cold(place, tg("execute", "fan_tg.py"), runs=runs)
        theirs = cold(place, jug("execute", "fan_jug.py"), runs=max(1, runs // 2))
        report(f"10,000 no-op tasks and a sum, {place}", ours, theirs, f">= {bar}")
        two = cold(place, *[tg("execute", "fan_tg.py")] * 2, runs=runs)
        report("  the same, two workers", two, None, f"<= {ours:.3f} s")
        clean(place)
    write(folder, "fan", FAN, n=100_000)
    ours = cold(folder, tg("execute", "fan_tg.py"), runs=max(1, runs // 2))
    report("100,000 no-op tasks: us a task", ours * 10, None, "<= 60 us", "us")


def cpu(command: list[str], cwd: Path) -> float:
    """Return the CPU seconds of a command, its workers included."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=cwd, **quiet)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def barriers(_folder: Path, _runs: int) -> None:
    """Jug reads the script anew at each barrier, and does the first of them only."""
    place = Path("/dev/shm/tg-bench")
    place.mkdir(exist_ok=True)
    for n in (50, 100, 200, 400):
        write(place, "barriers", BARRIERS, n=n)
        clean(place)
        ours = cpu(tg("execute", "barriers_tg.py"), place)
        theirs = cpu(jug("execute", "barriers_jug.py"), place) if n == 50 else None
        bar = "200 in <= 2.5 s, linear"
        report(f"{n} barriers with 100 tasks each, CPU", ours, theirs, bar)
    clean(place)


def warm(_folder: Path, runs: int) -> None:
    place = Path("/dev/shm/tg-bench")
    place.mkdir(exist_ok=True)
    write(place, "fan", FAN, n=100_000)
    clean(place)
    medians = []
    for command in (tg("execute", "fan_tg.py"), jug("execute", "fan_jug.py")):
        timed(command, cwd=place)
        seconds = [timed(command, cwd=place) for _ in range(runs)]
        medians.append(statistics.median(seconds))
    report("rerun of 100,000 finished tasks", *medians, ">= 4x")
    medians = []
    for command in (tg("status", "fan_tg.py"), jug("status", "fan_jug.py")):
        seconds = [timed(command, cwd=place) for _ in range(runs)]
        medians.append(statistics.median(seconds))
    report("status of 100,000 finished tasks", *medians, "<= 0.3 s")
    clean(place)


def build(folder: Path, _runs: int) -> None:
    n = 1_000_000
    setups = (
        (TG_SETUP, TG_BUILD.format(n=n)),
        (JUG_SETUP, JUG_BUILD.format(n=n)),
    )
    found = []
    for setup, body in setups:
        script = folder / "build.py"
        script.write_text(BUILD.format(setup=setup + GENERATOR, body=body, n=n))
        out = subprocess.check_output([sys.executable, str(script)], cwd=folder)
        found.append([float(number) for number in out.split()])
    report("1,000,000 tasks built and hashed", found[0][0], found[1][0], ">= 3x")
    report("  bytes a task", found[0][1], found[1][1], "<= 400", "B")


def small(folder: Path, _runs: int) -> None:
    n = 1_000_000
    write(folder, "fan", FAN, n=n)
    clean(folder)
    seconds = timed(tg("execute", "fan_tg.py"), cwd=folder)
    files = [p for p in (folder / "fan_tg.tgdata").rglob("*") if p.is_file()]
    used = sum(path.stat().st_blocks * 512 for path in files)
    report("1,000,000 small results: us a task", seconds, None, "", "us")
    report("  files", len(files), None, "< 2,000", "")
    report("  bytes on disk each", used / n, None, "<= 250", "B")
    clean(folder)


def waiting(folder: Path, runs: int) -> None:
    write(folder, "layers", LAYERS)
    ours = cold(folder, *[tg("execute", "layers_tg.py")] * 2, runs=runs)
    theirs = cold(folder, *[jug("execute", "layers_jug.py")] * 2, runs=1)
    report("5 layers of 0.5 and 0.6 s, ideal 3.0 s", ours, theirs, "<= 3.45 s")
    write(folder, "ping", PING, n=20)
    hops = []
    for _ in range(runs):
        clean(folder)
        both = [tg("execute", "ping_tg.py", "--name", name) for name in "ab"]
        timed(*both, cwd=folder)
        code = (
            "import taskgraph\n"
            "_, space = taskgraph.init('ping_tg.py', store='ping_tg.tgdata')\n"
            "t = taskgraph.value(space['times'][1:])\n"
            "print(max(y - x for x, y in zip(t, t[1:])))\n"
        )
        out = subprocess.check_output([sys.executable, "-c", code], cwd=folder)
        hops.append(float(out))
    report("ping-pong: slowest of 19 hops", statistics.median(hops), None, "<= 0.05 s")
    clean(folder)


def arrays(folder: Path, _runs: int) -> None:
    ours = ARRAYS.format(
        open="from taskgraph import open_store\n"
        "store = open_store(folder + '/arrays.tgdata')",
        store="payload = store.encode((x, 1), os.urandom(20))",
        load="store.decode(payload, b'')",
    )
    theirs = ARRAYS.format(
        open="from jug.backends.file_store import file_store\n"
        "store = file_store(folder + '/arrays.jugdata')",
        store="store.dump((x, 1), b'ab' * 20)",
        load="store.load(b'ab' * 20)",
    ).replace("range(5)", "range(1)")
    for place in (folder, Path("/dev/shm/tg-bench")):
        place.mkdir(exist_ok=True)
        best = []
        for script in (ours, theirs):
            (place / "arrays.py").write_text(script)
            command = [sys.executable, "arrays.py", str(place)]
            out = subprocess.check_output(command, cwd=place, text=True)
            rows = [list(map(float, line.split())) for line in out.splitlines()]
            best.append(
                [statistics.median(column) for column in zip(*rows, strict=True)]
            )
        print(
            f"256 MB float32 in a tuple, {place}: store tg {best[0][0]:.0f} MB/s, "
            f"jug {best[1][0]:.0f}, np.save and fsync {best[0][2]:.0f}; "
            f"load tg {best[0][1]:.0f}, jug {best[1][1]:.0f}  "
            "bar: store >= 1,000 MB/s, load memory-mapped"
        )
        clean(place)


def start(folder: Path, runs: int) -> None:
    (folder / "empty.py").write_text("")
    python = [[sys.executable, "-c", "pass"]]
    bare = min(timed(*python, cwd=folder) for _ in range(5 * runs))
    print(f"bare python: {bare:.3f} s")
    for words in (["--help"], ["status", "empty.py"]):
        ours = min(timed(tg(*words), cwd=folder) for _ in range(5 * runs))
        theirs = min(timed(jug(*words), cwd=folder) for _ in range(2 * runs))
        report(f"tg {' '.join(words)}", ours, theirs, "<= 0.12 s")


PARTS = {
    "overhead": overhead,
    "warm": warm,
    "barriers": barriers,
    "build": build,
    "small": small,
    "waiting": waiting,
    "arrays": arrays,
    "start": start,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", default=list(PARTS))
    parser.add_argument("--folder", type=Path, help="where to work, on a disk")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder or Path.cwd()) as name:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, in {name}")
        for part in given.parts:
            PARTS[part](Path(name), given.runs)
    shutil.rmtree("/dev/shm/tg-bench", ignore_errors=True)


if __name__ == "__main__":
    main()
