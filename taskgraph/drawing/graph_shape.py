"""What is drawn of a graph: boxes with counts, arrows, what is not known yet; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from taskgraph.upkeep.snapshot import Snapshot
    from taskgraph.upkeep.status import Status

SIGNS = {
    "done": "✓",
    "running": "▸",
    "ready": "○",
    "waiting": "…",
    "blocked": "■",
    "failed": "✗",
}
"""A sign for each state, besides its colour and its word."""


@dataclass(frozen=True, slots=True)
class Box:
    """A function, or a task.

    Attributes
    ----------
    name : str
        The whole name.
    title : str
        What is written in it.
    counts : mapping of str to int
        How many tasks are in each state; without those that are in none.
    """

    name: str
    title: str
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The state that counts most: failed before others, done if all are."""
        return next((state for state in STATES if self.counts.get(state)), "")


@dataclass(frozen=True, slots=True)
class GraphShape:
    """A graph as it is drawn.

    Attributes
    ----------
    boxes : list of Box
        Each after all that it needs, as far as there is no circle.
    arrows : dict of (int, int) to int
        From a box to one that needs it, by number: how many tasks need how many.
    unknown : tuple of int
        Boxes that a barrier waits for, behind which nothing is known; empty if the
        jugfile was read to its end.
    barrier : bool
        Whether it was not.
    """

    boxes: list[Box]
    arrows: dict[tuple[int, int], int]
    unknown: tuple[int, ...] = ()
    barrier: bool = False


def by_function(snapshot: Snapshot, status: Status) -> GraphShape:
    """Return a box for each function, with the counts of its tasks."""
    titles = short_names(snapshot.names)
    boxes = [
        Box(name, title, {s: n for s, n in status.counts[name].items() if n})
        for name, title in zip(snapshot.names, titles, strict=True)
    ]
    functions = snapshot.functions
    arrows: Counter[tuple[int, int]] = Counter()
    for function, needs in zip(functions, snapshot.needs_of(), strict=True):
        if needs:
            for need, count in Counter(map(functions.__getitem__, needs)).items():
                arrows[need, function] += count
    awaited = {snapshot.name_of(key) for key in snapshot.awaited()[:_ASKED]}
    unknown = [n for n, name in enumerate(snapshot.names) if name in awaited]
    return GraphShape(boxes, dict(arrows), tuple(unknown), not snapshot.complete)


def by_task(snapshot: Snapshot, states: Mapping[bytes, str]) -> GraphShape:
    """Return a box for each task."""
    keys = snapshot.split()
    calls = snapshot.texts(keys)
    titles = short_names(snapshot.names)
    boxes = []
    for key, function in zip(keys, snapshot.functions, strict=True):
        name = f"{snapshot.names[function]}({calls.get(key, '')})"
        title = f"{titles[function]}({calls.get(key, '')})"
        boxes.append(Box(name, title, {states[key]: 1}))
    arrows = {
        (need, place): 1
        for place, needs in enumerate(snapshot.needs_of())
        for need in needs
    }
    places = {key: place for place, key in enumerate(keys)}
    unknown = [places[key] for key in snapshot.awaited() if key in places]
    return GraphShape(boxes, arrows, tuple(unknown), not snapshot.complete)


_ASKED = 1000


def short_names(names: Iterable[str]) -> list[str]:
    """Return names without their modules, unless two would be the same.

    Examples
    --------
    >>> short_names(["jugfile.load", "a.f", "b.f"])
    ['load', 'a.f', 'b.f']
    """
    whole = list(names)
    last = [name.rpartition(".")[2] for name in whole]
    often = Counter(last)
    return [s if often[s] == 1 else w for s, w in zip(last, whole, strict=True)]
