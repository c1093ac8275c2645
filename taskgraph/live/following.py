"""A store followed for pages: one look at a time, for all of them together.

A backend is for one thread. Here it is for whoever has the lock: the thread that looks
for news, and requests that ask for one task or one result.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from backends.errors import BackendError, DamagedError
from backends.liveness import left_behind
from taskgraph.errors import TaskgraphError
from taskgraph.live.history import History
from taskgraph.live.tasks import Tasks
from taskgraph.results.results import Results
from taskgraph.upkeep.gone_files import gone_at_a_glance
from taskgraph.upkeep.snapshot import load
from taskgraph.watching.notes import not_run_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from backends.interface import Backend, Change, Lock, Member

_MEMBERS_EVERY, _FILES_EVERY, _GRAPH_EVERY = 2.0, 15.0, 2.0
_RATHER = 20
"""A look that takes long comes after so many times as long only."""
_READ_FOR = 0.03
"""Seconds of a look in which old records are read."""


class Following:
    """What is known of a run, brought up to date by `look`.

    Parameters
    ----------
    open_store : callable
        Returns the store, up to date; None if the jugfile has not run yet.
    jugfile : Path
        Whose tasks are followed.
    arguments : sequence of str, optional
        As what it ran; any by default.
    clock : callable, optional
        Monotonic seconds.

    Attributes
    ----------
    lock : RLock
        Who has it may use all that is here.
    tasks : Tasks or None
        The graph with its states; None before there is one.
    history : History or None
        When tasks ended.
    results : Results or None
        Of the store, while there is one.
    members, locks : list
        The workers, and what they have locked.
    dead : set of str
        Those of them that seem dead.
    trouble : str
        Why nothing new is known; empty if all is well.
    told : str
        What to tell of files that tasks wrote.
    forgot : int
        Changes whenever results were forgotten or came back.
    """

    def __init__(
        self,
        open_store: Callable[[], Backend | None],
        jugfile: Path,
        arguments: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = threading.RLock()
        self.jugfile = jugfile
        self.tasks: Tasks | None = None
        self.history: History | None = None
        self.results: Results | None = None
        self.members: list[Member] = []
        self.locks: list[Lock] = []
        self.dead: set[str] = set()
        self.trouble = self.told = ""
        self.forgot = 0
        self._open, self._arguments, self._clock = open_store, arguments, clock
        self._due: dict[str, float] = {}
        self._document = b""
        self._gone: set[bytes] = set()
        self._unexpected = False

    @property
    def backend(self) -> Backend | None:
        """The store, None if there is none."""
        return None if self.results is None else self.results.backend

    @property
    def alive(self) -> list[Member]:
        """The workers that seem so."""
        return [one for one in self.members if one.worker not in self.dead]

    def look(self) -> None:
        """Bring all up to date; what keeps it from that is told by `trouble`."""
        with self.lock:
            try:
                self.trouble = self._look()
            except (BackendError, TaskgraphError, OSError) as error:
                self.trouble = str(error)
                self._let_go()

    def close(self) -> None:
        """Let go of the store."""
        with self.lock:
            self._let_go()

    def _let_go(self) -> None:
        if self.results is not None:
            with suppress(BackendError, OSError):
                self.results.backend.close()
        self.results = None
        self.members, self.locks = [], []

    def _look(self) -> str:
        fresh = self.results is None
        if fresh:
            backend = self._open()
            if backend is None:
                self.tasks = self.history = None
                return not_run_note(self.jugfile)
            self.results = Results(backend)
            self._due.clear()
        assert self.results is not None
        backend = self.results.backend
        changes = backend.poll()
        self._count_members(backend)
        new = False
        if self._is_due("graph", _GRAPH_EVERY):
            with self._not_too_often("graph"):
                new = self._take_graph(backend)
        if self.tasks is None:
            return not_run_note(self.jugfile)
        if fresh:  # it may be another store, with other records at the same places
            self.history = History(len(self.tasks))
        forgot = any(change.discarded for change in changes)
        self.forgot += forgot
        self.locks = backend.locks()
        held = [lock.key for lock in self.locks if lock.worker not in self.dead]
        anew = fresh or new or forgot or self._files_went()
        ended = self.tasks.ended
        anew = anew or not all(ended(one.results, one.failures) for one in changes)
        if anew or not self.tasks.hold(held):
            known = backend.keys()
            known = known - self._gone if self._gone else known
            self.tasks.judge(known, backend.failures(), held)
        if fresh or new:  # somebody waits for the counts
            self._unexpected = True
        else:
            self._read_times(backend, changes)
        return ""

    def _read_times(self, backend: Backend, changes: Iterable[Change]) -> None:
        """Read some of the records of tasks that have ended."""
        assert self.tasks is not None
        assert self.history is not None
        if self._unexpected:
            self._unexpected = False
            self.history.expect(backend.keys())
        else:
            for one in changes:
                self.history.expect([*one.results, *one.failures])
        self.history.read(backend, self.tasks, _READ_FOR)

    @property
    def reading(self) -> bool:
        """Whether there are records that were not read yet."""
        history = self.history
        return self._unexpected or (history is not None and history.reading)

    def _count_members(self, backend: Backend) -> None:
        if self._is_due("members", _MEMBERS_EVERY):
            self.members = backend.members.all()
            self.dead = left_behind(backend)

    def _take_graph(self, backend: Backend) -> bool:
        """Take in the graph if it has changed; return whether it has."""
        document = b"".join(
            backend.documents.get(name) or b""
            for name in sorted(backend.documents.names())
            if name.startswith("graph-")
        )
        if document == self._document and self.tasks is not None:
            return False
        self._document = document
        try:
            snapshot = load(backend, self.jugfile, self._arguments)
        except DamagedError:
            self._document = b""
            raise
        if snapshot is None:
            self.tasks = None
            return True
        same = self.tasks is not None and snapshot.keys == self.tasks.snapshot.keys
        if self.tasks is None or not same or not snapshot.says(self.tasks.snapshot):
            self.tasks = Tasks(snapshot)
            self.history = History(len(self.tasks))
        return True

    def _files_went(self) -> bool:
        """Look at files that tasks wrote; return whether others are gone now."""
        assert self.tasks is not None
        assert self.results is not None
        writers = self.tasks.snapshot.writers()
        if not writers or not self._is_due("files", _FILES_EVERY):
            return False
        self.results.folder = self.tasks.snapshot.folder
        with self._not_too_often("files"):
            gone, self.told = gone_at_a_glance(self.results, writers)
        changed, self._gone = gone != self._gone, gone
        return changed

    @contextmanager
    def _not_too_often(self, what: str) -> Iterator[None]:
        """Let what takes long be done again after many times as long only."""
        began = self._clock()
        yield
        now = self._clock()
        self._due[what] = max(self._due[what], now + _RATHER * (now - began))

    def _is_due(self, what: str, every: float) -> bool:
        now = self._clock()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every
        return True
