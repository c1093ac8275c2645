"""A `Backend` on top of any `Log`: read on, decide on the state, compare-and-append."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.compaction import Compaction
from backends.errors import BackendError, DamagedError
from backends.interface import (
    Bytes,
    Cause,
    Change,
    Claim,
    Discarded,
    Fault,
    Key,
    Kind,
    Lock,
    Member,
    Row,
    Segment,
    Where,
)
from backends.journal import MAX_ROWS, State
from backends.reading import look, name_of, read_body
from backends.segment import encode_frame, seal, unseal
from backends.warning import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from backends.log import Log


class JournalStore:
    """A store of records and locks in a journal; see `Backend` for the contract.

    Every writing method reads the journal to its end, decides what the segment has to
    say in that state, and appends it at the very next position. If somebody else
    appended first, it does all of that again: a check and its act are one step.

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
        self._clock = clock
        self._state = State()
        self._changes: list[Change] = []
        self._damaged: dict[int, Fault] = {}
        self._looked_beyond = False
        self._compaction = Compaction(log, self._state, self._damaged)

    def make(self) -> None:
        self._log.make()

    # reading

    def poll(self) -> list[Change]:
        self._catch_up()
        changes, self._changes = self._changes, []
        return changes

    def wait(self, seconds: float) -> None:
        if not self._changes:
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

    def holder(self, key: Key) -> str | None:
        return self._state.holders.get(key)

    def locks(self) -> list[Lock]:
        return self._state.locks()

    def discards(self) -> list[Discarded]:
        return [about for about, _, _ in self._state.trash.values() if about.keys]

    def damaged(self) -> list[Fault]:
        return list(dict.fromkeys(self._damaged.values()))

    def mend(self) -> int:
        mended = [at for at in self._damaged if self._log.void(at)]
        for position in mended:
            del self._damaged[position]
        if self._damaged:
            self.compact()  # leaves out what is damaged in blocks that are merged
        return len(mended)

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

        self._append(decide, durable=True)
        return accepted

    def claim(self, keys: Sequence[Key]) -> Claim:
        wanted: list[Key] = []

        def decide() -> Segment | None:
            nonlocal wanted
            records, holders = self._state.records, self._state.holders
            wanted = [k for k in keys if k not in records and k not in holders]
            if not wanted:
                return None
            return Segment(Kind.CLAIM, self.worker, 0.0, b"".join(wanted))

        position = self._append(decide)
        if position is None:
            return Claim(self._state.position, [])
        return Claim(position, wanted)

    def release(self, keys: Sequence[Key]) -> None:
        def decide() -> Segment | None:
            holders = self._state.holders
            own = [key for key in keys if holders.get(key) == self.worker]
            if not own:
                return None
            return Segment(Kind.RELEASE, self.worker, 0.0, b"".join(own))

        self._append(decide)

    def expel(self, worker: str, cause: Cause, *, running: Key | None = None) -> None:
        def decide() -> Segment | None:
            held = self._state.held(worker)
            if not held:
                return None
            # What it says must not depend on the claims: these may be merged away.
            blamed = [running] if running in held else held
            keys = b"" if cause is Cause.RELEASED else b"".join(blamed)
            return Segment(Kind.EXPEL, self.worker, 0.0, keys, b"", worker, int(cause))

        self._append(decide)

    def discard(self, keys: Sequence[Key], *, reason: str) -> int | None:
        def decide() -> Segment | None:
            known = [
                key
                for key in keys
                if key in self._state.records or key in self._state.holders
            ]
            if not known:
                return None
            return Segment(
                Kind.DISCARD, self.worker, 0.0, b"".join(known), about=reason
            )

        return self._append(decide, durable=True)

    def restore(self, position: int) -> int:
        before = 0

        def decide() -> Segment | None:
            nonlocal before
            before = len(self._state.records)
            if position not in self._state.trash:
                return None
            return Segment(Kind.RESTORE, self.worker, 0.0, number=position)

        self._append(decide, durable=True)
        return len(self._state.records) - before

    def compact(self, keep: Iterable[Key] | None = None) -> int:
        self._catch_up()
        return self._compaction.merge_all(keep)

    def _append(
        self, decide: Callable[[], Segment | None], *, durable: bool = False
    ) -> int | None:
        """Append what `decide` says of the state at the end; return where it went."""
        staged: tuple[Segment, str] | None = None
        try:
            while True:
                self._catch_up()
                segment = decide()
                if segment is None:
                    return None
                if staged is None or replace(staged[0], time=0.0) != segment:
                    if staged is not None:
                        self._log.unstage(staged[1])
                    stamped = replace(segment, time=self._clock())
                    frame = encode_frame(stamped)
                    staged = stamped, self._log.stage(frame, durable=durable)
                position = self._state.position
                if self._log.append(position, staged[1]):
                    change = self._state.apply(position, staged[0])
                    if change is not None and segment.kind is not Kind.PUBLISH:
                        self._changes.append(change)
                    self._compaction.merge_behind(position)
                    return position
        finally:
            if staged is not None:
                self._log.unstage(staged[1])

    def _catch_up(self) -> None:
        """Apply everything that was appended since the last time."""
        self._log.refresh()
        self._read_on()
        state = self._state
        while not self._looked_beyond:
            before, later = state.position, self._log.after(state.position)
            self._looked_beyond = later is None or later <= before
            self._read_on()  # it may have been appended just now
            if later is not None and later > before == state.position:
                self._skip(before, later)
                self._read_on()

    def _read_on(self) -> None:
        state = self._state
        while (segment := self._segment(state.position)) is not None:
            change = state.apply(state.position, segment)
            if change is not None:
                self._changes.append(change)

    def _skip(self, first: int, end: int) -> None:
        """Take segments that somebody removed for damaged, so that later ones count.

        Whoever wrote these had seen those: they are no end of the journal.
        """
        what = name_of(self._log, first)
        if end - first > 1:
            what = f"range {first} to {end - 1} of the segments of {self.url}"
        fault = Fault(what, "gone, though later ones are there")
        for position in range(first, end):
            self._damaged[position] = fault
            self._state.apply(position, Segment(Kind.VOID, "", 0.0))
        _report_lost(DamagedError(what, fault.why))

    def _segment(self, position: int) -> Segment | None:
        """Return the segment at `position` without its body; damaged ones are VOID."""
        try:
            found = look(self._log, position)
            return None if found is None else found[0]
        except DamagedError as error:
            what = name_of(self._log, position)
            self._damaged[position] = Fault(what, error.why)
            _report_lost(error)
            return Segment(Kind.VOID, "", 0.0)

    # what the log keeps beside the journal

    def members(self) -> list[Member]:
        return self._log.members()

    def beat(self, worker: str, about: Mapping[str, object]) -> None:
        self._log.beat(worker, about)

    def leave(self, worker: str) -> None:
        self._log.leave(worker)

    def write_blob(self, name: str, chunks: Iterable[Bytes]) -> int:
        return self._log.write_blob(name, chunks)

    def open_blob(self, name: str) -> memoryview:
        return self._log.open_blob(name)

    def blobs(self) -> Iterable[tuple[str, int]]:
        return self._log.blobs()

    def blob_age(self, name: str) -> float:
        return self._log.blob_age(name)

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        return self._log.leftovers(older_than, remove=remove)

    def trash_blob(self, name: str) -> None:
        self._log.trash_blob(name)

    def put_document(self, name: str, data: bytes) -> None:
        self._log.put_document(name, seal(data))

    def get_document(self, name: str) -> bytes | None:
        sealed = self._log.get_document(name)
        if sealed is None:
            return None
        return unseal(sealed, f"document {name} of {self.url}") or None

    def documents(self) -> list[str]:
        return self._log.documents()

    def empty_trash(self, older_than: float) -> int:
        return self._log.empty_trash(older_than)

    def size(self) -> int:
        return self._log.size()

    def close(self) -> None:
        self._log.close()


def _report_lost(error: DamagedError) -> None:
    warn(f"{error}; an invalidation in it has to be repeated")
