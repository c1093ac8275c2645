"""Ten thousand workers, ten million tasks: ``python benchmarks/at_scale.py [part]``.

Parts: measured, simulated.

*measured* runs 1, 4, 16 and 64 workers on this machine, on its disk and on a server of
Redis, and puts beside each what the simulation and the model say of it, of costs that
`tg doctor` measures in the same minute. *simulated* lets 10,000 workers run 10,000,000
tasks on a disk, NFS, Redis and S3, one worker after the other in the order of time:
each decides by the engine's own `taskgraph.execution.pace.Pace` how much it locks, and
waits for the journal, for what all share, and for its core; and once more as
`taskgraph.doctor.capacity` (and so `tg doctor`) would have it: longer tasks, fewer
workers, more stores.

Assumed, where nothing is measured: each worker has a core, but on a disk, where all are
on this machine; tasks are ready, all of them, and take the same time; on NFS and S3
what `ASSUMED` says; a part of the run is simulated, and its pace goes on to the end.
"""

from __future__ import annotations

import heapq
import os
import random
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.append(str(Path(__file__).parent / "stores"))

from measuring import measured
from reporting import Row, parser, show

from backends.interface import Kind, Service
from backends.opening import open_log
from backends.reading import look
from taskgraph.doctor.capacity import (
    ASIDE,
    Costs,
    Crew,
    in_a_period,
    load,
    most_workers,
    reading,
    shortest_task,
)
from taskgraph.doctor.examination import examine
from taskgraph.execution.pace import Pace, processors

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator, Iterator, Sequence

    Life = Generator[float, float, float]
    """Yields when it goes on, and is sent that when it does."""

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
WORKERS, TASKS = 10_000, 10_000_000
HERE = (1, 4, 16, 64)
LEAST, SLOWER = 3.0, 0.1
"""Seconds of tasks for each worker of a run: at least, and more for each of them."""
COUNTED = 0.4, 0.9
"""The part of a run's tasks that counts: all have started, and none is idle."""
PERIODS = 5
LENGTHS = (1.0, 60.0, 3600.0)
RPC, PUT = 1 / 20_000, 1 / 3_500
GET = 1 / 5_500
ASSUMED = {
    "NFS": Costs(
        append=0.012,
        turn=0.006,
        read=60e-6,
        wait=0.0015,
        latency=0.5,
        service=Service(11 * RPC, 3 * RPC, 4 * RPC, 2 * RPC),
    ),
    "S3": Costs(
        append=0.1,
        turn=0.1,
        read=100e-6,
        wait=0.002,
        latency=0.25,
        service=Service(PUT + GET, GET, GET, GET, block_size=16),
    ),
}
"""NFS: 0.5 ms for a request, 20,000 of them a second at the server. S3: 50 ms for a
request, 3,500 writes and 5,500 reads a second below a prefix, 32 at the same time."""


class Line:
    """Something that is used by one after another, or by some at the same time."""

    def __init__(self, places: int = 1) -> None:
        self._free = [0.0] * places

    def use(self, now: float, seconds: float) -> float:
        """Return when a use ends that begins as soon as there is a place."""
        end = max(now, self._free[0]) + seconds
        heapq.heapreplace(self._free, end)
        return end


@dataclass(slots=True)
class Shared:
    """What all workers of a simulation share."""

    journal: Line
    service: Line
    cores: Line | None
    position: int = 0
    free: int = 0
    done: int = 0


class Simulated(NamedTuple):
    """What came of a simulation."""

    rate: float
    """Tasks a second, when all were at work."""
    segments: float
    """A second."""


class Worker:
    """One worker: it locks, runs, publishes, and reads what others appended."""

    def __init__(
        self, costs: Costs, crew: Crew, number: int, seconds: float, shared: Shared
    ) -> None:
        others = crew.workers - 1
        self._pace = Pace(costs.latency, str(number), others, crew.crowd, costs.append)
        self._costs, self._crew, self._shared = costs, crew, shared
        self._seconds, self._read = seconds, 0
        self._aside = ASIDE[0] <= seconds < ASIDE[1]
        self._spent = 0.0

    def life(self, now: float) -> Life:
        """Lock, run and publish until nothing is left; yield when it goes on."""
        shared, pace, batch = self._shared, self._pace, 0
        now = yield now
        while True:
            began = now
            if batch:
                now = yield from self._append(now)
                pace.published(now - began)
                shared.done += batch
            now = yield from self._append(now)
            wanted = in_a_period(pace.interval, self._seconds)
            batch = min(wanted, pace.tasks(shared.free), shared.free)
            if not batch:
                return
            shared.free -= batch
            cpu, work = batch * self._costs.task, batch * self._seconds
            # While tasks of some length run, a thread publishes and locks.
            begun = began + self._spent if self._aside else now
            self._spent = 0.0
            if self._crew.busy:
                now = yield max(now, self._on_core(begun, cpu + work))
            else:
                now = yield max(now, self._on_core(begun, cpu) + work)

    def _append(self, now: float) -> Life:
        """Read what others appended, and append; return when that is done."""
        costs, shared, service = self._costs, self._shared, self._costs.service
        read = reading(costs, shared.position - self._read)
        self._read = shared.position
        self._spent += (read.cpu + costs.cpu) * self._crew.busy
        now = yield self._on_core(now, read.cpu + costs.cpu)
        asked = read.service + service.look + service.append
        asked_until = shared.service.use(now, asked) if asked else now
        now = yield max(now + read.wait, asked_until)
        now = yield max(now + costs.append, shared.journal.use(now, costs.turn))
        shared.position += 1
        self._read += 1
        return now

    def _on_core(self, now: float, seconds: float) -> float:
        cores = self._shared.cores
        return now + seconds if cores is None else cores.use(now, seconds)


def simulate(
    costs: Costs,
    crew: Crew,
    seconds: float,
    tasks: int,
    *,
    starts: Sequence[float] = (),
) -> Simulated:
    """Let workers run tasks of so many seconds.

    With `starts`, when each begins, all tasks are run, and counted as those of a real
    run are. Else each worker runs for some periods, of which the first two do not
    count, and they do not begin at the same moment.
    """
    cores = None if crew.cores == inf else Line(int(crew.cores))
    shared = Shared(Line(), Line(), cores, free=tasks)
    rng, period = random.Random(0), load(costs, crew, seconds).period
    coming = []
    for number in range(crew.workers):
        start = starts[number] if starts else rng.uniform(0.0, period)
        one = Worker(costs, crew, number, seconds, shared).life(start)
        coming.append((next(one), number, one))
    heapq.heapify(coming)
    told: list[tuple[float, int, int]] = []
    last = inf if starts else PERIODS * period
    while coming:
        now, number, one = coming[0]
        if now > last:
            break
        if not told or shared.done > told[-1][1]:
            told.append((now, shared.done, shared.position))
        try:
            heapq.heapreplace(coming, (one.send(now), number, one))
        except StopIteration:
            heapq.heappop(coming)
    first = 0.0 if starts else 2 * period
    return counted([each for each in told if each[0] >= first], tasks, bool(starts))


def counted(told: list[tuple[float, int, int]], tasks: int, whole: bool) -> Simulated:
    """Return tasks and segments a second, of moments and how many there were then.

    Of a whole run, its beginning and its end do not count.
    """
    if whole:
        low, high = COUNTED
        told = [each for each in told if low * tasks <= each[1] <= high * tasks]
    if len(told) < 2:
        return Simulated(0.0, 0.0)
    (begin, before, first), (end, after, last) = told[0], told[-1]
    span = max(end - begin, 1e-9)
    return Simulated((after - before) / span, (last - first) / span)


# runs of this machine


class Run(NamedTuple):
    """What one real run did, and when each of its workers began."""

    made: Simulated
    starts: list[float]


def run(folder: Path, store: str, workers: int, tasks: int, seconds: float) -> Run:
    """Run tasks on a new store; tell how fast, by the times that its journal has."""
    (folder / "job.py").write_text(JOB.format(seconds=seconds, tasks=tasks))
    command = [TG, "execute", "job.py", "-j", workers, "-q", "--store", store]
    measured(command, cwd=folder)
    log = open_log(store, create=False)
    told, starts, position, done = [], {}, 0, 0
    while (one := look(log, position)) is not None:
        segment = one[0]
        if segment.kind is Kind.PUBLISH:
            done += len(segment.rows)
            told.append((segment.time, done, position))
        if segment.time:
            starts.setdefault(segment.worker, segment.time)
        position += 1
    log.close()
    first = min(starts.values())
    began = sorted(start - first for start in starts.values())
    return Run(counted(told, tasks, whole=True), began)


@contextmanager
def places(folder: Path) -> Iterator[dict[str, str]]:
    """Yield stores of this machine that are not there yet, by their kinds."""
    found = {"disk": str(folder / "store.tgdata")}
    with suppress(SystemExit, ImportError):
        from on_redis import found_server, serving

        with serving(found_server()) as server:
            found["Redis"] = f"{server.url}?store=scale"
            os.chdir(folder)
            yield found
            return
    yield found


def costs_here(stores: dict[str, str]) -> dict[str, Costs]:
    """Return what `tg doctor` measures of stores of this machine."""
    found = {kind: examine(url).costs for kind, url in stores.items()}
    return {kind: costs for kind, costs in found.items() if costs is not None}


def beside_runs(stores: dict[str, str], given: argparse.Namespace) -> Iterator[Row]:
    """Yield rows of runs, and what the simulation and the model make of the same."""
    seconds = given.seconds
    for kind, costs in costs_here(stores).items():
        for workers in given.workers:
            # Until all have started some have run for a while.
            each = ceil((LEAST + SLOWER * workers) / seconds)
            tasks = each * workers
            url = stores[kind] + (f"-{workers}" if kind != "Redis" else str(workers))
            real = run(Path(stores["disk"]).parent, url, workers, tasks, seconds)
            crew = Crew(len(real.starts), processors(), busy=False)
            made = simulate(costs, crew, seconds, tasks, starts=real.starts)
            said = load(costs, crew, seconds)
            case = f"{kind}, {workers} workers, {tasks:,} tasks of {1e3 * seconds:g} ms"
            note = f"model {said.rate:,.0f} tasks/s, by {said.limit}"
            many = f"{real.made.segments:.1f} segments/s, simulated {made.segments:.1f}"
            one = {"peer": "simulated", "yardstick": True, "note": f"{note}; {many}"}
            yield Row(case, real.made.rate, "tasks/s", theirs=made.rate, **one)


def carried(costs: Costs, crew: Crew, seconds: float, kind: str) -> Row:
    """Return the row of a simulation beside what the workers could do at best."""
    made = simulate(costs, crew, seconds, TASKS)
    said = load(costs, crew, seconds)
    best = min(crew.workers, crew.cores) / seconds
    days = TASKS / made.rate / 86400 if made.rate else inf
    note = f"{days:,.1f} days for all; model {said.rate:,.1f} tasks/s, by {said.limit}"
    case = f"{kind}: {crew.workers:,} workers, tasks of {seconds:,.3g} s"
    one = {"peer": "at best", "yardstick": True, "note": note}
    return Row(case, made.rate, "tasks/s", theirs=best, **one)


def kinds(stores: dict[str, str]) -> Iterator[tuple[str, Costs, float]]:
    """Yield what stores cost, and how many cores their workers have."""
    for kind, costs in costs_here(stores).items():
        yield kind, costs, processors() if costs.service.here else inf
    for kind, costs in ASSUMED.items():
        yield kind, costs, inf


def simulated(stores: dict[str, str], _: argparse.Namespace) -> Iterator[Row]:
    """Yield what becomes of ten thousand workers, and what `tg doctor` would say."""
    for kind, costs, cores in kinds(stores):
        for seconds in LENGTHS:
            yield carried(costs, Crew(WORKERS, cores), seconds, kind)
        yield from advised(kind, costs, cores)


def advised(kind: str, costs: Costs, cores: float) -> Iterator[Row]:
    """Yield what comes of the advice: longer tasks, fewer workers, more stores."""
    if costs.service.here:
        return  # more stores of one machine are no more cores
    longer = shortest_task(costs, WORKERS, cores)
    if longer < inf:
        yield carried(costs, Crew(WORKERS, cores), longer, f"{kind}, longer tasks")
    fewer = most_workers(costs, 1.0, cores)
    if 0 < fewer < WORKERS:
        yield carried(costs, Crew(fewer, cores), 1.0, f"{kind}, fewer workers")
    for stores in (10, 100):
        workers = WORKERS // stores
        seconds = shortest_task(costs, workers, cores)
        yield carried(costs, Crew(workers, cores), seconds, f"{kind}, 1 of {stores}")


PARTS = {"measured": beside_runs, "simulated": simulated}


def main() -> None:
    options = parser(__doc__)
    options.add_argument("parts", nargs="*", metavar="part", default=list(PARTS))
    options.add_argument("--folder", type=Path, help="where to work, on a disk")
    options.add_argument("--workers", type=int, nargs="+", default=list(HERE))
    options.add_argument("--seconds", type=float, default=0.05, help="of a task")
    given = options.parse_args()
    folder = tempfile.TemporaryDirectory(dir=given.folder or Path.cwd())
    with folder as name, places(Path(name)) as stores:
        for part in given.parts:
            show(PARTS[part](stores, given), given)


if __name__ == "__main__":
    main()
