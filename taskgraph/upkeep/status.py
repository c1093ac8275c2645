"""How far a graph is, by function, from a snapshot and what the store knows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Mapping

    from backends.interface import Backend
    from taskgraph.upkeep.snapshot import Snapshot

STATES = ("failed", "blocked", "waiting", "ready", "running", "done")
_FAILED, _BLOCKED, _WAITING, _READY, _RUNNING, _DONE = range(len(STATES))


@frozen
class Status:
    """Counts of tasks by function and state.

    Attributes
    ----------
    counts : dict
        By function name, then by state (`STATES`).
    complete : bool
        Whether the jugfile was read to its end: if not, more tasks will appear.
    stuck : bool
        Whether more tasks can only appear after a failure was mended: a barrier waits
        for a task that failed or is blocked.
    """

    counts: dict[str, dict[str, int]]
    complete: bool = True
    stuck: bool = False

    def total(self, state: str) -> int:
        """Return how many tasks are in a state."""
        return sum(row[state] for row in self.counts.values())

    @property
    def totals(self) -> dict[str, int]:
        """How many tasks are in each state."""
        return {state: self.total(state) for state in STATES}

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return sum(sum(row.values()) for row in self.counts.values())

    @property
    def finished(self) -> bool:
        """Whether everything is done and nothing more can appear."""
        return self.complete and self.total("done") == self.tasks

    @property
    def hopeless(self) -> bool:
        """Whether all that is left failed or is blocked, so that waiting is in vain."""
        if self.finished or not (self.complete or self.stuck):
            return False
        over = self.total("done") + self.total("failed") + self.total("blocked")
        return over == self.tasks


def status_in(
    snapshot: Snapshot, backend: Backend, held: Container[bytes] = ()
) -> Status:
    """Return how far a graph is in a store, as of its last look; see `status_of`.

    Where all is done, a store mostly knows that before it has taken in each record.
    """
    if backend.holds(snapshot.keys):
        return _all_done(snapshot)
    return status_of(snapshot, backend.keys(), backend.failures(), held)


def _all_done(snapshot: Snapshot) -> Status:
    done = Counter(snapshot.functions)
    pairs = {(function, _DONE): count for function, count in done.items()}
    return Status(_table(snapshot, pairs), snapshot.complete)


def status_of(
    snapshot: Snapshot,
    known: Container[bytes],
    failures: Collection[bytes],
    held: Container[bytes],
) -> Status:
    """Return how far a graph is.

    Parameters
    ----------
    snapshot : Snapshot
        The graph.
    known : container of bytes
        Keys with a result or a failure.
    failures : collection of bytes
        Those with a failure.
    held : container of bytes
        Keys that a living worker has locked.
    """
    if not failures and all(map(known.__contains__, snapshot)):
        return _all_done(snapshot)
    keys = snapshot.split()
    states = _states(snapshot, keys, known, failures, held)
    stuck = False
    if not snapshot.complete:
        of = dict(zip(keys, states, strict=True))
        stuck = any(of.get(key) in (_FAILED, _BLOCKED) for key in snapshot.awaited())
    counted = Counter(zip(snapshot.functions, states, strict=True))
    return Status(_table(snapshot, counted), snapshot.complete, stuck)


def states_of(
    snapshot: Snapshot,
    known: Container[bytes],
    failures: Collection[bytes],
    held: Container[bytes],
) -> dict[bytes, str]:
    """Return the state of each task; see `status_of`."""
    keys = snapshot.split()
    numbers = _states(snapshot, keys, known, failures, held)
    return {key: STATES[number] for key, number in zip(keys, numbers, strict=True)}


def _states(
    snapshot: Snapshot,
    keys: list[bytes],
    known: Container[bytes],
    failures: Collection[bytes],
    held: Container[bytes],
) -> bytearray:
    states = bytearray(len(keys))
    needs, start = snapshot.needs, 0
    for place, (key, count) in enumerate(zip(keys, snapshot.counts, strict=True)):
        end = start + count
        if key in known:
            states[place] = _FAILED if key in failures else _DONE
        elif key in held:
            states[place] = _RUNNING
        elif not count:
            states[place] = _READY
        else:
            worst = min([states[need] for need in needs[start:end]])
            if worst <= _BLOCKED:
                states[place] = _BLOCKED
            else:
                states[place] = _READY if worst == _DONE else _WAITING
        start = end
    return states


def _table(
    snapshot: Snapshot, pairs: Mapping[tuple[int, int], int]
) -> dict[str, dict[str, int]]:
    counts = {name: dict.fromkeys(STATES, 0) for name in snapshot.names}
    for (function, state), count in pairs.items():
        counts[snapshot.names[function]][STATES[state]] = count
    return counts
