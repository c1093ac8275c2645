"""What a task may leave behind in its process, and the next one must not find."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class ProcessState:
    """The working directory, and the mode of new files, as they are now.

    The store is written with them, and a relative path means the same to every task.
    """

    def __init__(self) -> None:
        self._folder = ""
        with suppress(OSError):  # somebody removed it
            self._folder = os.getcwd()  # noqa: PTH109 - as short as it is fast
        self._mask = os.umask(0o077)
        os.umask(self._mask)

    def restore(self) -> None:
        """Put them back."""
        os.umask(self._mask)
        try:  # after each task: to ask takes half as long as to go there
            if os.getcwd() == self._folder:  # noqa: PTH109 - as short as it is fast
                return
        except OSError:  # that one was removed
            pass
        with suppress(OSError):  # as this one may be
            os.chdir(self._folder)


def since_boot() -> float:
    """Return the seconds since the machine started, as processes are stamped."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def end_programs(since: float) -> None:
    """Kill what this process has started, and what that has, from a time on.

    Parameters
    ----------
    since : float
        As `since_boot` tells it.
    """
    first = int(since * os.sysconf("SC_CLK_TCK"))
    for pid in descendants(os.getpid(), first):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int, since: int = 0) -> list[int]:
    """Return the processes that a process has started, and those that they have.

    Parameters
    ----------
    pid : int
        The process.
    since : int, optional
        Ticks since boot: only what was started then or later.

    Returns
    -------
    list of int
        None where there is no ``/proc``.
    """
    others = [row for row in _processes() if row[2] >= since]
    found = [pid]
    for one in found:
        found += [child for child, parent, _ in others if parent == one]
    return found[1:]


def _processes() -> Iterator[tuple[int, int, int]]:
    """Yield all processes: number, parent, start in ticks since boot."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            number, _, rest = path.read_text(errors="replace").partition(" ")
            about = rest.rpartition(")")[2].split()
            yield int(number), int(about[1]), int(about[19])
