"""Which tasks are begun first: those with the longest way to the end; all of it pure.

Workers that choose at the same time leave some of what is ready to each other. If all
spread over everything, a few long tasks would be found late. So each of those counts as
half of what a worker takes at once: about half of the others find it at once.
"""

from __future__ import annotations

from itertools import chain, groupby
from typing import TYPE_CHECKING

from taskgraph.tasks.graph import heights_of

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Mapping, Reversible

    from taskgraph.tasks.graph import Graph
    from taskgraph.tasks.task import Task

Key = bytes

_ALIKE = 0.1
"""Ways that differ by fewer seconds keep the order that they would have else."""
_NEAR, _RARE = 0.5, 4
"""From which part of the longest way a task is urgent, and what part of all that are
ready may be so at most: if most were, they would be found anyway."""


def longest_first(
    ready: list[Key],
    graph: Graph,
    tasks: Reversible[Task],
    seconds: Callable[[], Mapping[str, float]],
) -> set[Key]:
    """Put tasks with the longest way to the end first; return those that are urgent.

    Parameters
    ----------
    ready : list of bytes
        Keys to be put in order.
    graph : Graph
        What they are of.
    tasks : reversible of Task
        What may follow them, each after all that it needs.
    seconds : callable
        Returns how long tasks take, by the names of their functions; nothing if that
        makes no order, and then the longest way is that of most tasks. A function
        that is not known counts as taking as long as the others on average.
    """
    heights = heights_of(tasks)
    if heights:
        ready.sort(key=lambda key: -heights.get(key, 0))
    known = seconds() if len(ready) > 1 else {}
    if not known:
        return set()
    usual = sum(known.values()) / len(known)

    def own(task: Task) -> float:
        return known.get(task.generator.name, usual)

    after = seconds_after(tasks, own)
    ways = {key: own(graph[key]) + after.get(key, 0.0) for key in ready}
    ready.sort(key=lambda key: -(ways[key] // _ALIKE))
    near = max(_ALIKE, _NEAR * max(ways.values()))
    urgent = {key for key in ready if ways[key] >= near}
    return urgent if _RARE * len(urgent) <= len(ready) else set()


def seconds_after(
    tasks: Reversible[Task], own: Callable[[Task], float]
) -> dict[Key, float]:
    """Return for how long tasks follow each one on the longest way to the end.

    Keys of tasks that nobody needs are left out: nothing follows them.

    Parameters
    ----------
    tasks : reversible of Task
        Each after all that it needs.
    own : callable
        Returns how many seconds a task takes.
    """
    after: dict[Key, float] = {}
    for _, group in groupby(reversed(tasks), lambda task: id(task.needs)):
        first = next(group)
        if not first.needs:
            continue
        ways = [own(task) + after.get(task.key, 0.0) for task in chain([first], group)]
        longest = max(ways)
        for need in first.needs:
            if after.get(need.key, 0.0) < longest:
                after[need.key] = longest
    return after


def left_to_others(
    fresh: deque[Key],
    urgent: set[Key],
    skip: int,
    tasks: int,
    free: Callable[[Key], bool],
) -> int:
    """Return how many keys to leave to others, if each urgent one stands for several.

    Parameters
    ----------
    fresh : deque of bytes
        What is ready, the urgent ones first; those of them that are not free go to the
        end.
    urgent : set of bytes
        Keys that are begun as soon as can be; who is found not to be free is removed.
    skip, tasks : int
        How many to leave if none were urgent, and how many are taken at once.
    free : callable
        Says of a key whether it may be taken.

    Examples
    --------
    >>> from collections import deque
    >>> ready, free = deque([b"long", b"a", b"b", b"c"]), lambda key: True
    >>> [left_to_others(ready, {b"long"}, skip, 4, free) for skip in range(4)]
    [0, 0, 1, 2]
    """
    share = (tasks + 1) // 2
    wanted = skip // share
    ahead: list[Key] = []
    while fresh and len(ahead) <= wanted and fresh[0] in urgent:
        key = fresh.popleft()
        if free(key):
            ahead.append(key)
        else:
            urgent.discard(key)
            fresh.append(key)
    fresh.extendleft(reversed(ahead))
    return wanted if len(ahead) > wanted else skip - len(ahead) * (share - 1)
