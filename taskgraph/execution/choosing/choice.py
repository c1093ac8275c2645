"""What a worker takes: tasks that it may run, and results that other stores have."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from backends.errors import BackendError
from backends.garbage import few_collections
from backends.warning import warn
from taskgraph.execution.choosing.pool import Pool
from taskgraph.exit_codes import ExitCode
from taskgraph.tasks.frontier import Budget, Frontier
from taskgraph.tasks.limits import checked_causes

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from backends.interface import Backend, Claim, Key
    from taskgraph.execution.choosing.pool import Share
    from taskgraph.execution.options import WorkerOptions
    from taskgraph.execution.other_workers import OtherWorkers
    from taskgraph.execution.pace import Pace
    from taskgraph.resources import Resources
    from taskgraph.tasks.graph import Graph
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task
    from taskgraph.upkeep.other_stores import OtherStores

LATECOMERS = 10.0
"""Seconds in which a worker may still come that has what nobody has: those of several
commands do not begin at the same moment."""

_BRIEF = 0.1
"""Seconds from one look to the next whether resources are free again."""


class Choice:
    """What a worker takes.

    Parameters
    ----------
    options : WorkerOptions
        What it may run, and which other stores it looks into.
    share : Share, optional
        Its part of the resources that its command has; all of them by default.
    clock : callable, optional
        Monotonic seconds.

    Attributes
    ----------
    retries_on : tuple or None
        Which failures are tried again, where a function does not say it.
    """

    def __init__(
        self,
        options: WorkerOptions,
        share: Share | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._select, self._also = options.select, options.also
        self._max_wait = options.max_wait
        self.retries_on = checked_causes(options.retries_on, "--retries-on")
        self._others: OtherStores | None = None
        self._share = share or Pool(options.resources, 1).share()
        self._clock = clock
        self._lonely_since: float | None = None

    @few_collections()
    def frontier(self, loaded: Loaded) -> Frontier:
        """Return what can be run of some tasks, as their store is now."""
        if self._also and self._others is None:
            from taskgraph.upkeep.other_stores import OtherStores

            self._others = OtherStores(self._also, loaded.results)
            self._others.told.clear()  # told by who prepares the run
        if self._others is not None:
            self._others.look(loaded.graph)
        failures, selected = loaded.results.backend.failures(), self._selected()
        known = loaded.results.keys()
        return Frontier(
            loaded.graph,
            known,
            failures,
            selected=selected,
            offered=self._share.offered,
            seconds=cache(lambda: self._seconds(loaded)),
        )

    @staticmethod
    def _seconds(loaded: Loaded) -> dict[str, float]:
        """Return how long functions take, if that makes an order of their tasks."""
        if len(loaded.graph.generators) < 2 or not loaded.results.backend.keys():
            return {}
        from taskgraph.foresight.learned import lengths

        try:
            return lengths(loaded.results, loaded.graph)
        except BackendError:  # no order is worth a worker's end
            return {}

    def budget(
        self,
        pace: Pace,
        backend: Backend,
        frontier: Frontier,
        graph: Graph,
        running: Key,
        attempts: int,
    ) -> Budget:
        """Return how much to lock beside what runs, after so many attempts in vain."""
        held = backend.holders()
        tasks = pace.tasks(frontier.free(len(held)))
        return Budget(
            tasks,
            pace.interval,
            held,
            pace.worthwhile,
            pace.skip(tasks, attempts),
            running,
            self.keep(graph, running),
            self._share.take,
            alike=not (self._others or backend.suspects()),
        )

    def keep(self, graph: Graph, running: Key) -> Resources | None:
        """Give back what the task that runs does not need; return what it needs.

        What is locked beside it has to ask for the same, or may ask for anything if
        that is None.
        """
        held = self._share.held
        if held and not (running and graph[running].generator.resources == held):
            self._share.give_back()
        return self._share.held or None

    @staticmethod
    def patience(frontier: Frontier, latency: float) -> float:
        """Return how many seconds to wait for news; others tell nobody what is free."""
        return max(_BRIEF if frontier.parked else 1.0, 4 * latency)

    def given_up(
        self, frontier: Frontier, others: OtherWorkers, idle: float
    ) -> ExitCode | None:
        """Return how a worker ends that waits in vain; None if it need not yet.

        Parameters
        ----------
        frontier : Frontier
            What is ready.
        others : OtherWorkers
            Who may run what this one cannot.
        idle : float
            Seconds without news, and without others.
        """
        asks = () if others.busy else frontier.out_of_reach()
        offers = others.offers() if asks else []
        if not asks or not all(each.lacking(has) for each in asks for has in offers):
            self._lonely_since = None
            return ExitCode.GAVE_UP if idle >= self._max_wait else None
        now = self._clock()
        if self._lonely_since is None:
            self._lonely_since = now
        patience = min(LATECOMERS, self._max_wait)
        return ExitCode.LEFT if now - self._lonely_since >= patience else None

    def _selected(self) -> Callable[[Task], bool] | None:
        select, others = self._select, self._others
        if select is None:
            return None
        if not others:
            return lambda task: select(task.name)
        return lambda task: select(task.name) or task.key in others

    def expected(
        self, task: Task, seconds: float | None, unfinished: Container[Key]
    ) -> float | None:
        """Return how long a task will take here; None if it is locked alone.

        Results of other stores are taken many at a time, but not together with tasks
        that have to be run before it is known whether they fit.
        """
        others = self._others
        if not others or task.key not in others:
            return seconds
        missing = (need.key for need in task.needs if need.key in unfinished)
        return 0.0 if all(key in others for key in missing) else None

    def elsewhere(self, keys: Sequence[Key]) -> list[Key]:
        """Return those of some keys that other stores have results of."""
        return list(filter(self._others.__contains__, keys)) if self._others else []

    def take(self, keys: Sequence[Key], claim: Claim) -> int:
        """Take results of tasks that are locked from other stores; return how many."""
        assert self._others is not None
        taken = self._others.take(keys, claim.token)
        for sentence in self._others.told:
            warn(sentence)
        self._others.told.clear()
        return taken
