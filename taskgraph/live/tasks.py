"""The tasks of a graph with their states, kept up as results become known.

The rules are those of `taskgraph.upkeep.status`; here each task that ends costs as much
as it has dependants, and not a look at the whole graph. Pure.
"""

from __future__ import annotations

from array import array
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from taskgraph.upkeep.status import STATES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from taskgraph.upkeep.snapshot import Snapshot

FAILED, BLOCKED, WAITING, READY, RUNNING, DONE = range(len(STATES))


class Tasks:
    """The states of the tasks of a snapshot, and their numbers by function.

    They are known as soon as they were judged.

    Parameters
    ----------
    snapshot : Snapshot
        The graph.

    Attributes
    ----------
    keys : list of bytes
        Of the tasks, each after all that it needs.
    place : dict of bytes to int
        Where in `keys` a key is; made when it is first asked for.
    functions : array of int
        For each task the place of its function's name in ``snapshot.names``.
    states : bytearray
        For each task the place of its state in `STATES`.
    counts : list of list of int
        By function, then by state.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.keys = snapshot.split()
        self.functions = _numbers(snapshot.functions)
        self._names = self.functions.tolist()
        size = len(self.keys)
        counts, needs = _numbers(snapshot.counts), _numbers(snapshot.needs)
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._needs = needs
        self.states = bytearray(bytes([READY]) * size)
        self._missing = array("i", bytes(4 * size))
        self._held: set[int] = set()
        self.counts: list[list[int]] = []

    @cached_property
    def place(self) -> dict[bytes, int]:  # noqa: D102 - an attribute of the class
        return dict(zip(self.keys, range(len(self.keys)), strict=True))

    @cached_property
    def _dependants(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Where the dependants of each task begin, and the places of all."""
        size, needs = len(self.keys), self._needs
        owners = np.repeat(np.arange(size), np.diff(self._starts))
        needed = np.bincount(needs, minlength=size)
        return (
            np.concatenate([[0], np.cumsum(needed)]),
            owners[np.argsort(needs, kind="stable")],
        )

    def __len__(self) -> int:
        return len(self.keys)

    def judge(
        self,
        known: Collection[bytes],
        failures: Collection[bytes],
        held: Iterable[bytes],
    ) -> None:
        """Look at all tasks anew; as `taskgraph.upkeep.status.status_of` does."""
        size = len(self.keys)
        done = np.zeros(size, bool)
        if known:
            done = np.fromiter(map(known.__contains__, self.keys), bool, size)
        failed = [one for one in self.places(failures) if done[one]]
        done[failed] = False
        unmet = np.concatenate([[0], np.cumsum(~done[self._needs])])
        missing = unmet[self._starts[1:]] - unmet[self._starts[:-1]]
        states = np.where(missing == 0, READY, WAITING).astype(np.uint8)
        states[done] = DONE
        states[failed] = FAILED
        self._missing = array("i", missing.astype(np.int32).tobytes())
        self.states = bytearray(states.tobytes())
        self._held = set()
        self._recount()
        self.hold(held)
        self._block(failed)

    def ended(self, results: Iterable[bytes], failures: Iterable[bytes]) -> bool:
        """Take in that tasks have ended; False if all have to be judged anew.

        That is so if a task has a result that had a failure. Keys of other graphs are
        passed over.
        """
        states, place, missing = self.states, self.place, self._missing
        for key in results:
            here = place.get(key)
            if here is None or states[here] == DONE:
                continue
            if states[here] in (FAILED, BLOCKED):
                return False
            self._put(here, DONE)
            for other in self.dependants(here):
                missing[other] -= 1
                if not missing[other] and states[other] == WAITING:
                    self._put(other, READY)
        failed = []
        for key in failures:
            here = place.get(key)
            if here is not None and states[here] != FAILED:
                if states[here] == DONE:
                    return False
                self._put(here, FAILED)
                failed.append(here)
        self._block(failed)
        return True

    def hold(self, held: Iterable[bytes]) -> bool:
        """Take in which keys living workers have locked now; see `ended`.

        All have to be judged anew if one that is blocked is run, or was.
        """
        states, now = self.states, set(self.places(held))
        for here in now - self._held:
            if states[here] == BLOCKED:
                return False
            if states[here] not in (DONE, FAILED):
                self._put(here, RUNNING)
        for here in self._held - now:
            if states[here] == RUNNING:
                if any(states[need] <= BLOCKED for need in self.needs(here)):
                    return False
                self._put(here, WAITING if self._missing[here] else READY)
        self._held = now
        return True

    def places(self, wanted: Iterable[bytes]) -> list[int]:
        """Return where keys are: those of other graphs are nowhere.

        The first who asks does so while somebody waits to see the counts.
        """
        wanted = set(wanted)
        if not wanted:
            return []
        if "place" in self.__dict__:
            return [self.place[key] for key in wanted if key in self.place]
        flags = map(wanted.__contains__, self.keys)
        found: list[int] = np.nonzero(np.fromiter(flags, bool))[0].tolist()
        return found

    def needs(self, place: int) -> list[int]:
        """Return the places of what a task needs."""
        found: list[int] = self._needs[slice(*self._starts[place : place + 2])].tolist()
        return found

    def dependants(self, place: int) -> list[int]:
        """Return the places of the tasks that need a task."""
        first, dependants = self._dependants
        found: list[int] = dependants[slice(*first[place : place + 2])].tolist()
        return found

    def edges(self) -> list[tuple[int, int, int]]:
        """Return which function needs results of which, and of how many calls."""
        if not len(self._needs):
            return []
        owners = np.repeat(self.functions, np.diff(self._starts))
        pairs = np.stack([owners, self.functions[self._needs]], axis=1)
        found, counts = np.unique(pairs, axis=0, return_counts=True)
        return [
            (int(one), int(other), int(count))
            for (one, other), count in zip(found, counts, strict=True)
        ]

    def in_state(self, state: int | None, function: int | None) -> NDArray[np.intp]:
        """Return the places of the tasks in a state and of a function; None for all."""
        chosen = np.ones(len(self.keys), bool)
        if state is not None:
            chosen &= np.frombuffer(self.states, np.uint8) == state
        if function is not None:
            chosen &= self.functions == function
        return np.nonzero(chosen)[0]

    def totals(self) -> dict[str, int]:
        """Return how many tasks are in each state."""
        sums = [sum(row[state] for row in self.counts) for state in range(len(STATES))]
        return dict(zip(STATES, sums, strict=True))

    def _block(self, places: Iterable[int]) -> None:
        """Block all that needs tasks that failed, but for what runs all the same."""
        states, open_now = self.states, list(places)
        while open_now:
            for other in self.dependants(open_now.pop()):
                if states[other] in (WAITING, READY):
                    self._put(other, BLOCKED)
                    open_now.append(other)

    def _put(self, place: int, state: int) -> None:
        row = self.counts[self._names[place]]
        row[self.states[place]] -= 1
        row[state] += 1
        self.states[place] = state

    def _recount(self) -> None:
        width = len(STATES)
        both = self.functions.astype(np.int64) * width
        both += np.frombuffer(self.states, np.uint8)
        names = len(self.snapshot.names)
        flat: list[int] = np.bincount(both, minlength=names * width).tolist()
        ends = range(0, names * width + 1, width)
        self.counts = [flat[start:end] for start, end in pairwise(ends)]


def _numbers(numbers: array[int]) -> NDArray[Any]:
    return np.asarray(memoryview(numbers), np.int64)
