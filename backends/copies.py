"""Copies of the segments that take results away: they count, damaged or not.

A damaged PUBLISH is missed and computed again. A damaged DISCARD would be missed by
nobody: what it took away would be handed on as if nothing had been. So each DISCARD,
RESTORE and FINAL is kept a second time, as a document, before it is appended: at no
moment is it there once only. What its writer left of a try that came too late is told
from what was appended by the segment's check.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backends.documents import SealedDocuments
from backends.errors import DamagedError
from backends.interface import Kind
from backends.reading import check_meant
from backends.segment import check_of, decode_frame, encode_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backends.interface import Bytes, Segment
    from backends.log import Log

_PREFIX = "segment-"
KEPT_TWICE = (Kind.DISCARD, Kind.RESTORE, Kind.FINAL)


class Copies:
    """The copies of some segments of a log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._documents = SealedDocuments(log.documents, log.url)

    def keep(self, position: int, frame: Sequence[Bytes]) -> None:
        """Keep a copy of what is to be appended at a position."""
        self._documents.put(_name(position, frame[0]), b"".join(frame))

    def lacks(self, position: int, check: int) -> str:
        """Return what is wrong with the copy of a segment, "" if it has its check."""
        try:
            frame = self._documents.get(name_of_copy(position, check))
        except DamagedError as error:
            return error.why
        if frame is None:
            return "it is gone"
        return "" if check_of(frame) == check else "it is of another segment"

    def positions(self) -> dict[str, int]:
        """Return which segments there are copies of, by the names of the documents."""
        return {name: at for name, at in self.named().items() if self._get(name)}

    def named(self) -> dict[str, int]:
        """Return which segments there may be copies of, by the names alone."""
        names = [x for x in self._documents.names() if x.startswith(_PREFIX)]
        numbers = {name: name.removeprefix(_PREFIX).split("-")[0] for name in names}
        return {name: int(x) for name, x in numbers.items() if x.isdecimal()}

    def drop(self, position: int, frame: Sequence[Bytes]) -> None:
        """Let go of the copy of what was not appended after all."""
        self._documents.put(_name(position, frame[0]), b"")

    def frame(self, position: int) -> bytes | None:
        """Return the frame that was appended at a position, if there is a copy.

        Where nothing tells any more which of several it was, each may count, since all
        their writers had read what came before: it takes away what any of them does.
        """
        names = self._documents.names()
        found = [name for name in names if name.startswith(f"{_PREFIX}{position}-")]
        check = check_meant(self._log, position) if found else 0
        meant = [name for name in found if not check or _ending(check) in name]
        frames = [frame for frame in map(self._get, meant) if frame]
        return _joined(frames) if len(frames) > 1 else next(iter(frames), None)

    def _get(self, name: str) -> bytes | None:
        try:
            return self._documents.get(name)
        except DamagedError:
            return None

    def segment(self, position: int) -> Segment | None:
        """Return the segment that was appended at a position, if there is a copy."""
        frame = self.frame(position)
        return None if frame is None else decode_frame(frame, f"{_PREFIX}{position}")


def name_of_copy(position: int, check: int) -> str:
    """Return what the copy of a segment is called among the documents."""
    return f"{_PREFIX}{position}{_ending(check)}"


def _name(position: int, start: Bytes) -> str:
    return name_of_copy(position, check_of(start))


def _ending(check: int) -> str:
    return f"-{check:016x}"


def _joined(frames: list[bytes]) -> bytes | None:
    """Return one DISCARD for several."""
    segments = [decode_frame(frame, "a copy") for frame in frames]
    discards = [each for each in segments if each.kind is Kind.DISCARD]
    if not discards:
        return None
    keys = dict.fromkeys(key for each in discards for key in each.split())
    return b"".join(encode_frame(replace(discards[0], keys=b"".join(keys))))
