"""How long tasks will probably take, with an interval; pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from taskgraph.foresight.learned import Times
    from taskgraph.upkeep.snapshot import Snapshot

_WIDTH = 1.96
"""Deviations of a sum that 95 % are within, if its parts are many or alike."""


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long tasks will probably take; in seconds.

    Attributes
    ----------
    low, expected, high : float
        Between `low` and `high` with 95 % probability, as far as the tasks to come are
        like those that were measured.
    known : int
        How many tasks that is for.
    unknown : dict
        How many tasks there are by function of those of which none was measured: they
        come on top.
    measured : int
        Of how many tasks the time of that function is known which takes most of it.
    """

    low: float
    expected: float
    high: float
    known: int
    unknown: Mapping[str, int]
    measured: int = 0

    @property
    def tasks(self) -> int:
        """How many tasks there are, whether their time is known or not."""
        return self.known + sum(self.unknown.values())


def time_left(
    counts: Mapping[str, int],
    times: Mapping[str, Times],
    *,
    workers: int,
    longest: float = 0.0,
) -> TimeLeft:
    """Return how long tasks take.

    Parameters
    ----------
    counts : mapping
        How many tasks there are, by function.
    times : mapping
        What those of a function took.
    workers : int
        How many share the work.
    longest : float
        Seconds of the longest chain of tasks that need each other: no number of
        workers makes it shorter.

    Examples
    --------
    >>> from taskgraph.foresight.learned import Times
    >>> time_left({"f": 100}, {"f": Times(50, 2.0, 0.0, 0)}, workers=4).expected
    50.0
    """
    total = spread = most = 0.0
    measured = 0
    unknown = {}
    for name, count in counts.items():
        one = times.get(name)
        if one is None:
            unknown[name] = count
            continue
        total += count * one.mean
        if count * one.mean > most:
            most, measured = count * one.mean, one.count
        # The sum of so many varies, and the mean was taken of a few.
        spread += one.deviation**2 * (count + count**2 / one.count)
    total, width = total / workers, _WIDTH * sqrt(spread) / workers
    bounds = (total - width, total, total + width)
    low, expected, high = (max(bound, longest, 0.0) for bound in bounds)
    known = sum(counts.values()) - sum(unknown.values())
    return TimeLeft(low, expected, high, known, unknown, measured)


def longest_chain(
    snapshot: Snapshot, left: Collection[bytes], times: Mapping[str, Times]
) -> float:
    """Return the seconds of the longest chain of tasks that are left.

    Parameters
    ----------
    snapshot : Snapshot
        The graph.
    left : collection of bytes
        Keys of the tasks that are to be run.
    times : mapping
        What tasks of a function take; others take no time.
    """
    if not left or not snapshot.needs:
        longest = [times[name].mean for name in times if name in snapshot.names]
        return max(longest, default=0.0) if left else 0.0
    of_name = [times[name].mean if name in times else 0.0 for name in snapshot.names]
    ends: list[float] = []
    every = len(left) == len(snapshot)
    for key, function, needs in zip(
        snapshot, snapshot.functions, snapshot.needs_of(), strict=True
    ):
        own = of_name[function] if every or key in left else 0.0
        ends.append(own + max([ends[need] for need in needs], default=0.0))
    return max(ends, default=0.0)
