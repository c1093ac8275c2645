"""What a worker and its supervisor both see: what runs, and whether to go on."""

from __future__ import annotations

import mmap
import os
import struct
from typing import Protocol

from backends.interface import KEY_SIZE, Key
from taskgraph.exit_codes import ExitCode

_SLOT = struct.Struct(f"<{KEY_SIZE}s?d")
_STOP, _ENDED, _START = 0, 1, 2
_SIGNAL = _START + _SLOT.size
_WHY = 64
"""Where it says why a worker ends: the size (2 bytes) and the text."""


class Page(Protocol):
    """What a worker writes down, and what it may read."""

    def begin(self, key: Key, deadline: float) -> None:
        """Note what runs now, and until when it may (monotonic; 0 for no limit)."""

    def end(self) -> None:
        """Note that nothing runs."""

    def running(self) -> tuple[Key, float] | None:
        """Return what runs and its deadline, if somebody keeps an eye on it."""

    @property
    def stopping(self) -> bool:
        """Whether no new task is wanted."""


class NoPage:
    """The page of a worker without a supervisor."""

    stopping = False

    def begin(self, key: Key, deadline: float) -> None:
        """Note nothing."""

    def end(self) -> None:
        """Note nothing."""

    def running(self) -> None:
        """Return None: nobody else would deal with it."""


class SharedPage:
    """A page of memory that a worker shares with its supervisor."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._supervisor = os.getpid()

    def finish(self, code: ExitCode) -> None:
        """Note that the worker ended by its own will, and how."""
        self._page[_ENDED] = 1 + code

    def note_signal(self, signo: int) -> None:
        """Note that a signal ends the worker that its supervisor did not send."""
        self._page[_SIGNAL] = signo

    def ended_by_signal(self) -> int:
        """Return the signal of somebody else that ended the worker, 0 if none did."""
        return self._page[_SIGNAL]

    def say_why(self, words: str) -> None:
        """Note why the worker ends; the end of what is too long."""
        data = words.encode(errors="replace")[-(len(self._page) - _WHY - 2) :]
        self._page[_WHY : _WHY + 2] = len(data).to_bytes(2, "little")
        self._page[_WHY + 2 : _WHY + 2 + len(data)] = data

    def why(self) -> str:
        """Return why the worker ended, empty if it did not say."""
        size = int.from_bytes(self._page[_WHY : _WHY + 2], "little")
        data = self._page[_WHY + 2 : _WHY + 2 + size]
        return data.decode(errors="replace")

    def outcome(self) -> ExitCode | None:
        """Return how the worker ended, None if it did not mean to."""
        code = self._page[_ENDED] - 1
        return ExitCode(code) if code >= 0 else None

    def begin(self, key: Key, deadline: float) -> None:
        """Note what runs now, and until when it may (monotonic; 0 for no limit)."""
        _SLOT.pack_into(self._page, _START, key, True, deadline)

    def end(self) -> None:
        """Note that nothing runs."""
        self._page[_START + KEY_SIZE] = 0

    def running(self) -> tuple[Key, float] | None:
        """Return what runs and its deadline."""
        key, busy, deadline = _SLOT.unpack_from(self._page, _START)
        return (key, deadline) if busy else None

    def stop(self) -> None:
        """Ask for no new task."""
        self._page[_STOP] = 1

    @property
    def stopping(self) -> bool:
        """Whether no new task is wanted, or the supervisor is gone."""
        return self._page[_STOP] == 1 or os.getppid() != self._supervisor
