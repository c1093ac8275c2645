"""What a journal is made of: segments, and the keys and words in them."""

from __future__ import annotations

from enum import IntEnum
from operator import itemgetter
from struct import Struct
from typing import TYPE_CHECKING

from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = bytes
"""The digest that names a task: `KEY_SIZE` bytes."""

KEY_SIZE = 20
_ONE = Struct(f"{KEY_SIZE}s")

Bytes = bytes | bytearray | memoryview
"""What can be written without being copied first."""


class Kind(IntEnum):
    """What a segment does to the state."""

    PUBLISH = 0
    CLAIM = 1
    RELEASE = 2
    EXPEL = 3
    DISCARD = 4
    RESTORE = 5
    VOID = 6
    FINAL = 7


class Row(IntEnum):
    """What a row of a PUBLISH segment holds, and what a RESTORE does to a key."""

    RESULT = 0
    """Or it comes back."""
    FAILURE = 1
    STALE = 2
    """Or a newer record goes."""
    STAYS = 3
    """Of a RESTORE alone: a newer record stays, and the old one is given up."""


class Cause(IntEnum):
    """Why a worker lost its locks."""

    KILLED = 0
    """Its process ended under its supervisor's eyes: it names what ran."""
    LOST = 1
    """Its heartbeat stopped for a lease, or its process is gone."""
    RELEASED = 2
    """Somebody released its locks by hand."""


@frozen
class Segment:
    """One entry of the journal.

    `keys` are concatenated, `rows` has one byte (a `Row`) for each key of a PUBLISH or
    RESTORE segment and is empty otherwise, `about` depends on the kind, `body` is the
    engine's and opaque here. `after` tells the segment that was last when this one was
    written, `check` this one; 0 if that is not known.
    """

    kind: Kind
    worker: str
    time: float
    keys: bytes = b""
    rows: bytes = b""
    about: str = ""
    number: int = 0
    body: Bytes = b""
    after: int = 0
    check: int = 0

    def split(self) -> list[Key]:
        """Return the keys one by one."""
        return list(each_key(self.keys))


def each_key(keys: bytes) -> Iterator[Key]:
    """Yield keys that are concatenated."""
    return map(itemgetter(0), _ONE.iter_unpack(keys))


def alike(some: bytes, start: int, others: bytes, begin: int) -> int:
    """Return for how many bytes the keys at a place are those at a place of others.

    Examples
    --------
    >>> some = b"".join(b"%020d" % number for number in range(9))
    >>> others = some[60:80] + b"x" * 20
    >>> alike(some, 60, others, 0), alike(some, 60, some, 60), alike(some, 0, b"", 0)
    (20, 120, 0)
    """
    same, over = 0, min(len(some) - start, len(others) - begin) // KEY_SIZE + 1
    step = over - 1  # mostly all are, and that is seen at once
    while over - same > 1:
        one, two = start + same * KEY_SIZE, begin + same * KEY_SIZE
        size = step * KEY_SIZE
        if some[one : one + size] == others[two : two + size]:
            same += step
        else:
            over = same + step
        step = (over - same) // 2
    return same * KEY_SIZE
