"""Shelves: the heads of ten packs in one file, for who joins a large store.

A shelf is a pack of ten blocks without the bodies, and with a beginning of its own. It
says nothing that its packs do not say, so it may be missing or damaged: then these are
read one by one. It is made when all ten packs are there. Who replaces a pack removes
its shelf before and after that, and who makes a shelf looks afterwards whether the
packs are still those that it was made of: so a shelf that stays is of its packs, or was
a moment ago.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from itertools import chain
from typing import TYPE_CHECKING

from backends.errors import BackendError, DamagedError
from backends.filesystem.packs import encode_heads, open_pack, open_shelf, opened
from backends.filesystem.posix import read_at
from backends.interface import Kind, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backends.filesystem.directory import Directory
    from backends.filesystem.packs import Pack
    from backends.interface import Bytes

PACKS = 10
"""How many packs a shelf is of."""


class Shelves:
    """The shelves of a store in a directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def read(
        self, position: int, name: Callable[[int], str]
    ) -> Iterator[tuple[int, Segment | DamagedError]] | None:
        """Return the segments of the shelf that begins at a position, if one does.

        Bodies are left out. The last position of the shelf is always told.
        """
        size = PACKS * self._directory.block_size
        if position % size:
            return None
        path = self._path(position // size)
        positions = range(position, position + size)
        try:
            with opened(path) as descriptor:
                pack, heads = open_shelf(descriptor, path, positions)
        except (OSError, DamagedError):
            return None
        if not pack.is_whole(heads):
            return None
        void = Segment(Kind.VOID, "", 0.0)
        end = [] if pack.ends_with(positions[-1]) else [(positions[-1], void)]
        return chain(pack.segments(heads, name), end)

    def has(self, block: int, *, behind: bool) -> bool:
        """Return whether there is a pack of a block.

        One that comes `behind` a gap has to be of this block: another one by such a
        name must not stand for all the segments up to it.
        """
        size, path = self._directory.block_size, self._pack(block)
        if not behind:
            return os.path.exists(path)
        with suppress(DamagedError, FileNotFoundError), opened(path) as pack:
            return bool(open_pack(pack, path, range(block * size, (block + 1) * size)))
        return False

    def worn(self) -> Iterator[str]:
        """Yield the shelves that are not as their packs would have them."""
        folder = f"{self._directory.root}/log"
        for name in sorted(os.listdir(folder)):
            number, _, rest = name.partition("-")
            if number.isdecimal() and rest.endswith(".heads"):
                shelf = int(number) // PACKS
                if not (self._is_right(shelf) or self._is_right(shelf)):
                    yield self._path(shelf)

    def _is_right(self, shelf: int) -> bool:
        """Return whether a shelf is as its packs would have it, or is gone by now."""
        path = self._path(shelf)
        try:
            wanted = b"".join(encode_heads(self._fronts(shelf)))
            with opened(path) as descriptor:
                size = os.fstat(descriptor).st_size
                return size == len(wanted) and read_at(descriptor, size, 0) == wanted
        except (DamagedError, OSError):
            return not os.path.lexists(path)

    def remove(self, block: int) -> None:
        """Remove the shelf that a block is on: its pack is another one from now on."""
        path = self._path(block // PACKS)
        with suppress(FileNotFoundError):
            if os.path.isdir(path):
                self._directory.trash(path)
            else:
                os.unlink(path)

    def make(self, block: int) -> None:
        """Make the shelf of a block, if it is lacking and all its packs are there.

        One that is not as these are is made anew when the last of them comes.
        """
        shelf = block // PACKS
        path = self._path(shelf)
        packs = self._packs(shelf)
        last = block % PACKS == PACKS - 1
        if last and os.path.exists(path) and not self._is_right(shelf):
            self.remove(block)
        if os.path.exists(path) or not all(map(os.path.exists, packs)):
            return
        with suppress(BackendError, OSError):  # it saves time and nothing else
            self._make(shelf, path, packs)

    def _fronts(self, shelf: int) -> list[tuple[Pack, Bytes]]:
        """Return the packs of a shelf, and their heads."""
        size = self._directory.block_size
        first = shelf * PACKS * size
        fronts = []
        for pack in self._packs(shelf):
            with opened(pack) as descriptor:
                fronts.append(open_pack(descriptor, pack, range(first, first + size)))
            first += size
        return fronts

    def _make(self, shelf: int, path: str, packs: list[str]) -> None:
        fronts = self._fronts(shelf)
        chunks = encode_heads(fronts)
        os.replace(self._directory.stage(chunks, durable=False), path)
        with ExitStack() as stack:
            stack.callback(self.remove, shelf * PACKS)
            for pack, (found, _) in zip(packs, fronts, strict=True):
                with opened(pack) as descriptor:
                    if not found.is_still(descriptor):
                        return
            stack.pop_all()

    def _packs(self, shelf: int) -> list[str]:
        blocks = range(shelf * PACKS, (shelf + 1) * PACKS)
        return [self._pack(block) for block in blocks]

    def _pack(self, block: int) -> str:
        return f"{self._directory.root}/log/{block:06d}.pack"

    def _path(self, shelf: int) -> str:
        first = shelf * PACKS
        return f"{self._directory.root}/log/{first:06d}-{first + PACKS - 1:06d}.heads"
