"""The courier of this process: started when it is first asked for, one for all stores.

A fork of a process that has hired one goes on with that: so all workers of a `tg
execute` have one together, which asks for many of them at once. A courier ends when all
that it is known to are gone, however they ended. Who finds it gone hires another one.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading

from backends.bucket.courier import send

_START = """
import sys, json, os
sys.path[:] = json.loads(sys.argv[1])
if not os.fork():
    from backends.bucket.courier import main
    main(int(sys.argv[2]))
"""
"""It is no child of ours: a task that waits for all of its children must not wait."""


class Line(socket.socket):
    """A socket that is closed when nobody has it any more."""

    def __del__(self) -> None:
        self.close()


class _Agency:
    """Knows the courier of a process: that of its parent, until it hires one."""

    def __init__(self, line: Line | None = None) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self._line = line

    def line(self, greeting: object) -> Line:
        """Return a line of its own to the courier, who was told a greeting."""
        with self.lock:
            try:
                ours = self._join(self._line or self._hire())
            except OSError:  # the courier is gone
                ours = self._join(self._hire())
        send(ours, greeting)
        return ours

    def _join(self, hiring: Line) -> Line:
        ours, other = _pair()
        with other:
            socket.send_fds(hiring, [b"x"], [other.fileno()])
        return ours

    def _hire(self) -> Line:
        self._line, other = _pair()
        path = json.dumps([os.path.abspath(one) for one in sys.path])  # noqa: PTH100
        with other:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, path, str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                start_new_session=True,
                cwd="/",
            )
        process.wait()
        return self._line

    def inherited(self) -> _Agency:
        """Return that of a fork: a lock may be held in it for ever."""
        return _Agency(self._line)


def _pair() -> tuple[Line, Line]:
    one, other = socket.socketpair()
    return Line(fileno=one.detach()), Line(fileno=other.detach())


_agency = _Agency()


def hired(greeting: object) -> Line:
    """Return a line of its own to the courier of this process.

    Parameters
    ----------
    greeting : list
        What a `Courier` is made of.
    """
    global _agency  # noqa: PLW0603 - there is one in each process
    if _agency.pid != os.getpid():
        _agency = _agency.inherited()
    return _agency.line(greeting)
