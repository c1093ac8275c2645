"""Many workers on one store: ``python benchmarks/many_workers.py [part ...]``.

Parts: short (tasks of 5 ms, 150 for each worker), middle (of 50 ms, 40 for each, and
400, where start and end count for less), long (200 workers, 5 tasks of 1 s for each),
two (2 workers, 1,000 tasks of 10 ms for each, beside a pool of processes that keeps
nothing). Tasks sleep, so that the machine has one core or many alike. Start and end of
the workers are included. The runs of a part take turns, since other work on the machine
comes and goes; medians are shown.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from measuring import measured
from reporting import Row, parser, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

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
    command = [TG, "execute", "job.py", "-j", workers, "-q"]
    wall, cpu, _, said = measured(command, cwd=folder)
    segments = sum(1 for x in (folder / "job.tgdata/log").glob("*/*") if x.is_file())
    packs = len(list((folder / "job.tgdata/log").glob("*.pack")))
    return Run(wall, cpu, segments + 1000 * packs, said.count("does not answer"))


def compare(
    folder: Path, counts: list[int], each: int, seconds: float, rounds: int
) -> Iterator[tuple[int, Row]]:
    """Run each number of workers some times, in turns; yield rows of the medians."""
    runs: dict[int, list[Run]] = {workers: [] for workers in counts}
    for _ in range(rounds):
        for workers in counts:
            runs[workers].append(run(folder, workers, each * workers, seconds))
    for workers, all_runs in runs.items():
        m = Run(*map(statistics.median, zip(*all_runs, strict=True)))
        tasks = each * workers
        case = f"{workers} workers, {tasks:,} tasks of {1000 * seconds:g} ms"
        note = (
            f"{tasks / m.wall:.0f} tasks/s, {1000 * m.cpu / tasks:.2f} ms of CPU each, "
            f"{m.segments:.0f} segments, {m.warnings:.0f} false alarms"
        )
        asleep = each * seconds
        row = Row(case, m.wall, "s", "asleep", asleep, yardstick=True, note=note)
        yield workers, row


def short(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    """Tasks a second should not fall by more than 10 % from one number to the next."""
    before = 0.0
    for workers, row in compare(
        folder, given.workers or [4, 16, 64], 150, 0.005, given.rounds
    ):
        rate = 150 * workers / row.ours
        yield replace(row, goal=150 * workers / (0.9 * before) if before else None)
        before = rate


def middle(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    counts = given.workers or [64]
    for each in (40, 400):
        for _, row in compare(folder, counts, each, 0.05, given.rounds):
            yield replace(row, goal_ratio=0.85)


def long(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    counts = given.workers or [200]
    for _, row in compare(folder, counts, 5, 1.0, given.rounds):
        yield replace(row, goal=12)


def two(folder: Path, given: argparse.Namespace) -> Iterator[Row]:
    workers, each, seconds = (given.workers or [2])[0], 1000, 0.01
    (folder / "pool.py").write_text(POOL)
    pool = [sys.executable, "pool.py", workers, workers * each, seconds]
    ours, theirs = [], []
    for _ in range(given.rounds):
        ours += [row for _, row in compare(folder, [workers], each, seconds, 1)]
        theirs.append(measured(pool, cwd=folder).wall)
    one = sorted(ours, key=lambda row: row.ours)[len(ours) // 2]
    yield replace(one, goal=10.6)
    peer = "a pool of processes, which keeps nothing"
    yield Row(one.case, one.ours, "s", peer, statistics.median(theirs), goal_ratio=0.98)


PARTS = {"short": short, "middle": middle, "long": long, "two": two}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("parts", nargs="*", metavar="part", default=list(PARTS))
    options.add_argument("--folder", type=Path, help="where to work, on a disk")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--workers", type=int, nargs="+", default=[])
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder or Path.cwd()) as name:
        for part in given.parts:
            show(PARTS[part](Path(name), given), given)


if __name__ == "__main__":
    main()
