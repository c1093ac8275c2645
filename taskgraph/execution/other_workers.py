"""The other workers at a store: how many there are, and whose locks are to be freed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from backends.interface import Cause
from backends.liveness import Watch
from backends.warning import warn
from taskgraph.execution.options import offered_by
from taskgraph.execution.pace import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backends.interface import Backend, Key
    from taskgraph.resources import Resources

_PATIENCE = 0.5
"""Seconds from one look to the next, at least."""
_PER_NAME = 0.01
"""Seconds from one look to the next for each worker: all looks together, of all to all,
may grow with the number of workers but not with its square."""
_AT_ONCE = 4
"""How many workers are looked at closely each time; all come in their turn."""
_IN_A_ROW = 8
"""How often that is done at most while dead ones are found: a machine goes down whole,
and others wait for what it had locked."""


class OtherWorkers:
    """The workers of a store but for one, seen by it again and again.

    Parameters
    ----------
    backend : Backend
        The store, opened by the one who looks.
    clock : callable, optional
        Monotonic seconds.

    Attributes
    ----------
    crowd : float
        How many workers there are on each core of this machine, by their names and as
        of the last look; at least 1.
    """

    def __init__(
        self, backend: Backend, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._watch = Watch(clock)
        self.crowd = 1.0
        self._machine = f"{backend.worker.rsplit('-', 2)[0]}-"
        self._count_at = self._expel_at = 0.0
        self._names: set[str] = set()
        self._dead: set[str] = set()
        self._seen: dict[str, float] = {}

    def count(self) -> int:
        """Return how many are alive, as of the last look; free locks of the dead.

        Who has work looks as often as it pays to know how many share it. It frees what
        the dead had locked, too: others may need that long before anybody is idle.
        """
        now = self._clock()
        if now >= self._count_at:
            members = self._backend.members
            self._names = members.names() - {self._backend.worker}
            here = 1 + sum(name.startswith(self._machine) for name in self._names)
            self.crowd = max(1.0, here / processors())
            self._dead &= self._names
            dead, _ = self._bury_dead(lambda: self._names | self._holders(), now)
            if not dead:
                self._count_at = now + max(_PATIENCE, _PER_NAME * len(self._names))
        return len(self._names) - len(self._dead)

    @property
    def busy(self) -> bool:
        """Whether anybody has locked anything."""
        return bool(self._backend.holders())

    def offers(self) -> list[Resources]:
        """Return which resources those have that are alive, as of the last look."""
        alive = self._names - self._dead
        return [offered_by(x.identity) for x in self._backend.members.some(alive)]

    def expel_dead(self) -> bool:
        """Free the locks of some that are dead; return whether there were any."""
        now = self._clock()
        if now < self._expel_at:
            return False
        _, freed = self._bury_dead(self._holders, now)
        if not freed:
            self._expel_at = now + _PATIENCE
        return bool(freed)

    def _holders(self) -> set[str]:
        """Return who else has locked anything, dead or alive."""
        return set(self._backend.holders().values()) - {self._backend.worker}

    def _bury_dead(
        self, names: Callable[[], set[str]], now: float
    ) -> tuple[set[str], list[str]]:
        """Free the locks of the dead among some, and sign them off; return both.

        Where one is found, all that died with it are probably among those seen next.
        """
        dead: set[str] = set()
        freed = []
        for _ in range(_IN_A_ROW):
            found = self._dead_of(names() - dead, now)
            if not found:
                break
            dead |= found
            freed += [worker for worker in found if self._expel(worker)]
        for worker in dead:  # nobody waits for that
            self._backend.members.leave(worker)
        return dead, freed

    def _expel(self, worker: str) -> bool:
        """Free what somebody had locked who is dead; return whether that was anything.

        Since the last look it may have released all and left by itself.
        """
        held = worker in self._holders()
        freed = held and self._backend.expel(worker, Cause.LOST)
        if freed:
            warn(f"{worker} does not answer any more; what it had locked is free")
        return freed

    def _dead_of(self, names: set[str], now: float) -> set[str]:
        """Look at a few of some workers; return which of these are dead."""
        if not names:
            return set()
        seen, own = self._seen, self._backend.worker
        for gone in seen.keys() - names - self._names:
            del seen[gone]
        # Those not seen for longest; among equals each looker begins at another one.
        few = sorted(names, key=lambda x: (seen.get(x, 0.0), x < own, x))[:_AT_ONCE]
        dead = self._watch.dead(self._backend.members.some(few), few)
        seen |= dict.fromkeys(few, now)
        self._dead = (self._dead - set(few)) | (dead & self._names)
        return dead


def let_go(backend: Backend, but: Iterable[Key] = ()) -> None:
    """Release all that the worker of a store has locked, but for some keys."""
    held = {x.key for x in backend.locks() if x.worker == backend.worker}
    if held := held.difference(but):
        backend.release(sorted(held))
