"""Many workers on one store: ``python benchmarks/many_workers.py [part ...]``.

Parts: short (tasks of 5 ms, 150 for each worker), middle (of 50 ms, 40 for each), long
(200 workers, 5 tasks of 1 s for each), two (2 workers, 1,000 tasks of 10 ms for each,
beside a pool of processes that keeps nothing). Tasks sleep, so that the machine has one
core or many alike. Start and end of the workers are included. The runs of a part take
turns, since other work on the machine comes and goes; the medians are printed.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

TG = Path(sys.executable).parent / "tg"
JOB = """\
import time
from taskgraph import TaskGenerator
@TaskGenerator
def work(i):
    time.sleep({seconds})
    return i
for i in range({tasks}):
    work(i)
"""


POOL = """\
import sys, time
from concurrent.futures import ProcessPoolExecutor
def work(i):
    time.sleep(float(sys.argv[3]))
    return i
if __name__ == "__main__":
    with ProcessPoolExecutor(int(sys.argv[1])) as pool:
        assert len(list(pool.map(work, range(int(sys.argv[2]))))) == int(sys.argv[2])
"""


class Run(NamedTuple):
    """What one run took."""

    wall: float
    cpu: float
    segments: int
    warnings: int


def run(folder: Path, workers: int, tasks: int, seconds: float) -> Run:
    """Run `tasks` tasks on a new store and return what that took."""
    (folder / "job.py").write_text(JOB.format(seconds=seconds, tasks=tasks))
    shutil.rmtree(folder / "job.tgdata", ignore_errors=True)
    command = [str(TG), "execute", "job.py", "-j", str(workers), "-q"]
    wall, cpu, said = measured(command, folder)
    segments = sum(1 for x in (folder / "job.tgdata/log").glob("*/*") if x.is_file())
    packs = len(list((folder / "job.tgdata/log").glob("*.pack")))
    return Run(wall, cpu, segments + 1000 * packs, said.count("does not answer"))


def measured(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Run a command; return seconds, seconds of CPU, and what it said of errors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, done.stderr


def compare(
    folder: Path, counts: list[int], each: int, seconds: float, rounds: int
) -> dict[int, Run]:
    """Run each number of workers some times, in turns; print and return medians."""
    runs: dict[int, list[Run]] = {workers: [] for workers in counts}
    for _ in range(rounds):
        for workers in counts:
            runs[workers].append(run(folder, workers, each * workers, seconds))
    print(f"load {os.getloadavg()[0]:.1f}; {each} tasks of {seconds} s for each worker")
    medians = {}
    for workers, all_runs in runs.items():
        m = medians[workers] = Run(*map(statistics.median, zip(*all_runs, strict=True)))
        tasks = each * workers
        least, most = (f(x.wall for x in all_runs) for f in (min, max))
        print(
            f"{workers:4} workers: {tasks / m.wall:6.0f} tasks/s, "
            f"{each * seconds / m.wall:4.0%} of ideal, {m.wall:6.2f} s "
            f"({least:.2f} to {most:.2f}), {1000 * m.cpu / tasks:5.2f} ms of CPU each, "
            f"{m.segments:6.0f} segments, {m.warnings:.0f} false alarms"
        )
    return medians


def short(folder: Path, rounds: int, counts: list[int]) -> None:
    compare(folder, counts or [4, 16, 64], 150, 0.005, rounds)
    print("  bar: tasks/s do not fall by more than 10 % from one to the next")


def middle(folder: Path, rounds: int, counts: list[int]) -> None:
    compare(folder, counts or [64], 40, 0.05, rounds)
    print("  bar: >= 85 % of ideal")


def long(folder: Path, rounds: int, counts: list[int]) -> None:
    compare(folder, counts or [200], 5, 1.0, rounds)
    print("  bar: <= 12 s")


def two(folder: Path, rounds: int, counts: list[int]) -> None:
    workers, each, seconds = (counts or [2])[0], 1000, 0.01
    (folder / "pool.py").write_text(POOL)
    numbers = [str(workers), str(workers * each), str(seconds)]
    pool = [sys.executable, "pool.py", *numbers]
    ratios = []
    for _ in range(rounds):
        ours = compare(folder, [workers], each, seconds, 1)[workers]
        wall, cpu, _ = measured(pool, folder)
        ratios.append(ours.wall / wall)
        print(
            f"   a pool of processes: {wall:6.2f} s, {1000 * cpu / int(numbers[1]):.2f}"
            f" ms of CPU each; tg takes {ratios[-1]:.3f} times as long"
        )
    print(f"  median {statistics.median(ratios):.3f} times as long        bar: <= 1.02")


PARTS = {"short": short, "middle": middle, "long": long, "two": two}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", default=list(PARTS))
    parser.add_argument("--folder", type=Path, help="where to work, on a disk")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder or Path.cwd()) as name:
        for part in given.parts:
            PARTS[part](Path(name), given.rounds, given.workers)


if __name__ == "__main__":
    main()
