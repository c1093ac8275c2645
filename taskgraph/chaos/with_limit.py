"""Commands with a limit: one that hangs is ended, and says where it stands."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FAULTHANDLER = ("-X", "faulthandler")
"""Options of Python with which it prints its stacks when it is told to abort."""
_TO_SAY = 5.0
"""Seconds for all processes of a command to print their stacks."""
_LOOK = 0.05
_SHOWN = 20_000
"""Bytes of that which are kept."""


class Command:
    """A process that was started, all that it starts, and how long they may take.

    Parameters
    ----------
    name : str
        What it is called.
    argv : sequence of str
        What is started, in a session of its own.
    folder : Path
        Where.
    said : file
        Where to it prints; others may print there, too.

    Attributes
    ----------
    pid : int
        Of the process, and of the group of all that it starts.

    Examples
    --------
    >>> import sys
    >>> from pathlib import Path
    >>> from tempfile import TemporaryFile
    >>> from taskgraph.chaos.with_limit import Command
    >>> with TemporaryFile() as said:
    ...     Command("true", [sys.executable, "-c", ""], Path(), said).wait(60.0)
    (0, '')
    """

    def __init__(
        self, name: str, argv: Sequence[str], folder: Path, said: IO[bytes]
    ) -> None:
        self.name = name
        self._said = said.fileno()
        self._process = subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._began = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._began

    def code(self) -> int | None:
        """Return how it ended; None if it has not."""
        return self._process.poll()

    def wait(self, seconds: float) -> tuple[int | None, str]:
        """Wait until it has ended, so many seconds at most; then it is ended.

        Returns
        -------
        code : int or None
            How it ended; None if it had to be ended.
        stood : str
            Then, what it said of where it stood.
        """
        try:
            return self._process.wait(seconds), ""
        except subprocess.TimeoutExpired:
            return None, self.end()
        except BaseException:  # who is interrupted leaves nobody behind
            send(-self.pid, signal.SIGKILL)
            self._process.wait()
            raise

    def end(self) -> str:
        """End it and all that it started; return the stacks that they print."""
        before = os.fstat(self._said).st_size
        for number in (signal.SIGCONT, signal.SIGABRT):
            send(-self.pid, number)
        until = time.monotonic() + _TO_SAY
        while time.monotonic() < until and send(-self.pid, 0):
            self._process.poll()  # who is a zombie counts as there
            time.sleep(_LOOK)
        send(-self.pid, signal.SIGKILL)
        self._process.wait()
        said = os.pread(self._said, _SHOWN, before)  # its place is others' place, too
        return said.decode(errors="replace").strip()


def send(pid: int, number: int) -> bool:
    """Send a signal to a process, or to a group; return whether it was there."""
    with suppress(ProcessLookupError):
        os.killpg(-pid, number) if pid < 0 else os.kill(pid, number)
        return True
    return False
