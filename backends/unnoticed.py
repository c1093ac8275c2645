"""What is kept twice and damaged once: nobody notices, until the other goes too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.copies import KEPT_TWICE, name_of_copy
from backends.errors import DamagedError
from backends.reading import check_at, look

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from backends.copies import Copies
    from backends.interface import Segment
    from backends.log import Log


def lacking_copies(
    log: Log, copies: Copies, end: int, *, without: Container[int]
) -> Iterator[tuple[int, str, str]]:
    """Yield what is wrong with the copies of segments: position, name and why.

    Parameters
    ----------
    log : Log
        Where the segments are.
    copies : Copies
        Where their copies are.
    end : int
        The first position that is not looked at.
    without : container of int
        Positions of segments that have no copy to be compared with.
    """
    for position in _kept_twice(log, end):
        check = None if position in without else check_at(log, position)
        why = copies.lacks(position, check) if check else ""
        if check and why:
            yield position, f"document {name_of_copy(position, check)}", why


def _kept_twice(log: Log, end: int) -> Iterator[int]:
    """Yield the positions of the segments of which there is to be a copy."""
    for position, segment in _segments(log, end):
        if segment.kind in KEPT_TWICE:
            yield position


def _segments(log: Log, end: int) -> Iterator[tuple[int, Segment]]:
    """Yield all segments that can be read, bodies left out."""
    position, size = 0, log.block_size
    while position < end:
        try:
            merged = None if position % size else log.merged(position)
            if merged is None:
                found = look(log, position)
                if found is not None:
                    yield position, found[0]
                position += 1
                continue
        except DamagedError:
            position += 1
            continue
        last = position
        for last, segment in merged:
            if not isinstance(segment, DamagedError):
                yield last, segment
        position = last - last % size + size
