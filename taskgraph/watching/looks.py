"""`Look`: makes a `View` of a store each time that it is asked."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.liveness import left_behind
from taskgraph.calls.text import call_text
from taskgraph.foresight.learned import learned
from taskgraph.foresight.time_left import time_left
from taskgraph.results.results import Results
from taskgraph.upkeep.status import status_of
from taskgraph.watching.at_work import first_locked, worker_rows
from taskgraph.watching.failing import error_rows
from taskgraph.watching.rates import Rates
from taskgraph.watching.view import View, function_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from backends.interface import Backend, Key, Member
    from taskgraph.foresight.learned import Times
    from taskgraph.foresight.time_left import TimeLeft
    from taskgraph.records import Record
    from taskgraph.upkeep.snapshot import Snapshot
    from taskgraph.upkeep.status import Status
    from taskgraph.watching.view import WorkerRow

_SELDOM = 2.0
"""Seconds from one look at heartbeats and records to the next."""
_SHARE = 20
"""One part in so many of the time may go into these."""
_READ = 200
"""Failures that are read at one look: of many thousands it takes some looks."""
_SHOWN, _LOOKED_UP = 64, 0.02
"""Workers of which the call that they run is looked up, and seconds of a look for it:
what is not known by then is at the next one."""


class Look:
    """Looks at how a run goes, again and again.

    Counts and locks are of each moment; heartbeats and what tasks took are looked up
    every few seconds. The store is not polled: its backend is as new as whoever has it
    wants.

    Parameters
    ----------
    backend : Backend
        The store.
    clock : callable, optional
        Monotonic seconds.

    Examples
    --------
    >>> from taskgraph import TaskGenerator, open_store, run
    >>> from taskgraph.tasks.graph import Graph
    >>> from taskgraph.upkeep.growing import take
    >>> from pathlib import Path
    >>> tasks = [TaskGenerator(abs)(-1), TaskGenerator(divmod)(7, 0)]
    >>> store = open_store("memory://")
    >>> _ = run(tasks, store=store, check=False)
    >>> view = Look(store.backend)(take(Graph(tasks), Path("work.py")))
    >>> view.totals["done"], view.totals["failed"], view.over
    (1, 1, True)
    >>> [(row.name, row.counts["done"]) for row in view.functions]
    [('builtins.abs', 1), ('builtins.divmod', 0)]
    >>> [(row.function, row.error, row.count) for row in view.errors]
    [('builtins.divmod', 'ZeroDivisionError', 1)]
    """

    def __init__(
        self, backend: Backend, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._backend, self._clock = backend, clock
        self._results = Results(backend)
        self._rates = Rates()
        self._failures: dict[Key, Record] = {}
        self._unread: set[Key] = set()
        self._dead: set[str] = set()
        self._members: list[Member] = []
        self._calls: dict[Key, str] = {}
        self._times: dict[str, Times] = {}
        self._next = self._heard = 0.0

    def __call__(self, snapshot: Snapshot) -> View:
        """Return how a run goes, by the graph as it is known and the store as it is."""
        backend, began = self._backend, self._clock()
        due = began >= self._next
        if due:
            self._dead, self._members = left_behind(backend), backend.members.all()
            self._heard = began
        holders, failures = backend.holders(), backend.failures()
        held = {key for key, worker in holders.items() if worker not in self._dead}
        status = status_of(snapshot, backend.keys(), failures, held)
        ended = {n: row["done"] + row["failed"] for n, row in status.counts.items()}
        self._rates.add(began, ended)
        if due:
            self._learn(snapshot, status)
            after = self._clock()
            self._next = after + max(_SELDOM, _SHARE * (after - began))
        self._read(failures, snapshot)
        sharing = max(1, len(set(holders.values())))
        means = {name: times.mean for name, times in self._times.items()}
        return View(
            time=backend.space.now(),
            totals=status.totals,
            complete=status.complete,
            functions=function_rows(status, self._rates.each(), means),
            workers=self._at_work(snapshot, began),
            errors=error_rows(self._failures.items()),
            rate=self._rates.total(),
            left=_left(status, self._times, sharing),
            sharing=sharing,
        )

    def _at_work(self, snapshot: Snapshot, now: float) -> list[WorkerRow]:
        """Return who works on what at this moment."""
        locks = self._backend.locks()
        calls: dict[Key, str] = {}
        end = self._clock() + _LOOKED_UP if locks else now
        for lock in islice(first_locked(locks).values(), _SHOWN):
            text = self._calls.get(lock.key)
            if text is None and self._clock() < end:
                text = call_in(snapshot, lock.key)
            if text is not None:
                calls[lock.key] = text
        self._calls, later = calls, now - self._heard
        return worker_rows(self._members, locks, self._dead, calls, later)

    def _learn(self, snapshot: Snapshot, status: Status) -> None:
        """Look up what tasks took, of functions of which some are left."""
        wanted = {name for name, row in status.counts.items() if _unended(row)}
        calls_of = (one for one in calls_known(snapshot) if one[1] in wanted)
        self._times = learned(self._results, calls_of)

    def _read(self, failures: Iterable[Key], snapshot: Snapshot) -> None:
        """Read why tasks of the graph failed, of so many at a time."""
        now = set(failures)
        if now:
            now.intersection_update(snapshot.split())
        for key in self._failures.keys() - now:
            del self._failures[key]
        self._unread &= now
        new = now - self._failures.keys() - self._unread
        for key in islice(sorted(new), _READ):
            record = None
            with suppress(DamagedError):  # told by `tg fsck`
                record = self._results.record(key)
            if record is None:
                self._unread.add(key)
            else:
                self._failures[key] = record


def call_in(snapshot: Snapshot, key: bytes) -> str:
    """Return a call of a graph as short text; digits of its key if it has none such."""
    name = snapshot.name_of(key)
    if name is None:
        return key.hex()[:12]
    text = call_text(snapshot.call_of(key), snapshot.name_of)
    return f"{name.rpartition('.')[2]}({text})"


def calls_known(snapshot: Snapshot) -> Iterable[tuple[bytes, str]]:
    """Return keys and functions of a graph, and of calls that it has no more."""
    names = map(snapshot.names.__getitem__, snapshot.functions)
    past = ((key, name) for key, name, _ in snapshot.past.rows())
    return chain(past, zip(snapshot, names, strict=True))


def _unended(row: Mapping[str, int]) -> int:
    return row["waiting"] + row["ready"] + row["running"]


def _left(status: Status, times: Mapping[str, Times], sharing: int) -> TimeLeft | None:
    """Return how long the rest takes; None if nothing is left, or nothing is known."""
    counts = {n: left for n, row in status.counts.items() if (left := _unended(row))}
    if not counts or not times:
        return None
    found = time_left(counts, times, workers=sharing)
    return found if found.expected else None
