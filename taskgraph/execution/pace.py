"""How long things take here, and so how much is done at once.

Every segment is read by every worker. So what a worker has done goes out together, at
intervals of many times what an append takes it, in which reading what all the others
appended is included: the more of them there are, and the slower the store or the
machine, the longer the intervals. Only who may be waited for makes haste.

Workers that share a core wait for each other, whatever an append takes by itself. So a
round, in which each of a machine appends once and all read that, counts as well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from math import ceil
from zlib import crc32

_MOST_TASKS = 1 << 16
_SHORTEST, _LONGEST = 0.5, 3.0
"""Seconds that records wait to be published, if nobody waits for them."""
_PER_SLOW, _SLOWEST = 4, 30.0
"""How many times longer than an append they wait where `_LONGEST` is less than that,
and seconds that they wait at most. So many write to one slow journal that they are in
each other's way, and what they append takes a fifth of their time."""
_PER_BATCH = 2
"""Appends that it takes to lock some work and to publish it."""
_SLOW = 0.1
"""Seconds from which on to lock is as slow as to publish: the store is what is slow."""
_PER_COST = 50
"""How many times longer than an append that is: appends are 2 % of the time."""
_HASTY_PER_COST = 10
_APPEND, _READ = 0.003, 40e-6
"""Seconds of a core that an append takes who does it, with the choice of tasks and the
look around that go with it, and everybody who reads it."""
_PER_ROUND = 10
_END = 0.5
"""Seconds of work that one may take though others will be without any, at most."""
_ASIDE = 0.002
"""Seconds that a task takes, at least, for something else to be done meanwhile."""
_FEW = 8
"""Others that may all wake at each append, when they wait for something to do."""
_REST, _PER_LATENCY = 0.2, 2
"""Seconds that who waits looks away at most, or so many times what news take, where a
store is slow for each `_FEW` others, up to `_LONGEST`: as long as the end may wait."""


@dataclass(slots=True)
class Pace:
    """How long tasks and publishing take here; decides how much is done at once.

    Parameters
    ----------
    latency : float
        Seconds after which others see an append.
    name : str
        The worker's; it makes its choices differ from those of others.
    others : int
        How many other workers there are.
    crowd : float
        How many of all there are on each core of this machine, at least 1.
    cost : float
        Seconds that an append takes here.
    seconds : dict
        What tasks take, by their names.
    """

    latency: float
    name: str = ""
    others: int = 0
    crowd: float = 1.0
    cost: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    _choices: int = 0

    @property
    def interval(self) -> float:
        """For how long a record may wait to be published, and work to be done."""
        wanted = max(_PER_COST * self.cost, _PER_ROUND * self._round)
        longest = max(_LONGEST, min(_SLOWEST, _PER_SLOW * self.cost))
        return min(longest, max(_SHORTEST, wanted))

    @property
    def worthwhile(self) -> float:
        """For how many seconds of work an append pays, when others want to share."""
        most = max(_END, min(_SLOWEST, _PER_BATCH * self.cost))  # as long as for more
        return min(most, max(self._haste, self._round)) if self.others else 0.0

    @property
    def _haste(self) -> float:
        """Seconds for which others can wait for a record."""
        return max(self.latency, _HASTY_PER_COST * self.cost) if self.others else 0.0

    @property
    def _round(self) -> float:
        """Seconds in which all on this machine append once, and read that."""
        return self.crowd * (_APPEND + _READ * self.others)

    @property
    def rest(self) -> float:
        """For how long to let news come together before they are looked at, idle."""
        crowds = self.others / _FEW
        news = _PER_LATENCY * self.latency * (crowds if self.latency >= _SLOW else 1)
        most = min(_LONGEST, max(_REST, news))
        return min(most, self._haste * max(0, crowds - 1) / 4)

    def learn(self, name: str, seconds: float) -> None:
        """Take in how long a task of this name took."""
        known = self.seconds.get(name)
        self.seconds[name] = seconds if known is None else (known + seconds) / 2

    def published(self, seconds: float) -> None:
        """Take in how long publishing took."""
        self.cost = seconds if not self.cost else (3 * self.cost + seconds) / 4

    def locked(self, seconds: float) -> None:
        """Take in how long locking took: of a slow store nothing else may be known."""
        if seconds >= max(_SLOW, self.cost):
            self.published(seconds)

    def due(self, age: float, following: float, *, wanted: bool = False) -> bool:
        """Return whether records of this age go out before the following task.

        With `wanted`, somebody may wait for them.
        """
        hasty = wanted and self.others
        soon = min(self.interval, self._haste, _LONGEST)
        limit = soon if hasty else self.interval
        return age + following >= limit

    def aside(self, following: float) -> bool:
        """Return whether to publish and lock while the following task runs.

        A very short one is over before that has begun; before a long one it takes
        nothing to speak of, and what is done is safe if that one ends the worker.
        """
        return _ASIDE <= following < _SHORTEST

    def scarce(self, free: int) -> bool:
        """Return whether some of the others may find nothing to do."""
        return free < 2 * (self.others + 1)

    def tasks(self, free: int) -> int:
        """Return how many tasks to lock at once, of those that are free."""
        if not self.others:
            return _MOST_TASKS
        return min(_MOST_TASKS, max(1, ceil(free / (2 * (self.others + 1)))))

    def skip(self, tasks: int, attempts: int) -> int:
        """Return how many free tasks to leave to the others, who choose now, too.

        Some number up to what they all may take; after each failed attempt more.
        """
        crowd = self.others + (1 << min(attempts, 16)) - 1
        self._choices += 1
        choice = crc32(f"{self.name} {self._choices}".encode())
        return choice % (crowd * tasks + 1)


def processors() -> int:
    """Return how many processors this process may run on."""
    # Not every system lets a process be bound to some processors.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
