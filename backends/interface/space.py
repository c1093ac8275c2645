"""The room that a store takes, and what in it can go."""

from __future__ import annotations

from typing import Protocol


class Space(Protocol):
    """What a store takes, what was trashed, what nobody finished."""

    def now(self) -> float:
        """Return seconds since the epoch by the store's own clock.

        It stamps what is discarded and trashed, so that its age is the same whichever
        machine asks, and however wrong the clock of that one is.
        """

    def open_to_all(self) -> bool:
        """Return whether every user of the machine may write to the store."""

    def size(self) -> int:
        """Return the bytes in use."""

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was staged so many seconds ago and never got a name."""

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed more than `older_than` seconds ago; count bytes."""
