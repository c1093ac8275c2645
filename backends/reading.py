"""Segments out of a log: what is damaged or gone since is noticed here."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import Kind
from backends.segment import (
    HEADER_SIZE,
    after_of,
    check_of,
    decode_frame,
    decode_head,
    decode_header,
    void_frame,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backends.interface import Segment
    from backends.log import Log

LATELY = 8
"""How many of the last ones are looked at more often than those before."""
_LARGEST_VOID = len(void_frame((1 << 64) - 1)) - HEADER_SIZE
HEAD_READ = 1 << 16
"""Bytes of a segment that are read to know what it is."""


def name_of(log: Log, position: int) -> str:
    """Return how a segment is called in errors."""
    return f"segment {position} of {log.url}"


def look(log: Log, position: int) -> tuple[Segment, bytes, int] | None:
    """Return a segment without its body, the start of its frame, and its size.

    None if nothing was appended there.

    Raises
    ------
    DamagedError
        It is cut short, or its head has another checksum.
    """
    what = name_of(log, position)
    found = log.read(position, HEAD_READ)
    if found is None:
        return None
    start, size = found
    if size > len(start) and len(start) < HEAD_READ:
        raise DamagedError(what, "cut short")
    header = decode_header(start, what)
    if header.frame_size != size:
        raise DamagedError(what, "cut short")
    try:
        return decode_head(start, what, header), start, size
    except DamagedError:
        if size <= len(start):
            raise
    found = log.read(position, HEADER_SIZE + header.head_size)
    return None if found is None else (decode_head(found[0], what), *found)


def check_at(log: Log, position: int) -> int | None:
    """Return what tells the segment at a position from all others.

    None if nothing is there, 0 if it is one that was merged away or cannot be read.
    """
    what = name_of(log, position)
    try:
        found = log.read(position, HEADER_SIZE + _LARGEST_VOID)
        if found is None:
            return None
        header = decode_header(found[0], what)
        if header.head_size <= _LARGEST_VOID:
            segment = decode_head(found[0], what)
            if segment.kind is Kind.VOID:
                return segment.check
    except DamagedError:
        return 0
    return check_of(found[0])


def check_meant(log: Log, position: int) -> int:
    """Return what told the segment that was appended at a position from all others.

    The next one says so of one that cannot be read. 0 if nothing does.
    """
    check = check_at(log, position)
    if check:
        return check
    try:
        found = log.read(position + 1, HEADER_SIZE)
        return 0 if found is None else after_of(found[0])
    except DamagedError:
        return 0


def to_be_replaced(log: Log, position: int, own: int) -> bool:
    """Return whether nothing whole is at a position, but what a check tells.

    A segment that does nothing and stands for none is nothing.
    """
    try:
        found = look(log, position)
    except DamagedError:
        return True
    return found is None or found[0].check in {0, own}


def read_records(log: Log, position: int) -> Segment:
    """Return a whole PUBLISH segment.

    Raises
    ------
    DamagedError
        There is none, or it has another checksum.
    """
    found = log.read(position)
    what = name_of(log, position)
    if found is None:
        raise DamagedError(what, "it is gone")
    segment = decode_frame(found[0], what)
    if segment.kind is not Kind.PUBLISH:
        raise DamagedError(what, "it is gone")
    return segment


def read_whole(log: Log, position: int, size: int | None = None) -> bytes:
    """Return a frame, of the size that it had when it was looked at if that is given.

    Raises
    ------
    DamagedError
        It is another one now.
    """
    found = log.read(position)
    if found is None or size not in {None, len(found[0])}:
        raise DamagedError(name_of(log, position), "it changed meanwhile")
    return found[0]


class Remembered:
    """Positions and checks of the segments that were read, in their order.

    Names vanish from the end of a journal: what stood there last for a living reader,
    or came later, is among them. So all since he joined are kept, 16 bytes for each,
    and looked at in turn, the last ones more often: others who go on from an older
    end may fill more places than a few before he looks again.
    """

    def __init__(self) -> None:
        self._positions, self._checks = array("Q"), array("Q")
        self._turn = self._back = 0

    def add(self, position: int, check: int) -> None:
        """Keep what tells the segment at a position from all others."""
        self._positions.append(position)
        self._checks.append(check)

    def join(self) -> None:
        """Forget all but the last ones: they were there when this reader joined."""
        del self._positions[:-LATELY], self._checks[:-LATELY]

    def lately(self) -> Iterator[tuple[int, int]]:
        """Yield the last ones."""
        return zip(self._positions[-LATELY:], self._checks[-LATELY:], strict=True)

    def one_more(self) -> tuple[int, int] | None:
        """Return one of the last ones, or of all in turn, backwards; None of none."""
        count = len(self._positions)
        if not count:
            return None
        self._turn = (self._turn + 1) % (2 * LATELY)
        if self._turn % 2:
            at = max(count - 1 - self._turn // 2, 0)
        else:
            at = self._back = (self._back or count) - 1
        return self._positions[at], self._checks[at]
