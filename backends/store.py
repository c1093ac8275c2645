"""A `Backend` on top of any `Log`: what a worker's deeds say in the journal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from backends.documents import SealedDocuments
from backends.errors import BackendError
from backends.interface import Cause, Claim, Kind, Row, Segment
from backends.journal import Journal, JournalUpkeep
from backends.reading import read_body
from backends.state import MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from backends.interface import Bytes, Change, Discarded, Key, Lock, Where
    from backends.log import Log


class JournalStore:
    """A store of records and locks in a journal; see `Backend` for the contract.

    Every writing method decides what a segment has to say in the state at the end of
    the journal, which appends it at the very next position; see `Journal.append`.

    Parameters
    ----------
    log : Log
        Where the segments are.
    worker : str
        Who writes. Unique among all who ever write to the same log.
    clock : callable, optional
        Seconds since the epoch, for people to read; never compared between hosts.
    """

    def __init__(
        self, log: Log, worker: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._log = log
        self.worker = worker
        self.url = log.url
        self.latency = log.latency
        self.shared = log.shared
        self._journal = Journal(log, clock)
        self._state = self._journal.state
        self.blobs = log.blobs
        self.documents = SealedDocuments(log.documents, log.url)
        self.members = log.members
        self.space = log.space
        self.upkeep = JournalUpkeep(self._journal)

    def make(self) -> None:
        self._log.make()

    # reading

    def poll(self) -> list[Change]:
        journal = self._journal
        journal.catch_up()
        changes, journal.changes = journal.changes, []
        return changes

    def wait(self, seconds: float) -> None:
        if not self._journal.changes:
            self._log.wait(self._state.position, seconds)

    def find(self, key: Key) -> Where | None:
        return self._state.find(key)

    def keys(self) -> Collection[Key]:
        return self._state.records.keys()

    def failures(self) -> Collection[Key]:
        return self._state.failures

    def body(self, position: int) -> bytes:
        return read_body(self._log, position)

    def deaths(self, key: Key) -> Mapping[Cause, int]:
        return self._state.deaths.get(key, {})

    def suspect(self, key: Key) -> bool:
        return key in self._state.suspects

    def locked_by(self, key: Key) -> str | None:
        return self._state.locked.get(key)

    def holders(self) -> Mapping[Key, str]:
        return self._state.locked

    def locks(self) -> list[Lock]:
        return self._state.locks()

    def discards(self) -> list[Discarded]:
        return [about for about, _, _ in self._state.discards.values() if about.keys]

    # writing

    def publish(
        self, keys: Sequence[Key], rows: bytes, body: Bytes, *, since: int
    ) -> int:
        if len(keys) > MAX_ROWS:
            raise BackendError(
                f"{len(keys)} records in one segment; at most {MAX_ROWS}"
            )
        joined = b"".join(keys)
        accepted = 0

        def decide() -> Segment | None:
            nonlocal accepted
            left = self._state.stale(keys, rows, since)
            accepted = len(left) - left.count(Row.STALE)
            if not accepted:
                return None
            return Segment(Kind.PUBLISH, self.worker, 0.0, joined, left, body=body)

        self._journal.append(decide, durable=True)
        return accepted

    def claim(self, keys: Sequence[Key]) -> Claim:
        wanted: list[Key] = []

        def decide() -> Segment | None:
            nonlocal wanted
            records, locked = self._state.records, self._state.locked
            wanted = [k for k in keys if k not in records and k not in locked]
            if not wanted:
                return None
            return Segment(Kind.CLAIM, self.worker, 0.0, b"".join(wanted))

        position = self._journal.append(decide)
        if position is None:
            return Claim(self._state.position, [])
        return Claim(position, wanted)

    def release(self, keys: Sequence[Key]) -> None:
        def decide() -> Segment | None:
            locked = self._state.locked
            own = [key for key in keys if locked.get(key) == self.worker]
            if not own:
                return None
            return Segment(Kind.RELEASE, self.worker, 0.0, b"".join(own))

        self._journal.append(decide)

    def expel(self, worker: str, cause: Cause, *, running: Key | None = None) -> bool:
        def decide() -> Segment | None:
            lost = self._state.keys_locked_by(worker)
            if not lost:
                return None
            # What it says must not depend on the claims: these may be merged away.
            blamed = [running] if running in lost else lost
            keys = b"" if cause is Cause.RELEASED else b"".join(blamed)
            return Segment(Kind.EXPEL, self.worker, 0.0, keys, b"", worker, int(cause))

        return self._journal.append(decide) is not None

    def discard(self, keys: Sequence[Key], *, reason: str) -> int | None:
        def decide() -> Segment | None:
            known = [
                key
                for key in keys
                if key in self._state.records or key in self._state.locked
            ]
            if not known:
                return None
            return Segment(
                Kind.DISCARD, self.worker, 0.0, b"".join(known), about=reason
            )

        return self._journal.append(decide, durable=True)

    def restore(self, position: int) -> int:
        before = 0

        def decide() -> Segment | None:
            nonlocal before
            before = len(self._state.records)
            if position not in self._state.discards:
                return None
            return Segment(Kind.RESTORE, self.worker, 0.0, number=position)

        self._journal.append(decide, durable=True)
        return len(self._state.records) - before

    def close(self) -> None:
        self._log.close()
