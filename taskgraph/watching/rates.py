"""How many tasks end in a second, by what was counted at several moments; pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOW = 30.0
"""Seconds that count: fewer jump about, more do not notice that workers came."""


class Rates:
    """What was counted lately, and what that makes in a second.

    Parameters
    ----------
    window : float
        Seconds that count.

    Examples
    --------
    >>> rates = Rates()
    >>> rates.add(0.0, {"f": 10})
    >>> rates.add(2.0, {"f": 14, "g": 1})
    >>> rates.each(), rates.total()
    ({'f': 2.0, 'g': 0.5}, 2.5)

    What became less, as somebody invalidated results, is no rate below zero.

    >>> rates.add(3.0, {"f": 1, "g": 1})
    >>> rates.each()["f"]
    0.0
    """

    def __init__(self, window: float = _WINDOW) -> None:
        self._window = window
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()

    def add(self, moment: float, ended: Mapping[str, int]) -> None:
        """Note how many tasks have ended until a moment, by function."""
        self._seen.append((moment, dict(ended)))
        while len(self._seen) > 2 and self._seen[1][0] <= moment - self._window:
            self._seen.popleft()

    def each(self) -> dict[str, float]:
        """Return how many tasks of each function end in a second."""
        if len(self._seen) < 2:
            return {}
        (start, before), (end, now) = self._seen[0], self._seen[-1]
        seconds = max(end - start, 1e-3)
        return {
            name: max(0.0, (count - before.get(name, 0)) / seconds)
            for name, count in now.items()
        }

    def total(self) -> float:
        """Return how many tasks end in a second."""
        return sum(self.each().values())
