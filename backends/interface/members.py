"""Workers and their heartbeats, kept beside the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Member:
    """A worker as others see it: who it says it is and its last heartbeat.

    `beat` is a value that changes with each heartbeat. It is compared with itself
    only, never with a clock. `age` is in seconds by the store's own clock.
    """

    worker: str
    identity: Mapping[str, object]
    beat: float
    age: float


class Members(Protocol):
    """Everybody whose heartbeat is kept, dead or alive."""

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        """Renew a worker's heartbeat; the first one makes it a member."""

    def all(self) -> list[Member]:
        """Return all members."""

    def leave(self, worker: str) -> None:
        """Remove a member: it has locked nothing any more."""
