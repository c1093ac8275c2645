"""When tasks ended and how long they took, read from their records little by little."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from backends.errors import DamagedError
from taskgraph.live.timeline import Timeline
from taskgraph.records import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backends.interface import Backend
    from taskgraph.live.tasks import Tasks

_AT_ONCE = 5000
"""Keys that are looked up before somebody asks what time it is."""


class History:
    """What the records of a graph's tasks say of time.

    Parameters
    ----------
    size : int
        How many tasks there are.
    clock : callable, optional
        Seconds.

    Attributes
    ----------
    took, ended : array of float
        For each task seconds and seconds since the epoch; nan while not known.
    timeline : Timeline
        Of those that have a result.
    """

    def __init__(
        self, size: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.took = np.full(size, np.nan, np.float32)
        self.ended = np.full(size, np.nan)
        self.timeline = Timeline()
        self._clock = clock
        self._news: list[bytes] = []
        self._keys: list[bytes] = []
        self._positions: list[int] = []
        self._seen: set[int] = set()

    @property
    def reading(self) -> bool:
        """Whether there are records that were not read yet."""
        return bool(self._news or self._keys or self._positions)

    def expect(self, keys: Iterable[bytes]) -> None:
        """Note tasks whose records are to be read, what is new before what is old."""
        keys = list(keys)
        if self._keys or self._seen:
            self._news += keys
        else:
            self._keys = keys

    def read(self, backend: Backend, tasks: Tasks, seconds: float) -> None:
        """Read records for a time, or until all are read; each only once."""
        end = self._clock() + seconds
        self._look_up(backend, self._news)
        self._news = []
        while self._clock() < end and self.reading:
            if self._positions:
                with suppress(DamagedError):  # told by whoever needs it
                    self._read(backend, tasks, self._positions.pop())
            else:
                self._look_up(backend, self._keys[-_AT_ONCE:])
                del self._keys[-_AT_ONCE:]

    def _look_up(self, backend: Backend, keys: Iterable[bytes]) -> None:
        places = map(backend.find, keys)
        found = {where.position for where in places if where is not None} - self._seen
        self._seen |= found
        self._positions += sorted(found)

    def _read(self, backend: Backend, tasks: Tasks, position: int) -> None:
        segment = backend.segment(position)
        body = Body(segment.body, segment.keys)
        names, walls, ends = body.column("function"), body.column("wall"), body.ends()
        ended = []
        for row, (name, wall, end) in enumerate(zip(names, walls, ends, strict=True)):
            place, where = tasks.place.get(key := body.key(row)), backend.find(key)
            if place is None or where is None or where[:2] != (position, row):
                continue
            self.took[place], self.ended[place] = wall, end
            if not where.failure:
                ended.append((name, end, wall))
        self.timeline.add(ended)
