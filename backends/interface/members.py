"""Workers and their heartbeats, kept beside the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@frozen
class Member:
    """A worker as others see it: who it says it is and its last heartbeat.

    `beat` is a value that changes with each heartbeat. It is compared with itself
    only, never with a clock. `age` is in seconds by the store's own clock; nan if it
    was not asked for.
    """

    worker: str
    identity: Mapping[str, object]
    beat: float
    age: float


class Members(Protocol):
    """Everybody whose heartbeat is kept, dead or alive."""

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        """Renew a worker's heartbeat; the first one makes it a member."""

    def names(self) -> set[str]:
        """Return who is a member: one look, however many there are."""

    def some(self, workers: Iterable[str]) -> list[Member]:
        """Return those of `workers` that are members, each with a look; no ages."""

    def all(self) -> list[Member]:
        """Return all members, with the ages of their heartbeats."""

    def leave(self, worker: str) -> None:
        """Remove a member: it has locked nothing any more."""
