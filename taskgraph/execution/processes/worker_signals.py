"""What signals do to a worker, and to the programs that its tasks start."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError
from taskgraph.execution.process_state import StopNow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgraph.execution.shared_page import SharedPage

SIGNALS = {
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
    signal.SIGHUP,
}
"""Those that end a run, sooner or later."""
_ENDING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
"""Those that a worker acts on itself."""
_OF_ALL = (signal.SIGINT, signal.SIGHUP)
"""Those that a terminal sends to all: it is for the supervisor to act on them."""


_PATIENCE = 1.0
"""Seconds in which the supervisor says that a signal meant the run."""


def require_signals() -> None:
    """Refuse a system on which nobody can watch over workers.

    Raises
    ------
    UsageError
        It cannot wait for a signal and a moment at once, as macOS cannot.
    """
    if not hasattr(signal, "sigtimedwait"):
        raise UsageError(
            f"workers need Linux, and this is {os.uname().sysname}; use a container, "
            "or in this process (--debug, or workers=0 for taskgraph.run)"
        )


class _Duration(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def wait_for_signal(watched: Iterable[int], seconds: float) -> int:
    """Wait for one of some blocked signals; return its number, 0 if none came in time.

    Python's own `signal.sigtimedwait` makes up a signal, of whatever its memory holds,
    when the process was stopped and is continued after the time has passed.

    Examples
    --------
    >>> import signal
    >>> before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    >>> signal.raise_signal(signal.SIGUSR1)
    >>> wait_for_signal({signal.SIGUSR1}, 1) == signal.SIGUSR1
    True
    >>> wait_for_signal({signal.SIGUSR1}, 0)
    0
    >>> _ = signal.pthread_sigmask(signal.SIG_SETMASK, before)
    """
    system = ctypes.CDLL(None)
    wanted = ctypes.create_string_buffer(128)
    system.sigemptyset(wanted)
    for number in watched:
        system.sigaddset(wanted, int(number))
    duration = _Duration(int(seconds), int(seconds % 1 * 1e9))
    return max(0, int(system.sigtimedwait(wanted, None, ctypes.byref(duration))))


class Stopped(KeyboardInterrupt):
    """A worker has to end while it reads the jugfile, which lets this one through."""


class _Stop:
    """Ends the worker at once, but properly.

    Unless the supervisor says so, the task that runs stays on the page: it may have
    done that, and the supervisor has to judge.
    """

    def __init__(self, page: SharedPage) -> None:
        self._page = page
        self.reading = True

    def __call__(self, signo: int, _frame: object) -> None:
        page = self._page
        told = page.stopping
        page.stop()
        if not told:
            page.note_signal(signo)
        if self.reading or page.running() is not None:
            for number in _ENDING:
                signal.signal(number, _nothing)
            if self.reading:
                raise Stopped
            if told:
                page.end()
            raise StopNow


class Interrupted:
    """Waits for what the supervisor decides, and remembers that it may come.

    A terminal sends its signals to programs of tasks, too: if one of them ends by it,
    that is no failure of its task.
    """

    def __init__(self, page: SharedPage) -> None:
        self._page = page
        self.came = False

    def __call__(self, _signo: int, _frame: object) -> None:
        """Remember it."""
        self.came = True

    def abandon(self) -> None:
        """End the worker, if the run ends, instead of recording a failure."""
        until = time.monotonic() + _PATIENCE
        while not self._page.stopping and time.monotonic() < until:
            time.sleep(_PATIENCE / 100)
        self.came = False
        if self._page.stopping:
            self._page.end()
            raise StopNow


def taken(page: SharedPage) -> _Stop:
    """Take the signals that mean a worker; return what acts on them.

    None is ignored: programs would inherit that, while handlers end with an exec.
    """
    stop, interrupted = _Stop(page), Interrupted(page)
    for number in _OF_ALL:
        signal.signal(number, interrupted)
        signal.siginterrupt(number, False)
    for number in _ENDING:
        signal.signal(number, stop)
    _leave_to_children()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    return stop


def _leave_to_children() -> None:
    """Let a signal to a process that a task forked end that process alone.

    They wait while it forks: one that came before Python is ready would be forgotten.
    """
    own = os.getpid()
    before: list[set[int]] = []

    def hold() -> None:
        if os.getpid() == own:
            before.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)))

    def go_on() -> None:
        if before:
            signal.pthread_sigmask(signal.SIG_SETMASK, before.pop())

    def be_a_child() -> None:
        if before:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
        go_on()

    os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=be_a_child)


def _nothing(_signo: int, _frame: object) -> None:
    """Do nothing, but in this process only."""
