"""The fetcher of this process: started when it is first asked, one for all addresses.

A fork of a process that has hired one goes on with that. A fetcher ends when all that
it is known to are gone, however they ended. Who finds it gone hires another one, and so
does who has other credentials in the environment.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Environment: TypeAlias = tuple[tuple[str, str], ...]
_START = """
import sys, json, os
sys.path[:] = json.loads(sys.argv[1])
if not os.fork():
    from segkit.io.elsewhere.fetching import main
    main(int(sys.argv[2]))
"""
"""It is no child of ours: a task that waits for all of its children must not wait."""
_CREDENTIALS = ("AWS_", "GOOGLE_", "STORAGE_", "TENSORSTORE_", "NETRC", "HOME")


class _Socket(socket.socket):
    """A socket that is closed when nobody has it any more."""

    def __del__(self) -> None:
        self.close()


def _pair() -> tuple[_Socket, _Socket]:
    one, other = socket.socketpair()
    return _Socket(fileno=one.detach()), _Socket(fileno=other.detach())


def _environment() -> Environment:
    names = sorted(n for n in os.environ if n.startswith(_CREDENTIALS))
    return tuple((name, os.environ[name]) for name in names)


@dataclass(frozen=True, slots=True)
class _Line:
    """One socket twice: for messages, and for descriptors of memory."""

    socket: socket.socket
    messages: Connection


class _Agency:
    """Knows the fetcher of a process: that of its parent, until it hires one."""

    def __init__(
        self, hired: _Socket | None = None, environment: Environment = ()
    ) -> None:
        self.pid = os.getpid()
        self._lock = threading.Lock()
        self._hired = hired
        self._environment = environment

    def line(self, environment: Environment) -> _Line:
        """Return a line of its own to the fetcher."""
        with self._lock:
            if self._hired is None or self._environment != environment:
                self._hire(environment)
            try:
                return self._join()
            except OSError:  # the fetcher is gone
                self._hire(environment)
                return self._join()

    def _join(self) -> _Line:
        if self._hired is None:
            raise OSError
        ours, other = _pair()
        with other:
            socket.send_fds(self._hired, [b"x"], [other.fileno()])
        return _Line(ours, Connection(os.dup(ours.fileno())))

    def _hire(self, environment: Environment) -> None:
        self._hired, other = _pair()
        self._environment = environment
        path = json.dumps([os.path.abspath(one) for one in sys.path])  # noqa: PTH100 - of text
        with other:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, path, str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                process_group=0,  # Ctrl-C is not meant for it
                cwd="/",
            )
        process.wait()

    def inherited(self) -> _Agency:
        """Return that of a fork: a lock may be held in it for ever."""
        return _Agency(self._hired, self._environment)


_agency = _Agency()
_own = threading.local()


def _line() -> _Line:
    """Return the line of this thread."""
    global _agency  # noqa: PLW0603 - there is one in each process
    if _agency.pid != os.getpid():
        _agency = _agency.inherited()
    environment = _environment()
    known = os.getpid(), environment
    if getattr(_own, "known", None) != known:
        _own.line = _agency.line(environment)
        _own.known = known
    line: _Line = _own.line
    return line


def ask(*request: Any, memory: int | None = None) -> tuple[Any, ...]:
    """Return the answer to a request.

    Parameters
    ----------
    request
        What to do and with what; see `fetching`.
    memory : int, optional
        Descriptor of the memory in which voxels are, or into which they are to come.

    Returns
    -------
    tuple
        ``("ok", value)`` or ``("failed", kind, word)``.

    Raises
    ------
    ConnectionError
        If the fetcher ended, twice.
    """
    for last in (False, True):
        try:
            return _asked(request, memory)
        except (EOFError, OSError) as error:
            if last:
                raise ConnectionError(
                    "the process that reads what is elsewhere ended; is there memory"
                    " enough for the boxes that are read at once?"
                ) from error
    raise AssertionError


def _asked(request: tuple[Any, ...], memory: int | None) -> tuple[Any, ...]:
    line = _line()
    try:
        line.messages.send(request)
        if memory is not None:
            socket.send_fds(line.socket, [b"m"], [memory])
        answer: tuple[Any, ...] = line.messages.recv()
        return answer
    except BaseException:
        # What comes next on it would be the answer to something else.
        _own.known = None
        raise


def shared(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, NDArray[Any]]:
    """Return an array that the fetcher can be handed, and the descriptor to do it by.

    The memory lives as long as the array; the descriptor is to be closed.

    Raises
    ------
    MemoryError
        The machine has no room for so many voxels.
    """
    _require_room(shape, dtype)
    size = math.prod(shape) * dtype.itemsize
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("voxels")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        os.ftruncate(descriptor, size)
        whole = mmap.mmap(descriptor, size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, np.frombuffer(whole, dtype).reshape(shape)


def _require_room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise `MemoryError` for more than the machine has.

    Of memory that is shared the system promises any amount, and ends processes when
    it is written to; of a process's own it refuses what it can never have.
    """
    try:
        np.empty(shape, dtype)
    except (MemoryError, ValueError):  # the latter beyond what any machine can address
        raise MemoryError(
            f"a box of {' x '.join(map(str, shape))} voxels of {dtype} does not fit"
            " into memory; read smaller boxes, or a coarser level"
        ) from None
