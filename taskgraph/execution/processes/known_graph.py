"""What a supervisor knows of the graph: what its process has read, or was told."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from backends.errors import BackendError
from backends.interface import KEY_SIZE
from taskgraph.errors import TaskgraphError
from taskgraph.execution.processes.reading import digests_of
from taskgraph.upkeep.growing import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backends.interface import Backend, Key
    from taskgraph.execution.observer import Observer
    from taskgraph.execution.processes.reading import Digests
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.upkeep.snapshot import Snapshot

_SELDOM = 20
"""How many times longer than it took to tell of a graph until a longer one is told."""


class Outline(Protocol):
    """A graph as far as a supervisor has to know it."""

    def __iter__(self) -> Iterator[Key]: ...

    def __len__(self) -> int: ...

    def name_of(self, key: Key) -> str | None:
        """Return the function name of a key, None if it is not there."""

    def needs_of_key(self, key: Key) -> list[Key]:
        """Return the keys that a task needs; none of one that is not there."""


class KnownGraph:
    """A graph that a supervisor has, or will be told by workers that read the jugfile.

    Parameters
    ----------
    loaded : Loaded, optional
        What its own process has read.

    Attributes
    ----------
    last : Snapshot or None
        The graph that was kept last, if it was looked for.
    snapshot : Snapshot or None
        What workers have told.
    missing : bytes
        Keys, concatenated, of the results that a barrier waits for.
    all_done : bool
        Whether `nothing_to_do` has found that.
    """

    def __init__(self, loaded: Loaded | None = None) -> None:
        self._outline: Outline | None = None
        self.last: Snapshot | None = None
        self.snapshot: Snapshot | None = None
        self.missing, self.all_done = b"", False
        self._told: Snapshot | None = None
        self._next = 0.0
        self._digests: Digests = {}
        self._unlike: list[tuple[Digests, bytes]] = []
        if loaded is not None:
            self._outline = loaded.graph
            self.missing = b"".join(loaded.missing)

    def __bool__(self) -> bool:
        return self._outline is not None

    def __len__(self) -> int:
        return 0 if self._outline is None else len(self._outline)

    def learn(
        self,
        start: int,
        check: int,
        pieces: list[bytes] | None,
        results: Results | None = None,
    ) -> bool:
        """Take in what a worker has read; return whether it says more than before.

        Parameters
        ----------
        start : int
            How many tasks it has told before.
        check : int
            The CRC-32 of their keys: what follows on others is of no use.
        pieces : list of bytes, optional
            Encoded snapshots of those that follow, which are taken out of it; None if
            they are those of the last graph.
        results : Results, optional
            In which is seen whether a barrier is open.
        """
        known = self.snapshot
        told = self.last if pieces is None else joined(pieces)
        if told is None:
            return False
        if start:
            before = b"" if known is None else known.keys[: start * KEY_SIZE]
            if known is None or crc32(before) != check:
                return False
            told = known.with_more(start, told)
        if known is not None and not _says_more(told, known, results):
            return False
        self.snapshot = self._outline = told
        self.missing = told.missing
        self._digests = {}
        return True

    def tell(self, observer: Observer, backend: Backend, *, last: bool = False) -> None:
        """Tell an observer what is new, but not so often that it takes much time."""
        now = time.monotonic()
        new = self.snapshot
        if new is None or new is self._told or (now < self._next and not last):
            return
        self._told = new
        observer.learned(new, backend, new is self.last)
        ended = time.monotonic()
        self._next = ended + _SELDOM * (ended - now)

    def note(self, digests: Digests, missing: bytes) -> None:
        """Keep what tells which tasks a worker has read, for `differing`."""
        self._unlike.append((digests, missing))

    def differing(self) -> list[str]:
        """Return the functions of which a worker has read other tasks; forget them.

        Whoever read when other results were known may have met another barrier.
        """
        if self.snapshot is None or not self._unlike:
            return []
        if not self._digests:
            names = map(self.snapshot.names.__getitem__, self.snapshot.functions)
            self._digests = digests_of(zip(names, self.snapshot, strict=True))
        noted, self._unlike = self._unlike, []
        return sorted(
            {
                name
                for digests, missing in noted
                if missing == self.missing
                for name in digests.keys() | self._digests.keys()
                if digests.get(name) != self._digests.get(name)
            }
        )

    def nothing_to_do(self, results: Results) -> bool:
        """Return whether every task has a result, and no more can appear."""
        if self._outline is None or self.missing:
            return False
        told = self.snapshot
        keys = b"".join(self._outline) if told is None else told.keys
        self.all_done = results.has_all(keys)
        return self.all_done

    def describe(self, key: Key) -> str:
        """Return what a task is called: its function, and digits of its key."""
        digits = key.hex()[:12]
        name = None if self._outline is None else self._outline.name_of(key)
        return digits if name is None else f"{name} ({digits})"

    def cut_file(self, results: Results, key: Key) -> str:
        """Return which stored array of its arguments a task could not have read."""
        if self._outline is None:
            return ""
        from taskgraph.upkeep.checking import cut_blob  # costs time at every start

        with suppress(BackendError, TaskgraphError):
            results.backend.poll()
            for need in self._outline.needs_of_key(key):
                fault = cut_blob(results, need)
                if fault:
                    return f"{fault}, and is computed again"
        return ""


def _says_more(told: Snapshot, known: Snapshot, results: Results | None) -> bool:
    """Return whether a graph says more than one that is known.

    Of one that was read to its end nothing is left to appear, even if it is shorter: a
    compound task stands for others once it has a result. Where both end at barriers,
    and the one that is told lacks tasks, it is the later one if the barrier that is
    known is open.
    """
    if len(known) and bool(told.missing) != bool(known.missing):
        return not told.missing
    if told.says(known):
        return False
    if told.missing == known.missing:
        return len(told) >= len(known)
    if told.keys.startswith(known.keys) or set(told) >= set(known):
        return True
    if results is None:
        return False
    results.backend.refresh()
    return results.has_all(known.missing)
