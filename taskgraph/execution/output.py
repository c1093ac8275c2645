"""What a task prints: kept with its record and shown when it is over."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT = 1 << 16
"""Bytes of a task's output that are kept: its end."""
IN_ALL = 64 << 20
"""Bytes that a worker keeps so of all its tasks; then only `LITTLE` of each."""
LITTLE = 1 << 12
_PIECE = 1 << 20
_MARK = b"-"
"""What the file begins with: so it is never as empty as ``/dev/null``."""
_HIGH = 900
"""Our descriptors begin here: tasks that close all low ones spare them."""


class Capture:
    """Sends this process's standard output and error to a private file.

    Everything counts: what C libraries and subprocesses print, too. `take` returns what
    was printed since it was last called, and passes it on to where it would have gone.
    A task that closes or redirects the standard streams does so for itself only: `take`
    puts them back.

    Parameters
    ----------
    echo : int, optional
        Descriptor that gets a copy; the former standard output by default.
    """

    def __init__(self, echo: int | None = None) -> None:
        flush_streams()
        self._room = IN_ALL
        self._streams = sys.stdout, sys.stderr  # a notebook's write elsewhere
        self._before = DescriptorCopy(1), DescriptorCopy(2)
        self._echo = self._before[0] if echo is None else DescriptorCopy(echo)
        self._aside = self._before[1] if echo is None else self._echo
        self._begin()

    def _begin(self) -> None:
        """Make a new file and send everything to it."""
        file = _nameless()
        # Not by opening it once more: some file systems cannot once it has no name.
        flags = fcntl.fcntl(file, fcntl.F_GETFL)
        fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
        self._spare = DescriptorCopy(file)
        os.write(file, _MARK)
        os.close(file)
        self._seen = len(_MARK)
        self._redirect()

    def _redirect(self) -> None:
        for number in (1, 2):
            self._spare.copy_to(number)
        self._out, self._err = sys.stdout, sys.stderr = _stream(1), _stream(2)

    def take(self) -> str:
        """Return what was printed since the last call: its last `KEPT` bytes.

        If there was more, a line before them says how much. After `IN_ALL` bytes it is
        the last `LITTLE`: else workers that print much would fill the store.
        """
        out, err, seen = self._out, self._err, self._seen
        if sys.stdout is out and sys.stderr is err:  # the usual: few system calls
            try:
                out.flush()
                err.flush()
                if os.lseek(1, 0, os.SEEK_END) == seen == os.lseek(2, 0, os.SEEK_END):
                    return ""
            except (OSError, ValueError):  # a task has closed one
                pass
        flush_streams()
        if not self._intact():
            self._put_back()
        size = _size(1)
        end = self._pass_on(self._seen, size)
        end = end if self._room >= len(end) else end[-LITTLE:]
        self._room -= len(end)
        before = size - self._seen - len(end)
        os.ftruncate(1, len(_MARK))  # so that it has what the next task prints alone
        self._seen = len(_MARK)
        return _cut(end, before) if before > 0 else end.decode(errors="replace")

    def _pass_on(self, start: int, size: int) -> bytes:
        """Copy what was printed to where it would have gone; return its end."""
        echo = self._echo.intact()
        end = b""
        while start < size and (piece := os.pread(1, min(_PIECE, size - start), start)):
            start += len(piece)
            end = (end + piece)[-KEPT:]
            with suppress(OSError):  # nobody listens any more
                while echo and piece:
                    piece = piece[os.write(self._echo.number, piece) :]
        return end

    def _intact(self) -> bool:
        """Return whether the standard streams still lead to our file."""
        files = {_identity(1), _identity(2), self._spare.identity}
        return self._streams_are_ours() and len(files) == 1

    def _streams_are_ours(self) -> bool:
        out, err = self._out, self._err
        same = sys.stdout is out and sys.stderr is err
        return same and not (out.closed or err.closed)

    def _put_back(self) -> None:
        """Undo what a task did to the standard streams."""
        if _identity(0) is None:
            os.open(os.devnull, os.O_RDONLY)  # is 0: the lowest that is free
        if self._spare.intact():
            self._redirect()
        else:
            self._begin()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Let what the block prints to standard error pass by: it is of no task."""
        kept = self._aside
        if not kept.intact():
            yield
            return
        with suppress(OSError), open(kept.number, "w", closefd=False) as stream:
            before, sys.stderr = sys.stderr, stream
            try:
                yield
            finally:
                sys.stderr = before

    def close(self) -> None:
        """Send standard output and error to where they went before."""
        with suppress(OSError):
            self.take()
        sys.stdout, sys.stderr = self._streams
        for number, kept in enumerate(self._before, start=1):
            if kept.intact():
                kept.copy_to(number)
            kept.close()
        self._spare.close()


def printed_so_far(pid: int) -> str | None:
    """Return what the task of a worker has printed until now: its last `KEPT` bytes.

    None if it cannot be known: it is another user's process, or no worker's, or no
    such file system as that of Linux tells of it.
    """
    try:
        file = os.open(f"/proc/{pid}/fd/1", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        about = os.fstat(file)
        ours = stat.S_ISREG(about.st_mode) and not about.st_nlink
        if not ours or os.pread(file, len(_MARK), 0) != _MARK:
            return None
        start = max(len(_MARK), about.st_size - KEPT)
        end = os.pread(file, KEPT, start)
    except OSError:
        return None
    finally:
        os.close(file)
    before = start - len(_MARK)
    return _cut(end, before) if before else end.decode(errors="replace")


class DescriptorCopy:
    """A copy of a descriptor, out of the way; tasks may close it all the same."""

    def __init__(self, descriptor: int) -> None:
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = _HIGH if most > 2 * _HIGH or most < 0 else most // 2
        self.number = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
        self.identity = _identity(descriptor)

    def intact(self) -> bool:
        """Return whether it is still what it was."""
        return self.identity is not None and _identity(self.number) == self.identity

    def copy_to(self, number: int) -> None:
        """Let `number` be the same file."""
        os.dup2(self.number, number)

    def close(self) -> None:
        """Close it, unless it is somebody else's now."""
        if self.intact():
            os.close(self.number)


def _nameless() -> int:
    """Return a new file without a name, where there is room for temporary ones."""
    folder = os.environ.get("TMPDIR") or "/tmp"
    with suppress(AttributeError, OSError):  # elsewhere it takes a name for a moment
        return os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    import tempfile  # costs time at every start

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _cut(end: bytes, before: int) -> str:
    """Return the last of many bytes as text, from the beginning of a line if one is."""
    rest, _, lines = end.partition(b"\n")
    if lines:
        before, end = before + len(rest) + 1, lines
    return f"[{before} bytes before this are not kept]\n" + end.decode(errors="replace")


def _size(descriptor: int) -> int:
    """Return the size of a file, -1 if there is none; cheaper than to ask for all."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_END)
    except OSError:
        return -1


def _identity(descriptor: int) -> tuple[int, int] | None:
    """Return which file a descriptor leads to, None if it is closed."""
    try:
        about = os.fstat(descriptor)
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _stream(descriptor: int) -> TextIO:
    """Return a text stream that writes lines at once, so that their order stays."""
    return open(descriptor, "w", buffering=1, errors="replace", closefd=False)


def flush_streams() -> None:
    """Write what standard output and error still keep to themselves."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError, AttributeError):
            stream.flush()
