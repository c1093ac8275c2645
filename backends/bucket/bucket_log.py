"""A journal in a bucket, shared by all machines that reach it.

The protocol needs one atomic step: to write an object if there is none of its name. All
that there is to know of it: a reply may be lost, and a refusal may mean that two came
at once and neither is in yet. So who is refused looks whose object is there.

A name of the journal is never free again: a writer that was frozen for a day decides on
what it had read then, and its segment must find its place taken. Merging writes the
heads of a block once more, together, for who joins; and what nobody needs any more is
replaced by what does nothing (see `backends.segment.void_frame`).
"""

from __future__ import annotations

import random
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from backends.bucket.address import parse_address
from backends.bucket.bucket_blobs import BucketBlobs
from backends.bucket.bucket_documents import BucketDocuments
from backends.bucket.bucket_members import BucketMembers
from backends.bucket.client import Client, Get
from backends.bucket.heads import Heads
from backends.bucket.layout import TRASH, heads_of, plain
from backends.bucket.place import Place
from backends.bucket.segments import Segments
from backends.errors import DamagedError, UnavailableError
from backends.filesystem.packs import NewPack
from backends.interface import Kind
from backends.reading import HEAD_READ, check_at, look, name_of, to_be_replaced
from backends.segment import (
    HEADER_SIZE,
    LINK_AT,
    check_of,
    decode_head,
    decode_header,
    void_frame,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from backends.bucket.client import Found
    from backends.interface import Bytes, Segment

_FRESH = 2.0
"""Seconds for which a look at the workers is as good as another one."""
_FIRST_PAUSE, _LONGEST_PAUSE, _PER_IDLE = 0.1, 3.0, 0.01
"""Seconds from one look for news to the next: at first, at most, and for each second
that there was none."""
_BLOCK = 16
"""Segments in a block: who comes by after a while reads its heads, with one request,
and no more than so many segments one by one."""
_WORTHWHILE = 3
"""Segments for which heads are read instead of them."""
_DOUBLINGS = 5
"""How often the time doubles for which others are let go first."""
_MOMENT = 1.0
"""Seconds for which who was refused and looked what is there need not look again."""
_PATIENCE = 60.0
"""Seconds in which it turns out who of several was first."""


class BucketLog:
    """A `Log` below a prefix of a bucket.

    Parameters
    ----------
    client : Client
        Makes the requests.
    create : bool
        Make the store, when something is first written, if there is none.
    block : int
        How many segments make a block, if it is made; kept in `format.json`.
    fresh : float
        See `BucketMembers`.
    """

    shared = True
    latency = 0.25
    lasting = True

    def __init__(
        self,
        client: Client,
        *,
        create: bool = True,
        block: int = _BLOCK,
        fresh: float = _FRESH,
    ) -> None:
        self.url = client.url
        self.client = client
        self.space = self._place = Place(client, create=create, block=block)
        self.blobs = BucketBlobs(client, self._place)
        self.documents = BucketDocuments(client, self._place)
        self.members, self._fresh = BucketMembers(client, self._place, fresh), fresh
        self._segments = Segments(client, self._place)
        self._staged: dict[str, bytes] = {}
        self._names = count()
        self._heads = Heads(client, self._block)
        self._filled = -1
        self._too_late: int | None = None
        self._looked_at = -1e9
        self._idle: tuple[int, float] = (-1, 0.0)

    @property
    def block_size(self) -> int:
        return self._place.block_size

    def make(self) -> None:
        self._place.make()

    def again(self) -> BucketLog:
        return BucketLog(self.client, block=self.block_size, fresh=self._fresh)

    # the journal

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        return self._segments.read(position, limit)

    def refresh(self) -> None:
        just, self._looked_at = time.monotonic() - self._looked_at < _MOMENT, -1e9
        if not just:  # else it was refused, and has looked what is there
            self._segments.forget()
            self._heads.forget()
        self._filled = -1

    def after(self, position: int) -> int | None:
        return self._segments.after(position)

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:  # noqa: ARG002 - what a service has confirmed is durable
        self._place.make()
        name = str(next(self._names))
        self._staged[name] = b"".join(frame)
        return name

    def unstage(self, staged: str) -> None:
        self._staged.pop(staged, None)

    def append(self, position: int, staged: str, link: bytes = b"") -> bool:
        frame = self._staged[staged]
        if link:
            frame = frame[:LINK_AT] + link + frame[LINK_AT + len(link) :]
            self._staged[staged] = frame
        began = time.monotonic()
        done = self._put(position, frame)
        while done is None:
            if time.monotonic() - began > _PATIENCE:
                raise UnavailableError(
                    f"{self.url} refuses a new segment though there is none of its "
                    "name; start again"
                )
            done = self._put(position, frame)
        last = (position + 1) % self.block_size == 0
        self._filled = position // self.block_size if done and last else -1
        if done and self._too_late:
            self._too_late -= 1
        return done

    def _put(self, position: int, frame: bytes) -> bool | None:
        """Write a segment; return whether it is there, None if nobody's is."""
        began = time.monotonic()
        try:
            behind = self._segments.trailer(position, len(frame))
            mark = self.client.append(self._segments.name(position), frame + behind)
        except FileExistsError:
            self._give_way(time.monotonic() - began)
            self._segments.forget()
            there = self.read(position, HEAD_READ)
            self._looked_at = time.monotonic()
            return None if there is None else _is_of(frame, there[0])
        self._segments.add(position, Get(frame, len(frame), mark))
        return True

    def _give_way(self, took: float) -> None:
        """Wait as others were faster, the longer the more often they were lately.

        Who tries again at once, as all do, is too late as often as there are others.
        What they append meanwhile is read together. Who is too late for the first time
        takes it that all machines that are known are about to append.
        """
        if self._too_late is None:
            self._too_late = max(0, self.members.machines.bit_length() - 1)
        self._too_late = min(self._too_late + 1, _DOUBLINGS)
        most = min(took * (2 << self._too_late), _LONGEST_PAUSE)
        time.sleep(random.uniform(0, most))

    def retract(self, position: int, staged: str) -> None:
        # The one name that is freed: before it is a gap, and who puts something there
        # looks at once whether what it had read before is still there.
        name = self._segments.name(position)
        there = self.client.get(name, HEADER_SIZE)
        if there is not None and _is_of(self._staged[staged], there.data):
            self.client.delete([name])
        self._segments.drop(position)
        self._segments.forget()

    def replace(self, position: int, frame: bytes, own: int = 0) -> bool:
        self._segments.forget()
        if not to_be_replaced(self, position, own):
            return False
        name = self._segments.name(position)
        there = self.client.get(name)
        self._segments.drop(position)
        self._segments.forget()
        if there is None:  # somebody else may be about to fill it
            try:
                self.client.put(name, frame, new=True)
            except FileExistsError:
                return False
            return True
        self.client.put(f"{TRASH}/{plain(name)}", there.data)
        self.client.put(name, frame)
        return True

    def wait(self, position: int, seconds: float) -> None:
        now = time.monotonic()
        at, since = self._idle
        if at != position:
            self._idle = at, since = position, now
        pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, _PER_IDLE * (now - since)))
        end = now + max(seconds, pause)
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, pause * random.uniform(0.75, 1.25)))
            name = self._segments.name(position)
            if self.client.head(name, age=pause / 2) is not None:
                return
            pause = min(_LONGEST_PAUSE, 1.5 * pause)

    # merged blocks

    def merged(
        self, position: int
    ) -> Iterable[tuple[int, Segment | DamagedError]] | None:
        block, place = divmod(position, self.block_size)
        left = self._block(block)[place:]
        if place or not self._heads.go_on(block):
            listed = self._segments.page(position)
            few = len(left) < _WORTHWHILE
            if left[-1] not in listed or few or (place and _is_small(left, listed)):
                return None
        found = self._heads.read(block)
        if found is None:
            return None
        pack, heads = found
        segments = pack.segments(heads, partial(name_of, self))
        return (one for one in segments if one[0] >= position)

    def _block(self, block: int) -> range:
        return range(block * self.block_size, (block + 1) * self.block_size)

    def unnoticed(self) -> Iterator[tuple[str, str, int | None]]:
        for block in self._heads.all():
            if why := self._heads.worn(block):
                yield f"{self.url}/{heads_of(block)}", why, None
            yield from self._hidden(self._block(block))

    def _hidden(self, block: range) -> Iterator[tuple[str, str, int]]:
        """Yield the segments that are damaged, though heads tell what they were."""
        for position in block:
            try:
                look(self, position)
            except DamagedError as error:
                yield error.what, error.why, position

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int],
        end: int = 0,
    ) -> int:
        in_passing = block == self._filled
        if not sizes and not gone:  # something in it says of which block it is
            gone = {block * self.block_size: 0}
        shown = partial(self._beginning, frame) if in_passing else frame
        new = b"".join(NewPack(sizes, shown, gone).front())
        last = self._block(block)[-1]
        if end and check_at(self, last) not in {end, gone.get(last, end)}:
            return 0
        self._heads.write(block, new, anew=in_passing)
        return 0 if in_passing else self._free(sizes, frame, gone)

    def _beginning(self, frame: Callable[[int], bytes], position: int) -> bytes:
        """Return a frame, its body cut short if only its head was read."""
        start, _ = self.read(position, HEAD_READ) or (b"", 0)
        header = decode_header(start, name_of(self, position))
        whole = HEADER_SIZE + header.head_size <= len(start)
        return start if whole else frame(position)

    def _free(
        self,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int],
    ) -> int:
        """Replace what nobody needs by what does nothing; return bytes freed."""
        wanted = {at: void_frame(check) for at, check in gone.items()}
        wanted |= {at: frame(at) for at, size in sizes.items() if size <= HEAD_READ}
        freed = 0
        changed = {}
        for at, data in wanted.items():
            start, size = self.read(at, HEAD_READ) or (b"", 0)
            if start != data and not (at in gone and _is_void(start)):
                changed[at] = data
                freed += size - len(data)
        self.client.put_all((self._segments.name(at), changed[at]) for at in changed)
        for at in changed:
            self._segments.drop(at)
        self._segments.forget()
        return max(0, freed)

    def close(self) -> None:
        self.client.close()


def _is_of(frame: bytes, there: bytes) -> bool:
    """Return whether what lies somewhere is a frame, or stands in its place."""
    if there[:HEADER_SIZE] == frame[:HEADER_SIZE]:
        return True
    try:
        segment = decode_head(there, "a segment")
    except DamagedError:
        return False
    return segment.kind is Kind.VOID and segment.check == check_of(frame)


def _is_small(positions: range, listed: Mapping[int, Found]) -> bool:
    """Return whether the last of some segments may well bring all of them."""
    return all(listed[at].size <= HEAD_READ for at in positions if at in listed)


def _is_void(start: bytes) -> bool:
    try:
        return decode_head(start, "a segment").kind is Kind.VOID
    except DamagedError:
        return False


def open_log(url: str, *, create: bool) -> BucketLog:
    """Return the log of a store in a bucket; see `parse_address` for the URL.

    Raises
    ------
    OpenError
        The URL names no bucket, or obstore is not installed.
    """
    return BucketLog(Client(parse_address(url)), create=create)
