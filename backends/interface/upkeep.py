"""What is done to a journal as a whole: damages are mended, old segments merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backends.interface.segments import Key


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a store."""

    what: str
    why: str
    keys: Sequence[Key] = ()
    kind: str = "damaged"


class Upkeep(Protocol):
    """The upkeep of a journal."""

    def damaged(self) -> list[Fault]:
        """Return the segments that could not be read."""

    def unnoticed(self) -> list[Fault]:
        """Return what is damaged of what is kept twice, as faults of kind "copy".

        And what shows that the journal ended later once, of kind "document".

        What only seems to be so because it was read elsewhere is told by `damaged`
        from now on.
        """

    def mend(self) -> int:
        """Replace damaged segments by some that do nothing; return how many.

        What is kept twice and damaged once is written anew.
        """

    def compact(self) -> int:
        """Merge old segments; return bytes freed.

        In memory are, at a time, the segments of one block up to 64 KiB each, and one
        of the larger ones.

        Records go that were discarded and cannot come back, see `Backend.make_final`.
        The state stays as it is, also for those who have read only a part.
        """
