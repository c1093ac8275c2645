"""What tells a worker the time: the module `time`, or what a simulation passes in."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Two clocks of one machine, in seconds.

    Examples
    --------
    >>> import time
    >>> clock: Clock = time
    >>> before = clock.monotonic()
    >>> clock.monotonic() >= before
    True
    """

    def time(self) -> float:
        """Return the seconds since the epoch: for people, and never compared."""

    def monotonic(self) -> float:
        """Return seconds that only grow, from an unknown beginning."""

    def sleep(self, seconds: float, /) -> None:
        """Do nothing for some seconds."""
