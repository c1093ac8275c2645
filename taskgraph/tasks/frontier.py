"""What of a graph can be run next, as results become known; all of it pure."""

from __future__ import annotations

from collections import deque
from operator import attrgetter, not_
from typing import TYPE_CHECKING

from backends.interface.frozen import frozen
from taskgraph.resources import NOTHING
from taskgraph.tasks.graph import closure_of
from taskgraph.tasks.longest_first import left_to_others, longest_first
from taskgraph.tasks.waiting import Followers, Waiting, waiting_for

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from taskgraph.resources import Resources
    from taskgraph.tasks.graph import Graph
    from taskgraph.tasks.task import Task

Key = bytes
_Keys = deque[Key]
_KEY = attrgetter("key")


class Frontier:
    """What can be run next, as results become known.

    A task is ready when all that it needs is finished. Those are handed out first
    that follow what was finished last, then those with the longest way after them.

    Parameters
    ----------
    graph : Graph
        What is to be run.
    finished, failed : collections of bytes
        Keys that have a result or a failure.
    selected : callable, optional
        Says of a task whether it may be run here; all may by default.
    offered : Resources
        What there is here for tasks that ask for resources; others never wait.
    seconds : callable, optional
        Returns how long tasks take, by the names of their functions, if that matters:
        the longest way is then that of most time, and not of most tasks.

    Attributes
    ----------
    unfinished : set of bytes
        Keys of the graph without a result, failed ones included: none of a graph that
        is run once more, however large.
    failed : set of bytes
        Keys of the graph with a failure.
    """

    def __init__(
        self,
        graph: Graph,
        finished: Container[Key] = (),
        failed: Iterable[Key] = (),
        *,
        selected: Callable[[Task], bool] | None = None,
        offered: Resources = NOTHING,
        seconds: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self._graph, self._offered, self._seconds = graph, offered, seconds
        self._size = len(graph)
        self._needed_by: dict[Key, list[Key]] | None = None
        self.failed = {key for key in failed if key in graph}
        self.unfinished = {key for key in graph if key not in finished} | self.failed
        self._waiting: dict[Key, Waiting] = {}
        self._followers: Followers = {}
        self._selected = selected
        self._fresh: deque[Key] = deque()
        self._urgent: set[Key] = set()
        self._aside: list[Key] = []
        self._stack: deque[Key] = deque()
        self._parked: dict[Resources, deque[Key]] = {}
        self._beyond: dict[Resources, deque[Key]] = {}
        self._asking = False
        if len(self.unfinished) > len(self.failed):
            self._begin(graph.tasks)

    def _begin(self, tasks: list[Task]) -> None:
        """Take in which tasks can be run, and what the others wait for."""
        self._asking = any(each.resources for each in self._graph.generators)
        ready = []
        unfinished, failed = self.unfinished, self.failed
        needs: tuple[Task, ...] = ()
        group = Waiting()
        for task in tasks:
            key = task.key
            if key not in unfinished or key in failed:
                continue
            if task.needs is not needs:
                needs = task.needs
                missing = filter(unfinished.__contains__, map(_KEY, needs))
                group = waiting_for(missing, self._followers)
            if group.missing:
                group.keys.append(key)
                self._waiting[key] = group
            else:
                ready.append(key)
        self._urgent |= longest_first(ready, self._graph, tasks, self._seconds)
        self._fresh.extend(ready)

    def grow(self, finished: Container[Key], failed: Container[Key]) -> None:
        """Take in the tasks that the graph has got since."""
        tasks = self._graph.last(len(self._graph) - self._size)
        self._size += len(tasks)
        self._needed_by = None
        self.failed.update(task.key for task in tasks if task.key in failed)
        keys, failures = map(_KEY, tasks), self.failed
        self.unfinished |= {k for k in keys if k not in finished or k in failures}
        self._begin(tasks)

    @property
    def _dependants(self) -> dict[Key, list[Key]]:
        if self._needed_by is None:  # nobody asks if nothing failed
            self._needed_by = self._graph.dependants()
        return self._needed_by

    @property
    def done(self) -> bool:
        """Whether every task has a result."""
        return not self.unfinished

    @property
    def finished(self) -> set[Key]:
        """The keys that have a result."""
        return self._graph.keys() - self.unfinished

    def finished_all(self, keys: Iterable[Key]) -> bool:
        """Return whether all these are of the graph and have results."""
        return all(key in self._graph and key not in self.unfinished for key in keys)

    def exhausted(self, *, more: bool = False) -> bool:
        """Return whether nothing that may be run here can become ready any more.

        With `more`, tasks will be added when all of these are done.
        """
        if self.done:
            return not more
        if self._selected is None and not self.failed:
            return False
        left = self.unfinished - self.failed
        left -= self.blocked() if self.failed else set()
        return not any(map(self._may_run, left))

    def lacks(self, key: Key) -> bool:
        """Return whether something that a task needs has no result."""
        return key in self._waiting

    @property
    def waiting(self) -> int:
        """How many tasks wait for others, blocked ones included."""
        return len(self._waiting)

    @property
    def ready(self) -> int:
        """How many tasks are ready and not handed out, an upper bound."""
        return len(self._fresh) + len(self._stack) + self.parked

    @property
    def parked(self) -> int:
        """How many of these wait for resources that are here and in use, at most."""
        return sum(map(len, self._parked.values()))

    @property
    def open(self) -> int:
        """How many tasks could be run now or are being run, by anybody."""
        return len(self.unfinished) - len(self.failed) - len(self._waiting)

    def free(self, held: int) -> int:
        """Return how many are ready and nobody's if so many are held, or more."""
        return min(self.ready, self.open - held)

    def finish(self, keys: Iterable[Key]) -> bool:
        """Take in that `keys` have results; return whether that made others ready."""
        return sum(map(self.finish_one, keys)) > 0

    def finish_one(self, key: Key) -> bool:
        """Take in that a key has a result; return whether that made others ready."""
        if key not in self.unfinished:
            return False
        self.unfinished.remove(key)
        waiting = self._waiting
        waiting.pop(key, None)
        freed: list[Key] = []
        for group in self._followers.pop(key, ()):
            group.missing -= 1
            if not group.missing:
                freed += [key for key in group.keys if waiting.pop(key, None)]
        self._stack += freed
        return bool(freed)

    def fail(self, keys: Iterable[Key]) -> None:
        """Take in that `keys` have failed: what depends on them stays blocked."""
        self.failed.update(key for key in keys if key in self._graph)

    def take(
        self, expected: Callable[[Task], float | None], budget: Budget
    ) -> list[Key]:
        """Return keys to be locked next: a chain or a handful, not too much at once.

        Tasks that will be ready once earlier ones of the answer are finished are
        among them, in an order in which they can be run.
        """
        skip = budget.skip
        fresh = self._skipped(budget) if self._urgent and skip else skip
        self._turn(skip, fresh)
        try:
            return self._take(expected, budget)
        finally:
            self._turn(-skip, -fresh)
            self._fresh.extend(self._aside)
            self._aside.clear()

    def _skipped(self, budget: Budget) -> int:
        def free(key: Key) -> bool:
            nobodys = key not in budget.held and key != budget.running
            open_ = key in self.unfinished and key not in self.failed
            return nobodys and open_ and self._may_run(key)

        at_once = budget.skip, budget.tasks
        return left_to_others(self._fresh, self._urgent, *at_once, free)

    def _turn(self, skip: int, fresh: int) -> None:
        """Hide the next `skip` keys at the other end, or bring them back from there."""
        self._stack.rotate(skip)
        self._fresh.rotate(-fresh)
        for keys in self._parked.values():
            keys.rotate(-skip)

    def _take(
        self, expected: Callable[[Task], float | None], budget: Budget
    ) -> list[Key]:
        taken: dict[Key, None] = {}
        costs: dict[object, float | None] = {}
        seconds = 0.0
        missing: dict[Waiting, int] = {}
        ahead: list[Key] = []
        asked, tasks = budget.asked, self._graph.by_key
        ready = self._free(budget, self._stack, self._fresh, self._aside)
        while len(taken) < budget.tasks or seconds < budget.least:
            key = ahead.pop() if ahead else self._next(ready, budget, asked)
            if key is None:
                break
            if key in taken:  # it was put back twice
                continue
            task = tasks[key]
            if not (budget.alike and task.generator in costs):
                costs[task.generator] = expected(task)
            cost = costs[task.generator]
            if taken and (cost is None or seconds + cost > budget.seconds):
                if self._waiting.get(key) not in missing:
                    self._stack.append(key)
                break
            taken[key] = None
            asked = self._asked(key) if self._asking else None
            if cost is None:
                break
            seconds += cost
            for group in self._followers.get(key, ()):
                left = missing[group] = missing.get(group, group.missing) - 1
                if not left:
                    ahead += [k for k in group.keys if self._may_be_next(k, asked)]
        return list(taken)

    def put_back(self, keys: Iterable[Key]) -> None:
        """Hand in keys that were taken and not run."""
        for key in keys:
            if key not in self._waiting:
                self._stack.append(key)

    def blocked(self) -> set[Key]:
        """Return the keys that wait for a failed one."""
        reached = closure_of(self.failed, self._dependants)
        return (reached & self.unfinished) - self.failed

    def _may_run(self, key: Key) -> bool:
        return self._selected is None or self._selected(self._graph[key])

    def _may_be_next(self, key: Key, asked: Resources | None) -> bool:
        may_run = key in self._waiting and self._may_run(key)
        return may_run and (asked is None or self._asked(key) == asked)

    def _asked(self, key: Key) -> Resources:
        asked: Resources = self._graph[key].generator.resources
        return asked

    def _next(
        self, ready: Iterator[Key], budget: Budget, asked: Resources | None
    ) -> Key | None:
        """Return the next key of a batch, all of which ask for the same resources.

        What waits for resources comes first: these are scarce, others can run the rest.
        """
        if not self._asking:
            return next(ready, None)
        if asked is None or asked:
            key = self._unpark(budget, asked)
            if key is not None:
                return key
        for key in ready:
            asks = self._asked(key)
            if asks == asked or (asked is None and (not asks or budget.fits(asks))):
                return key
            if not asks:  # it would keep what it does not need
                self._stack.append(key)
                return None
            beyond = asks in self._beyond or asks.lacking(self._offered)
            place = self._beyond if beyond else self._parked
            place.setdefault(asks, deque()).append(key)
        return None

    def _unpark(self, budget: Budget, asked: Resources | None) -> Key | None:
        """Return a key that waited for resources which it can have now."""
        for asks in [asked] if asked else list(self._parked):
            keys, aside = self._parked.get(asks, deque()), list[Key]()
            key = next(self._free(budget, deque(), keys, aside), None)
            keys.extend(aside)
            if key is None:
                if not keys:
                    self._parked.pop(asks, None)
            elif asked or budget.fits(asks):
                self._parked[asks] = self._parked.pop(asks)  # next time others go first
                return key
            else:
                keys.appendleft(key)
        return None

    def out_of_reach(self) -> list[Resources]:
        """Return what the ready tasks ask for, if all ask for more than is offered.

        None of them may be running, wherever it is.
        """
        live = self.unfinished - self.failed if self._beyond else set()
        found = {asks: live.intersection(keys) for asks, keys in self._beyond.items()}
        if sum(map(len, found.values())) < self.open:
            return []
        return [asks for asks, keys in found.items() if keys]

    def _free(
        self, budget: Budget, stack: _Keys, fresh: _Keys, aside: list[Key]
    ) -> Iterator[Key]:
        """Yield ready keys that nobody else holds, dropping finished ones.

        What others hold goes `aside`: behind what is hidden, which keeps its place.
        """
        held, running = budget.held, budget.running
        unfinished, failed = self.unfinished, self.failed
        any_task = self._selected is None
        while stack or fresh:
            key = stack.pop() if stack else fresh.popleft()
            if key not in unfinished or key in failed:
                continue
            if key in held or key == running:
                aside.append(key)
            elif any_task or self._may_run(key):
                yield key


@frozen
class Budget:
    """How much to lock at once.

    At least one task, at most `tasks` or what makes `least` seconds, no more than
    `seconds` of expected work, and none that is `held` by somebody, or `running` here,
    whoever holds it. About `skip` keys that would come first are left to others. All
    ask for the same resources: for those `asked` if that is not None, else for nothing
    or what `fits` takes for them. `alike` says that of each function only one task need
    be asked how long it will take.
    """

    tasks: int
    seconds: float
    held: Container[Key]
    least: float = 0.0
    skip: int = 0
    running: Key = b""
    asked: Resources | None = None
    fits: Callable[[Resources], bool] = not_
    alike: bool = False
