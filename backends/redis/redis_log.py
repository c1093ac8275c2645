"""A journal in Redis or Valkey: one script appends, one reads on, one merges.

A segment is a field of a hash, by its place in its block, and put there by a script
only if nothing is there: the server runs scripts one by one, so this has one winner.
The start of a frame (header and head) and its body are apart, so that who joins reads
what others did without reading results.

A look at a position brings all that is there and after it, and the starts of the last
ones before it, in one reply. What the journal asks for next is answered from that, and
only for a moment: reading on, and seeing that what was read last is still there, cost
one round trip together.
"""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError, NoStoreError
from backends.interface import Kind, Segment
from backends.reading import HEAD_READ, name_of, to_be_replaced
from backends.redis import scripts
from backends.redis.blobs import BlobChunks
from backends.redis.document_hash import DocumentHash
from backends.redis.member_keys import MemberKeys
from backends.redis.shared_folder import SharedFolder
from backends.redis.usage import Usage
from backends.segment import (
    CHECK_AT,
    HEADER_SIZE,
    LINK_AT,
    decode_head,
    decode_header,
    void_frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from backends.interface import Bytes
    from backends.redis.room import Room

_BEFORE = 8
"""Segments before a position that are looked at with it."""
_SHORT = HEADER_SIZE + 40
"""Bytes of each: a header, or the whole of one that does nothing."""
_AT_ONCE = 1 << 22
"""Bytes after which a look ends."""
_MOMENT = 0.1
"""Seconds for which what a look brought answers for what is there."""


class RedisLog:
    """A `Log` in a room of a Redis server.

    Parameters
    ----------
    room : Room
        Which.
    create : bool
        Make it, when something is first written, if there is none.
    blobs : str
        The folder for large values, empty if they are to be in Redis, too.
    """

    shared = True
    latency = 0.002
    lasting = False  # a replica that took over may know less

    def __init__(self, room: Room, *, create: bool = True, blobs: str = "") -> None:
        self.url = room.url
        self._room, self._blobs_at = room, blobs
        if not create and not room.exists():
            raise NoStoreError(
                f"there is no store at {self.url}; `tg execute` makes one"
            )
        self.blobs = SharedFolder(room, blobs) if blobs else BlobChunks(room)
        self.documents = DocumentHash(room)
        self.members = MemberKeys(room)
        self.space = Usage(room, self.blobs)
        self._staged: dict[str, tuple[bytes, Bytes]] = {}
        self._names = count()
        self._forget()

    @property
    def block_size(self) -> int:
        return self._room.block_size

    def make(self) -> None:
        self._room.make()

    def again(self) -> RedisLog:
        return RedisLog(self._room.again(), blobs=self._blobs_at)

    # reading

    def _forget(self) -> None:
        """Forget what the last look brought."""
        self._ahead: dict[int, tuple[bytes, int] | None] = {}
        self._before: dict[int, tuple[bytes, int] | None] = {}
        self._merged: tuple[int, list[bytes | None], bytes] | None = None
        self._looked = 0.0

    def refresh(self) -> None:
        self._forget()

    def _look(self, position: int, what: str) -> None:
        """Ask what is at a position and after it, and what is right before it.

        Of a block that is merged, ``heads`` are without bodies, ``frames`` with them.
        """
        self._forget()
        block, place = divmod(position, self.block_size)
        before, news, gone = self._room.script(
            scripts.LOOK,
            [*self._keys(block), *self._keys(block - 1)],
            *(place, self.block_size, HEAD_READ, _AT_ONCE, _SHORT),
            min(_BEFORE, self.block_size),  # of this block and the one before
            what,
        )
        self._looked = time.monotonic()
        for at, found in enumerate(before, 1):
            self._before[position - at] = _frame(found)
        if gone is not None:
            self._merged = position, news, gone
            return
        for at, found in enumerate(news, position):
            self._ahead[at] = _frame(found)
        if place + len(news) < self.block_size and not _full(news):
            self._ahead[position + len(news)] = None

    def merged(
        self, position: int
    ) -> Iterable[tuple[int, Segment | DamagedError]] | None:
        if not self._room.exists():
            return None
        if not self._fresh() or position not in self._ahead:
            self._look(position, "heads")
        merged, self._merged = self._merged, None
        return None if merged is None else self._segments(*merged)

    def _segments(
        self, position: int, starts: list[bytes | None], gone: bytes
    ) -> Iterator[tuple[int, Segment | DamagedError]]:
        """Yield what is left of a merged block from a position on."""
        for at, start in enumerate(starts, position):
            if start is None:
                check = _check_in(gone, at % self.block_size)
                yield at, Segment(Kind.VOID, "", 0.0, check=check)
                continue
            try:
                yield at, decode_head(start, name_of(self, at))
            except DamagedError as error:
                yield at, error

    def _known(self, limit: int | None) -> dict[int, tuple[bytes, int] | None]:
        """Return what the last look tells of so many bytes of frames."""
        if limit is None or not self._fresh():
            return {}
        if limit == HEAD_READ:
            return self._ahead
        return self._before if limit <= _SHORT else {}

    def _fresh(self) -> bool:
        return time.monotonic() - self._looked < _MOMENT

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        if position < 0 or not self._room.exists():
            return None
        if position in (known := self._known(limit)):
            found = known[position]
            if known is self._ahead:
                del known[position]  # whoever asks again wants to know anew
            return None if found is None else (found[0][:limit], found[1])
        block, place = divmod(position, self.block_size)
        if limit == HEAD_READ:
            self._look(position, "frames")  # whoever asks so goes on with the next
            if position in self._ahead:
                return self.read(position, limit)
        words = self._keys(block), place, (1 << 50) if limit is None else limit
        return _frame(self._room.server.script(scripts.READ, *words), limit)

    def after(self, position: int) -> int | None:
        if not self._room.exists():
            return None
        block, place = divmod(position, self.block_size)
        while block >= 0:
            keys = [self._room.key("log", block), self._room.key("blocks")]
            found, later = self._room.script(scripts.AFTER, keys, place, block)
            if found >= 0:
                return int(block * self.block_size + found)
            block, place = later, 0
        return None

    def unnoticed(self) -> Iterable[tuple[str, str, int | None]]:
        return ()  # nothing but copies, and those are documents, is kept twice

    def wait(self, position: int, seconds: float) -> None:
        end = time.monotonic() + seconds
        key = self._room.key("news")
        server = self._room.server
        while (left := end - time.monotonic()) > 0:
            most = max(1, int(1000 * min(left, server.longest_wait)))
            seen = {key: f"{position}-0"}
            if server.ask("xread", seen, block=most):
                return

    # writing

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:  # noqa: ARG002 - how durable what it has is the server's own matter
        name = str(next(self._names))
        start, *rest = frame
        body = rest[0] if len(rest) == 1 else b"".join(rest)
        self._staged[name] = bytes(start), body
        return name

    def unstage(self, staged: str) -> None:
        self._staged.pop(staged, None)

    def append(self, position: int, staged: str, link: bytes = b"") -> bool:
        start, body = self._staged[staged]
        if link:
            start = start[:LINK_AT] + link + start[LINK_AT + len(link) :]
            self._staged[staged] = start, body
        self._room.make()
        block, place = divmod(position, self.block_size)
        keys = [
            *self._keys(block),
            *self._keys(block - 1),
            *(self._room.key("news"), self._room.key("blocks")),
        ]
        self._forget()
        done, before, size = self._room.script(
            *(scripts.APPEND, keys, place, self.block_size, position),
            *(start, body, _SHORT),
        )
        self._looked = time.monotonic()
        self._before[position - 1] = _frame([before, size])
        return bool(done)

    def retract(self, position: int, staged: str) -> None:
        start, _ = self._staged[staged]
        block, place = divmod(position, self.block_size)
        self._forget()
        self._room.script(
            scripts.RETRACT, self._keys(block), place, start[CHECK_AT:LINK_AT]
        )

    def replace(self, position: int, frame: bytes, own: int = 0) -> bool:
        self._room.make()
        self._forget()
        block, place = divmod(position, self.block_size)
        log, body = self._keys(block)
        there = self._room.server.ask("hget", log, place)
        if not to_be_replaced(self, position, own):
            return False
        keys = [log, body, self._room.key("blocks")]
        words = place, there or b"", *_split(frame), block
        return bool(self._room.script(scripts.REPLACE, keys, *words))

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int],
        end: int = 0,
    ) -> int:
        first = block * self.block_size
        log, body = self._keys(block)
        places = [position - first for position in sizes]
        there = dict(zip(places, self._starts(log, places), strict=True))
        mended: list[Bytes | int] = []
        for position in sizes:
            start, rest = _split(frame(position))
            if there[position - first] != start:
                mended += [position - first, start, rest]
        checks = b"".join(
            gone.get(position, 0).to_bytes(8, "little")
            for position in range(first, first + self.block_size)
        )
        last = end.to_bytes(8, "little") if end else b""
        self._forget()
        freed = self._room.script(
            *(scripts.MERGE, [log, body], self.block_size, last, checks),
            *(len(places), *places, *mended),
        )
        return max(0, int(freed))

    def _starts(self, log: str, places: list[int]) -> list[bytes | None]:
        if not places:
            return []
        found: list[bytes | None] = self._room.server.ask("hmget", log, places)
        return found

    def _keys(self, block: int) -> list[str]:
        return [self._room.key("log", block), self._room.key("body", block)]

    def close(self) -> None:
        self._room.server.close()


def _frame(found: Any, limit: int | None = None) -> tuple[bytes, int] | None:
    """Return the start of a frame and its size, of what a script has seen."""
    start, size = found
    if start is None:
        return None
    if size == len(start) == 8:
        whole = void_frame(int.from_bytes(start, "little"))
        return whole[:limit], len(whole)
    return start, size


def _full(news: list[Any]) -> bool:
    return sum(len(start) for start, _ in news) >= _AT_ONCE


def _check_in(gone: bytes, place: int) -> int:
    return int.from_bytes(gone[8 * place : 8 * place + 8], "little")


def _split(frame: bytes) -> tuple[bytes, bytes]:
    """Return the start of a frame and its body; all is start if it says nothing."""
    end = len(frame)
    with suppress(DamagedError):
        end = HEADER_SIZE + decode_header(frame, "").head_size
    return frame[:end], frame[end:]
