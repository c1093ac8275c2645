"""The other workers at a store: how many there are, and whose locks are to be freed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from backends.interface import Cause
from backends.liveness import Watch
from backends.warning import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend

_PATIENCE = 0.5
"""Seconds from one look to the next."""


class OtherWorkers:
    """The workers of a store but for one, seen by it again and again.

    Parameters
    ----------
    backend : Backend
        The store, opened by the one who looks.
    clock : callable, optional
        Monotonic seconds.
    """

    def __init__(
        self, backend: Backend, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._watch = Watch(clock)
        self._counted_at = self._expelled_at = 0.0
        self._alive = 0

    def count(self) -> int:
        """Return how many are alive, as of the last half second."""
        now = self._clock()
        if now - self._counted_at < _PATIENCE and self._counted_at:
            return self._alive
        self._counted_at = now
        members = self._backend.members.all()
        names = {member.worker for member in members} - {self._backend.worker}
        dead = self._watch.dead(members, names)
        for worker in dead - {lock.worker for lock in self._backend.locks()}:
            # It had locked nothing: nobody else signs it off.
            self._backend.members.leave(worker)
        self._alive = len(names - dead)
        return self._alive

    def expel_dead(self) -> bool:
        """Free the locks of those that are dead; return whether there were any."""
        now = self._clock()
        if now - self._expelled_at < _PATIENCE:
            return False
        self._expelled_at = now
        holders = {lock.worker for lock in self._backend.locks()}
        holders.discard(self._backend.worker)
        if not holders:
            return False
        dead = self._watch.dead(self._backend.members.all(), holders)
        for worker in dead:
            self._backend.expel(worker, Cause.LOST)
            self._backend.members.leave(worker)
            warn(f"{worker} does not answer any more; what it had locked is free")
        return bool(dead)
