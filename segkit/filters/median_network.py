"""Networks of comparisons that leave the median of a box, for any size of it.

A network is a list of steps over whole lines of voxels: the smaller and the larger of
two lines, voxel by voxel. Since nothing depends on the values, the steps are as many
for each voxel, and a processor does dozens of voxels at once.

Columns of the box are sorted first; sorted columns are merged two by two along the last
axis, so that what is merged at a voxel serves its neighbours, too; the last two lists
are not merged but asked for their common middle, and steps that it does not depend on
are left out (Adams, "Fast median filters using separable sorting networks", ACM Trans.
Graph. 40(4), 2021). Merging is Batcher's (Knuth, The Art of Computer Programming 3,
section 5.3.4, exercise 7: for lists of any two lengths).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Network:
    """The steps that lead to the median of a box.

    Attributes
    ----------
    steps : ndarray of int64, shape (n, 7)
        Of each step: the row in which one line is, and how many voxels further on it
        begins; the same of the other line; the rows that receive the smaller and the
        larger values; how much longer than the result they have to be. Where the other
        row is -1, the first number is that of a column, to be copied to the next row.
        The first step is one of the longest.
    rows : int
        How many rows are in use at once.
    result : int
        The row that holds the median in the end.
    """

    steps: NDArray[np.int64]
    rows: int
    result: int


class _Line(NamedTuple):
    """A line that a step has made, from some voxel on."""

    made: int
    shift: int


class _Step(NamedTuple):
    """Two lines to be compared, or a column to be loaded and no second line."""

    first: _Line
    second: _Line | None


_Sorted: TypeAlias = list[_Line]


@lru_cache(maxsize=32)
def median_network(shape: tuple[int, ...]) -> Network:
    """Return the network for boxes of a shape, each length odd.

    Columns are numbered in raster order of their place on all axes but the last.

    Examples
    --------
    >>> network = median_network((3, 3))
    >>> network.rows, len(network.steps)
    (10, 18)
    """
    writer = _Writer()
    columns = [writer.load(column) for column in range(prod(shape[:-1]))]
    middle = writer.middle(writer.sorted(columns), shape[-1])
    return _assigned(writer.steps, middle)


class _Writer:
    """Writes steps down; a line has twice the number of its step, or one more."""

    def __init__(self) -> None:
        self.steps: list[_Step] = []

    def load(self, column: int) -> _Line:
        self.steps.append(_Step(_Line(column, 0), None))
        return _Line(2 * len(self.steps) - 2, 0)

    def compare(self, first: _Line, second: _Line) -> tuple[_Line, _Line]:
        self.steps.append(_Step(first, second))
        made = 2 * len(self.steps) - 2
        return _Line(made, 0), _Line(made + 1, 0)

    def sorted(self, lines: _Sorted) -> _Sorted:
        if len(lines) < 2:
            return lines
        half = len(lines) // 2
        return self.merged(self.sorted(lines[:half]), self.sorted(lines[half:]))

    def merged(self, first: _Sorted, second: _Sorted) -> _Sorted:
        """Merge two sorted lists of lines by Batcher's network."""
        if not first or not second:
            return first or second
        if len(first) == len(second) == 1:
            return list(self.compare(first[0], second[0]))
        odd = self.merged(first[::2], second[::2])
        even = self.merged(first[1::2], second[1::2])
        both = odd[:1]
        for k in range(max(len(odd) - 1, len(even))):
            if k < len(even) and k + 1 < len(odd):
                both += self.compare(even[k], odd[k + 1])
            else:
                both += even[k : k + 1] or odd[k + 1 : k + 2]
        return both

    def middle(self, column: _Sorted, length: int) -> _Line:
        """Return the median of a sorted column and those that follow it."""
        parts, at, wide, power = [], 0, column, 1
        while power <= length:
            if power & length:
                parts.append((at, wide))
                at += power
            power *= 2
            if power <= length:
                wide = self.merged(wide, _moved(wide, power // 2))
        lists = [_moved(part, begin) for begin, part in parts]
        rest: _Sorted = []
        for part in lists[:-1]:
            rest = self.merged(rest, part)
        return self.ranked(rest, lists[-1], len(column) * length // 2)

    def ranked(self, first: _Sorted, second: _Sorted, rank: int) -> _Line:
        """Return the line of some rank, from 0 on, of two sorted lists."""
        least, most = max(0, rank + 1 - len(second)), min(len(first), rank + 1)
        largest = []  # of the smallest rank + 1, if so many of them are of the first
        for taken in range(least, most + 1):
            others = rank + 1 - taken
            ends = first[taken - 1 : taken] if taken else []
            ends = ends + (second[others - 1 : others] if others else [])
            largest.append(ends[0] if len(ends) == 1 else self.compare(*ends)[1])
        best = largest[0]
        for line in largest[1:]:
            best = self.compare(best, line)[0]
        return best


def _moved(lines: _Sorted, shift: int) -> _Sorted:
    return [_Line(made, before + shift) for made, before in lines]


def _assigned(steps: list[_Step], result: _Line) -> Network:
    """Return a network of those steps that a line depends on, in as few rows as do."""
    beyond, last_use = _needs(steps, result)
    rows: dict[int, int] = {}
    free: list[int] = []
    count, table = 1, []  # row 0 receives what nobody needs
    for number, (first, second) in enumerate(steps):
        made = [line for line in (2 * number, 2 * number + 1) if line in beyond]
        if not made:
            continue
        for line in made:  # no row that is read: it would be overwritten on the way
            if not free:
                free.append(count)
                count += 1
            rows[line] = free.pop()
        receive = rows.get(2 * number, 0), rows.get(2 * number + 1, 0)
        length = max(beyond[line] for line in made)
        if second is None:
            table.append((first.made, 0, -1, 0, *receive, length))
            continue
        reads = rows[first.made], first.shift, rows[second.made], second.shift
        table.append((*reads, *receive, length))
        done = [k for k in {first.made, second.made} if last_use[k] == number]
        free += [rows[line] for line in done]
    return Network(np.array(table, np.int64), count, rows[result.made])


def _needs(steps: list[_Step], result: _Line) -> tuple[dict[int, int], dict[int, int]]:
    """Return how much longer than the result each line is, and which step is its last.

    Lines that the result does not depend on are left out.
    """
    beyond, last_use = {result.made: result.shift}, {result.made: len(steps)}
    for number in reversed(range(len(steps))):
        first, second = steps[number]
        made = [line for line in (2 * number, 2 * number + 1) if line in beyond]
        if second is None or not made:
            continue
        length = max(beyond[line] for line in made)
        for line, shift in (first, second):
            beyond[line] = max(beyond.get(line, 0), length + shift)
            last_use.setdefault(line, number)
    return beyond, last_use
