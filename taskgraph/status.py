"""How far a graph is, by function; pure, from a snapshot and what the store knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Container

    from taskgraph.snapshot import Snapshot

STATES = ("failed", "blocked", "waiting", "ready", "running", "done")


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of tasks by function and state.

    Attributes
    ----------
    counts : dict
        By function name, then by state (`STATES`).
    complete : bool
        Whether the jugfile was read to its end: if not, more tasks will appear.
    """

    counts: dict[str, dict[str, int]]
    complete: bool

    def total(self, state: str) -> int:
        """Return how many tasks are in a state."""
        return sum(row[state] for row in self.counts.values())

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return sum(sum(row.values()) for row in self.counts.values())

    @property
    def finished(self) -> bool:
        """Whether everything is done and nothing more can appear."""
        return self.complete and self.total("done") == self.tasks


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
    counts = {name: dict.fromkeys(STATES, 0) for name in snapshot.names}
    rows = [counts[name] for name in snapshot.names]
    keys = snapshot.split()
    if not failures and all(key in known for key in keys):
        for function in snapshot.functions:
            rows[function]["done"] += 1
        return Status(counts, snapshot.complete)
    states: list[str] = []
    needs = snapshot.needs_of()
    for place, key in enumerate(keys):
        before = {states[need] for need in needs[place]} if needs[place] else set()
        if key in known:
            state = "failed" if key in failures else "done"
        elif key in held:
            state = "running"
        elif before & {"failed", "blocked"}:
            state = "blocked"
        else:
            state = "waiting" if before - {"done"} else "ready"
        states.append(state)
        rows[snapshot.functions[place]][state] += 1
    return Status(counts, snapshot.complete)
