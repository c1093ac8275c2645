"""Large values, kept beside the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backends.interface.segments import Bytes


class Blobs(Protocol):
    """Large values under names that their writers choose."""

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        """Write a large value under a new name; return its size in bytes."""

    def open(self, name: str) -> memoryview:
        """Return a blob's bytes, memory-mapped where possible.

        Writing to the memory never changes the blob.

        Raises
        ------
        DamagedError
            It is gone, or cannot be read.
        """

    def all(self) -> Iterable[tuple[str, int]]:
        """Yield the names of all blobs and their sizes in bytes."""

    def age(self, name: str) -> float:
        """Return the seconds since a blob was written, by the store's own clock."""

    def trash(self, name: str) -> None:
        """Move a blob to the trash; it can be brought back by hand for a while."""
