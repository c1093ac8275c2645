"""Small named documents, kept beside the journal."""

from __future__ import annotations

from typing import Protocol


class Documents(Protocol):
    """Documents by name. Those of a backend are sealed, those of a log are not.

    A sealed one is kept with its checksum, and an empty one counts as none.
    """

    def put(self, name: str, data: bytes) -> None:
        """Write a document; the last one written stays."""

    def get(self, name: str) -> bytes | None:
        """Return a document, or None.

        Raises
        ------
        DamagedError
            It is sealed, and its checksum is not that of the bytes.
        """

    def names(self) -> list[str]:
        """Return the documents' names."""
