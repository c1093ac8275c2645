"""What a worker takes: tasks that it may run, and results that other stores have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.warning import warn
from taskgraph.tasks.frontier import Frontier

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from backends.interface import Claim, Key
    from taskgraph.execution.options import WorkerOptions
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task
    from taskgraph.upkeep.other_stores import OtherStores


class Choice:
    """What a worker takes.

    Parameters
    ----------
    options : WorkerOptions
        What it may run, and which other stores it looks into.
    """

    def __init__(self, options: WorkerOptions) -> None:
        self._select, self._also = options.select, options.also
        self._others: OtherStores | None = None

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
        return Frontier(loaded.graph, known, failures, selected=selected)

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
