"""The tasks of a jugfile with their dependencies, in runnable order; all of it pure."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from fnmatch import translate
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Container,
        Iterable,
        Iterator,
        KeysView,
        Sequence,
    )

    from taskgraph.tasks.task import Task

Key = bytes


class Graph:
    """Tasks by key, each after all that it needs.

    Parameters
    ----------
    tasks : iterable of Task
        In the order in which they were written down; what they need is added if it
        is not among them. Of those with one key the first one counts.

    Examples
    --------
    >>> from taskgraph.tasks.task import Task
    >>> small = Task(divmod, 7, 2)
    >>> graph = Graph([Task(divmod, small[0], 2)])
    >>> list(graph) == [small.key, graph.tasks[-1].key]
    True
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        listed = list(tasks)
        self._tasks = {task.key: task for task in listed}
        if len(self._tasks) < len(listed):
            for task in reversed(listed):
                self._tasks[task.key] = task
        if any(
            need.key not in self._tasks
            for task in listed
            if task.needs
            for need in task.needs
        ):
            self._tasks = {task.key: task for task in _closure(listed)}

    @property
    def tasks(self) -> list[Task]:
        """The tasks in order."""
        return list(self._tasks.values())

    def __getitem__(self, key: Key) -> Task:
        return self._tasks[key]

    def __contains__(self, key: object) -> bool:
        return key in self._tasks

    def __iter__(self) -> Iterator[Key]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def keys(self) -> KeysView[Key]:
        """Return the keys, in order."""
        return self._tasks.keys()

    def name_of(self, key: Key) -> str | None:
        """Return the function name of a key, None if it is not there."""
        return self._tasks[key].name if key in self._tasks else None

    def needs_of_key(self, key: Key) -> list[Key]:
        """Return the keys that a task needs; none of one that is not there."""
        task = self._tasks.get(key)
        return [need.key for need in task.needs] if task is not None else []

    def dependants(self) -> dict[Key, list[Key]]:
        """Return for each key that is needed the keys of the tasks that need it."""
        needed_by: dict[Key, list[Key]] = {}
        for key, task in self._tasks.items():
            if task.needs:
                for need in task.needs:
                    needed_by.setdefault(need.key, []).append(key)
        return needed_by

    def heights(self) -> dict[Key, int]:
        """Return how many tasks follow each one on the longest way to the end.

        Keys of tasks that nobody needs are left out: their height is 0.
        """
        heights: dict[Key, int] = {}
        for task in reversed(self._tasks.values()):
            if task.needs:
                height = heights.get(task.key, 0) + 1
                for need in task.needs:
                    if heights.get(need.key, 0) < height:
                        heights[need.key] = height
        return heights


def _closure(tasks: Iterable[Task]) -> list[Task]:
    """Return tasks and all that they need, each after what it needs."""
    order: list[Task] = []
    state: dict[Key, bool] = {}
    for root in tasks:
        stack = [root]
        while stack:
            task = stack[-1]
            if task.key in state:
                stack.pop()
                if not state[task.key]:
                    state[task.key] = True
                    order.append(task)
                continue
            state[task.key] = False
            stack += [need for need in task.needs if need.key not in state]
    return order


def closure_of(keys: Iterable[Key], dependants: dict[Key, list[Key]]) -> set[Key]:
    """Return `keys` and everything that depends on them.

    Examples
    --------
    >>> sorted(closure_of([b"b"], {b"a": [b"b"], b"b": [b"c"]}))
    [b'b', b'c']
    """
    found = set(keys)
    queue = deque(found)
    while queue:
        for key in dependants.get(queue.popleft(), ()):
            if key not in found:
                found.add(key)
                queue.append(key)
    return found


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
    """

    def __init__(
        self,
        graph: Graph,
        finished: Iterable[Key] = (),
        failed: Iterable[Key] = (),
        *,
        selected: Callable[[Task], bool] | None = None,
    ) -> None:
        self._graph = graph
        self._needed_by: dict[Key, list[Key]] | None = None
        self.finished = set(graph.keys()).intersection(finished)
        self.failed = set(graph.keys()).intersection(failed)
        self.finished -= self.failed
        self._missing: dict[Key, int] = {}
        self._selected = selected
        fresh: list[Key] = []
        self._stack: deque[Key] = deque()
        if len(self.finished) + len(self.failed) < len(graph):
            fresh = self._initial()
            heights = graph.heights()
            if heights:
                fresh.sort(key=lambda key: -heights.get(key, 0))
        self._fresh = deque(fresh)

    def _initial(self) -> list[Key]:
        ready = []
        finished, failed = self.finished, self.failed
        for key in self._graph:
            if key in finished or key in failed:
                continue
            needs = self._graph[key].needs
            missing = sum(need.key not in finished for need in needs) if needs else 0
            if missing:
                self._missing[key] = missing
            else:
                ready.append(key)
        return ready

    @property
    def _dependants(self) -> dict[Key, list[Key]]:
        if self._needed_by is None:  # a finished graph never asks
            self._needed_by = self._graph.dependants()
        return self._needed_by

    @property
    def done(self) -> bool:
        """Whether every task has a result."""
        return len(self.finished) == len(self._graph)

    @property
    def waiting(self) -> int:
        """How many tasks wait for others, blocked ones included."""
        return len(self._missing)

    @property
    def ready(self) -> int:
        """How many tasks are ready and not handed out, an upper bound."""
        return len(self._fresh) + len(self._stack)

    @property
    def open(self) -> int:
        """How many tasks could be run now or are being run, by anybody."""
        settled = len(self.finished) + len(self.failed) + len(self._missing)
        return len(self._graph) - settled

    def finish(self, keys: Iterable[Key]) -> None:
        """Take in that `keys` have results."""
        graph, finished = self._graph.keys(), self.finished
        new = [k for k in dict.fromkeys(keys) if k not in finished and k in graph]
        finished.update(new)
        if self._missing:
            for key in new:
                self._missing.pop(key, None)
            for key in new:
                self._stack += self._freed(key)

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
        self._turn(budget.skip)
        try:
            return self._take(expected, budget)
        finally:
            self._turn(-budget.skip)

    def _turn(self, skip: int) -> None:
        """Hide the next `skip` keys at the other end, or bring them back from there."""
        self._stack.rotate(skip)
        self._fresh.rotate(-skip)

    def _take(
        self, expected: Callable[[Task], float | None], budget: Budget
    ) -> list[Key]:
        taken: list[Key] = []
        chosen: set[Key] = set()
        dependants = self._dependants
        seconds = 0.0
        missing: dict[Key, int] = {}
        ahead: list[Key] = []
        while len(taken) < budget.tasks or seconds < budget.least:
            key = ahead.pop() if ahead else self._pop(budget)
            if key is None:
                break
            if key in chosen:  # it was put back twice
                continue
            cost = expected(self._graph[key])
            if taken and (cost is None or seconds + cost > budget.seconds):
                if key not in missing:
                    self._stack.append(key)
                break
            taken.append(key)
            chosen.add(key)
            if cost is None:
                break
            seconds += cost
            for follower in dependants.get(key, ()):
                left = missing.get(follower, self._missing.get(follower, 0)) - 1
                missing[follower] = left
                if left == 0 and self._may_run(follower):
                    ahead.append(follower)
        return taken

    def put_back(self, keys: Iterable[Key]) -> None:
        """Hand in keys that were taken and not run."""
        for key in keys:
            if key not in self._missing:
                self._stack.append(key)

    def blocked(self) -> set[Key]:
        """Return the keys that wait for a failed one."""
        return closure_of(self.failed, self._dependants) - self.failed - self.finished

    def _freed(self, key: Key) -> list[Key]:
        freed = []
        for follower in self._dependants.get(key, ()):
            left = self._missing.get(follower)
            if left is None:
                continue
            if left == 1:
                del self._missing[follower]
                freed.append(follower)
            else:
                self._missing[follower] = left - 1
        return freed

    def _may_run(self, key: Key) -> bool:
        return self._selected is None or self._selected(self._graph[key])

    def _pop(self, budget: Budget) -> Key | None:
        """Return the next ready key that nobody else holds, dropping finished ones."""
        aside: list[Key] = []
        found = None
        stack, fresh, held = self._stack, self._fresh, budget.held
        finished, failed = self.finished, self.failed
        while stack or fresh:
            key = stack.pop() if stack else fresh.popleft()
            if key in finished or key in failed or not self._may_run(key):
                continue
            if key not in held:
                found = key
                break
            aside.append(key)
        self._fresh.extend(aside)
        return found


@dataclass(frozen=True, slots=True)
class Budget:
    """How much to lock at once.

    At least one task, at most `tasks` or what makes `least` seconds, no more than
    `seconds` of expected work, and none that is `held` by somebody. About `skip` keys
    that would come first are left to others.
    """

    tasks: int
    seconds: float
    held: Container[Key]
    least: float = 0.0
    skip: int = 0


def selector(
    names: Sequence[str] = (), patterns: Sequence[str] = ()
) -> Callable[[str], bool]:
    """Return a test of task names, by name, glob or regular expression.

    Parameters
    ----------
    names : sequence of str
        ``module.function``, ``function`` or a glob of either, as ``seg*``.
    patterns : sequence of str
        Regular expressions, found anywhere in the full name.

    Examples
    --------
    >>> test = selector(["segment"], ["^other[.]"])
    >>> test("jugfile.segment"), test("other.f"), test("jugfile.segments")
    (True, True, False)
    """
    try:
        tests = [re.compile(translate(name)) for name in names]
        searches = [re.compile(pattern) for pattern in patterns]
    except re.error as error:
        raise UsageError(f"not a regular expression: {error}") from None
    if any(not pattern for pattern in patterns) or any(not name for name in names):
        raise UsageError("an empty name or pattern selects everything; leave it out")

    def matches(name: str) -> bool:
        short = name.rpartition(".")[2]
        return any(t.match(name) or t.match(short) for t in tests) or any(
            s.search(name) for s in searches
        )

    return matches
