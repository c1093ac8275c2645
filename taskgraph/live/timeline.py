"""When tasks ended and how long they took, by function, as their records say. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from taskgraph.foresight.learned import Times

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 480
"""Spans of time, of equal length, that are told apart."""


class Timeline:
    """How many tasks ended when, by function; its size is bounded.

    Time is cut into spans of one second, and of twice as much whenever there are more
    than fit a picture.

    Examples
    --------
    >>> timeline = Timeline()
    >>> timeline.add([("f", 10.2, 1.0), ("f", 10.9, 3.0), ("g", 12.5, 1.0)])
    >>> timeline.plain()
    {'start': 10, 'span': 1, 'counts': {'f': [2, 0, 0], 'g': [0, 0, 1]}}
    >>> timeline.times()["f"].mean
    2.0
    """

    def __init__(self) -> None:
        self._span = 1
        self._counts: dict[int, Counter[str]] = defaultdict(Counter)
        self._took: dict[str, tuple[int, float, float]] = {}

    def add(self, ended: Iterable[tuple[str, float, float]]) -> None:
        """Take in tasks: function, end in seconds since the epoch, seconds it took."""
        span, counts, took = self._span, self._counts, self._took
        for name, end, wall in ended:
            counts[int(end) // span][name] += 1
            if wall:  # of what was adopted no time is known
                count, total, squares = took.get(name, (0, 0.0, 0.0))
                took[name] = count + 1, total + wall, squares + wall * wall
        while counts and max(counts) - min(counts) >= _MOST:
            merged: dict[int, Counter[str]] = defaultdict(Counter)
            for place, row in counts.items():
                merged[place // 2].update(row)
            counts = self._counts = merged
            self._span *= 2

    def times(self) -> dict[str, Times]:
        """Return what tasks took, by function."""
        found = {}
        for name, (count, total, squares) in self._took.items():
            mean = total / count
            variance = max(0.0, squares - count * mean * mean) / max(1, count - 1)
            found[name] = Times(count, mean, variance**0.5, 0)
        return found

    def plain(self) -> dict[str, Any]:
        """Return it as plain data: start and length of the spans, counts in each."""
        if not self._counts:
            return {"start": 0, "span": self._span, "counts": {}}
        first, last = min(self._counts), max(self._counts)
        names = sorted({name for row in self._counts.values() for name in row})
        counts = {
            name: [self._counts[n][name] for n in range(first, last + 1)]
            for name in names
        }
        return {"start": first * self._span, "span": self._span, "counts": counts}
