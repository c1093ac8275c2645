"""Many machines at a bucket: ``python benchmarks/stores/many_machines.py``.

Time is virtual: a hundred machines do not fit into one. Each is a
stack of its own (greenlet) here, with one of the engine's workers, the journal, the log
of a bucket and the courier's own `Shared`; only the service is a dict that answers
after a while, and nothing but waiting takes time. What is counted are the requests that
reach it: a listing, a look, a get or a put is one.
"""

from __future__ import annotations

import heapq
import random
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

sys.path.append(str(Path(__file__).parent.parent))  # what all benchmarks use

import greenlet
from reporting import Row, parser, show

from backends.bucket import bucket_log, bucket_members
from backends.bucket.address import parse_address
from backends.bucket.bucket_log import BucketLog
from backends.bucket.client import Client
from backends.bucket.sharing import Shared
from backends.store import JournalStore
from taskgraph.execution.background_flush import BackgroundFlush
from taskgraph.execution.options import WorkerOptions
from taskgraph.execution.worker import Worker
from taskgraph.results.results import Results
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Loaded
from taskgraph.tasks.recording import Recording, recorded_in, set_aside
from taskgraph.tasks.task import TaskGenerator

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

CASES = (
    (1, 20_000, 0.001, 0.05),
    (16, 20_000, 0.001, 0.05),
    (16, 100_000, 0.001, 0.05),
    (16, 20_000, 0.01, None),
    (100, 20_000, 0.001, 0.2),
)
"""Machines, tasks, seconds that each takes, and how many requests are to do for it."""
LATENCY = 0.03
STARTS = 2.0
"""Seconds in which all machines start."""


class Came(NamedTuple):
    """What came of a run."""

    requests: Counter[str]
    seconds: float
    done: int


class World:
    """Virtual time, whose turn it is, and the objects of a service.

    Parameters
    ----------
    latency : float
        Seconds that a request takes, more or less.
    """

    def __init__(self, latency: float) -> None:
        self.now = 0.0
        self.rng = random.Random(5)
        self.requests: Counter[str] = Counter()
        self._latency = latency
        self._turns: list[tuple[float, int, greenlet.greenlet]] = []
        self._numbers = count()
        self._hub = greenlet.getcurrent()
        self._objects: dict[str, tuple[bytes, str, float]] = {}
        self.clock: Any = SimpleNamespace(
            time=lambda: 1e9 + self.now,
            monotonic=lambda: 1.0 + self.now,
            sleep=self.sleep,
        )

    def start(self, deed: Callable[[], None], at: float) -> None:
        """Let a stack of its own begin at some time."""
        self._wake(at, greenlet.greenlet(deed))

    def _wake(self, at: float, stack: greenlet.greenlet) -> None:
        heapq.heappush(self._turns, (at, next(self._numbers), stack))

    def sleep(self, seconds: float) -> None:
        """Let others act for so long."""
        self._wake(self.now + max(0.0, seconds), greenlet.getcurrent())
        self._hub.switch()

    def run(self) -> None:
        """Let all act until they have ended."""
        while self._turns:
            self.now, _, stack = heapq.heappop(self._turns)
            stack.switch()

    def travel(self) -> None:
        """Be on the way to the service, or back."""
        self.sleep(self._latency * self.rng.uniform(0.3, 0.7))

    def serve(self, what: str, how: tuple[Any, ...]) -> tuple[str, Any]:
        """Answer a request as a courier hears it."""
        self.requests[what] += 1
        objects = self._objects
        match what, how:
            case "put", (name, data, new):
                if new and name in objects:
                    return "exists", "there is one"
                objects[name] = data, str(next(self._numbers)), self.now
                return "ok", objects[name][1]
            case "get", (name, limit):
                if name not in objects:
                    return "missing", name
                data, mark, _ = objects[name]
                return "ok", (data[:limit], len(data), mark)
            case "head", (name,):
                found = objects.get(name)
                return ("ok", _about(found)) if found else ("missing", name)
            case "list", (prefix, after, most):
                names = (x for x in objects if x.startswith(f"{prefix}/") and x > after)
                return "ok", [(x, *_about(objects[x])) for x in sorted(names)][:most]
            case "delete", (name,):
                objects.pop(name, None)
                return "ok", None
        return "ok", ([], [])


def _about(found: tuple[bytes, str, float]) -> tuple[int, str, float]:
    data, mark, at = found
    return len(data), mark, at


class Machine(Client):
    """A client whose courier is in the same stack, and has one worker."""

    def __init__(self, world: World) -> None:
        super().__init__(parse_address("s3://bucket?region=x"))
        self._world, self._together = world, False
        self._shared = Shared(self._travelled, world.clock.monotonic)

    def _ask(self, requests: list[list[Any]]) -> list[Any]:
        before = self._world.requests.total()
        self._together = len(requests) > 1  # they are under way at the same time
        answers = [self._shared.answer(*request) for request in requests]
        if self._together and self._world.requests.total() > before:
            self._world.travel()
            self._world.travel()
        return answers

    def _travelled(self, what: str, how: tuple[Any, ...]) -> tuple[str, Any]:
        if self._together:
            return self._world.serve(what, how)
        self._world.travel()
        answer = self._world.serve(what, how)
        self._world.travel()
        return answer


class Alone(BackgroundFlush):
    """Nothing is done while a task runs: there is one stack."""

    def start(self) -> None:
        """Start no thread."""


def run(machines: int, tasks: int, seconds: float, latency: float = LATENCY) -> Came:
    """Run some tasks by one worker on each of some machines."""
    world, done = World(latency), [0]
    random.seed(5)

    def work(number: int) -> int:
        done[0] += 1
        world.sleep(seconds)
        return number

    generator = TaskGenerator(work, name="work")
    with recorded_in(Recording(None, whole=True)):
        graph = Graph([generator(number) for number in range(tasks)])
    with (
        set_aside(),  # tasks of several machines begin and end in any order
        patch.multiple(bucket_log, time=world.clock),
        patch.multiple(bucket_members, time=world.clock),
    ):
        for number in range(machines):
            deed = _worker(world, f"host{number}-{number}-0", graph)
            world.start(deed, world.rng.uniform(0, STARTS))
        world.run()
    return Came(world.requests, world.now, done[0])


def _worker(world: World, name: str, graph: Graph) -> Callable[[], None]:
    def deed() -> None:
        store = JournalStore(BucketLog(Machine(world)), name, clock=world.clock.time)
        results = Results(store)
        about = {"host": name, "boot": "virtual", "lease": 1e9}
        joined: list[None] = []

        def join() -> None:
            if not joined:
                joined.append(store.members.beat(name, about))

        worker = Worker(
            SimpleNamespace(),  # a jugfile without barriers is read once
            Loaded(graph, {}, results),
            WorkerOptions(),
            provenance=dict,
            join=join,
            clock=world.clock,
            background=Alone,
        )
        worker.run()

    return deed


def rows(given: argparse.Namespace) -> Iterator[Row]:
    """Yield all figures."""
    for machines, tasks, seconds, goal in CASES:
        came = run(machines, tasks, seconds, given.latency)
        each = came.requests.total() / tasks
        yield Row(
            f"{tasks:,} tasks of {1000 * seconds:g} ms by {machines} machines",
            each,
            "requests",
            goal=goal,
            note=f"{came.seconds:.1f} s, at best {tasks * seconds / machines:.1f}",
        )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--latency", type=float, default=LATENCY)
    given = options.parse_args()
    show(rows(given), given)


if __name__ == "__main__":
    main()
