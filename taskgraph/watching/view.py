"""`View`: how a run goes at one moment, as plain data; pure.

A terminal, a page and a program that asks for JSON show the same one. It is made of
what a store has alone: no worker has to say anything for it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskgraph.foresight.time_left import TimeLeft
    from taskgraph.upkeep.status import Status


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """How far the tasks of one function are.

    Attributes
    ----------
    name : str
        The function's.
    counts : mapping
        How many tasks are in each state (`taskgraph.upkeep.status.STATES`).
    rate : float
        How many ended in a second, lately.
    mean : float or None
        Seconds that one takes, by the records; None if none was measured.
    """

    name: str
    counts: Mapping[str, int]
    rate: float = 0.0
    mean: float | None = None

    @property
    def total(self) -> int:
        """How many tasks there are."""
        return sum(self.counts.values())

    @property
    def over(self) -> int:
        """How many have ended, well or not."""
        return self.counts["done"] + self.counts["failed"]

    @property
    def urgent(self) -> bool:
        """Whether some run or failed: it is shown before all others."""
        return bool(self.counts["running"] or self.counts["failed"])


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """What one worker does.

    Attributes
    ----------
    worker : str
        Its name in the store.
    host : str
        The machine that it is on; empty if it does not say.
    pid : int
        Its process there; 0 if it does not say.
    alive : bool
        Whether it seems so.
    age : float or None
        Seconds since its last heartbeat; None if there was none.
    since : float
        When it locked the first task of which there is no record yet, in seconds since
        the epoch; 0.0 if it has locked none.
    tasks : int
        How many it has locked: it takes many short ones at once, and runs one after the
        other. What of them is over is recorded together, so that nobody else knows
        which of them it is at. Of a task that takes long the lock is the only one.
    call : str
        The first of them, with its arguments in short; empty if there is none.
    """

    worker: str
    host: str
    pid: int
    alive: bool
    age: float | None
    since: float = 0.0
    tasks: int = 0
    call: str = ""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """Failures of one function with one cause, raised at one place.

    Attributes
    ----------
    function, error, message : str
        Which function, the exception's class, and its text: that of the last one.
    count : int
        How many there are.
    last : float
        When the last one ended, in seconds since the epoch.
    key : bytes
        The task of the last one.
    """

    function: str
    error: str
    message: str
    count: int
    last: float
    key: bytes


@dataclass(frozen=True, slots=True)
class View:
    """How a run goes.

    Attributes
    ----------
    time : float
        When it was looked at, in seconds since the epoch, by the store's clock.
    totals : mapping
        How many tasks are in each state.
    complete : bool
        Whether the jugfile was read to its end: if not, more tasks will appear.
    functions : sequence of FunctionRow
        In the order of the graph, which stays as it is.
    workers : sequence of WorkerRow
        Those that live first, by host and process.
    errors : sequence of ErrorRow
        The newest cause first.
    rate : float
        How many tasks ended in a second, lately.
    left : TimeLeft or None
        How long the rest takes; None if that is not known, or nothing is left.
    sharing : int
        Among how many workers that is.
    """

    time: float
    totals: Mapping[str, int]
    complete: bool
    functions: Sequence[FunctionRow]
    workers: Sequence[WorkerRow] = ()
    errors: Sequence[ErrorRow] = ()
    rate: float = 0.0
    left: TimeLeft | None = None
    sharing: int = 1

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return sum(self.totals.values())

    @property
    def over(self) -> bool:
        """Whether nothing is left that could run, now or behind a barrier."""
        ended = sum(self.totals[state] for state in ("done", "failed", "blocked"))
        hopeless = bool(self.totals["failed"] + self.totals["blocked"])
        return ended == self.tasks and (self.complete or hopeless)

    def plain(self) -> dict[str, Any]:
        """Return it as plain data, for JSON: keys in hexadecimal digits."""
        found = asdict(self)
        for row in found["errors"]:
            row["key"] = row["key"].hex()
        return found | {"tasks": self.tasks, "over": self.over}


def function_rows(
    status: Status,
    rates: Mapping[str, float] | None = None,
    means: Mapping[str, float] | None = None,
) -> list[FunctionRow]:
    """Return how far the tasks of each function are, in the order of the graph."""
    rates, means = rates or {}, means or {}
    return [
        FunctionRow(name, counts, rates.get(name, 0.0), means.get(name))
        for name, counts in status.counts.items()
    ]


def no_tasks() -> dict[str, int]:
    """Return that no task is in any state."""
    return dict.fromkeys(STATES, 0)
