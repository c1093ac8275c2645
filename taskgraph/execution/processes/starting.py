"""When a run's workers are started: as many at a time as there are cores to read."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from backends.errors import BackendError
from taskgraph.execution.pace import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backends.interface import Backend
    from taskgraph.execution.processes.child import Child

_AT_LEAST = 2
"""How many read at once on one core, too: a jugfile that says something else each time
is told of by comparing."""
_PATIENCE = 0.1
"""Seconds that one keeps others waiting while it reads: it may wait itself, or other
work may hold it up."""


class Starting:
    """Decides when the next worker of a run is started.

    All that read the jugfile at once share the cores, and are ready together at the
    end. One after the other, the first begins to work as soon as it has read, and
    those that nobody needs any more are never started.

    Parameters
    ----------
    workers : int
        How many are to be started.
    clock : callable, optional
        Monotonic seconds.

    Attributes
    ----------
    left : int
        How many still are.
    """

    def __init__(
        self, workers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.left, self._looked = workers, 0.0
        self._clock = clock
        self._at_once = max(_AT_LEAST, processors())

    @property
    def pause(self) -> float:
        """Seconds after which one may be due, though no other has told anything."""
        return _PATIENCE if self.left else float("inf")

    def is_due(self, children: Iterable[Child]) -> bool:
        """Return whether to start another one now, beside those that there are."""
        since = self._clock() - _PATIENCE
        reading = sum(not child.read and child.started > since for child in children)
        return self.left > 0 and reading < self._at_once

    def end(self, children: Iterable[Child]) -> None:
        """Start no more, and let those that rest look: one found nothing left to do."""
        self.left = 0
        for child in children:
            child.page.note_end()

    def look(self, backend: Backend) -> None:
        """Read on in the journal, so that who is started now, a fork, need not.

        Not more often than others' news can come, and so hardly ever in a slow store.
        """
        now = self._clock()
        if now >= self._looked + backend.latency:
            self._looked = now
            with suppress(BackendError):  # the worker itself will meet it, too
                backend.poll()
