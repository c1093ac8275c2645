"""What a run would do, of a graph and of what its store has now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.foresight.learned import learned
from taskgraph.foresight.reasons import forgotten_by, reasons
from taskgraph.foresight.time_left import longest_chain, time_left
from taskgraph.upkeep.gone_files import gone_at_a_glance
from taskgraph.upkeep.invalidation import invalidated
from taskgraph.upkeep.status import states_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping
    from typing import Any

    from backends.interface import Backend
    from taskgraph.foresight.learned import Times
    from taskgraph.foresight.reasons import Reason
    from taskgraph.foresight.time_left import TimeLeft
    from taskgraph.results.results import Results
    from taskgraph.upkeep.snapshot import Snapshot

_RUN = frozenset({"ready", "waiting"})


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    states : dict
        The state of each task by key, as in `taskgraph.upkeep.status`.
    why : dict
        The keys of the tasks that would run, each with the reason.
    counts : Counter
        How many tasks would run, by function and reason.
    left_out : int
        How many more tasks could be run, of functions that are not selected.
    times : dict
        What tasks of the functions took before.
    time : TimeLeft
        How long it takes.
    """

    states: dict[bytes, str]
    why: dict[bytes, Reason]
    counts: Counter[tuple[str, Reason]]
    left_out: int
    times: Mapping[str, Times]
    time: TimeLeft


def plan_of(
    snapshot: Snapshot,
    before: Snapshot | None,
    results: Results,
    *,
    again: Collection[bytes] = (),
    held: Container[bytes] = (),
    select: Callable[[str], bool] | None = None,
    workers: int = 1,
) -> Plan:
    """Return what a run would do.

    Parameters
    ----------
    snapshot : Snapshot
        The graph as it is now.
    before : Snapshot, optional
        As it was when it was kept last.
    results : Results
        Of the store, as of its last look, with what would be taken from others.
    again : collection of bytes
        Keys that failed and would be tried again.
    held : container of bytes
        Keys that living workers have locked.
    select : callable, optional
        Says of a function's name whether its tasks are to be run.
    workers : int
        How many would share the work.
    """
    backend = results.backend
    gone, _ = gone_at_a_glance(results, snapshot.writers())
    known, failures = set(results.keys()), set(backend.failures())
    known -= gone
    known.difference_update(again)
    failures.difference_update(again)
    states = states_of(snapshot, known, failures, held)
    names = snapshot.named()
    open_ = [key for key, state in states.items() if state in _RUN]
    run = [key for key in open_ if select is None or select(names[key])]
    earlier = earlier_calls(before, states, results)
    why = reasons(
        snapshot,
        set(run),
        earlier,
        forgotten=forgotten(backend),
        failed=set(again),
        gone=gone,
    )
    counts = Counter([names[key] for key in run])
    past = (row[:2] for row in earlier)
    times = learned(results, chain(past, names.items())) if run else {}
    longest = longest_chain(snapshot, set(run), times)
    time = time_left(counts, times, workers=workers, longest=longest)
    by_reason = Counter(zip(map(names.__getitem__, why), why.values(), strict=True))
    return Plan(states, why, by_reason, len(open_) - len(run), times, time)


def forgotten(backend: Backend) -> dict[bytes, Reason]:
    """Return why results of a store were forgotten, by key."""
    try:
        final = invalidated(backend)
    except DamagedError:  # `tg fsck` tells
        final = set()
    return forgotten_by(backend.discards(), final)


def earlier_calls(
    before: Snapshot | None, now: Mapping[bytes, object], results: Results
) -> list[tuple[bytes, str, Any]]:
    """Return calls with results that the graph had before and has no more."""
    gone = results.keys() - now.keys()
    if before is None or not gone:
        return []
    rows = chain(before.past.rows(), before.rows())
    return [row for row in rows if row[0] in gone]
