"""What once was broken is found again by the simulation when its mending is taken out.

Each function takes one mending out, at the smallest place where it can be, and says
what has to be in a schedule and what is then found to be broken.
"""

from __future__ import annotations

import inspect
import re
from textwrap import dedent

import pytest

from backends.compaction import Compaction
from backends.errors import DamagedError, UnavailableError
from backends.interface import Undoing
from backends.journal import Journal
from backends.state import State
from taskgraph.execution import runner
from taskgraph.execution.worker import Worker
from taskgraph.results.results import Results
from taskgraph.upkeep.invalidation import INVALIDATION

from . import deeds
from .schedule import Schedule
from .simulated_log import SimulatedLog

SCHEDULES = 500


class NeverRaisedError(Exception):
    """Stands where an error is told from others, so that it is not."""


def keys_are_not_compared(patch):
    """A record is what lies at its place, whoever's that is."""
    without(
        patch,
        Results,
        "body_of",
        ("body.key(where.row) != key", "False"),
    )
    patch.setattr(Journal, "_verify", lambda self: None)
    patch.setattr(Journal, "_judged", lambda self, segment: segment)
    return "rewind", "was given the results of|reads as task"


def what_is_gone_counts_as_a_failure(patch):
    """An input that was invalidated a moment ago makes its dependant fail."""
    patch.setattr(runner, "MissingResultError", NeverRaisedError)
    changes_are_swallowed(patch)
    inputs_are_not_compared(patch)  # or the failure would be refused
    return "invalidate", "did not raise and is recorded as failed"


def changes_are_swallowed(patch):
    """The frontier is not told why a lock is not granted."""
    without(
        patch,
        Worker,
        "_lock",
        ("self._learn(backend.changes())  # it", "backend.changes()  # it"),
        ("self._learn(backend.changes())", "backend.changes()"),
        ("if backend.position == seen:", "if False:"),
    )
    return "invalidate", "turns without progress"


def what_one_cannot_read_is_void_for_all(patch):
    """An error of the disk is taken for damage, and merging leaves the damage out."""
    read = SimulatedLog._read

    def damaged(self, what):
        try:
            read(self, what)
        except UnavailableError as error:
            raise DamagedError(what, str(error)) from error

    def merge_behind(self, position):
        self._damaged, kept = (), self._damaged
        merge(self, position)
        self._damaged = kept

    merge = Compaction.merge_behind
    patch.setattr(SimulatedLog, "_read", damaged)
    patch.setattr(Compaction, "merge_behind", merge_behind)
    return "eio", "stored / read anew differ"


def inputs_are_not_compared(patch):
    """A row is published whatever it was made of."""
    stale = State.stale

    def unchecked(self, keys, rows, since, *_):
        return stale(self, keys, rows, since)

    patch.setattr(State, "stale", unchecked)
    return "freeze", "is stored as made of run"


def undoing_takes_two_steps(patch):
    """What is newer goes first, what was there comes back after that."""

    def undo(results, chosen):
        newer = [key for key in chosen.keys if results.backend.find(key) is not None]
        if newer:
            results.backend.discard(newer, reason=f"{INVALIDATION} newer results")
        results.backend.undo(chosen.position)
        return Undoing()

    patch.setattr(deeds, "undo_discard", undo)
    return "undo", "is stored as made of run"


def without(patch, owner, name, *changes):
    """Compile a method anew with some pieces of its text changed for others."""
    method = getattr(owner, name)
    text = dedent(inspect.getsource(method))
    for old, new in changes:
        assert text.count(old) == 1, f"{owner.__name__}.{name} has not one {old!r}"
        text = text.replace(old, new)
    made = {}
    exec(f"from __future__ import annotations\n{text}", method.__globals__, made)
    patch.setattr(owner, name, made[name])


@pytest.mark.parametrize(
    "unmend",
    [
        keys_are_not_compared,
        what_is_gone_counts_as_a_failure,
        changes_are_swallowed,
        what_one_cannot_read_is_void_for_all,
        inputs_are_not_compared,
        undoing_takes_two_steps,
    ],
)
def test_without_its_mending_it_is_found(unmend, monkeypatch):
    needed, expected = unmend(monkeypatch)
    found = set()
    for seed in range(SCHEDULES):
        schedule = Schedule(seed)
        schedule.plan = sorted([*schedule.plan, (150, needed), (300, needed)])
        broken = schedule.run().broken
        if broken is not None and re.search(expected, broken):
            return
        found.add(broken)
    raise AssertionError(f"not found; but: {found}")
