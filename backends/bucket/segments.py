"""The segments in a bucket: which there are, by listings, and what is in them.

A listing tells the marks of all segments of a block from a position on, and of those
before it that were read lately. So one request says what is new, and that what was read
is still what is there; what is kept of it need not be asked for again. What is new is
asked for at once, many at the same time; of several the last one first, since others
may stand behind it (`trailers`).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from backends.bucket.client import Found
from backends.bucket.layout import LOG, folder_of
from backends.bucket.trailers import OVERHEAD, parted, trailer_of
from backends.reading import HEAD_READ

if TYPE_CHECKING:
    from backends.bucket.client import Client, Get
    from backends.bucket.place import Place

_LATELY = 9
"""Segments before a position that a listing tells of, too."""
_STEP = 16
"""A listing begins at a multiple: all who ask on one machine ask for the same one."""
_AHEAD = 32
"""Segments that are read at the same time."""
_KEPT = 32 << 20
"""Bytes of the beginnings of segments that are kept."""


class _Page(NamedTuple):
    """A listing of the segments of a block from a position on."""

    first: int
    listed: dict[int, Found]


class Segments:
    """The segments of a store in a bucket, as of the last `forget`.

    Parameters
    ----------
    client : Client
        Makes the requests.
    place : Place
        Knows how many segments make a block.
    """

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place
        self._pages: dict[int, _Page] = {}
        self._kept: OrderedDict[int, Get] = OrderedDict()
        self._bytes = 0
        self._of_others = False

    def forget(self) -> None:
        """Let the next one who asks look anew."""
        self._pages.clear()

    def name(self, position: int) -> str:
        """Return what the object of a position is called."""
        block, place = divmod(position, self._place.block_size)
        return f"{folder_of(block)}/{place:03d}"

    def page(self, position: int) -> dict[int, Found]:
        """Return what there is in the block of a position, from there on at least."""
        size = self._place.block_size
        block, place = divmod(position, size)
        page = self._pages.get(block)
        if page is None or place < page.first:
            first = max(0, place - _LATELY) // _STEP * _STEP
            after = f"{folder_of(block)}/{first - 1:03d}" if first else ""
            listed = {
                at: found
                for found in self._client.listed(folder_of(block), after)
                if (at := self._position(found.name)) is not None
            }
            page = self._pages[block] = _Page(first, listed)
        return page.listed

    def after(self, position: int) -> int | None:
        """Return the first position from this one on where something is.

        One that is not the next may have come since the last look, after the next: so
        that is looked for once more.
        """
        found = self._after(position)
        if found is not None and found > position:
            self.forget()
            found = self._after(position)
        return found

    def _after(self, position: int) -> int | None:
        later = [at for at in self.page(position) if at >= position]
        if later:
            return min(later)
        size = self._place.block_size
        last, most = f"{folder_of(position // size)}/~", 1
        while beyond := self._client.listed(LOG, last, most):
            places = map(self._position, [found.name for found in beyond])
            if (at := next((x for x in places if x is not None), None)) is not None:
                return at
            last, most = beyond[-1].name, 1000  # somebody else's objects
        return None

    def _position(self, name: str) -> int | None:
        """Return which segment an object is; None of one that we would not write."""
        try:
            _, block, place = name.split("/")
            position = int(block) * self._place.block_size + int(place)
        except ValueError:
            return None
        return position if self.name(position) == name else None

    def read(self, position: int, limit: int | None) -> tuple[bytes, int] | None:
        """Return the first bytes of a segment and its size; see `Log.read`.

        A whole one that is kept is what it was when it was read.
        """
        kept = self._kept.get(position)
        if limit is None:
            if kept is None or len(kept.data) < kept.size:
                kept = self._client.get(self.name(position))
                if kept is not None:
                    kept = self.keep(position, kept)
            return None if kept is None else (kept.data, kept.size)
        listed = self.page(position).get(position)
        if listed is None:
            return None
        if kept is None or kept.mark != listed.mark:
            kept = self._read_ahead(position)
        if kept is not None and len(kept.data) < min(limit, kept.size):  # a long head
            found = self._client.get(self.name(position), limit, kept.mark)
            kept = None if found is None else parted(found)[0]
        return None if kept is None else (kept.data[:limit], kept.size)

    def _read_ahead(self, position: int) -> Get | None:
        """Read the beginning of a segment, and of those after it."""
        listed = self.page(position)
        ahead = range(position + 1, position + _AHEAD)
        wanted = [
            position,
            *(at for at in ahead if at in listed and at not in self._kept),
        ]
        self._of_others = True
        if len(wanted) > 1:
            self._ask(wanted.pop(), listed=listed)
            if self._is_known(position, listed):
                return self._kept[position]
            wanted = [at for at in wanted if not self._is_known(at, listed)]
        return self._ask(*wanted, listed=listed)[0]

    def _ask(self, *wanted: int, listed: dict[int, Found]) -> list[Get | None]:
        """Read the beginnings of some segments of a block."""
        asked = [
            (
                self.name(at),
                HEAD_READ if listed[at].size > HEAD_READ else None,
                listed[at].mark,
            )
            for at in wanted
        ]
        found = self._client.get_all(asked)
        return [
            None if each is None else self.keep(at, each, listed)
            for at, each in zip(wanted, found, strict=True)
        ]

    def _is_known(self, position: int, listed: dict[int, Found]) -> bool:
        kept = self._kept.get(position)
        return kept is not None and kept.mark == listed[position].mark

    def add(self, position: int, found: Get) -> None:
        """Take in what is at a position since the last listing."""
        listed = Found(self.name(position), found.size, found.mark, 0.0)
        self.page(position)[position] = listed
        self.keep(position, found)

    def trailer(self, position: int, size: int) -> bytes:
        """Return what to put behind a frame of a size: the small ones before it.

        There is nothing behind it as long as nobody else has appended.
        """
        if not self._of_others:
            return b""
        listed, room = self.page(position), HEAD_READ - size - OVERHEAD
        before = {}
        for place in reversed(range(position % self._place.block_size)):
            at = position - position % self._place.block_size + place
            kept = self._kept.get(at)
            whole = kept is not None and len(kept.data) == kept.size
            if kept is None or not whole or at not in listed:
                continue
            if kept.size + OVERHEAD <= room and self._is_known(at, listed):
                room -= kept.size + OVERHEAD
                before[place] = kept
        return trailer_of(before)

    def keep(
        self, position: int, found: Get, listed: dict[int, Found] | None = None
    ) -> Get:
        """Keep the beginning of a segment for as long as there is room; return it.

        So is what stands behind it, if a listing says that this is what is there.
        """
        frame, before = parted(found)
        first = position - position % self._place.block_size
        for place, one in before.items():
            there = (listed or {}).get(first + place)
            if there is not None and there.mark == one.mark:
                self._keep(first + place, one)
        self._keep(position, frame)
        return frame

    def _keep(self, position: int, found: Get) -> None:
        self.drop(position)
        start = found._replace(data=found.data[:HEAD_READ])
        self._kept[position] = start
        self._bytes += len(start.data)
        while self._bytes > _KEPT:
            self.drop(next(iter(self._kept)))

    def drop(self, position: int) -> None:
        """Keep nothing of a position."""
        kept = self._kept.pop(position, None)
        self._bytes -= 0 if kept is None else len(kept.data)
