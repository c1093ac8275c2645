"""What a backend answers about records, locks and discards."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from backends.interface.segments import Key


@frozen
class Change:
    """What became known: keys that have a result, a failure, or nothing any more."""

    results: Sequence[Key] = ()
    failures: Sequence[Key] = ()
    discarded: Sequence[Key] = ()


class Where(NamedTuple):
    """Where the record of a key is: the row of a segment.

    A tuple, since one is made each time that any input of any task is looked up.
    """

    position: int
    row: int
    failure: bool


class Inputs(NamedTuple):
    """The results that a record was made of: those of `keys` as of a position."""

    as_of: int
    keys: Sequence[Key]


@frozen
class Undoing:
    """What an undo does: records that come back, and newer ones that go for them."""

    back: Collection[Key] = ()
    gone: Collection[Key] = ()
    reason: str = ""


@frozen
class Claim:
    """What a CLAIM granted. `token` proves when, for `Backend.publish`."""

    token: int
    keys: Sequence[Key]


@frozen
class Lock:
    """A key that one worker has locked, by the CLAIM that is its token."""

    key: Key
    worker: str
    since: float
    token: int


@frozen
class Discarded:
    """An invalidation or cleanup that can still be undone."""

    position: int
    time: float
    worker: str
    reason: str
    keys: Sequence[Key]

    @property
    def results(self) -> int:
        """How many results it forgot."""
        return len(self.keys)
