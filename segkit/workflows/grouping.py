"""Many tasks in groups: neighbours along seams, sums added up in levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.labelling.seams import adjacent_tiles
from segkit.workflows import tasks
from segkit.workflows.stored import later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segkit.tiling.boxes import Tile
    from taskgraph import Task

_GROUP = 64


def seams_of(
    grid: Sequence[Tile], made: Sequence[Task], connectivity: Any
) -> list[Task]:
    """Return one task for each tile that has later neighbours."""
    others: dict[int, list[Task]] = {}
    for a, b in adjacent_tiles(grid, connectivity=connectivity):
        others.setdefault(a, []).append(made[b])
    return [
        tasks.FIND_SEAMS(made[place], later(near), connectivity)
        for place, near in sorted(others.items())
    ]


def combined(parts: Sequence[Task], merged: Task | None) -> Task:
    """Return the sums of all parts, by groups of a bounded number."""
    numbers = list(range(len(parts)))
    level: list[Task] = [
        tasks.COMBINE(
            later(parts[k : k + _GROUP]), tuple(numbers[k : k + _GROUP]), merged
        )
        for k in range(0, len(parts), _GROUP)
    ]
    while len(level) > 1:
        level = [
            tasks.COMBINE(later(level[k : k + _GROUP]), (), None)
            for k in range(0, len(level), _GROUP)
        ]
    return level[0]
