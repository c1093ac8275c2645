"""A worker's process, as its supervisor sees it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError
from taskgraph.execution.process_state import descendants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backends.interface import Members
    from taskgraph.execution.processes.worker_process import Seat
    from taskgraph.execution.shared_page import SharedPage

_GRACE = 4.0
"""Seconds that a worker has to end once it was told to end at once."""
_TIMEOUT_GRACE = 5.0
"""Seconds after a task's timeout until its worker is killed."""
_LINGER = 30.0
"""Seconds in which a worker that has done all has to end."""
_READ = frozenset(("more", "same", "digests", "known"))
"""What is told of a jugfile that was read to its end, or to a barrier."""
LINGERS = (
    f"a worker was killed because it did not end within {_LINGER:.0f} s after its last "
    "task: a thread that it has, or what it does at exit, does not end"
)


@dataclass(slots=True)
class Child:
    """A worker's process.

    Attributes
    ----------
    worker : str
        What it is called in the store.
    started : float
        When, by the monotonic clock.
    read : bool
        Whether it has read the jugfile.
    joined : bool
        Whether it has locked something while it reads.
    beaten : bool
        Whether its heartbeat was renewed, and so may be there after it has left.
    pieces : list of bytes
        What it has told of a graph that it has not told to its end.
    why : str
        Why it ends.
    killed_at : float
        When it is to be killed, by the monotonic clock; 0 for never.
    overdue : bool
        Whether that is because of the time limit of its task.
    dismissed : bool
        Whether it was told to end because nobody needs it any more.
    """

    pid: int
    seat: Seat
    worker: str = field(init=False)
    started: float = field(default_factory=time.monotonic)
    read: bool = False
    joined: bool = False
    beaten: bool = False
    pieces: list[bytes] = field(default_factory=list)
    why: str = ""
    killed_at: float = 0.0
    overdue: bool = False
    dismissed: bool = False

    def __post_init__(self) -> None:
        self.worker = self.seat.worker

    @property
    def page(self) -> SharedPage:
        """The memory that it shares with the supervisor."""
        return self.seat.page

    def close(self) -> None:
        """Take back what it had, now that it has ended."""
        self.seat.letters.close()
        if self.page.share is not None:
            self.page.share.close()

    def told(self) -> Iterator[tuple[str, Any]]:
        """Yield what it told since, in order; the pieces of a graph together."""
        for about, content in self.seat.letters.received():
            self.read |= about in _READ
            if about == "piece":
                self.pieces.append(content)
            elif about == "more":
                pieces, self.pieces = self.pieces, []
                yield about, (*content, pieces)
            elif about == "same":
                yield "more", (0, 0, None)
            else:
                yield about, content

    def is_due(self, now: float) -> bool:
        """Return whether it has to be killed: told to end, overdue, or lingering."""
        running = self.page.running()
        deadline = running[1] if running else 0.0
        if deadline and now > deadline + _TIMEOUT_GRACE and not self.overdue:
            self.overdue = True
            self.killed_at = now
        if self.page.outcome() is not None and not self.killed_at:
            self.killed_at = now + _LINGER
        return bool(self.killed_at) and now >= self.killed_at

    def beat(self, members: Members, identity: Mapping[str, object]) -> None:
        """Renew its heartbeat."""
        self.beaten = True
        members.beat(self.worker, identity)

    def leave(self, members: Members) -> None:
        """Sign it off, now that it has ended, if it was renewed: maybe too late."""
        if self.beaten:
            with suppress(BackendError):
                members.leave(self.worker)

    def end(self) -> None:
        """Tell it to end at once; it is to be killed if it does not soon."""
        self.killed_at = self.killed_at or time.monotonic() + _GRACE
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def dismiss(self) -> None:
        """Tell it to end if it still reads, and so has locked and run nothing."""
        if not (self.read or self.joined or self.dismissed):
            self.dismissed = True
            self.end()

    def kill(self) -> None:
        """Kill it and what it has started: programs would go on, and write files."""
        for pid in (self.pid, *descendants(self.pid)):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def children_can_be_waited_for() -> Iterator[None]:
    """Learn of the end of children, though SIGCHLD was ignored before."""
    before = None
    with suppress(ValueError):  # only the main thread may set it
        before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGCHLD, before)
