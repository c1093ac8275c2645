"""What a worker and its supervisor both see: what runs, and whether to go on."""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from backends.interface import KEY_SIZE, Key
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.execution.choosing.pool import Share
    from taskgraph.execution.clock import Clock

_SLOT = struct.Struct(f"<{KEY_SIZE}s?dQ")
_STOP, _ENDED, _START = 0, 1, 2
_SIGNAL = _START + _SLOT.size
_GO = _SIGNAL + 1
_LIMITED, _PROGRESS, _OVER = _GO + 1, _GO + 2, _GO + 3
_NUMBER = struct.Struct("<Q")
_TAKEN, _MADE = 48, 56
_NAP = 0.01
"""Seconds from one look to the next whether a worker has met the end."""
_ABOUT = 64
"""Where it says what a task with a time limit is: the size (2 bytes) and the text."""


class Page(Protocol):
    """What a worker writes down, and what it may read."""

    share: Share | None
    """Of the resources that the workers of a run have together."""

    def expect(self, seconds: float | None) -> None:
        """Take note of how long a task will take that is about to be locked."""

    def begin(self, key: Key, deadline: float) -> None:
        """Note what runs now, and until when it may (monotonic; 0 for no limit)."""

    def end(self) -> None:
        """Note that nothing runs."""

    def running(self) -> tuple[Key, float] | None:
        """Return what runs and its deadline, if somebody keeps an eye on it."""

    def note_taken(self, count: int) -> None:
        """Note that so many more results were taken from other stores."""

    def note_made(self, count: int) -> None:
        """Note that so many more results, or failures, were published."""

    def rest(self, seconds: float, clock: Clock) -> None:
        """Wait, but no longer than until another worker has met the end."""

    def note_limit(self, *, progress: bool = False) -> None:
        """Note that a limit ends the worker, and whether it has run any task."""

    @property
    def stopping(self) -> bool:
        """Whether no new task is wanted."""


class NoPage:
    """The page of a worker without a supervisor."""

    stopping = False
    share: Share | None = None

    def expect(self, seconds: float | None) -> None:
        """Do nothing: there is time."""

    def begin(self, key: Key, deadline: float) -> None:
        """Note nothing."""

    def end(self) -> None:
        """Note nothing."""

    def running(self) -> None:
        """Return None: nobody else would deal with it."""

    def note_limit(self, *, progress: bool = False) -> None:
        """Note nothing: nobody asks."""

    def note_progress(self) -> None:
        """Note nothing: nobody asks."""

    def note_taken(self, count: int) -> None:
        """Note nothing: nobody asks."""

    def note_made(self, count: int) -> None:
        """Note nothing: nobody asks."""

    def rest(self, seconds: float, clock: Clock) -> None:
        """Wait: nobody tells of others."""
        if seconds:
            clock.sleep(seconds)


class SharedPage:
    """A page of memory that a worker shares with its supervisor.

    Attributes
    ----------
    describe : callable or None
        Says of a key what its task is, in the worker: asked for tasks with a time
        limit, which the supervisor may have to record.
    supervisor : int
        Its process.
    share : Share, optional
        Of the resources that the workers of a run have together.
    """

    def __init__(self, share: Share | None = None) -> None:
        self.share = share
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self.supervisor = os.getpid()
        self.describe: Callable[[Key], str] | None = None
        self._begun = 0

    def finish(self, code: ExitCode) -> None:
        """Note that the worker ended by its own will, and how."""
        self._page[_ENDED] = 1 + code

    def note_signal(self, signo: int) -> None:
        """Note that a signal ends the worker that its supervisor did not send."""
        self._page[_SIGNAL] = signo

    def ended_by_signal(self) -> int:
        """Return the signal of somebody else that ended the worker, 0 if none did."""
        return self._page[_SIGNAL]

    def expect(self, seconds: float | None) -> None:
        """Do nothing: there is time."""

    def note_limit(self, *, progress: bool = False) -> None:
        """Note that a limit, as of time or of tasks, ends the worker."""
        self._page[_LIMITED] = 1
        if progress:
            self.note_progress()

    @property
    def limited(self) -> bool:
        """Whether a limit ended the worker."""
        return self._page[_LIMITED] == 1

    def note_progress(self) -> None:
        """Note that a task was run to its end; noted by workers with limits only."""
        self._page[_PROGRESS] = 1

    @property
    def progress(self) -> bool:
        """Whether a worker with limits has run a task to its end."""
        return self._page[_PROGRESS] == 1

    def note_taken(self, count: int) -> None:
        """Note that so many more results were taken from other stores."""
        _NUMBER.pack_into(self._page, _TAKEN, self.taken + count)

    @property
    def taken(self) -> int:
        """How many results were taken from other stores."""
        return int(_NUMBER.unpack_from(self._page, _TAKEN)[0])

    def note_made(self, count: int) -> None:
        """Note that so many more results, or failures, were published."""
        _NUMBER.pack_into(self._page, _MADE, self.made + count)

    @property
    def made(self) -> int:
        """How many results and failures were published."""
        return int(_NUMBER.unpack_from(self._page, _MADE)[0])

    def about(self) -> str:
        """Return what `describe` said of the last task with a time limit."""
        size = int.from_bytes(self._page[_ABOUT : _ABOUT + 2], "little")
        data = self._page[_ABOUT + 2 : _ABOUT + 2 + size]
        return data.decode(errors="replace")

    def outcome(self) -> ExitCode | None:
        """Return how the worker ended, None if it did not mean to."""
        code = self._page[_ENDED] - 1
        return ExitCode(code) if code >= 0 else None

    def begin(self, key: Key, deadline: float) -> None:
        """Note what runs now, and until when it may (monotonic; 0 for no limit)."""
        if deadline and self.describe is not None:
            text = self.describe(key).encode(errors="replace")
            text = text[: len(self._page) - _ABOUT - 2]
            self._page[_ABOUT : _ABOUT + 2] = len(text).to_bytes(2, "little")
            self._page[_ABOUT + 2 : _ABOUT + 2 + len(text)] = text
        self._begun += 1
        _SLOT.pack_into(self._page, _START, key, True, deadline, self._begun)

    def end(self) -> None:
        """Note that nothing runs."""
        self._page[_START + KEY_SIZE] = 0

    def running(self) -> tuple[Key, float] | None:
        """Return what runs and its deadline."""
        key, busy, deadline, _ = _SLOT.unpack_from(self._page, _START)
        return (key, deadline) if busy else None

    @property
    def ended(self) -> int:
        """How many tasks have run here, however they ended."""
        _, busy, _, begun = _SLOT.unpack_from(self._page, _START)
        return int(begun - busy)

    def go(self) -> None:
        """Let tasks be run: all is ready for them."""
        self._page[_GO] = 1

    @property
    def may_run(self) -> bool:
        """Whether tasks may be run."""
        return self._page[_GO] == 1

    def rest(self, seconds: float, clock: Clock) -> None:
        """Wait, but no longer than until another worker has met the end."""
        while seconds > 0 and not self._page[_OVER]:
            clock.sleep(min(seconds, _NAP))
            seconds -= _NAP

    def note_end(self) -> None:
        """Note that another worker has met the end: there may be nothing left to do."""
        self._page[_OVER] = 1

    def stop(self) -> None:
        """Ask for no new task."""
        self._page[_STOP] = 1

    @property
    def stopping(self) -> bool:
        """Whether no new task is wanted, or the supervisor is gone."""
        return self._page[_STOP] == 1 or os.getppid() != self.supervisor


@dataclass(slots=True)
class Notes:
    """What the workers of a run have noted, all together.

    Attributes
    ----------
    limited, progress : bool
        Whether a limit of time or of tasks ended one, and if one with such limits has
        run a task to its end.
    taken, made : int
        How many results they took from other stores, and how many, with failures, they
        published.
    """

    limited: bool = False
    progress: bool = False
    taken: int = 0
    made: int = 0

    def add(self, page: SharedPage) -> None:
        """Take in what a worker has noted that has ended."""
        self.limited |= page.limited
        self.progress |= page.progress
        self.taken += page.taken
        self.made += page.made
