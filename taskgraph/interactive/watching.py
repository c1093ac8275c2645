"""How far a run is, for who started it from Python: one line, written over and over."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.interface import Backend
    from taskgraph.tasks.jugfile import Loaded

_EVERY = 0.5
_SHARE = 20
"""One part in so many of the time may go into showing it."""


class ProgressLine:
    """A line on standard error, which a terminal and a notebook show in one place.

    Parameters
    ----------
    loaded : Loaded
        The tasks, and where their results are.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._began = self._next = time.monotonic()
        self._width = 0

    def tick(self, _backend: Backend) -> None:
        """Show it, as the observer of workers."""
        self.show()

    def show(self) -> None:
        """Show it, unless that was done a moment ago."""
        now = time.monotonic()
        if now >= self._next:
            self._write()
            after = time.monotonic()
            self._next = after + max(_EVERY, _SHARE * (after - now))

    def end(self, loaded: Loaded) -> None:
        """Show how it ended, and begin another line."""
        self._loaded = loaded
        loaded.results.backend.poll()
        self._write()
        _show("\n")

    def _write(self) -> None:
        graph, results = self._loaded.graph, self._loaded.results
        keys, failures = results.keys(), results.backend.failures()
        known = [key for key in graph if key in keys]
        failed = sum(key in failures for key in known) if failures else 0
        more = "+" if self._loaded.missing else ""
        parts = [f"{len(known) - failed} of {len(graph)}{more} tasks done"]
        parts += [f"{failed} failed"] if failed else []
        seconds = time.monotonic() - self._began
        text = f"{', '.join(parts)}, {seconds:.0f} s"
        _show(f"\r{text.ljust(self._width)}")
        self._width = len(text)


def _show(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - numbers, no names
