"""The state that a journal of segments folds into: pure, no input or output.

Rules, in the order of the journal:

1. A PUBLISH row puts the record of its key if there is none. The first one stays.
2. A CLAIM grants its worker those of its keys that have no record and no lock.
3. A record of any worker ends the lock on its key; RELEASE ends own locks.
4. EXPEL ends all locks of a worker; its keys are what the worker may have died of:
   one key is a death of that key, each of several becomes a suspect.
5. DISCARD takes records away and ends locks on their keys; RESTORE undoes one: it
   takes newer records away and puts old ones back, as its rows say.
6. FINAL makes discards final: nothing that they took away can be put back any more.
7. VOID, and a damaged segment, does nothing.

Every worker applies the same segments in the same order, hence holds the same state.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from backends.interface import (
    KEY_SIZE,
    Cause,
    Change,
    Discarded,
    Inputs,
    Key,
    Kind,
    Lock,
    Row,
    Segment,
    Where,
    alike,
    each_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ROW_BITS = 24
_ROW_MASK = (1 << _ROW_BITS) - 1
MAX_ROWS = 1 << _ROW_BITS
_SPARE_CLAIMS = 100
_TAKING = frozenset({Kind.DISCARD, Kind.RESTORE})
FEW = 64
"""How many keys are looked for one by one, before all segments are folded instead."""


class Unfolded:
    """Segments that were read before anybody asked what they fold into.

    Whoever joins a store and finds all done asks for a key or two. Folded, a record
    takes ten times the 20 bytes that its key takes here, and longer to take in.

    Attributes
    ----------
    segments : list
        Each with its position.
    plain : bool
        Whether they only lock and put results: nothing failed or was taken away.
    """

    def __init__(self) -> None:
        self.segments: list[tuple[int, Segment]] = []
        self.plain = True
        self._looks = 0

    def add(self, position: int, segment: Segment) -> None:
        """Take in the next segment."""
        self.segments.append((position, segment))
        if segment.kind in _TAKING or segment.rows.strip(b"\0"):
            self.plain = False

    def holds(self, keys: bytes) -> bool:
        """Return whether all these have results, if that is seen without folding.

        Mostly they come as they were published, many in a row. False says nothing.

        Examples
        --------
        >>> unfolded, keys = Unfolded(), b"a" * 20 + b"b" * 20
        >>> unfolded.add(0, Segment(Kind.PUBLISH, "anna", 0.0, keys, bytes(2)))
        >>> unfolded.holds(keys), unfolded.holds(keys + b"d" * 20)
        (True, False)
        """
        if not self.plain or len(keys) % KEY_SIZE:
            return False
        published = dict(self._published())
        begun = {keys[:KEY_SIZE]: at for at, keys in published.items()}
        looks = place = 0
        while place < len(keys):
            key = keys[place : place + KEY_SIZE]
            at, row = begun.get(key), 0
            if at is None:
                looks += 1
                where = self.find(key) if looks <= FEW else None
                if where is None:
                    return False
                at, row = where.position, where.row
            place += alike(keys, place, published[at], row * KEY_SIZE)
        return True

    def published(self) -> list[int]:
        """Return the positions of segments with records, in order."""
        return [at for at, _ in self._published()]

    def _published(self) -> Iterable[tuple[int, bytes]]:
        return ((at, x.keys) for at, x in self.segments if x.kind is Kind.PUBLISH)

    def unlocked(self) -> bool:
        """Return whether nothing is locked, if that is seen without folding."""
        claims = [x.keys for _, x in self.segments if x.kind is Kind.CLAIM]
        return self.holds(b"".join(claims))

    def may_look(self) -> bool:
        """Return whether it is worth while to look for one more key."""
        self._looks += 1
        return self.plain and self._looks <= FEW

    def find(self, key: Key) -> Where | None:
        """Return where the first record of a key is, of segments that are plain.

        Examples
        --------
        >>> unfolded, keys = Unfolded(), b"a" * 20 + b"b" * 20
        >>> unfolded.add(7, Segment(Kind.PUBLISH, "anna", 0.0, keys, bytes(2)))
        >>> unfolded.find(b"b" * 20)
        Where(position=7, row=1, failure=False)
        """
        for position, keys in self._published():
            found = keys.find(key)
            while found % KEY_SIZE and found >= 0:  # across two keys
                found = keys.find(key, found + 1)
            if found >= 0:
                return Where(position, found // KEY_SIZE, failure=False)
        return None


@dataclass(slots=True)
class State:
    """What is done and who has locked what, after the first `position` segments.

    Attributes
    ----------
    forgot_at : int
        The position after the last segment that took records away, 0 if none did.
    """

    position: int = 0
    forgot_at: int = 0
    records: dict[Key, int] = field(default_factory=dict)  # position * MAX_ROWS + row
    failures: set[Key] = field(default_factory=set)
    locked: dict[Key, str] = field(default_factory=dict)
    claimed: dict[int, tuple[str, float, list[Key]]] = field(default_factory=dict)
    deaths: dict[Key, dict[Cause, int]] = field(default_factory=dict)
    suspects: set[Key] = field(default_factory=set)
    discarded: dict[Key, int] = field(default_factory=dict)
    discards: dict[int, tuple[Discarded, dict[Key, int], set[Key]]] = field(
        default_factory=dict
    )

    def apply(self, position: int, segment: Segment) -> Change | None:
        """Take in the segment at `position`; return what it made known.

        Examples
        --------
        >>> state = State()
        >>> key = b"k" * 20
        >>> claim = Segment(Kind.CLAIM, "anna", 0.0, key)
        >>> state.apply(0, claim), state.locked[key]
        (None, 'anna')
        >>> late = Segment(Kind.PUBLISH, "bert", 0.0, key, bytes([Row.RESULT]))
        >>> state.apply(1, late).results == [key]
        True
        >>> state.locked
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
                return self._restore(position, segment)
            case Kind.FINAL:
                for place in segment.about.split():
                    self.discards.pop(int(place), None)
        return None

    def find(self, key: Key) -> Where | None:
        """Return where the record of `key` is."""
        packed = self.records.get(key)
        return None if packed is None else _where(packed, key in self.failures)

    def taken(self, position: int) -> dict[Key, Where]:
        """Return where the records are that the DISCARD at `position` took away."""
        _, taken, failed = self.discards.get(position, (None, {}, set[Key]()))
        return {key: _where(packed, key in failed) for key, packed in taken.items()}

    def stale(
        self,
        keys: Sequence[Key],
        rows: bytes,
        since: int,
        inputs: Sequence[Inputs] = (),
        in_vain: Mapping[Key, int] = MappingProxyType({}),
    ) -> bytes:
        """Return `rows` with those marked that may not be published.

        Those are rows whose key has a record or was discarded after `since`, and those
        of which an input is not the stored one: it was discarded after it was looked
        up, or it was the writer's own and was refused at a position (`in_vain`) later.
        """
        records, discarded = self.records, self.discarded
        if records.keys().isdisjoint(keys) and not (discarded or in_vain):
            return rows
        left = bytearray(rows)
        own, accepted = set(keys), set[Key]()

        def held(needs: Sequence[Key], as_of: int) -> bool:
            for gone in (discarded, in_vain):
                if gone and any(gone.get(need, -1) >= as_of for need in needs):
                    return False
            mine = own.intersection(needs)
            others = [need for need in needs if need not in own] if mine else needs
            return mine <= accepted and all(map(records.__contains__, others))

        made_of = inputs or [Inputs(0, ())] * len(keys)
        for row, (key, (as_of, needs)) in enumerate(zip(keys, made_of, strict=True)):
            if (
                key in records
                or discarded.get(key, -1) >= since
                or (needs and not held(needs, as_of))
            ):
                left[row] = Row.STALE
            else:
                accepted.add(key)
        return bytes(left)

    def keys_locked_by(self, worker: str) -> list[Key]:
        """Return the keys that a worker has locked."""
        return [key for key, by in self.locked.items() if by == worker]

    def holds(self, keys: bytes) -> bool:
        """Return whether all these, concatenated, have results."""
        known, failures = self.records, self.failures
        if not all(map(known.__contains__, each_key(keys))):
            return False
        return not (failures and any(map(failures.__contains__, each_key(keys))))

    def published(self) -> list[int]:
        """Return the positions of segments with records, in order."""
        return sorted({where >> _ROW_BITS for where in self.records.values()})

    def live(self) -> set[int]:
        """Return the positions of segments whose records somebody may ask for.

        Records that were discarded count until that is final: they may come back.
        """
        live = {where >> _ROW_BITS for where in self.records.values()}
        for _, taken, _ in self.discards.values():
            live.update(where >> _ROW_BITS for where in taken.values())
        return live

    def locks(self) -> list[Lock]:
        """Return who has locked what."""
        locks = {
            key: Lock(key, worker, since, token)
            for token, (worker, since, keys) in self.claimed.items()
            for key in keys
            if self.locked.get(key) == worker
        }
        return list(locks.values())

    def unsettled(self, position: int) -> bool:
        """Return whether a key is still locked by the CLAIM at `position`."""
        worker, _, keys = self.claimed.get(position, ("", 0.0, []))
        return any(self.locked.get(key) == worker for key in keys)

    def _publish(self, position: int, segment: Segment) -> Change | None:
        keys, rows = segment.split(), segment.rows
        base = position << _ROW_BITS
        records, locked = self.records, self.locked
        if not any(rows) and records.keys().isdisjoint(keys):
            records.update(zip(keys, range(base, base + len(keys)), strict=True))
            self._settle(locked, keys)
            return Change(results=keys)
        results, failures = list[Key](), list[Key]()
        for row, key in enumerate(keys):
            if rows[row] == Row.STALE or key in records:
                continue
            records[key] = base + row
            (failures if rows[row] == Row.FAILURE else results).append(key)
        self.failures.update(failures)
        self._settle(locked, [*results, *failures])
        return Change(results=results, failures=failures)

    def _settle(self, locked: dict[Key, str], keys: Iterable[Key]) -> None:
        if locked:
            for key in keys:
                locked.pop(key, None)
        if not locked:
            self.claimed.clear()

    def _claim(self, position: int, segment: Segment) -> None:
        locked, records = self.locked, self.records
        keys = segment.split()
        if not (records.keys().isdisjoint(keys) and locked.keys().isdisjoint(keys)):
            keys = [k for k in keys if k not in records and k not in locked]
        if keys:
            locked.update(dict.fromkeys(keys, segment.worker))
            self.claimed[position] = (segment.worker, segment.time, keys)
            if len(self.claimed) > 2 * len(locked) + _SPARE_CLAIMS:
                found = self.claimed.items()
                self.claimed = {p: x for p, x in found if self.unsettled(p)}

    def _release(self, segment: Segment) -> None:
        for key in segment.split():
            if self.locked.get(key) == segment.worker:
                del self.locked[key]

    def _expel(self, segment: Segment) -> None:
        worker = segment.about
        for key in self.keys_locked_by(worker):
            del self.locked[key]
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
        about = segment.about, segment.worker, segment.time
        return self._forget(position, segment.split(), *about)

    def _forget(
        self, position: int, keys: list[Key], reason: str, worker: str, time: float
    ) -> Change:
        taken, failed = {}, set()
        self.forgot_at = self.position
        for key in keys:
            self.discarded[key] = position
            self.locked.pop(key, None)
            self.deaths.pop(key, None)
            self.suspects.discard(key)
            where = self.records.pop(key, None)
            if where is not None:
                taken[key] = where
            if key in self.failures:
                self.failures.remove(key)
                failed.add(key)
        about = Discarded(position, time, worker, reason, list(taken))
        self.discards[position] = (about, taken, failed)
        return Change(discarded=keys)

    def _restore(self, position: int, segment: Segment) -> Change | None:
        if segment.number not in self.discards:
            return None
        about, taken, failed = self.discards.pop(segment.number)
        rows = list(zip(segment.split(), segment.rows, strict=True))
        gone = [key for key, row in rows if row == Row.STALE]
        if gone:
            self._forget(position, gone, segment.about, segment.worker, segment.time)
        back = {
            key: taken[key]
            for key, row in rows
            if row == Row.RESULT and key in taken and key not in self.records
        }
        self.records.update(back)
        # What has a newer one is said, as that may be merged away by now.
        over = {key for key, row in rows if row == Row.STAYS}.union(back)
        if left := {key: at for key, at in taken.items() if key not in over}:
            # It may come back later, when what it was made of has come back.
            about = replace(about, keys=list(left))
            self.discards[segment.number] = about, left, failed.intersection(left)
        self.failures.update(failures := failed.intersection(back))
        self._settle(self.locked, back)
        return Change(
            results=[key for key in back if key not in failures],
            failures=list(failures),
            discarded=gone,
        )


def _where(packed: int, failure: bool) -> Where:
    return Where(packed >> _ROW_BITS, packed & _ROW_MASK, failure)
