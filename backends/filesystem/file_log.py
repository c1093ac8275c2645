"""A journal in a directory, shared by all machines that mount it.

::

    format.json                 kind and version of this layout
    log/000012/345              segment 12345
    log/000011.pack             block 11, merged: segments 11000 to 11999 (see packs)
    log/000000-000009.heads     what the segments of ten packs are about (see shelves)
    blobs/ab/abcd...-0.npy      large values
    workers/<worker>            who; its modification time is the heartbeat
    documents/<name>            snapshots; the last one written stays
    tmp/                        private to their writer until they are linked or renamed
    trash/<time>-<name>         what was removed, for a while

The protocol needs one atomic step: ``link`` a finished private file to the next
position, which refuses to replace and so has one winner, on NFS too. No flock, no
fcntl, no rename onto a name that two writers could want, no comparison of clocks.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.filesystem.blob_folder import BlobFolder
from backends.filesystem.directory import Directory
from backends.filesystem.document_folder import DocumentFolder
from backends.filesystem.format import BLOCK
from backends.filesystem.member_folder import MemberFolder
from backends.filesystem.packs import (
    NewPack,
    Pack,
    is_worn,
    open_pack,
    opened,
    worn_table,
)
from backends.filesystem.posix import (
    appeared,
    bytes_in,
    explained,
    is_remote,
    numbers_in,
    overwrite,
    put_if_absent,
    put_noticed,
    read_file,
    reads_again,
    revalidate,
)
from backends.filesystem.shelves import Shelves
from backends.reading import check_at, name_of, to_be_replaced
from backends.segment import HEADER_SIZE, LINK_AT, check_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from backends.interface import Bytes, Segment

_KEPT = 86400.0
"""Seconds for which the files of a merged block are kept in the trash."""


class FileLog:
    """A `Log` in the directory `root`.

    Parameters
    ----------
    root : Path
        Where it is.
    create : bool
        Make it, when something is first written, if there is none.
    block : int
        How many segments make a block, if it is made; kept in `format.json`.
    """

    shared = True
    lasting = False  # file servers lose names that they had confirmed

    def __init__(self, root: Path, *, create: bool = True, block: int = BLOCK) -> None:
        self.url = str(root)
        self._directory = Directory(root, create=create, block=block)
        self.blobs = BlobFolder(self._directory)
        self.documents = DocumentFolder(self._directory)
        self.members = MemberFolder(self._directory)
        self.space = self._directory
        self._packs: dict[int, Pack] = {}
        self._shelves = Shelves(self._directory)
        self._starts: dict[str, Bytes] = {}
        self._remote = is_remote(root)
        self.latency = 0.5 if self._remote else 0.02
        self._put = put_noticed if self._remote else put_if_absent

    @property
    def block_size(self) -> int:
        return self._directory.block_size

    def make(self) -> None:
        self._directory.make()

    def again(self) -> FileLog:
        return FileLog(self._directory.root, block=self.block_size)

    # the journal

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        if not self._directory.exists():
            return None
        block, place = divmod(position, self.block_size)
        path = self._path(position)
        with explained(f"read {path}"):
            self._look_behind(position)
            # At its first position a block is known to be merged or not: what a stale
            # worker might still link into its old directory is then never looked at.
            if block not in self._packs and (place or self._pack(block) is None):
                try:
                    return read_file(path, limit)
                except FileNotFoundError:
                    if not os.path.isdir(os.path.dirname(path)):
                        revalidate(f"{self.url}/log")
            return self._packed(position, limit)

    def merged(
        self, position: int
    ) -> Iterable[tuple[int, Segment | DamagedError]] | None:
        block, place = divmod(position, self.block_size)
        if (place and block not in self._packs) or not self._directory.exists():
            return None
        name = partial(name_of, self)
        if (shelf := self._shelves.read(position, name)) is not None:
            return shelf
        path = f"{self._block(block)}.pack"
        with explained(f"read {path}"):
            try:
                with opened(path) as descriptor:
                    heads = self._open(block, descriptor, path)
            except FileNotFoundError:
                return None
        found = self._packs[block].segments(heads, name)
        return (one for one in found if one[0] >= position)

    def unnoticed(self) -> Iterator[tuple[str, str, int | None]]:
        with explained(f"look into {self.url}/log"):
            for block in sorted(numbers_in(f"{self.url}/log", 6, ".pack")):
                path = f"{self._block(block)}.pack"
                with suppress(DamagedError, FileNotFoundError), opened(path) as pack:
                    if why := worn_table(pack):
                        yield path, why, None
                    yield from self._hidden(block, pack, path)
            for shelf in self._shelves.worn():
                yield shelf, "it is not as its packs are", None

    def _hidden(
        self, block: int, descriptor: int, path: str
    ) -> Iterator[tuple[str, str, int]]:
        """Yield the heads of a pack that are damaged, though a shelf has them."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        heads = self._open(block, descriptor, path)
        for position, found in self._packs[block].segments(
            heads, partial(name_of, self)
        ):
            if isinstance(found, DamagedError):
                yield found.what, found.why, position

    def refresh(self) -> None:
        pass  # each read that finds nothing asks the server anew

    def after(self, position: int) -> int | None:
        first, size = position // self.block_size, self.block_size
        with explained(f"look into {self.url}/log"):
            for block in sorted(numbers_in(f"{self.url}/log", 6, ".pack")):
                if block >= first and self._shelves.has(block, behind=block > first):
                    return max(position, block * size)
                places = numbers_in(self._block(block), 3) if block >= first else ()
                own = [block * size + place for place in places if place < size]
                if later := [at for at in own if at >= position]:
                    return min(later)
        return None

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:
        staged = self._directory.stage(frame, durable=durable)
        self._starts[staged] = frame[0]
        return staged

    def unstage(self, staged: str) -> None:
        self._starts.pop(staged, None)
        self._directory.unstage(staged)

    def append(self, position: int, staged: str, link: bytes = b"") -> bool:
        path = self._path(position)
        with explained(f"write to the store {self.url}"):
            if link:
                overwrite(staged, LINK_AT, link)
            self._look_behind(position)
            try:
                done = self._put(staged, path)
            except FileNotFoundError:
                if not os.path.exists(staged):
                    raise
                done = self._append_to_new_block(position, staged)
            return done and self._counts(position, staged)

    def _append_to_new_block(self, position: int, staged: str) -> bool:
        block, place = divmod(position, self.block_size)
        revalidate(f"{self.url}/log")
        if self._pack(block) is not None:
            return False  # it was complete: there is more to read first
        path = self._path(position)
        if not place:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            return self._put(staged, path)
        except FileNotFoundError:
            if place or self._pack(block) is None:
                raise
            return False  # the block was filled and merged meanwhile

    def _counts(self, position: int, staged: str) -> bool:
        """Return whether what was just put is there for all: its block is not merged.

        Who was frozen while others filled a block and merged it may make its directory
        anew, and another one who was frozen puts something into that. A pack is in its
        place before the directory goes: where there is none, it is the first one.
        """
        block = position // self.block_size
        if self._remote:
            revalidate(f"{self.url}/log")
        if not os.path.exists(f"{self._block(block)}.pack"):
            return True
        with suppress(DamagedError):
            self._pack(block)  # from now on what it has is read
        if check_at(self, position) == check_of(self._starts[staged]):
            return True  # others have gone on from it, up to the end of the block
        self.retract(position, staged)
        with suppress(OSError):
            os.rmdir(self._block(block))
        return False

    def _look_behind(self, position: int) -> None:
        """Who enters a block looks whether the one before was merged meanwhile.

        If not, what was read in its directory is what everybody reads; if so, it is
        compared with what the pack has.
        """
        block, place = divmod(position, self.block_size)
        if block and not place and block - 1 not in self._packs:
            with suppress(DamagedError):  # as is told of each segment in it
                self._pack(block - 1)

    def retract(self, position: int, staged: str) -> None:
        with suppress(OSError):
            path = self._path(position)
            if os.path.samefile(path, staged):
                os.unlink(path)

    def wait(self, position: int, seconds: float) -> None:
        path = self._path(position)
        directory = os.path.dirname(path)
        end = time.monotonic() + seconds
        delay, there = 0.001, appeared if self._remote else os.path.exists
        while True:
            revalidate(directory)
            if there(path):
                return
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, delay))
            delay = min(delay * 1.5, self.latency)

    def _path(self, position: int) -> str:
        block, place = divmod(position, self.block_size)
        return f"{self._block(block)}/{place:03d}"

    def _block(self, block: int) -> str:
        return f"{self.url}/log/{block:06d}"

    # merged blocks

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int],
        end: int = 0,
    ) -> int:
        directory = self._block(block)
        pack = f"{directory}.pack"
        if not sizes and not gone:  # something in it says of which block a pack is
            gone = {block * self.block_size: 0}
        new = NewPack(sizes, frame, gone)
        with explained(f"merge segments in {self.url}"):
            old = bytes_in(pack) + bytes_in(directory)
            broken = os.path.isdir(pack)  # no file can take its place
            bad = broken or is_worn(pack)
            if old <= new.size and not os.path.isdir(directory) and not bad:
                self._shelves.make(block)
                return 0
            staged = self._directory.stage(new.chunks(), durable=True)
            if broken:
                self._directory.trash(pack)
            own = os.stat(staged).st_ino
            if not self._ends_with(block, end):
                self.unstage(staged)
                return 0
            # Two mergers write the same or an equivalent pack: either may stay.
            self._shelves.remove(block)
            os.replace(staged, pack)
            self._shelves.remove(block)
            if self._vanished(block, end) and os.stat(pack).st_ino == own:
                self._directory.trash(pack)
                return 0
            with suppress(FileNotFoundError):
                self._directory.trash(directory)
                self._directory.forget_merged(_KEPT)
            self._shelves.make(block)
        return max(0, old - new.size)

    def _ends_with(self, block: int, end: int) -> bool:
        """Return whether the last segment of a block is still the one that was read."""
        if not end or os.path.isdir(self._block(block)):
            return not self._vanished(block, end)
        last = (block + 1) * self.block_size - 1
        return check_at(self, last) == end  # merged by somebody else

    def _vanished(self, block: int, end: int) -> bool:
        """Return whether another segment than `end` tells, or none, is a block's last.

        Of a block that is merged nothing vanishes.
        """
        if not end:
            return False
        try:
            last = self._path((block + 1) * self.block_size - 1)
            start, _ = read_file(last, HEADER_SIZE)
        except FileNotFoundError:
            return os.path.isdir(self._block(block))  # looked at after its names
        return len(start) < HEADER_SIZE or check_of(start) != end

    def _pack(self, block: int) -> Pack | None:
        """Return where the segments of a block are if it is merged, as of now."""
        path = f"{self._block(block)}.pack"
        try:
            with opened(path) as descriptor:
                return self._known(block, descriptor, path)
        except FileNotFoundError:
            return None

    def _known(self, block: int, descriptor: int, path: str) -> Pack:
        """Return what is in an open pack, read again if somebody replaced it."""
        if block not in self._packs or not self._packs[block].is_still(descriptor):
            self._open(block, descriptor, path)
        return self._packs[block]

    def _open(self, block: int, descriptor: int, path: str) -> Bytes:
        """Take in what an open pack holds; return the heads of its segments."""
        size = self.block_size
        positions = range(block * size, (block + 1) * size)
        self._packs[block], heads = open_pack(descriptor, path, positions)
        return heads

    @reads_again
    def _packed(self, position: int, limit: int | None) -> tuple[bytes, int] | None:
        block = position // self.block_size
        path = f"{self._block(block)}.pack"
        try:
            with opened(path) as descriptor:
                pack = self._known(block, descriptor, path)
                return pack.read(descriptor, position, limit)
        except FileNotFoundError:
            return None

    def replace(self, position: int, frame: bytes, own: int = 0) -> bool:
        path = self._path(position)
        folder = os.path.dirname(path)
        if os.path.exists(f"{folder}.pack") or not to_be_replaced(self, position, own):
            return False
        with explained(f"mend segment {position} of {self.url}"):
            os.makedirs(folder, exist_ok=True)
            staged = self.stage([frame], durable=True)
            if not os.path.lexists(path):  # somebody else may be about to fill it
                done = self._put(staged, path) and self._counts(position, staged)
                self.unstage(staged)
                return done
            if os.path.isdir(path):
                self._directory.trash(path)
            with suppress(OSError):
                os.link(path, self._directory.trashed(os.path.basename(path)))
            # Replaced, not moved away: at a gap a reader would take it for the end.
            os.replace(staged, path)
        return True

    def close(self) -> None:
        self._packs.clear()
