"""The state that a journal of segments folds into: pure, no input or output.

Rules, in the order of the journal:

1. A PUBLISH row puts the record of its key if there is none. The first one stays.
2. A CLAIM grants its worker those of its keys that have no record and no holder.
3. A record of any worker ends the claim on its key; RELEASE ends own claims.
4. EXPEL ends all claims of a worker; its keys are what the worker may have died of:
   one key is a death of that key, each of several becomes a suspect.
5. DISCARD takes records away and ends claims on their keys; RESTORE puts back those
   whose key has no new record.
6. VOID, and a damaged segment, does nothing.

Every worker applies the same segments in the same order, hence holds the same state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends.interface import (
    Cause,
    Change,
    Discarded,
    Key,
    Kind,
    Lock,
    Row,
    Segment,
    Where,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ROW_BITS = 24
_ROW_MASK = (1 << _ROW_BITS) - 1
MAX_ROWS = 1 << _ROW_BITS
_SPARE_CLAIMS = 100


@dataclass(slots=True)
class State:
    """Who has done and who holds what, after the first `position` segments."""

    position: int = 0
    records: dict[Key, int] = field(default_factory=dict)
    failures: set[Key] = field(default_factory=set)
    holders: dict[Key, str] = field(default_factory=dict)
    claimed: dict[int, tuple[str, float, list[Key]]] = field(default_factory=dict)
    deaths: dict[Key, dict[Cause, int]] = field(default_factory=dict)
    suspects: set[Key] = field(default_factory=set)
    discarded: dict[Key, int] = field(default_factory=dict)
    trash: dict[int, tuple[Discarded, dict[Key, int], set[Key]]] = field(
        default_factory=dict
    )

    def apply(self, position: int, segment: Segment) -> Change | None:
        """Take in the segment at `position`; return what it made known.

        Examples
        --------
        >>> state = State()
        >>> key = b"k" * 20
        >>> claim = Segment(Kind.CLAIM, "anna", 0.0, key)
        >>> state.apply(0, claim), state.holders[key]
        (None, 'anna')
        >>> late = Segment(Kind.PUBLISH, "bert", 0.0, key, bytes([Row.RESULT]))
        >>> state.apply(1, late).results == [key]
        True
        >>> state.holders
        {}
        """
        self.position = position + 1
        match segment.kind:
            case Kind.PUBLISH:
                return self._publish(position, segment)
            case Kind.CLAIM:
                self._claim(position, segment)
            case Kind.RELEASE:
                self._release(segment)
            case Kind.EXPEL:
                self._expel(segment)
            case Kind.DISCARD:
                return self._discard(position, segment)
            case Kind.RESTORE:
                return self._restore(segment.number)
        return None

    def find(self, key: Key) -> Where | None:
        """Return where the record of `key` is."""
        packed = self.records.get(key)
        if packed is None:
            return None
        return Where(packed >> _ROW_BITS, packed & _ROW_MASK, key in self.failures)

    def stale(self, keys: Sequence[Key], rows: bytes, since: int) -> bytes:
        """Return `rows` with those marked whose key was discarded after `since`.

        Rows whose key has a record already are marked too: it would change nothing.
        """
        records, discarded = self.records, self.discarded
        if records.keys().isdisjoint(keys) and not discarded:
            return rows
        return bytes(
            Row.STALE if key in records or discarded.get(key, -1) >= since else row
            for key, row in zip(keys, rows, strict=True)
        )

    def held(self, worker: str) -> list[Key]:
        """Return the keys that a worker has locked."""
        return [key for key, holder in self.holders.items() if holder == worker]

    def live(self, keep: Iterable[Key] | None = None) -> set[int]:
        """Return the positions of segments whose records somebody may ask for.

        Records that were discarded count if their keys are in `keep`; by default all.
        """
        live = {where >> _ROW_BITS for where in self.records.values()}
        wanted = None if keep is None else set(keep)
        for _, taken, _ in self.trash.values():
            live.update(
                where >> _ROW_BITS
                for key, where in taken.items()
                if wanted is None or key in wanted
            )
        return live

    def locks(self) -> list[Lock]:
        """Return who holds what."""
        locks = []
        for token, (worker, since, keys) in self.claimed.items():
            locks += [
                Lock(key, worker, since, token)
                for key in keys
                if self.holders.get(key) == worker
            ]
        return list({lock.key: lock for lock in locks}.values())

    def unsettled(self, position: int) -> bool:
        """Return whether the claim at `position` still holds a key."""
        worker, _, keys = self.claimed.get(position, ("", 0.0, []))
        return any(self.holders.get(key) == worker for key in keys)

    def _publish(self, position: int, segment: Segment) -> Change | None:
        keys, rows = segment.split(), segment.rows
        base = position << _ROW_BITS
        records, holders = self.records, self.holders
        if not any(rows) and records.keys().isdisjoint(keys):
            records.update(zip(keys, range(base, base + len(keys)), strict=True))
            self._settle(holders, keys)
            return Change(results=keys)
        results: list[Key] = []
        failures: list[Key] = []
        for row, key in enumerate(keys):
            if rows[row] == Row.STALE or key in records:
                continue
            records[key] = base + row
            (failures if rows[row] == Row.FAILURE else results).append(key)
        self.failures.update(failures)
        self._settle(holders, results)
        self._settle(holders, failures)
        return Change(results=results, failures=failures)

    def _settle(self, holders: dict[Key, str], keys: Iterable[Key]) -> None:
        if holders:
            for key in keys:
                holders.pop(key, None)
        if not holders:
            self.claimed.clear()

    def _claim(self, position: int, segment: Segment) -> None:
        holders, records = self.holders, self.records
        keys = segment.split()
        if not (records.keys().isdisjoint(keys) and holders.keys().isdisjoint(keys)):
            keys = [k for k in keys if k not in records and k not in holders]
        if keys:
            holders.update(dict.fromkeys(keys, segment.worker))
            self.claimed[position] = (segment.worker, segment.time, keys)
            if len(self.claimed) > 2 * len(holders) + _SPARE_CLAIMS:
                self._forget_settled()

    def _forget_settled(self) -> None:
        self.claimed = {p: self.claimed[p] for p in self.claimed if self.unsettled(p)}

    def _release(self, segment: Segment) -> None:
        for key in segment.split():
            if self.holders.get(key) == segment.worker:
                del self.holders[key]

    def _expel(self, segment: Segment) -> None:
        worker = segment.about
        for key in self.held(worker):
            del self.holders[key]
        self.claimed = {
            p: claim for p, claim in self.claimed.items() if claim[0] != worker
        }
        blamed = segment.split()
        if len(blamed) == 1:
            counts = self.deaths.setdefault(blamed[0], {})
            cause = Cause(segment.number)
            counts[cause] = counts.get(cause, 0) + 1
        self.suspects.update(blamed)

    def _discard(self, position: int, segment: Segment) -> Change:
        keys = segment.split()
        taken, failed = {}, set()
        for key in keys:
            self.discarded[key] = position
            self.holders.pop(key, None)
            self.deaths.pop(key, None)
            self.suspects.discard(key)
            where = self.records.pop(key, None)
            if where is not None:
                taken[key] = where
            if key in self.failures:
                self.failures.remove(key)
                failed.add(key)
        about = Discarded(
            position, segment.time, segment.worker, segment.about, list(taken)
        )
        self.trash[position] = (about, taken, failed)
        return Change(discarded=keys)

    def _restore(self, position: int) -> Change | None:
        if position not in self.trash:
            return None
        _, taken, failed = self.trash.pop(position)
        back = {key: at for key, at in taken.items() if key not in self.records}
        self.records.update(back)
        failures = failed.intersection(back)
        self.failures.update(failures)
        self._settle(self.holders, back)
        return Change(
            results=[key for key in back if key not in failures],
            failures=list(failures),
        )
