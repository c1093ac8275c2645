"""The tasks of a jugfile with their dependencies; all of it pure."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import defaultdict, deque
from fnmatch import translate
from itertools import compress, count, filterfalse, groupby, islice
from operator import attrgetter, is_not
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError
from taskgraph.fingerprints.codes import Codes

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Container,
        Iterable,
        Iterator,
        KeysView,
        Mapping,
        Reversible,
        Sequence,
    )

    from taskgraph.tasks.recording import Recording
    from taskgraph.tasks.task import Task, TaskGenerator

Key = bytes
_AT_ONCE = 1 << 15
"""Tasks looked at together: lists of all would take memory."""
_KEY, _NEEDS = attrgetter("key"), attrgetter("needs")
_GENERATOR = attrgetter("generator")


class Graph:
    """Tasks by key, each after all that it needs.

    Parameters
    ----------
    tasks : iterable of Task
        In the order in which they were written down; what they need is added if it
        is not among them. Of those with one key the first one counts.

    Attributes
    ----------
    generators : dict
        The functions of the tasks, each once, in order.
    recordings : set
        Where the tasks were written down.
    codes : Codes
        What these functions do.

    Examples
    --------
    >>> from taskgraph.tasks.task import Task
    >>> small = Task(divmod, 7, 2)
    >>> graph = Graph([Task(divmod, small[0], 2)])
    >>> list(graph) == [small.key, graph.tasks[-1].key]
    True
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks: dict[Key, Task] = {}
        self.generators: dict[TaskGenerator, None] = {}
        self.recordings: set[Recording[Task]] = set()
        self._runs, self._of_runs = array("I"), array("I")
        self.codes = Codes(self.generators)
        self.extend(tasks)

    def extend(self, tasks: Iterable[Task]) -> Collection[Task]:
        """Add tasks that were written down later; return what is new, in order."""
        known = self._tasks
        before = len(known)
        if known:
            tasks = [task for task in tasks if task.key not in known]
            known.update(new := _in_order(tasks, known))
        else:
            tasks = tasks if isinstance(tasks, list) else list(tasks)
            new = self._tasks = _in_order(tasks, known)
        self._note_runs(iter(new.values()), before)
        self.recordings.update({task.recording for task in new.values()})
        return new.values()

    def _note_runs(self, tasks: Iterator[Task], place: int) -> None:
        """Note where runs of tasks begin, of which the first is at a place."""
        while of_each := list(map(_GENERATOR, islice(tasks, _AT_ONCE))):
            others = map(is_not, islice(of_each, 1, None), of_each)
            starts = [0, *compress(range(1, len(of_each)), others)]
            called = list(map(of_each.__getitem__, starts))
            self.generators.update(dict.fromkeys(called))
            numbers = dict(zip(self.generators, count(), strict=False))
            self._runs.extend([place + start for start in starts])
            self._of_runs.extend(map(numbers.__getitem__, called))
            place += len(of_each)

    def runs(
        self, start: int = 0, *, backwards: bool = False
    ) -> Iterator[tuple[TaskGenerator, range]]:
        """Yield which tasks in a row are calls of one function: it, and their places.

        Parameters
        ----------
        start : int
            How many tasks are left out at the beginning.
        backwards : bool
            Whether to begin with the last one.
        """
        generators, runs = list(self.generators), self._runs
        numbers = range(max(0, bisect_right(runs, start) - 1), len(runs))
        for number in reversed(numbers) if backwards else numbers:
            end = runs[number + 1] if number + 1 < len(runs) else len(self)
            places = range(max(runs[number], start), end)
            generator = generators[self._of_runs[number]]
            yield generator, places[::-1] if backwards else places

    @property
    def tasks(self) -> list[Task]:
        """The tasks in order."""
        return list(self._tasks.values())

    @property
    def by_key(self) -> Mapping[Key, Task]:
        """The tasks by key, in order."""
        return self._tasks

    def last(self, count: int) -> list[Task]:
        """Return the last tasks, in order."""
        return list(islice(reversed(self._tasks.values()), count))[::-1]

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

    def writes(self, key: Key) -> bool:
        """Return whether a task writes files."""
        return key in self._tasks and bool(self._tasks[key].generator.files)

    def dependants(self) -> dict[Key, list[Key]]:
        """Return for each key that is needed the keys of the tasks that need it."""
        needed_by: defaultdict[Key, list[Key]] = defaultdict(list)
        for _, group in groupby(self._tasks.values(), lambda task: id(task.needs)):
            first = next(group)
            if first.needs:
                keys = [first.key, *[task.key for task in group]]
                for need in first.needs:
                    needed_by[need.key] += keys
        return needed_by


def heights_of(tasks: Reversible[Task]) -> dict[Key, int]:
    """Return how many tasks follow each one on the longest way to the end.

    Keys of tasks that nobody needs are left out: their height is 0.

    Parameters
    ----------
    tasks : reversible of Task
        Each after all that it needs.
    """
    heights: dict[Key, int] = {}
    last: tuple[Task, ...] = ()
    highest = 0
    for task in reversed(tasks):
        needs = task.needs
        if needs:
            height = heights.get(task.key, 0) + 1
            if needs is last and height <= highest:
                continue
            last, highest = needs, height
            for key in map(_KEY, needs):
                if heights.get(key, 0) < height:
                    heights[key] = height
    return heights


def _in_order(tasks: list[Task], known: Container[Key]) -> dict[Key, Task]:
    """Return tasks by key, each after all that it needs; what is known is left out."""
    found = {task.key: task for task in tasks}
    if len(found) < len(tasks):
        for task in reversed(tasks):
            found[task.key] = task
    if _lack(tasks, found, known):
        found = {task.key: task for task in _closure(tasks, known)}
    return found


def _lack(tasks: list[Task], found: Container[Key], known: Container[Key]) -> bool:
    """Return whether tasks need something that is neither found nor known."""
    last: tuple[Task, ...] = ()
    for first in range(0, len(tasks), _AT_ONCE):
        some = tasks[first : first + _AT_ONCE]
        for place in compress(count(), map(_NEEDS, some)):
            needs = some[place].needs
            if needs is last:
                continue
            last = needs
            newest = tasks[max(0, first + place - len(needs)) : first + place]
            if newest == list(needs):
                continue  # mostly, and then no table is asked
            lacking = filterfalse(found.__contains__, map(_KEY, needs))
            if not all(map(known.__contains__, lacking)):
                return True
    return False


def _closure(tasks: Iterable[Task], known: Container[Key]) -> list[Task]:
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
            stack += [
                need
                for need in task.needs
                if need.key not in state and need.key not in known
            ]
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


def selector(
    names: Sequence[str] = (), patterns: Sequence[str] = ()
) -> Callable[[str], bool]:
    """Return a test of task names, by name, glob or regular expression.

    Parameters
    ----------
    names : sequence of str
        ``function``, as much of its module as tells it from others, as in
        ``package.module.function``, or a glob of either, as ``seg*``.
    patterns : sequence of str
        Regular expressions, found anywhere in the full name; slashes around one are no
        part of it, as in jug.

    Examples
    --------
    >>> test = selector(["segment"], ["^other[.]"])
    >>> test("jugfile.segment"), test("other.f"), test("jugfile.segments")
    (True, True, False)
    >>> test = selector(["work.f"], ["/g$/"])
    >>> test("lab.work.f"), test("homework.f"), test("lab.work.g")
    (True, False, True)
    """
    bare = [_without_slashes(pattern) for pattern in patterns]
    try:
        tests = [re.compile(translate(name)) for name in names]
        searches = [re.compile(pattern) for pattern in bare]
    except re.error as error:
        raise UsageError(f"not a regular expression: {error}") from None
    if not (all(bare) and all(names)):
        raise UsageError("an empty name or pattern selects everything; leave it out")

    def matches(name: str) -> bool:
        ends = _ends(name) if tests else ()
        return any(t.match(end) for t in tests for end in ends) or any(
            s.search(name) for s in searches
        )

    return matches


def _without_slashes(pattern: str) -> str:
    """Return a regular expression as it is written between slashes, or without."""
    slashed = len(pattern) > 1 and pattern[0] == pattern[-1] == "/"
    return pattern[1:-1] if slashed else pattern


def _ends(name: str) -> list[str]:
    """Return a name, and what is left of it after each dot."""
    parts = name.split(".")
    return [".".join(parts[place:]) for place in range(len(parts))]
