"""A journal in a directory, shared by all machines that mount it.

::

    format.json                 kind and version of this layout
    log/000012/345              segment 12345
    log/000011.pack             block 11, merged: segments 11000 to 11999 (see packs)
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

import errno
import json
import mmap
import os
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import DamagedError, OpenError, UnavailableError
from backends.format import BLOCK, check_format, describe_format
from backends.interface import Bytes, Kind, Member, Segment
from backends.packs import Pack, encode_pack, identify
from backends.posix import (
    explain,
    explained,
    is_remote,
    open_anew,
    put_if_absent,
    read_exactly,
    read_file,
    remove_tree,
    revalidate,
    write_file,
)
from backends.segment import encode_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_FOLDERS = ("log", "blobs", "workers", "documents", "tmp", "trash")
_ABANDONED = 86400.0
"""Seconds after which nobody writes to a staged file any more."""
_VOID = b"".join(encode_frame(Segment(Kind.VOID, "", 0.0)))


class FileLog:
    """A `Log` in the directory `root`.

    Parameters
    ----------
    root : Path
        Where it is.
    create : bool
        Make it if there is none.
    block : int
        How many segments make a block, if it is made; kept in `format.json`.
    """

    shared = True

    def __init__(self, root: Path, *, create: bool = True, block: int = BLOCK) -> None:
        self.url = str(root)
        self._root = root
        self._staged = count()
        self._packs: dict[int, Pack] = {}
        self._pid = 0
        self._private = ""
        with explained(f"open the store {root}"):
            self.block_size = self._open(block, create=create)
        self.latency = 0.5 if is_remote(root) else 0.02

    def _open(self, block: int, *, create: bool) -> int:
        path = f"{self.url}/format.json"
        try:
            text, _ = read_file(path)
        except FileNotFoundError:
            if not create:
                raise OpenError(
                    f"there is no store at {self._root}; `tg execute` makes one"
                ) from None
            if self._root.is_dir():
                self._refuse_foreign()
            for name in _FOLDERS:
                (self._root / name).mkdir(parents=True, exist_ok=True)
            staged = self.stage([describe_format(block)], durable=True)
            put_if_absent(staged, path)
            self.unstage(staged)
            text, _ = read_file(path)
        except NotADirectoryError:
            raise OpenError(f"{self._root} is not a directory") from None
        return check_format(text, self._root)

    def _refuse_foreign(self) -> None:
        """Refuse a directory of somebody else; another worker may be making ours."""
        names = {entry.name for entry in self._root.iterdir()}
        if names - {*_FOLDERS, "format.json"}:
            raise OpenError(
                f"{self._root} holds other files and no store; choose an empty or a "
                "new directory with --store"
            )

    # the journal

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        block, place = divmod(position, self.block_size)
        path = self._path(position)
        with explained(f"read {path}"):
            # At its first position a block is known to be merged or not: what a stale
            # worker might still link into its old directory is then never looked at.
            if block not in self._packs and (place or self._pack(block) is None):
                try:
                    return read_file(path, limit)
                except FileNotFoundError:
                    if not os.path.isdir(os.path.dirname(path)):
                        revalidate(f"{self.url}/log")
            return self._read_packed(position, limit)

    def refresh(self) -> None:
        pass  # each read that finds nothing asks the server anew

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:
        if self._pid != os.getpid():  # forked: what we write needs other names
            self._pid = os.getpid()
            self._private = f"{self._pid:x}-{os.urandom(6).hex()}"
        path = f"{self.url}/tmp/{self._private}-{next(self._staged)}"
        with explained(f"write to the store {self._root}"):
            write_file(path, frame, durable=durable)
        return path

    def append(self, position: int, staged: str) -> bool:
        path = self._path(position)
        with explained(f"write to the store {self._root}"):
            try:
                return put_if_absent(staged, path)
            except FileNotFoundError:
                if not os.path.exists(staged):
                    raise
            return self._append_to_new_block(position, staged)

    def _append_to_new_block(self, position: int, staged: str) -> bool:
        block, place = divmod(position, self.block_size)
        path = self._path(position)
        directory = os.path.dirname(path)
        revalidate(f"{self.url}/log")
        if not place:
            os.makedirs(directory, exist_ok=True)
        # A directory is moved away only after its pack was there. So one that was
        # made above without a pack is of a block that has not begun.
        if self._pack(block) is not None:
            with suppress(OSError):
                os.rmdir(directory)
            return False  # it was complete: there is more to read first
        return put_if_absent(staged, path)

    def unstage(self, staged: str) -> None:
        with suppress(OSError):
            os.unlink(staged)

    def wait(self, position: int, seconds: float) -> None:
        path = self._path(position)
        directory = os.path.dirname(path)
        end = time.monotonic() + seconds
        delay = 0.001
        while True:
            revalidate(directory)
            if os.path.exists(path):
                return
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, delay))
            delay = min(delay * 1.5, self.latency)

    def _path(self, position: int) -> str:
        block, place = divmod(position, self.block_size)
        return f"{self.url}/log/{block:06d}/{place:03d}"

    # merged blocks

    def merge(self, block: int, frames: Mapping[int, bytes], *, drop: bool) -> int:
        directory = self._root / "log" / f"{block:06d}"
        pack = self._root / "log" / f"{block:06d}.pack"
        chunks = encode_pack(frames)
        new = sum(map(len, chunks))
        with explained(f"merge segments in {self._root}"):
            old = _bytes_in(pack) + _bytes_in(directory)
            if old <= new and not directory.is_dir():
                return 0
            staged = self.stage(chunks, durable=True)
            # Two mergers write the same or an equivalent pack: either may stay.
            os.replace(staged, pack)
            with suppress(FileNotFoundError):
                trashed = self._to_trash(directory)
                if drop:
                    import shutil  # costs start-up time that most commands need not

                    shutil.rmtree(trashed, ignore_errors=True)
        return old - new

    def _pack(self, block: int) -> Pack | None:
        """Return the table of a merged block, read again if somebody replaced it."""
        path = f"{self.url}/log/{block:06d}.pack"
        try:
            descriptor = open_anew(path)
        except FileNotFoundError:
            return None
        try:
            return self._table(block, descriptor, path)
        finally:
            os.close(descriptor)

    def _table(self, block: int, descriptor: int, path: str) -> Pack:
        known = self._packs.get(block)
        if known is None or known.identity != identify(descriptor):
            known = self._packs[block] = Pack(descriptor, path)
        return known

    def _read_packed(
        self, position: int, limit: int | None
    ) -> tuple[bytes, int] | None:
        block = position // self.block_size
        path = f"{self.url}/log/{block:06d}.pack"
        try:
            descriptor = open_anew(path)
        except FileNotFoundError:
            return None
        try:
            table = self._table(block, descriptor, path)
            return table.read(descriptor, position, limit) or (_VOID, len(_VOID))
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise DamagedError(path, "the disk cannot read it") from error
        finally:
            os.close(descriptor)

    # blobs

    def write_blob(self, name: str, chunks: Iterable[Bytes]) -> int:
        path = self._root / "blobs" / name
        staged = self.stage(list(chunks), durable=True)
        with explained(f"write to the store {self._root}"):
            size = os.stat(staged).st_size
            try:
                self._name_blob(staged, path)
            except OSError:
                self.unstage(staged)
                raise
        return size

    def _name_blob(self, staged: str, path: Path) -> None:
        try:
            os.rename(staged, path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.exists(staged) or not path.exists():  # else a reply was lost
                os.rename(staged, path)

    def open_blob(self, name: str) -> memoryview:
        path = f"{self.url}/blobs/{name}"
        try:
            descriptor = open_anew(path)
        except FileNotFoundError:
            raise DamagedError(f"blob {name} of {self.url}", "it is gone") from None
        except OSError as error:
            if error.errno == errno.EIO:
                raise DamagedError(path, "the disk cannot read it") from error
            raise explain(error, f"read {path}") from error
        try:
            if os.fstat(descriptor).st_size == 0:
                return memoryview(b"")
            # A private mapping: a task may change its input in place, nobody sees it.
            return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY))
        finally:
            os.close(descriptor)

    def blobs(self) -> Iterator[tuple[str, int]]:
        root = self._root / "blobs"
        for shard in sorted(os.scandir(root), key=lambda entry: entry.name):
            for entry in os.scandir(shard.path):
                with suppress(FileNotFoundError):
                    yield f"{shard.name}/{entry.name}", entry.stat().st_size

    def blob_age(self, name: str) -> float:
        with suppress(FileNotFoundError):
            return self._now() - os.stat(self._root / "blobs" / name).st_mtime
        return 0.0

    def trash_blob(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._to_trash(self._root / "blobs" / name)

    # documents and members

    def put_document(self, name: str, data: bytes) -> None:
        staged = self.stage([data], durable=False)
        with explained(f"write to the store {self._root}"):
            os.replace(staged, self._root / "documents" / name)

    def get_document(self, name: str) -> bytes | None:
        path = f"{self.url}/documents/{name}"
        with explained(f"read {path}"):
            try:
                return read_file(path)[0]
            except FileNotFoundError:
                return None

    def documents(self) -> list[str]:
        try:
            return sorted(os.listdir(self._root / "documents"))
        except FileNotFoundError:
            return []

    def beat(self, worker: str, about: Mapping[str, object]) -> None:
        path = self._root / "workers" / worker
        with explained(f"write to the store {self._root}"):
            try:
                os.utime(path)  # the server's clock stamps it
            except FileNotFoundError:
                staged = self.stage([json.dumps(dict(about)).encode()], durable=False)
                os.replace(staged, path)

    def members(self) -> list[Member]:
        found = []
        now = self._now()
        try:
            names = os.listdir(self._root / "workers")
        except FileNotFoundError:
            return []
        for name in names:
            with explained(f"read {self.url}/workers/{name}"):
                try:
                    stamp, about = _read_member(f"{self.url}/workers/{name}")
                except FileNotFoundError:
                    continue
            found.append(Member(name, about, stamp, max(0.0, now - stamp)))
        return found

    def leave(self, worker: str) -> None:
        with suppress(OSError):
            os.unlink(self._root / "workers" / worker)

    def _now(self) -> float:
        """Return the time by the clock that stamps the heartbeats."""
        try:
            staged = self.stage([b""], durable=False)
        except UnavailableError:
            return time.time()
        stamp = os.stat(staged).st_mtime
        self.unstage(staged)
        return stamp

    # room

    def empty_trash(self, older_than: float) -> int:
        limit = time.time() - older_than
        freed = 0
        with explained(f"empty the trash of {self._root}"):
            for entry in os.scandir(self._root / "trash"):
                with suppress(ValueError):
                    if float(entry.name.split("-", 1)[0]) <= limit:
                        freed += remove_tree(entry)
            return freed + self._remove_abandoned(older_than)

    def _remove_abandoned(self, older_than: float) -> int:
        """Remove what was staged by writers that are long dead."""
        limit = self._now() - max(older_than, _ABANDONED)
        freed = 0
        for entry in os.scandir(self._root / "tmp"):
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < limit:
                    freed += remove_tree(entry)
        return freed

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        limit = self._now() - older_than
        found = []
        with explained(f"look into {self._root}/tmp"):
            for entry in os.scandir(self._root / "tmp"):
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < limit:
                        found.append(entry.name)
                        if remove:
                            remove_tree(entry)
        return found

    def void(self, position: int) -> bool:
        path = self._path(position)
        if not os.path.exists(path):
            return False
        with explained(f"mend segment {position} of {self._root}"):
            staged = self.stage([_VOID], durable=True)
            with suppress(OSError):
                os.link(path, self._trashed(Path(path).name))
            # Replaced, not moved away: at a gap a reader would take it for the end.
            os.replace(staged, path)
        return True

    def size(self) -> int:
        return _bytes_in(self._root)

    def close(self) -> None:
        self._packs.clear()

    def _to_trash(self, path: Path) -> Path:
        trashed = self._trashed(path.name)
        os.rename(path, trashed)
        return trashed

    def _trashed(self, name: str) -> Path:
        """Return a new name in the trash, which says since when it is there."""
        mark = os.urandom(3).hex()
        return self._root / "trash" / f"{time.time():.0f}-{mark}-{name}"


def _read_member(path: str) -> tuple[float, dict[str, object]]:
    """Return a worker's heartbeat and what it says of itself."""
    descriptor = open_anew(path)  # and fstat: a plain stat may answer from a cache
    try:
        stat = os.fstat(descriptor)
        text = read_exactly(descriptor, stat.st_size)
    finally:
        os.close(descriptor)
    with suppress(ValueError):
        return stat.st_mtime, dict(json.loads(text))
    return stat.st_mtime, {}  # cut short by a power cut: judged by its heartbeat


def _bytes_in(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 if there is none."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(f"{folder}/{name}").st_size
    if not path.is_dir():
        with suppress(FileNotFoundError):
            total = os.lstat(path).st_size
    return total
