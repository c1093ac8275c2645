"""Segments that were read before anybody asked what they fold into.

Whoever joins a store and finds all done asks for a key or two. Folded, a record takes
ten times the 20 bytes that its key takes here, and as much longer to take in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.interface import KEY_SIZE, Kind, Where

if TYPE_CHECKING:
    from backends.interface import Key, Segment

_TAKING = frozenset({Kind.DISCARD, Kind.RESTORE})
FEW = 16
"""How many keys are looked for without folding, which takes a moment, once."""


class Unfolded:
    """Segments in the order of the journal, from its beginning, until they are folded.

    Attributes
    ----------
    segments : list
        Each with its position.
    plain : bool
        Whether they only lock and put results: nothing failed or was taken away.
    """

    def __init__(self) -> None:
        self.segments: list[tuple[int, Segment]] = []
        self.plain = True
        self._looks = 0

    def add(self, position: int, segment: Segment) -> None:
        """Take in the next segment."""
        self.segments.append((position, segment))
        if segment.kind in _TAKING or segment.rows.strip(b"\0"):
            self.plain = False

    def may_look(self) -> bool:
        """Return whether it is worth while to look for one more key."""
        self._looks += 1
        return self.plain and self._looks <= FEW

    def find(self, key: Key) -> Where | None:
        """Return where the first record of a key is, of segments that are plain.

        Examples
        --------
        >>> from backends.interface import Segment
        >>> unfolded = Unfolded()
        >>> keys = b"a" * 20 + b"b" * 20
        >>> unfolded.add(7, Segment(Kind.PUBLISH, "anna", 0.0, keys, bytes(2)))
        >>> unfolded.find(b"b" * 20)
        Where(position=7, row=1, failure=False)
        """
        for position, segment in self.segments:
            if segment.kind is Kind.PUBLISH:
                found = segment.keys.find(key)
                while found % KEY_SIZE and found >= 0:  # across two keys
                    found = segment.keys.find(key, found + 1)
                if found >= 0:
                    return Where(position, found // KEY_SIZE, failure=False)
        return None
