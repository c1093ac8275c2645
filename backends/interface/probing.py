"""What is found out about a store before work is given to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Level(IntEnum):
    """How bad something is."""

    FINE = 0
    WARNING = 1
    """It works; something is slower or less safe than it could be."""
    UNFIT = 2
    """No store can be kept there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    measured: str
    meaning: str
    advice: str = ""
    """What to do; empty if nothing has to be done."""
    level: Level = Level.FINE


@dataclass(frozen=True, slots=True)
class Service:
    """What a journal asks of that which all its workers share.

    Each is in seconds of that one thing (a server, a service's limit of requests), of
    which there is one in each second; 0 if nothing is shared.
    """

    append: float = 0.0
    """For an append, the look before it included."""
    read: float = 0.0
    """For a segment that a worker reads by itself."""
    block: float = 0.0
    """For a merged block that a worker reads."""
    look: float = 0.0
    """For a look for news, whatever it brings."""
    block_size: int = 1000
    """How many segments are merged."""
    here: bool = False
    """Whether workers of this machine only can share it."""
    assumed: str = ""
    """What of it was not measured, in words."""


class Probe(Protocol):
    """What can be asked of the place of a store, by its kind.

    Nothing that it does is seen by workers of the store, and what it makes is gone
    afterwards: in a *scratch* store beside, or in the store's own place for what is
    staged, where it is a leftover if this process is killed.
    """

    url: str

    def facts(self) -> Iterator[Finding]:
        """Yield what the place says of itself.

        One that is `Level.UNFIT` says that a scratch store would be in vain.
        """

    def make_scratch(self, name: str) -> str:
        """Make an empty store of a name beside, unless it is there; return its URL.

        Raises
        ------
        BackendError
            It cannot be made there.
        """

    def remove_scratch(self, name: str) -> None:
        """Remove what `make_scratch` made, and those of others that were killed."""

    def measures(self, name: str) -> Iterator[Finding]:
        """Yield what is measured of what only this kind has, in a scratch store."""

    def service(self, name: str) -> Service:
        """Return what a journal asks of what is shared, measured in a scratch store."""

    def close(self) -> None:
        """Let go of connections."""
