"""Copies of the segments that take results away: they count, damaged or not.

A damaged PUBLISH is missed and computed again. A damaged DISCARD would be missed by
nobody: what it took away would be handed on as if nothing had been. So each DISCARD,
RESTORE and FINAL is kept a second time, as a document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import Kind
from backends.segment import decode_frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backends.interface import Bytes, Documents, Segment

_PREFIX = "segment-"
KEPT_TWICE = (Kind.DISCARD, Kind.RESTORE, Kind.FINAL)


class Copies:
    """The copies of some segments of a journal.

    Parameters
    ----------
    documents : Documents
        Where they are, sealed.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def keep(self, position: int, frame: Iterable[Bytes]) -> None:
        """Keep a copy of what was appended at a position."""
        self._documents.put(f"{_PREFIX}{position}", b"".join(frame))

    def frame(self, position: int) -> bytes | None:
        """Return the frame that was appended at a position, if there is a copy."""
        try:
            return self._documents.get(f"{_PREFIX}{position}")
        except DamagedError:
            return None

    def segment(self, position: int) -> Segment | None:
        """Return the segment that was appended at a position, if there is a copy."""
        frame = self.frame(position)
        return None if frame is None else decode_frame(frame, f"{_PREFIX}{position}")
