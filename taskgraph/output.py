"""What a task prints: kept with its record and shown when it is over."""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
from contextlib import suppress
from typing import TextIO

KEPT = 1 << 16
"""Bytes of a task's output that are kept: its end."""
_ROOM = 1 << 20


class Capture:
    """Sends this process's standard output and error to a private file.

    Everything counts: what C libraries and subprocesses print, too. `take` returns what
    was printed since it was last called, and passes it on to where it would have gone.

    Parameters
    ----------
    echo : int, optional
        Descriptor that gets a copy; the former standard output by default.
    """

    def __init__(self, echo: int | None = None) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as we live
        self._descriptor = self._file.fileno()
        _flush()
        self._before = os.dup(1), os.dup(2)
        self._echo = self._before[0] if echo is None else echo
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags | os.O_APPEND)
        os.dup2(self._descriptor, 1)
        os.dup2(self._descriptor, 2)
        self._streams = sys.stdout, sys.stderr  # a notebook's write elsewhere
        sys.stdout, sys.stderr = _stream(1), _stream(2)
        self._seen = 0

    def take(self) -> str:
        """Return what was printed since the last call: its last `KEPT` bytes."""
        _flush()
        size = os.fstat(self._descriptor).st_size
        if size == self._seen:
            return ""
        data = os.pread(self._descriptor, size - self._seen, self._seen)
        self._seen = size
        if size > _ROOM:
            os.ftruncate(self._descriptor, 0)
            self._seen = 0
        with suppress(OSError):
            os.write(self._echo, data)
        return data[-KEPT:].decode(errors="replace")

    def close(self) -> None:
        """Send standard output and error to where they went before."""
        self.take()
        sys.stdout, sys.stderr = self._streams
        for number, descriptor in enumerate(self._before, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        self._file.close()


def _stream(descriptor: int) -> TextIO:
    """Return a text stream that writes lines at once, so that their order stays."""
    return open(descriptor, "w", buffering=1, errors="replace", closefd=False)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError, AttributeError):
            stream.flush()
