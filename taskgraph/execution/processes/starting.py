"""When a run's workers are started: as many at a time as can read, others if they help.

Those beyond the cores help where tasks wait; of tasks that compute they do none sooner,
and to read the jugfile takes the time of those that work. So they are started when what
is left keeps the others busy for longer than they take to begin, at the pace at which
tasks end: a run of ten thousand tiny tasks is over before that, and tasks that take
longer than a look are no reason to wait.
"""

from __future__ import annotations

import time
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from backends.errors import BackendError
from taskgraph.execution.pace import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from backends.interface import Backend
    from taskgraph.execution.processes.child import Child

_AT_LEAST = 2
"""How many read at once on one core, too: a jugfile that says something else each time
is told of by comparing."""
_PATIENCE = 0.1
"""Seconds that one keeps others waiting while it reads: it may wait itself, or other
work may hold it up. Also from one look at how fast tasks end to the next."""
_UNREAD = 0.5
"""Seconds that those beyond the cores wait while nobody knows yet how much is to do."""
_HELPS = 2
"""How many times `_PATIENCE` what is left has to take, beside one for each worker that
there is: so much of it is over before another one begins, and its share is small."""


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
    reads : bool
        Whether each one reads the jugfile; else all are started at once.

    Attributes
    ----------
    left : int
        How many still are.
    """

    def __init__(
        self,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        reads: bool = True,
    ) -> None:
        self.left, self._looked = workers, 0.0
        self._clock, self._reads = clock, reads
        self._at_once = max(_AT_LEAST, processors())
        self._ended = 0
        self._since = 0.0
        self._helps = False

    @property
    def pause(self) -> float:
        """Seconds after which one may be due, though no other has told anything."""
        return _PATIENCE if self.left else float("inf")

    def is_due(self, children: Collection[Child], tasks: int = 0) -> bool:
        """Return whether to start another one now, beside those that there are.

        Parameters
        ----------
        children : collection of Child
            Those that there are.
        tasks : int
            How many tasks there are, as far as is known.
        """
        if not (self._reads and self.left):
            return self.left > 0
        since = self._clock() - _PATIENCE
        reading = sum(not child.read and child.started > since for child in children)
        if reading >= self._at_once:
            return False
        return len(children) < self._at_once or self._may_help(children, tasks)

    def _may_help(self, children: Collection[Child], tasks: int) -> bool:
        """Return whether what is left takes long enough for one beyond the cores."""
        now = self._clock()
        if not any(child.read for child in children):
            return now >= _UNREAD + min(child.started for child in children)
        if now >= self._since + _PATIENCE:
            ended = sum(child.page.ended for child in children)
            pace = (ended - self._ended) / (now - self._since)
            left = (tasks - ended) / pace if pace > 0 else inf
            enough = _PATIENCE * (_HELPS + len(children))
            self._helps = self._since > 0 and left > enough
            self._ended, self._since = ended, now
        return self._helps

    def end(self, children: Iterable[Child], *, done: bool) -> None:
        """Start no more, and let those that rest look: one found nothing left to do.

        If all is done, those that still read, maybe for long, are told to end.
        """
        self.left = 0
        for child in children:
            child.page.note_end()
            if done:
                child.dismiss()

    def look(self, backend: Backend) -> None:
        """Read on in the journal, so that who is started now, a fork, need not.

        Not more often than others' news can come, and so hardly ever in a slow store.
        """
        now = self._clock()
        if now >= self._looked + backend.latency:
            self._looked = now
            with suppress(BackendError):  # the worker itself will meet it, too
                backend.poll()
