"""What the workers of one command share of the resources that it was given.

Rules:

1. The pool is a page of memory, made before the fork. Each worker has a row of its own
   there, which it alone writes while it lives: what it uses, or tries to.
2. To take, a worker announces what it wants, and only then adds up all rows. Of any who
   use something together, the last one to announce has added up the others: so they
   never use more than there is, and no lock is needed that the killed might hold.
3. Of two who try at once, the later row withdraws; the earlier one looks again.
4. The row of a dead worker is cleared by its supervisor, who knows that it has ended.
5. What was refused for longest gets the next turn: after a moment nothing is given
   away any more that it would need, until it fits.
"""

from __future__ import annotations

import mmap
import os
import time
from array import array
from math import inf
from typing import TYPE_CHECKING

from taskgraph.resources import NOTHING, Resources, enough

if TYPE_CHECKING:
    from collections.abc import Callable

_FREE, _TRIES, _USES = 0.0, 1.0, 2.0
_STATE, _SEATED, _AMOUNTS = 0, 1, 2
"""What is where in the row of a worker."""
_SEEN, _SINCE = 0, 1
"""In the row of the turn: when somebody last wanted it, and since when."""
_LOOKS, _NAP = 10, 0.001
"""How often to look again at one who tries too, and seconds in between."""
PATIENCE = 1.0
"""Seconds for which others may be given what a task waits for."""
_FORGOTTEN = 3.0
"""Seconds after which nobody wants any more what nobody has asked for since."""


class Pool:
    """Resources that processes share: forks of the one that made it.

    Parameters
    ----------
    offered : Resources
        What all of them have together.
    places : int
        How many processes share it at most.
    clock : callable, optional
        Monotonic seconds, the same for all.
    """

    def __init__(
        self,
        offered: Resources,
        places: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.offered, self._clock = offered, clock
        width = _AMOUNTS + len(offered.amounts)
        size = 8 * width * (1 + places)
        table = memoryview(mmap.mmap(-1, size)).cast("d")
        rows = [table[i * width : (i + 1) * width] for i in range(1 + places)]
        self._turn, self._rows = rows[0], rows[1:]
        self._turn[_SEEN] = -inf

    def share(self) -> Share:
        """Return the share of one more process; its maker closes it at the end."""
        place = next(i for i, row in enumerate(self._rows) if not row[_SEATED])
        self._rows[place][_SEATED] = 1.0
        return Share(self.offered, self._rows, place, self._turn, self._clock)


class Share:
    """What one process may use of a pool: what one task at a time asks for.

    Examples
    --------
    >>> pool = Pool(Resources.of("gpu=2"), 2)
    >>> one, other = pool.share(), pool.share()
    >>> one.take(Resources.of("gpu=2")), other.take(Resources.of("gpu=1"))
    (True, False)
    >>> one.give_back()
    >>> other.take(Resources.of("gpu=1"))
    True
    """

    def __init__(
        self,
        offered: Resources,
        rows: list[memoryview[float]],
        place: int,
        turn: memoryview[float],
        clock: Callable[[], float],
    ) -> None:
        self.offered, self.held = offered, NOTHING
        self._rows, self._place, self._turn = rows, place, turn
        self._row, self._clock = rows[place], clock
        self._refused: dict[Resources, float] = {}

    def take(self, asked: Resources) -> bool:
        """Use what a task asks for, if there is enough left; return whether it is used.

        A process that uses something for one task has to give that back first.
        """
        if asked == self.held:
            return True
        if self.held or asked.lacking(self.offered):
            return False
        wanted = self._by_place(asked)
        if self._kept_from(wanted) or not self._announce(wanted):
            self._note(asked, wanted)
            return False
        self._refused.pop(asked, None)
        if list(self._turn[_AMOUNTS:]) == list(wanted):
            self._turn[_SEEN] = -inf
        self.held = asked
        return True

    def give_back(self) -> None:
        """Use nothing any more."""
        self._row[_STATE] = _FREE
        self.held = NOTHING

    def close(self) -> None:
        """Give back what a process used that has ended, and its place."""
        self.give_back()
        self._row[_SEATED] = 0.0

    def _by_place(self, asked: Resources) -> array[float]:
        amounts = {x.name: x.value for x in asked.amounts}
        return array("d", [amounts.get(x.name, 0.0) for x in self.offered.amounts])

    def _announce(self, wanted: array[float]) -> bool:
        """Write down what is wanted, and look if it fits; else take that back."""
        row = self._row
        row[_AMOUNTS:] = memoryview(wanted)
        # A call of the scheduler is a barrier for memory: all see the amounts before
        # the state, and this process sees no row as it was before its own was seen.
        os.sched_yield()
        row[_STATE] = _TRIES
        os.sched_yield()
        fits = self._fits()
        row[_STATE] = _USES if fits else _FREE
        return fits

    def _fits(self) -> bool:
        """Return whether all that is used or tried fits; the first rows have a try."""
        later = self._rows[self._place + 1 :]
        for look in range(_LOOKS):
            if all(map(enough, self._used(), self._there)):
                return True
            if not any(row[_STATE] == _TRIES for row in later):
                return False
            time.sleep(_NAP * (look > 0))
        return False

    @property
    def _there(self) -> list[float]:
        return [x.value for x in self.offered.amounts]

    def _used(self) -> list[float]:
        """Return how much of each is used or tried, by all together."""
        rows = [row[_AMOUNTS:] for row in self._rows if row[_STATE] != _FREE]
        return [sum(amounts) for amounts in zip(*rows, strict=True)] or [0.0] * len(
            self.offered.amounts
        )

    def _kept_from(self, wanted: array[float]) -> bool:
        """Return whether it is the turn of others who need what this would take."""
        turn, now = self._turn, self._clock()
        if now - turn[_SEEN] > _FORGOTTEN or now - turn[_SINCE] < PATIENCE:
            return False
        first = list(turn[_AMOUNTS:])
        if first == list(wanted):
            return False
        columns = zip(first, wanted, self._used(), self._there, strict=True)
        return any(
            theirs and mine and not enough(theirs + mine + used, there)
            for theirs, mine, used, there in columns
        )

    def _note(self, asked: Resources, wanted: array[float]) -> None:
        """Note that it was refused: it is the next one's turn if nobody waits yet."""
        turn, now = self._turn, self._clock()
        since = self._refused.setdefault(asked, now)
        if now - turn[_SEEN] > _FORGOTTEN:
            turn[_AMOUNTS:] = memoryview(wanted)
            turn[_SINCE] = since
            turn[_SEEN] = now
        elif list(turn[_AMOUNTS:]) == list(wanted):
            turn[_SEEN] = now
