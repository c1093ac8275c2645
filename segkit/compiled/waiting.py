"""One line for whoever waits at a terminal while kernels are compiled."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

PATIENCE = 2.0
"""Seconds that compiling may take in a process before it is told."""


class Waiting:
    """Tells once in a process that it compiles, if that takes longer than one waits.

    Attributes
    ----------
    left : float
        Seconds until it is told.
    stream : text stream, optional
        Where, if that is a terminal; standard error by default.
    told : bool
        Whether it was.
    """

    def __init__(
        self, patience: float = PATIENCE, stream: TextIO | None = None
    ) -> None:
        self.left = patience
        self.stream = stream
        self.told = False
        self._turn: int | None = None

    def share(self) -> None:
        """Let forks of this process tell on its terminal, too: one of them.

        What they print themselves is kept with their tasks.
        """
        terminal = self.stream or sys.stderr
        if self._turn is not None or terminal is None or not terminal.isatty():
            return
        with suppress(OSError):  # a terminal that has no descriptor, or none is left
            self.stream = open(os.dup(terminal.fileno()), "w", buffering=1)  # noqa: SIM115, PTH123 - as long as this process
            self._turn, other = os.pipe()
            os.write(other, b"1")
            os.close(other)

    @contextmanager
    def told_if_long(self) -> Iterator[None]:
        """Count the time of the block; tell on a terminal when it is too long."""
        stream = self.stream or sys.stderr
        if self.told or stream is None or not stream.isatty():
            yield
            return
        began = time.monotonic()
        timer = threading.Timer(max(0.0, self.left), self._tell, [stream])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()  # no thread is left for a fork to lose
            self.left -= time.monotonic() - began

    def _tell(self, stream: TextIO) -> None:
        if not self.told:
            self.told = True
            if self._is_ours():
                stream.write("segkit: compiling ... once for this machine\n")

    def _is_ours(self) -> bool:
        """Return whether no other process has told it; then none will."""
        try:
            return self._turn is None or bool(os.read(self._turn, 1))
        except OSError:  # a task has closed it
            return False


WAITING = Waiting()
