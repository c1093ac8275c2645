"""How long things take here, and so how much is done at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

_MOST_TASKS = 1 << 16


@dataclass(slots=True)
class Pace:
    """How long tasks and publishing take here; decides how much is done at once."""

    latency: float
    others: int = 0
    cost: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def interval(self) -> float:
        """For how long a record may wait to be published."""
        least = self.latency if self.others else 0.5
        return min(0.5, max(least, 10 * self.cost))

    def learn(self, name: str, seconds: float) -> None:
        """Take in how long a task of this name took."""
        known = self.seconds.get(name)
        self.seconds[name] = seconds if known is None else (known + seconds) / 2

    def published(self, seconds: float) -> None:
        """Take in how long publishing took."""
        self.cost = seconds if not self.cost else (3 * self.cost + seconds) / 4

    def due(self, age: float, following: float | None) -> bool:
        """Return whether records of this age go out before the following task."""
        return following is None or age + following >= self.interval

    def tasks(self, ready: int) -> int:
        """Return how many tasks to lock at once."""
        if not self.others:
            return _MOST_TASKS
        return min(_MOST_TASKS, max(1, ceil(ready / (2 * (self.others + 1)))))
