"""The engine beside jug, joblib, dask, a pool: ``python benchmarks/engine.py [part]``.

Parts: overhead, warm, million, barriers, build, reducers, waiting, arrays, start. Times
are the median of some runs of the whole command (of barriers and reducers, CPU time).
Work is done in ``--folder`` (a disk) and, where that is said, in memory.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from measuring import Took, in_memory, measured
from reporting import Row, figure, parser, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

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
OTHERS = {
    "joblib.Memory": """\
import joblib
memory = joblib.Memory("fan.joblib", verbose=0)
@memory.cache
def f(i): return i
@memory.cache
def total(xs): return sum(xs)
total([f(i) for i in range(10_000)])
""",
    "a pool of a process, which keeps nothing": """\
from concurrent.futures import ProcessPoolExecutor
def f(i): return i
if __name__ == "__main__":
    with ProcessPoolExecutor(1) as pool:
        sum(pool.map(f, range(10_000)))
""",
    "dask.delayed in a thread, which keeps nothing": """\
from dask import delayed
@delayed
def f(i): return i
@delayed
def total(xs): return sum(xs)
total([f(i) for i in range(10_000)]).compute(scheduler="threads", num_workers=1)
""",
}
REDUCERS = """\
from {engine} import TaskGenerator
@TaskGenerator
def f(i): return i
@TaskGenerator
def total(k, xs): return k + sum(xs)
xs = [f(i) for i in range({n})]
for k in range(20):
    total(k, xs)
"""
LABELS = """\
import numpy as np
from {engine} import TaskGenerator
@TaskGenerator
def labels():
    return np.repeat(np.arange(1_000_000, dtype=np.int32), 64).reshape(8000, 8000)
@TaskGenerator
def look(k, image): return int(image[k, k])
image = labels()
for k in range({n}):
    look(k, image)
"""
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
for _ in range(3):
    limit = plain()
    start = time.perf_counter(); {store}; stored = time.perf_counter() - start
    start = time.perf_counter(); y = {load}; loaded = time.perf_counter() - start
    assert y[0][-1] == x[-1] and y[1] == 1
    print(x.nbytes / 1e6 / stored, x.nbytes / 1e6 / loaded, limit)
    for path in Path(folder).rglob("*.npy"): path.unlink()  # their pages serve again
"""


def tg(*words: str) -> list[str]:
    return [str(BIN / "tg"), *words]


def jug(*words: str) -> list[str]:
    return [str(BIN / "jug"), *words, "--will-cite"]


def write(folder: Path, name: str, text: str, **values: object) -> None:
    (folder / f"{name}_tg.py").write_text(text.format(engine="taskgraph", **values))
    (folder / f"{name}_jug.py").write_text(text.format(engine="jug", **values))


def clean(folder: Path) -> None:
    for kind in ("tgdata", "jugdata", "joblib"):
        for data in folder.glob(f"*.{kind}"):
            rmtree(data)


def cold(folder: Path, *commands: list[str], runs: int = 1) -> Took:
    """Return what commands take that find nothing done: medians."""
    found = []
    for _ in range(runs):
        clean(folder)
        found.append(measured(*commands, cwd=folder))
    clean(folder)
    return medians(found)


def medians(found: list[Took]) -> Took:
    wall, cpu, peak, _ = zip(*found, strict=True)
    return Took(*map(statistics.median, (wall, cpu, peak)), errors="")


def both_cpu(ours: Took, theirs: Took) -> str:
    return f"CPU {figure(ours.cpu, 's')} and {figure(theirs.cpu, 's')}"


def in_turns(folder: Path, *commands: list[str], runs: int) -> list[Took]:
    """Return what each command takes, on what is done already: medians."""
    found = [[measured(one, cwd=folder) for one in commands] for _ in range(runs)]
    return [medians(list(column)) for column in zip(*found, strict=True)]


def overhead(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    with in_memory() as memory:
        for place, name, goal in ((memory, "memory", 7), (folder, "disk", 18)):
            case = f"10,000 no-op tasks and their sum, {name}"
            write(place, "fan", FAN, n=10_000)
            ours = cold(place, tg("execute", "fan_tg.py"), runs=given.runs)
            two = cold(place, *[tg("execute", "fan_tg.py")] * 2, runs=given.runs)
            jugs = cold(place, jug("execute", "fan_jug.py"))
            note = both_cpu(ours, jugs)
            goals = {"goal_ratio": goal, "note": note}
            yield Row(case, ours.wall, "s", "jug", jugs.wall, **goals)
            for peer, script in OTHERS.items():
                if place == folder and peer.endswith("keeps nothing"):
                    continue
                (place / "other.py").write_text(script)
                theirs = cold(place, [sys.executable, "other.py"])
                note = both_cpu(ours, theirs)
                yield Row(case, ours.wall, "s", peer, theirs.wall, note=note)
            case, one = f"{case}, two workers", {"yardstick": True}
            yield Row(case, two.wall, "s", "one", ours.wall, **one)
    write(folder, "fan", FAN, n=100_000)
    many = cold(folder, tg("execute", "fan_tg.py"))
    note = f"CPU {10 * many.cpu:.1f} us"
    case = "each of 100,000 no-op tasks, disk"
    yield Row(case, many.wall * 10, "us", goal=60, note=note)


def barriers(_: Path, __: argparse.Namespace) -> Iterator[Row]:
    """Compare with jug at 50 only: it reads the script anew at each barrier."""
    with in_memory() as memory:
        for n in (50, 100, 200, 400):
            write(memory, "barriers", BARRIERS, n=n)
            ours = cold(memory, tg("execute", "barriers_tg.py")).cpu
            peer, theirs = "", None
            if n == 50:
                peer = "jug"
                theirs = cold(memory, jug("execute", "barriers_jug.py")).cpu
            case = f"{n} barriers with 100 tasks each"
            goal = 2.5 if n == 200 else None
            yield Row(case, ours, "s CPU", peer, theirs, goal)


def warm(_: Path, given: argparse.Namespace) -> Iterator[Row]:
    with in_memory() as memory:
        write(memory, "fan", FAN, n=100_000)
        for command in (tg("execute", "fan_tg.py"), jug("execute", "fan_jug.py")):
            measured(command, cwd=memory)
        for word, goals in (("execute", {"goal_ratio": 5}), ("status", {"goal": 0.3})):
            commands = (tg(word, "fan_tg.py"), jug(word, "fan_jug.py"))
            ours, theirs = in_turns(memory, *commands, runs=given.runs)
            case = f"{word} of 100,000 finished tasks, memory"
            note = both_cpu(ours, theirs)
            yield Row(case, ours.wall, "s", "jug", theirs.wall, **goals, note=note)


def million(folder: Path, _: argparse.Namespace) -> Iterator[Row]:
    n = 1_000_000
    write(folder, "fan", FAN, n=n)
    clean(folder)
    first = measured(tg("execute", "fan_tg.py"), cwd=folder)
    yield Row("each of 1,000,000 small results", 1e6 * first.wall / n, "us")
    files = [p for p in (folder / "fan_tg.tgdata").rglob("*") if p.is_file()]
    yield Row("  files of all", len(files), "files", goal=2000)
    used = sum(path.stat().st_blocks * 512 for path in files)
    yield Row("  on the disk, each", used / n, "B", goal=250)
    again = measured(tg("execute", "fan_tg.py"), cwd=folder)
    yield Row("  executed again", again.wall, "s")
    peak = again.peak_mb * 2**20 / n
    yield Row("  resident while executed again, each", peak, "B", goal=400)
    clean(folder)


def build(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    n, found = given.tasks, []
    for setup, body in ((TG_SETUP, TG_BUILD), (JUG_SETUP, JUG_BUILD)):
        script = folder / "build.py"
        text = BUILD.format(setup=setup + GENERATOR, body=body.format(n=n), n=n)
        script.write_text(text)
        out = subprocess.check_output([sys.executable, str(script)], cwd=folder)
        found.append([float(number) for number in out.split()])
    ours, theirs = found
    yield Row(f"{n:,} tasks written down and hashed", ours[0], "s", "jug", theirs[0])
    yield Row("  resident, each", ours[1], "B", "jug", theirs[1], goal=400)


def reducers(folder: Path, _: argparse.Namespace) -> Iterator[Row]:
    write(folder, "reducers", REDUCERS, n=100_000)
    ours = cold(folder, tg("execute", "reducers_tg.py")).cpu
    case = "100,000 results, each loaded by 20 tasks of one worker"
    yield Row(case, ours, "s CPU", goal=4)
    loads = []
    for n in (1, 20):
        write(folder, "labels", LABELS, n=n)
        loads.append(cold(folder, tg("execute", "labels_tg.py")).cpu)
    case = "256 MB of labels, loaded by 20 tasks of one worker"
    note = "unpacked once, if near 1"
    yield Row(case, loads[1], "s CPU", "one task", loads[0], yardstick=True, note=note)


def waiting(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    write(folder, "layers", LAYERS)
    ours = cold(folder, *[tg("execute", "layers_tg.py")] * 2, runs=given.runs)
    theirs = cold(folder, *[jug("execute", "layers_jug.py")] * 2)
    case = "5 layers of tasks of 0.5 and 0.6 s, two workers"
    note = f"3.0 s are asleep; {both_cpu(ours, theirs)}"
    yield Row(case, ours.wall, "s", "jug", theirs.wall, goal=3.45, note=note)
    write(folder, "ping", PING, n=20)
    hops = []
    for _ in range(given.runs):
        clean(folder)
        both = [tg("execute", "ping_tg.py", "--name", name) for name in "ab"]
        measured(*both, cwd=folder)
        code = (
            "import taskgraph\n"
            "_, space = taskgraph.init('ping_tg.py', store='ping_tg.tgdata')\n"
            "t = taskgraph.value(space['times'][1:])\n"
            "print(max(y - x for x, y in zip(t, t[1:])))\n"
        )
        out = subprocess.check_output([sys.executable, "-c", code], cwd=folder)
        hops.append(1e3 * float(out))
    case = "from one worker to the other, slowest of 19 times"
    yield Row(case, statistics.median(hops), "ms", goal=50)
    clean(folder)


def arrays(folder: Path, _: argparse.Namespace) -> Iterator[Row]:
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
    ).replace("range(3)", "range(1)")
    with in_memory() as memory:
        for place, name in ((memory, "memory"), (folder, "disk")):
            best = [array_rates(place, script) for script in (ours, theirs)]
            (store, load, limit), (jug_store, jug_load, _) = best
            case = f"256 MB of float32 in a tuple, {name}: store"
            goal = 1000 if name == "memory" else None
            yield Row(case, store, "MB/s", "jug", jug_store, goal)
            yield Row(case, store, "MB/s", "np.save and fsync", limit, yardstick=True)
            case = f"256 MB of float32 in a tuple, {name}: load"
            yield Row(case, load, "MB/s", "jug", jug_load)


def array_rates(place: Path, script: str) -> list[float]:
    (place / "arrays.py").write_text(script)
    command = [sys.executable, "arrays.py", str(place)]
    out = subprocess.check_output(command, cwd=place, text=True)
    rows = [list(map(float, line.split())) for line in out.splitlines()]
    clean(place)
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def start(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    (folder / "empty.py").write_text("")
    bare = [sys.executable, "-c", "pass"]
    for words in (["--help"], ["status", "empty.py"]):
        commands = (tg(*words), jug(*words), bare)
        ours, theirs, python = in_turns(folder, *commands, runs=3 * given.runs)
        case, note = f"tg {' '.join(words)}", both_cpu(ours, theirs)
        yield Row(case, ours.wall, "s", "jug", theirs.wall, goal=0.12, note=note)
        yield Row(case, ours.wall, "s", "python -c pass", python.wall, yardstick=True)


PARTS = {
    "overhead": overhead,
    "warm": warm,
    "million": million,
    "barriers": barriers,
    "build": build,
    "reducers": reducers,
    "waiting": waiting,
    "arrays": arrays,
    "start": start,
}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("parts", nargs="*", metavar="part", default=list(PARTS))
    options.add_argument("--folder", type=Path, help="where to work, on a disk")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--tasks", type=int, default=1_000_000, help="of build")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder or Path.cwd()) as name:
        for part in given.parts:
            show(PARTS[part](Path(name), given), given)


if __name__ == "__main__":
    main()
