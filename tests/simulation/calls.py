"""The tasks of the simulation: each run returns a value that no other run returns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import greenlet

from taskgraph.resources import Resources
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Loaded, Pause
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.task import Task, TaskGenerator

if TYPE_CHECKING:
    from random import Random

    from taskgraph.results.results import Results


class RaisedError(Exception):
    """What a run raises when the adversary wants it to."""


def run(number: int, values: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Return the task's number and that of this run, which no other one has."""
    process = greenlet.getcurrent().process
    return process.runs.perform(process, number, values)


@TaskGenerator
def leaf(number: int) -> tuple[int, int]:
    return run(number, ())


@TaskGenerator
def middle(number: int, values: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    return run(number, values)


@TaskGenerator
def top(number: int, values: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    return run(number, values)


_FUNCTIONS = (leaf, middle, top)
OFFERED = Resources.of("gpu=2")
"""What all processes have together, in schedules whose tasks ask for resources."""
_ASKING = (
    leaf,
    TaskGenerator(middle.f, resources={"gpu": 1}),
    TaskGenerator(top.f, resources={"gpu": 2}),
)


class Plan(NamedTuple):
    """Which task calls which function, and which earlier ones it needs.

    There are stops: what comes from the first number on is written down when the task
    of the second one has a result.
    """

    functions: tuple[int, ...]
    needs: tuple[tuple[int, ...], ...]
    stops: tuple[tuple[int, int], ...]
    asking: bool

    @classmethod
    def of(cls, rng: Random, *, asking: bool = False) -> Plan:
        """Return one of 20 to 26 tasks; some ask for resources, or none."""
        leaves, middles, tops = rng.randint(6, 9), rng.randint(8, 10), rng.randint(6, 7)
        needs: list[tuple[int, ...]] = [()] * leaves
        for number in range(leaves, leaves + middles):
            before = range(leaves if rng.random() < 0.7 else number)
            needs.append(tuple(sorted(rng.sample(before, rng.randint(1, 3)))))
        for number in range(leaves + middles, leaves + middles + tops):
            before = range(leaves, number)
            needs.append(tuple(sorted(rng.sample(before, rng.randint(1, 3)))))
        functions = (0,) * leaves + (1,) * middles + (2,) * tops
        stops = []
        if rng.random() < 0.4:
            for _ in range(rng.randint(1, 4)):
                barrier = rng.randrange(leaves, len(needs))
                stops.append((barrier, rng.randrange(barrier)))
        return cls(functions, tuple(needs), tuple(sorted(stops)), asking)

    def tasks(self, results: Results | None, end: int) -> list[Task]:
        """Return the tasks up to a number, written down for somebody's results."""
        functions = _ASKING if self.asking else _FUNCTIONS
        with recorded_in(Recording(results, whole=True)):
            tasks: list[Task] = []
            for number in range(end):
                function, needs = functions[self.functions[number]], self.needs[number]
                args = (tuple(tasks[need] for need in needs),) if needs else ()
                tasks.append(function(number, *args))
        return tasks


class PlanSource:
    """A plan as a jugfile that a worker reads: up to its barrier, or to its end."""

    path = Path("/simulated.py")
    arguments = ()

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def load(self, results: Results, pause: Pause | None = None) -> Loaded:
        plan, backend = self.plan, results.backend
        tasks = plan.tasks(results, len(plan.needs))
        graph = Graph(())
        read, forgot_at = 0, backend.forgot_at
        for barrier, awaited in plan.stops:
            graph.extend(tasks[read:barrier])
            read = barrier
            missing = (tasks[awaited].key,)
            while not results.has(missing[0]):
                loaded = Loaded(graph, {}, results, missing)
                stands = pause is not None and backend.forgot_at == forgot_at
                if not (stands and pause(loaded) and backend.forgot_at == forgot_at):
                    return loaded
        graph.extend(tasks[read:])
        return Loaded(graph, {}, results)
