"""One line for whoever waits at a terminal while kernels are compiled."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
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
            stream.write("segkit: compiling ... once for this machine\n")


WAITING = Waiting()
