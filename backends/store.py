"""A `Backend` on top of any `Log`: what a worker's deeds say in the journal."""

from __future__ import annotations

import os
import time
from itertools import chain
from typing import TYPE_CHECKING

from backends.documents import SealedDocuments
from backends.errors import BackendError
from backends.interface import Cause, Claim, Kind, Row, Segment, Undoing
from backends.journal import Journal
from backends.reading import read_records
from backends.state import MAX_ROWS
from backends.upkeep import JournalUpkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set

    from backends.interface import Bytes, Change, Discarded, Inputs, Key, Lock, Where
    from backends.log import Log
    from backends.state import State

_NOWHERE = (-1, -1)


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
        self._log, self._clock = log, clock
        self.worker = worker
        self.url = log.url
        self.latency = log.latency
        self.shared = log.shared
        self._journal = Journal(log, clock)
        self._in_vain: dict[Key, int] = {}
        self.blobs = log.blobs
        self.documents = SealedDocuments(log.documents, log.url)
        self.members = log.members
        self.space = log.space
        self.upkeep = JournalUpkeep(self._journal)

    def make(self) -> None:
        self._log.make()

    def again(self) -> JournalStore:
        worker = f"{self.worker}-{os.urandom(4).hex()}"
        return JournalStore(self._log.again(), worker, clock=self._clock)

    # reading

    @property
    def position(self) -> int:
        return self._journal.position

    @property
    def forgot_at(self) -> int:
        return self._journal.as_told().forgot_at

    @property
    def _state(self) -> State:
        return self._journal.state

    def refresh(self) -> None:
        self._journal.catch_up()

    def changes(self) -> list[Change]:
        journal = self._journal
        _, changes, journal.changes = journal.state, journal.changes, []
        return changes

    def poll(self) -> list[Change]:
        self.refresh()
        return self.changes()

    def wait(self, seconds: float) -> None:
        position = self._state.position
        if not self._journal.changes:
            self._log.wait(position, seconds)

    def find(self, key: Key) -> Where | None:
        return self._journal.find(key)

    def places(self, keys: Sequence[Key]) -> list[int]:
        found = map(self._state.records.get, keys)
        each = (_NOWHERE if at is None else divmod(at, MAX_ROWS) for at in found)
        return list(chain.from_iterable(each))

    def keys(self) -> Set[Key]:
        return self._state.records.keys()

    def failures(self) -> Collection[Key]:
        return self._journal.as_told().failures

    def holds(self, keys: bytes) -> bool:
        return self._journal.holds(keys)

    def published(self) -> list[int]:
        return self._journal.published()

    def segment(self, position: int) -> Segment:
        return read_records(self._log, position)

    def deaths(self, key: Key) -> Mapping[Cause, int]:
        return self._state.deaths.get(key, {})

    def suspects(self) -> Set[Key]:
        return self._state.suspects

    def locked_by(self, key: Key) -> str | None:
        return self._state.locked.get(key)

    def holders(self) -> Mapping[Key, str]:
        return {} if self._journal.unlocked else self._state.locked

    def locks(self) -> list[Lock]:
        return self._state.locks()

    def discards(self) -> list[Discarded]:
        return [about for about, _, _ in self._state.discards.values() if about.keys]

    # writing

    def taken(self, position: int) -> Mapping[Key, Where]:
        return self._state.taken(position)

    def publish(
        self,
        keys: Sequence[Key],
        rows: bytes,
        body: Bytes,
        *,
        since: int,
        inputs: Sequence[Inputs] = (),
    ) -> int:
        if len(keys) > MAX_ROWS:
            raise BackendError(
                f"{len(keys)} records in one segment; at most {MAX_ROWS}"
            )
        joined = b"".join(keys)
        left = rows

        def decide() -> Segment | None:
            nonlocal left
            left = self._state.stale(keys, rows, since, inputs, self._in_vain)
            if left.count(Row.STALE) == len(left):
                return None
            return Segment(Kind.PUBLISH, self.worker, 0.0, joined, left, body=body)

        at = self._journal.append(decide, durable=True)
        refused = [k for k, row in zip(keys, left, strict=True) if row == Row.STALE]
        self._in_vain.update(
            dict.fromkeys(refused, self._state.position if at is None else at)
        )
        return len(left) - len(refused)

    def claim(self, keys: Sequence[Key]) -> Claim:
        wanted: list[Key] = []

        def decide() -> Segment | None:
            nonlocal wanted
            if not keys:
                return None
            records, locked = self._state.records, self._state.locked
            wanted = [k for k in keys if k not in records and k not in locked]
            if not wanted:
                return None
            return Segment(Kind.CLAIM, self.worker, 0.0, b"".join(wanted))

        position = self._journal.append(decide, looked=True)
        if position is None:
            return Claim(self._journal.position, [])
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

    def discard(
        self,
        keys: Sequence[Key],
        *,
        reason: str,
        more: Callable[[], Collection[Key]] | None = None,
    ) -> int | None:
        def decide() -> Segment | None:
            wanted = dict.fromkeys(keys)
            if more is not None:
                wanted.update(dict.fromkeys(sorted(more())))
            records, locked = self._state.records, self._state.locked
            known = [key for key in wanted if key in records or key in locked]
            if not known:
                return None
            return Segment(
                Kind.DISCARD, self.worker, 0.0, b"".join(known), about=reason
            )

        return self._journal.append(decide, durable=True)

    def undo(self, position: int, plan: Callable[[], Undoing] | None = None) -> int:
        state = self._state
        done = Undoing()

        def simple() -> Undoing:
            return Undoing([k for k in state.taken(position) if k not in state.records])

        def decide() -> Segment | None:
            nonlocal done
            done = Undoing()
            if position not in state.discards:
                return None
            done = (plan or simple)()
            if plan is not None and not (done.back or done.gone):
                return None
            rows = [(key, Row.RESULT) for key in done.back]
            rows += [(key, Row.STALE) for key in done.gone]
            moved = {key for key, _ in rows}
            newer = [k for k in state.taken(position) if k in state.records]
            rows += [(key, Row.STAYS) for key in newer if key not in moved]
            keys, about = b"".join(key for key, _ in rows), done.reason
            each = bytes(row for _, row in rows)
            return Segment(Kind.RESTORE, self.worker, 0.0, keys, each, about, position)

        self._journal.append(decide, durable=True)
        return len(done.back)

    def make_final(self, positions: Iterable[int]) -> list[int]:
        final: list[int] = []

        def decide() -> Segment | None:
            nonlocal final
            final = [at for at in positions if at in self._state.discards]
            if not final:
                return None
            about = " ".join(map(str, final))
            return Segment(Kind.FINAL, self.worker, 0.0, about=about)

        positions = list(positions)
        self._journal.append(decide, durable=True)
        return final

    def close(self) -> None:
        self._log.close()
