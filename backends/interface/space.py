"""The room that a store takes, and what in it can go."""

from __future__ import annotations

from typing import Protocol


class Space(Protocol):
    """What a store takes, what was trashed, what nobody finished."""

    def size(self) -> int:
        """Return the bytes in use."""

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was staged so many seconds ago and never got a name."""

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed more than `older_than` seconds ago; count bytes."""
