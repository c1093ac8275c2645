"""A journal as one worker reads and writes it: read on, decide, compare-and-append."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from backends.compaction import Compaction
from backends.copies import KEPT_TWICE, Copies
from backends.errors import DamagedError, RewoundError, UnavailableError
from backends.garbage import few_collections
from backends.interface import Kind, Segment
from backends.reading import LATELY, Remembered, check_at, look, name_of
from backends.segment import (
    check_of,
    encode_frame,
    link_of,
    linked,
    refused,
    void_frame,
)
from backends.state import State, Unfolded
from backends.warning import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Bytes, Change, Key, Where
    from backends.log import Log

    Decision = Callable[[], Segment | None]

GONE = "gone, though later ones are there"
"""Why a segment is damaged that is not there, below others."""
_PASSED_OVER = LATELY
"""How many segments of others that go on from lost ones are passed over."""


@dataclass(slots=True)
class _Staged:
    """A segment that waits for its place: as it was wanted, stamped, and written."""

    wanted: Segment
    stamped: Segment
    start: Bytes
    name: str
    after: int

    def frame(self) -> list[Bytes]:
        """Return what is appended."""
        return [linked(self.start, self.after), self.stamped.body]


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
    position : int
        How many segments were read or appended.
    changes : list of Change
        What became known and was not told yet, oldest first.
    damaged : dict
        What could not be read and why, by the positions of the segments.
    refused : set of int
        Positions of segments that do nothing, since their writers had read others
        before them than are there.
    """

    def __init__(self, log: Log, clock: Callable[[], float]) -> None:
        self.log = log
        self.position = 0
        self._state = State()
        self._unfolded: Unfolded | None = Unfolded()
        self.changes: list[Change] = []
        self.damaged: dict[int, tuple[str, str]] = {}
        self.refused: set[int] = set()
        self.copies = Copies(log)
        self.compaction = Compaction(
            log, lambda: self.state, self.damaged, self.refused, self.copies
        )
        self._clock = clock
        self._looked_beyond = False
        self._last = 0
        self._read = Remembered()
        self._turn = 0
        self._joined = False
        self._strangers = 0
        self._gaps: list[int] = []
        self._rewound = False

    @property
    def state(self) -> State:
        """The state after all segments that were read or appended."""
        if self._unfolded is not None:
            state = State()  # an interrupt leaves nothing half done
            with few_collections():
                found = [state.apply(*one) for one in self._unfolded.segments]
            self.changes += [change for change in found if change is not None]
            self._state, self._unfolded = state, None
        return self._state

    def find(self, key: Key) -> Where | None:
        """Return where the record of a key is."""
        if self._unfolded is not None and self._unfolded.may_look():
            return self._unfolded.find(key)
        return self.state.find(key)

    def holds(self, keys: bytes) -> bool:
        """Return whether all these, concatenated, have results."""
        if self._unfolded is not None:
            if self._unfolded.holds(keys):
                return True
            if keys and not self._unfolded.published():
                return False
        return self.state.holds(keys)

    @property
    def unlocked(self) -> bool:
        """Whether nothing is locked, if that is seen without folding."""
        return self._unfolded is not None and self._unfolded.unlocked()

    def published(self) -> list[int]:
        """Return the positions of all segments that hold a record, in order."""
        if self._unfolded is not None and self._unfolded.plain:
            return self._unfolded.published()
        return self.state.published()

    def as_told(self) -> State:
        """Return a state that is right about failures, and when something was lost."""
        if self._unfolded is not None and self._unfolded.plain:
            return self._state
        return self.state

    def append(
        self, decide: Decision, *, durable: bool = False, looked: bool = False
    ) -> int | None:
        """Append what `decide` says of the state at the end; return where it went.

        If somebody else appended first, all is done again: a check and its act are one
        step. Who just `looked` tries first. None is returned if nothing is to append.

        Raises
        ------
        RewoundError
            What had been read before is not in the log any more.
        """
        staged: _Staged | None = None
        known = looked and self.log.lasting and self._joined and not self._rewound
        try:
            while True:
                segment, known = decide() if known else None, False
                if segment is None:
                    self._read_all()
                    segment = decide()
                if segment is None:
                    return None
                if staged is None or staged.wanted != segment:
                    if staged is not None:
                        self.log.unstage(staged.name)
                    staged = self._stage(segment, durable=durable)
                if self._put(staged):
                    return self._appended(staged)
        finally:
            if staged is not None:
                self.log.unstage(staged.name)

    def _stage(self, segment: Segment, *, durable: bool) -> _Staged:
        after = self._last
        discards = segment.kind in KEPT_TWICE  # their age is asked for
        now = self.log.space.now() if discards else self._clock()
        stamped = replace(segment, time=now, after=after)
        frame = encode_frame(stamped)
        name = self.log.stage(frame, durable=durable)
        return _Staged(segment, stamped, frame[0], name, after)

    def _put(self, staged: _Staged) -> bool:
        """Append what is staged to what was read; return whether nobody else did."""
        position, last = self.position, self._last
        after, staged.after = staged.after, last
        link = b"" if after == last else link_of(staged.start, last)
        if staged.wanted.kind not in KEPT_TWICE:
            return self.log.append(position, staged.name, link)
        self.copies.keep(position, staged.frame())
        if not (done := self.log.append(position, staged.name, link)):
            self.copies.drop(position, staged.frame())
        return done

    def _appended(self, staged: _Staged) -> int:
        """Take in what was just appended, if what came before it is still there."""
        position, segment = self.position, staged.stamped
        try:
            self._verify()
        except RewoundError:
            self._take_back(position, staged)
            raise
        except UnavailableError:
            pass  # it is there, whatever cannot be read now
        change = self.state.apply(position, segment)
        self.position = position + 1
        self._took(position, check_of(staged.start))
        if change is not None and segment.kind is not Kind.PUBLISH:
            self.changes.append(change)
        self.compaction.merge_behind(position)
        return position

    def _take_back(self, position: int, staged: _Staged) -> None:
        """Let nobody build on what was appended to a journal that is no more.

        Above a gap it goes: who starts now would skip what is gone, and others fill it.
        Elsewhere others may have come after it already, so its place stays taken.
        """
        if check_at(self.log, position - 1) is None:
            self.log.retract(position, staged.name)
        else:
            own = replace(staged.stamped, check=check_of(staged.start))
            void = void_frame(refused(own).check)
            self.log.replace(position, void, own.check)
        if staged.wanted.kind in KEPT_TWICE:
            self.copies.drop(position, staged.frame())

    def catch_up(self) -> None:
        """Apply everything that was appended since the last time.

        Raises
        ------
        RewoundError
            What had been read before is not in the log any more.
        """
        before = self.position
        self._read_all()
        if not self._joined:
            self._joined = True
            self._read.join()
        if self.position == before:
            self._verify()
            self._verify_one_more()

    def _verify(self) -> None:
        """See that the last segment that was taken in is still there."""
        if self._rewound:
            raise RewoundError(self.log.url)
        last = self.position - 1
        for position, check in self._read.lately():
            if position == last:
                self._compare(position, check)

    def _verify_one_more(self) -> None:
        """See that one of the segments that were read is there, and no gap was filled.

        What came after lost names may have been written when these were still there.
        Now and then, that nobody goes on above a gap at the end of what was read.
        """
        self._turn = (self._turn + 1) % (LATELY + 1)
        if self._turn == LATELY:
            self._looked_beyond = False
        elif one := self._read.one_more():
            self._compare(*one)
        for position in self._gaps:
            if check_at(self.log, position) and self.copies.frame(position) is None:
                self._stop()

    def _verify_lately(self) -> None:
        """See that what was read lately is there: much may be left out of a pack."""
        for position, check in self._read.lately():
            self._compare(position, check)

    def _compare(self, position: int, check: int) -> None:
        if check_at(self.log, position) not in {check, 0}:  # 0: whole when it was read
            self._stop()

    def _stop(self) -> NoReturn:
        self._rewound = True
        raise RewoundError(self.log.url)

    def _took(self, position: int, check: int) -> None:
        self._last = check
        if position in self.refused:
            check = 0
        if check:
            self._read.add(position, check)
        block, place = divmod(position + 1, self.log.block_size)
        if place == 0:
            self.compaction.ends[block - 1] = check

    def _read_all(self) -> None:
        if self._rewound:
            raise RewoundError(self.log.url)
        self.log.refresh()
        self._read_on()
        while not self._looked_beyond:
            before, later = self.position, self.log.after(self.position)
            self._looked_beyond = later is None or later <= before
            self._read_on()  # it may have been appended just now
            if later is not None and later > before == self.position:
                self._skip(before, later)
                self._read_on()

    def _read_on(self) -> None:
        while True:
            position = self.position
            if not self._read_block(position):
                segment = self._segment(position)
                if segment is None:
                    return
                if self._last and segment.after != self._last:
                    segment = self._judged(segment)
                self._apply(position, segment)

    def _read_block(self, position: int) -> bool:
        """Read the rest of a merged block at once; return whether it is one."""
        try:
            merged = self.log.merged(position)
        except DamagedError:
            return False  # segment by segment, to say so of each
        if merged is None:
            return False
        self._verify_lately()
        size = self.log.block_size
        last = position - position % size + size - 1
        with few_collections():
            for at, found in merged:
                if isinstance(found, DamagedError):
                    self._apply(at, self._damage(at, found))
                else:
                    self._apply(at, found)
        if self.position <= last:
            self._apply(last, Segment(Kind.VOID, "", 0.0))
        return True

    def _apply(self, position: int, segment: Segment) -> None:
        if self._unfolded is not None:
            self._unfolded.add(position, segment)
        elif (change := self._state.apply(position, segment)) is not None:
            self.changes.append(change)
        self.position = position + 1
        self._took(position, segment.check)

    def _judged(self, segment: Segment) -> Segment:
        """Return what to take in of a segment that does not follow what was read last.

        If that is not in the log any more, this reader was left behind when the log was
        rewound; if it is, the writer was. One that was merged does not say.
        """
        self._verify_lately()
        if not segment.after:
            return segment
        self.refused.add(self.position)
        self._strangers += self._joined
        if self._strangers > _PASSED_OVER:
            self._stop()  # who stays behind stops by himself: these go on, as we do
        if segment.check:
            self._read.add(self.position, segment.check)
        return refused(segment)

    def _skip(self, first: int, end: int) -> None:
        """Take segments that somebody removed for damaged, so that later ones count.

        Whoever wrote these had seen those: they are no end of the journal. If what was
        read last went with them, this reader was left behind.
        """
        self._verify_lately()
        what = name_of(self.log, first)
        if end - first > 1:
            what = f"range {first} to {end - 1} of the segments of {self.log.url}"
        self._gaps.append(first)
        copied, void = {*self.copies.named().values()}, Segment(Kind.VOID, "", 0.0)
        for at in range(first, end):
            self.damaged[at] = what, GONE
            self._apply(at, self._copy(at) if at in copied else void)
        self._last = 0
        warn(f"{DamagedError(what, GONE)}")

    def _copy(self, position: int) -> Segment:
        """Return the copy of a damaged segment, or else one that does nothing."""
        copied = self.copies.segment(position)
        if copied is None:
            return Segment(Kind.VOID, "", 0.0)
        return replace(copied, check=0)  # in the log stands something else, or nothing

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
        warn(f"{error}")
        return self._copy(position)
