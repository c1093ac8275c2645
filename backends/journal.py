"""A journal as one worker reads and writes it: read on, decide, compare-and-append."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backends.compaction import Compaction
from backends.errors import DamagedError
from backends.interface import Kind, Segment
from backends.reading import look, name_of
from backends.segment import encode_frame
from backends.state import State
from backends.warning import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backends.interface import Change, Fault, Key
    from backends.log import Log


class Journal:
    """The segments of a log and the state that they fold into.

    Parameters
    ----------
    log : Log
        Where the segments are.
    clock : callable
        Seconds since the epoch, for people to read; never compared between hosts.

    Attributes
    ----------
    state : State
        After all segments that were read or appended.
    changes : list of Change
        What became known and was not told yet, oldest first.
    damaged : dict
        What could not be read and why, by the positions of the segments.
    """

    def __init__(self, log: Log, clock: Callable[[], float]) -> None:
        self.log = log
        self.state = State()
        self.changes: list[Change] = []
        self.damaged: dict[int, tuple[str, str]] = {}
        self.compaction = Compaction(log, self.state, self.damaged)
        self._clock = clock
        self._looked_beyond = False

    def append(
        self, decide: Callable[[], Segment | None], *, durable: bool = False
    ) -> int | None:
        """Append what `decide` says of the state at the end; return where it went.

        If somebody else appended first, all is done again: a check and its act are one
        step. None is returned if there is nothing to append.
        """
        staged: tuple[Segment, str] | None = None
        try:
            while True:
                self.catch_up()
                segment = decide()
                if segment is None:
                    return None
                if staged is None or replace(staged[0], time=0.0) != segment:
                    if staged is not None:
                        self.log.unstage(staged[1])
                    discards = segment.kind is Kind.DISCARD  # its age is asked for
                    now = self.log.space.now() if discards else self._clock()
                    stamped = replace(segment, time=now)
                    frame = encode_frame(stamped)
                    staged = stamped, self.log.stage(frame, durable=durable)
                position = self.state.position
                if self.log.append(position, staged[1]):
                    change = self.state.apply(position, staged[0])
                    if change is not None and segment.kind is not Kind.PUBLISH:
                        self.changes.append(change)
                    self.compaction.merge_behind(position)
                    return position
        finally:
            if staged is not None:
                self.log.unstage(staged[1])

    def catch_up(self) -> None:
        """Apply everything that was appended since the last time."""
        self.log.refresh()
        self._read_on()
        state = self.state
        while not self._looked_beyond:
            before, later = state.position, self.log.after(state.position)
            self._looked_beyond = later is None or later <= before
            self._read_on()  # it may have been appended just now
            if later is not None and later > before == state.position:
                self._skip(before, later)
                self._read_on()

    def _read_on(self) -> None:
        while True:
            position = self.state.position
            if not self._read_block(position):
                segment = self._segment(position)
                if segment is None:
                    return
                self._apply(position, segment)

    def _read_block(self, position: int) -> bool:
        """Read the rest of a merged block at once; return whether it is one."""
        try:
            merged = self.log.merged(position)
        except DamagedError:
            return False  # segment by segment, to say so of each
        if merged is None:
            return False
        size = self.log.block_size
        last = position - position % size + size - 1
        for at, found in merged:
            if isinstance(found, DamagedError):
                self._apply(at, self._damage(at, found))
            else:
                self._apply(at, found)
        if self.state.position <= last:
            self._apply(last, Segment(Kind.VOID, "", 0.0))
        return True

    def _apply(self, position: int, segment: Segment) -> None:
        change = self.state.apply(position, segment)
        if change is not None:
            self.changes.append(change)

    def _skip(self, first: int, end: int) -> None:
        """Take segments that somebody removed for damaged, so that later ones count.

        Whoever wrote these had seen those: they are no end of the journal.
        """
        what = name_of(self.log, first)
        if end - first > 1:
            what = f"range {first} to {end - 1} of the segments of {self.log.url}"
        why = "gone, though later ones are there"
        for position in range(first, end):
            self.damaged[position] = what, why
            self.state.apply(position, Segment(Kind.VOID, "", 0.0))
        _report_lost(DamagedError(what, why))

    def _segment(self, position: int) -> Segment | None:
        """Return the segment at `position` without its body; damaged ones are VOID."""
        try:
            found = look(self.log, position)
            return None if found is None else found[0]
        except DamagedError as error:
            return self._damage(position, error)

    def _damage(self, position: int, error: DamagedError) -> Segment:
        """Note that a segment is damaged, and return what stands in for it."""
        self.damaged[position] = name_of(self.log, position), error.why
        _report_lost(error)
        return Segment(Kind.VOID, "", 0.0)


class JournalUpkeep:
    """The `Upkeep` of a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def damaged(self) -> list[Fault]:
        from backends.interface import Fault  # a healthy store need not load it

        found = dict.fromkeys(self._journal.damaged.values())
        return [Fault(what, why) for what, why in found]

    def mend(self) -> int:
        damaged = self._journal.damaged
        mended = [at for at in damaged if self._journal.log.void(at)]
        for position in mended:
            del damaged[position]
        if damaged:
            self.compact()  # leaves out what is damaged in blocks that are merged
        return len(mended)

    def compact(self, keep: Iterable[Key] | None = None) -> int:
        self._journal.catch_up()
        return self._journal.compaction.merge_all(keep)


def _report_lost(error: DamagedError) -> None:
    warn(f"{error}; an invalidation in it has to be repeated")
