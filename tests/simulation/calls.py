"""The tasks of the simulation: each run returns a value that no other run returns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import greenlet

from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Loaded
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


class Plan(NamedTuple):
    """Which task calls which function, and which earlier ones it needs.

    Those from `barrier` on are written down when all that task `awaited` has a result.
    """

    functions: tuple[int, ...]
    needs: tuple[tuple[int, ...], ...]
    barrier: int
    awaited: int

    @classmethod
    def of(cls, rng: Random) -> Plan:
        """Return one of 20 to 26 tasks."""
        leaves, middles, tops = rng.randint(6, 9), rng.randint(8, 10), rng.randint(6, 7)
        needs: list[tuple[int, ...]] = [()] * leaves
        for number in range(leaves, leaves + middles):
            before = range(leaves if rng.random() < 0.7 else number)
            needs.append(tuple(sorted(rng.sample(before, rng.randint(1, 3)))))
        for number in range(leaves + middles, leaves + middles + tops):
            before = range(leaves, number)
            needs.append(tuple(sorted(rng.sample(before, rng.randint(1, 3)))))
        functions = (0,) * leaves + (1,) * middles + (2,) * tops
        stops = rng.random() < 0.3
        awaited = rng.randrange(leaves, leaves + middles) if stops else -1
        barrier = leaves + middles if stops else len(needs)
        return cls(functions, tuple(needs), barrier, awaited)

    def tasks(self, results: Results | None, end: int) -> list[Task]:
        """Return the tasks up to a number, written down for somebody's results."""
        with recorded_in(Recording(results, whole=True)):
            tasks: list[Task] = []
            for number in range(end):
                function, needs = _FUNCTIONS[self.functions[number]], self.needs[number]
                args = (tuple(tasks[need] for need in needs),) if needs else ()
                tasks.append(function(number, *args))
        return tasks


class PlanSource:
    """A plan as a jugfile that a worker reads: up to its barrier, or to its end."""

    path = Path("/simulated.py")
    arguments = ()

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def load(self, results: Results) -> Loaded:
        plan = self.plan
        tasks = plan.tasks(results, len(plan.needs))
        if plan.awaited < 0 or results.has(tasks[plan.awaited].key):
            return Loaded(Graph(tasks), {}, results)
        awaited = (tasks[plan.awaited].key,)
        return Loaded(Graph(tasks[: plan.barrier]), {}, results, awaited)
