"""How many workers of tasks of which length a store carries. Pure.

All workers append to one journal, and each reads what all the others append. In a
*period* a worker locks tasks, runs them, and publishes what they returned: two appends.
All others do the same meanwhile, so it reads twice as many segments as there are
others, however long the period is. What all of them ask for in a period has to fit into
it: of the journal, where one append comes after another; of what they share (a server,
a service); of the cores of their machines. The period is the longest of these, and of
the time that a worker needs by itself.

How many tasks there are in a period is decided by the engine's own
`taskgraph.execution.pace.Pace`, of what an append takes.

`benchmarks/at_scale.py` lets workers run one by one through the same costs, and
compares both with runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from backends.interface import Service
from taskgraph.execution.pace import Pace

_APPENDS = 2
"""Of a period: the locks, and the results."""
ASIDE = 0.002, 0.5
"""Seconds of a task, from and to, while which a thread publishes and locks."""
_STEPS = 40
_PER_BLOCK = 4
"""Requests for a merged block."""
READ_MERGED = 15e-6
"""Seconds of a core for a segment of a merged block: `benchmarks/joining.py`."""
GOOD = 0.9
"""How much of their time workers are to spend on tasks."""
_LONGEST = 1e6
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Costs:
    """What is measured of a store; in seconds."""

    append: float
    """By the clock, for an append if nobody else does; to read on is not included."""
    turn: float
    """By the clock, from one append to the next if many want to, at best."""
    read: float
    """Of a core, to take in a segment that lies by itself."""
    wait: float = 0.0
    """By the clock, for the same, its core left out."""
    read_merged: float = READ_MERGED
    """Of a core, to take in a segment of a merged block."""
    cpu: float = 0.003
    """Of a core, for an append, the choice of tasks, and the look around."""
    task: float = 100e-6
    """Of a core, for a task besides itself."""
    latency: float = 0.02
    """After which others see an append."""
    service: Service = field(default_factory=Service)


class Reading(NamedTuple):
    """What it takes a worker to take in what others appended."""

    cpu: float
    wait: float
    service: float


class Crew(NamedTuple):
    """Workers, and the cores that all of them have together."""

    workers: int
    cores: float
    """Infinite if each has one, wherever it is."""
    busy: bool = True
    """Whether tasks keep a core busy; else they wait, as for a file or a sleep."""

    @property
    def crowd(self) -> float:
        """How many workers share a core, at least 1."""
        return max(1.0, self.workers / self.cores)


class Load(NamedTuple):
    """What becomes of workers with tasks of one length at a store."""

    tasks: int
    """In a period of one worker."""
    period: float
    """Seconds."""
    rate: float
    """Tasks a second, of all."""
    useful: float
    """Which part of what the workers could do at best they do."""
    limit: str
    """What takes the period: ``tasks``, ``journal``, ``service`` or ``cores``."""


def reading(costs: Costs, segments: int) -> Reading:
    """Return what it takes to take in so many segments, on average.

    A block is merged when it is full, and read at once from then on. So of more than a
    block, half of one lies by itself; of `n` fewer, all do if no block was filled
    meanwhile, and half of them if one was, which is so in `n` of as many cases as a
    block has segments.

    Examples
    --------
    >>> costs = Costs(0.01, 0.005, read=1e-4, wait=1e-3)
    >>> round(reading(costs, 100).wait, 4)
    0.0954
    >>> reading(costs, 10_000).wait  # ten blocks, and 500 by themselves
    0.54
    """
    service = costs.service
    size = service.block_size
    blocks = segments / size
    single = segments - segments**2 / (2 * size) if blocks < 1 else size / 2
    cpu = single * costs.read + (segments - single) * costs.read_merged
    wait = costs.wait * (single + _PER_BLOCK * blocks)
    return Reading(cpu, wait, single * service.read + blocks * service.block)


def in_a_period(interval: float, seconds: float) -> int:
    """Return how many tasks a worker runs before it publishes them.

    Examples
    --------
    >>> in_a_period(0.5, 0.02), in_a_period(0.5, 3.0)
    (25, 1)
    """
    return max(1, int(interval / seconds + 1e-9)) if seconds else 1 << 16


def load(costs: Costs, crew: Crew, seconds: float) -> Load:
    """Return what becomes of a crew that has tasks of so many seconds, very many.

    Examples
    --------
    >>> costs = Costs(append=0.01, turn=0.005, read=40e-6)
    >>> load(costs, Crew(10, 1e9), 1.0).limit
    'tasks'
    >>> load(costs, Crew(10_000, 1e9), 1.0).limit
    'journal'
    """
    others = crew.workers - 1
    pace = Pace(costs.latency, others=others, crowd=crew.crowd, cost=costs.append)
    read = reading(costs, others)  # before each of the two appends
    cost = costs.append
    found = Load(1, 0.0, 0.0, 0.0, "tasks")
    for _ in range(_STEPS):  # what an append takes makes the period, and that it
        pace.cost = cost
        found = _period(costs, crew, seconds, in_a_period(pace.interval, seconds), read)
        late = max(0.0, found.period - found.tasks * seconds) / _APPENDS
        cost = (cost + max(costs.append + read.wait + read.cpu, late)) / 2
    return found


def _period(
    costs: Costs, crew: Crew, seconds: float, tasks: int, read: Reading
) -> Load:
    work = tasks * seconds
    cpu = _APPENDS * (costs.cpu + read.cpu) + tasks * costs.task
    wait = _APPENDS * (costs.append + read.wait)
    aside = ASIDE[0] <= seconds < ASIDE[1]
    alone = work if aside and not crew.busy else work + cpu
    asked = costs.service.append + costs.service.look + read.service
    times = {
        "tasks": alone + (0.0 if aside else wait),
        "cores": crew.crowd * (cpu + work * crew.busy),
        "journal": crew.workers * _APPENDS * costs.turn,
        "service": crew.workers * _APPENDS * asked,
    }
    limit = max(times, key=lambda name: times[name])
    period = times[limit]
    best = work * crew.crowd if crew.busy else work
    useful = min(1.0, best / period) if period else 0.0
    return Load(tasks, period, crew.workers * tasks / period, useful, limit)


def shortest_task(
    costs: Costs, workers: int, cores: float, good: float = GOOD
) -> float:
    """Return the seconds that tasks should take at least, for a number of workers.

    Infinite if none is long enough.

    Examples
    --------
    >>> costs = Costs(append=0.01, turn=0.005, read=40e-6)
    >>> shortest_task(costs, 10, 1e9) < 0.1 < 60 < shortest_task(costs, 10_000, 1e9)
    True
    """
    crew = Crew(workers, cores)
    low, high = 1e-4, _LONGEST
    if load(costs, crew, high).useful < good:
        return float("inf")
    while high / low > 1.02:
        middle = (low * high) ** 0.5
        if load(costs, crew, middle).useful < good:
            low = middle
        else:
            high = middle
    return high


def most_workers(costs: Costs, seconds: float, cores: float, good: float = GOOD) -> int:
    """Return how many workers may have tasks of so many seconds, at most.

    Examples
    --------
    >>> costs = Costs(append=0.01, turn=0.005, read=40e-6)
    >>> most_workers(costs, 1.0, 1e9) < most_workers(costs, 60.0, 1e9)
    True
    """
    low, high = 0, _MOST
    while low < high:
        middle = (low + high + 1) // 2
        if load(costs, Crew(middle, cores), seconds).useful >= good:
            low = middle
        else:
            high = middle - 1
    return low
