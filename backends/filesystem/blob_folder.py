"""Large values in the directory of a store: a file each, mapped when it is read."""

from __future__ import annotations

import mmap
import os
import resource
import stat
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakSet

from backends.errors import DamagedError
from backends.filesystem.posix import explain, explained, open_anew, reads_again
from backends.names import is_blob_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backends.filesystem.directory import Directory
    from backends.interface import Bytes


class BlobFolder:
    """The `Blobs` of a store in a directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._path = f"{directory.root}/blobs"
        self._mapped: WeakSet[mmap.mmap] = WeakSet()

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        path = self._file(name)
        staged = self._directory.stage(chunks, durable=True)
        with explained(f"write to the store {self._directory.root}"):
            size = os.stat(staged).st_size
            try:
                self._give_name(staged, path)
            except OSError:
                self._directory.unstage(staged)
                raise
        return size

    def _give_name(self, staged: str, path: str) -> None:
        try:
            os.rename(staged, path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.exists(staged) or not os.path.exists(path):
                os.rename(staged, path)  # else a reply was lost

    def open(self, name: str) -> memoryview:
        path = self._file(name)
        try:
            return self._opened(path, name)
        except FileNotFoundError:
            store = self._directory.root
            raise DamagedError(f"blob {name} of {store}", "it is gone") from None
        except OSError as error:
            raise explain(error, f"read {path}") from error

    @reads_again
    def _opened(self, path: str, name: str) -> memoryview:
        descriptor = open_anew(path)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                store = self._directory.root
                raise DamagedError(f"blob {name} of {store}", "it is no file")
            if found.st_size == 0:
                return memoryview(b"")
            return self._contents(descriptor, found.st_size)
        finally:
            os.close(descriptor)

    def _contents(self, descriptor: int, size: int) -> memoryview:
        """Return what is in a file, mapped unless too many are mapped already.

        A mapping keeps a descriptor, and a process has 1024 if nobody changed that: who
        needs more arrays than half of them gets the rest in memory.
        """
        if len(self._mapped) < resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2:
            with suppress(OSError):  # no descriptor or no mapping is left
                # A private one: a task may change its input in place, nobody sees it.
                mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
                self._mapped.add(mapped)
                return memoryview(mapped)
        data = bytearray(size)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            read = file.readinto(data)
        return memoryview(data)[:read]

    def all(self) -> Iterator[tuple[str, int]]:
        if not self._directory.exists():
            return
        with suppress(FileNotFoundError):
            for shard in sorted(os.scandir(self._path), key=lambda entry: entry.name):
                yield from _blobs_in(shard)

    def age(self, name: str) -> float:
        with suppress(FileNotFoundError):
            written = os.stat(self._file(name)).st_mtime
            return self._directory.now() - written
        return 0.0

    def trash(self, name: str) -> None:
        path = self._file(name)
        if os.path.islink(os.path.dirname(path)):
            raise DamagedError(path, "its folder is a link to somewhere else")
        with suppress(FileNotFoundError):
            self._directory.trash(path)

    def _file(self, name: str) -> str:
        if not is_blob_name(name):
            store = self._directory.root
            raise DamagedError(f"blob {name!r} of {store}", "no blob has such a name")
        return f"{self._path}/{name}"


def _blobs_in(shard: os.DirEntry[str]) -> Iterator[tuple[str, int]]:
    """Yield names and sizes; what is no folder or file of ours is left alone."""
    if not shard.is_dir(follow_symlinks=False):
        return
    for entry in os.scandir(shard.path):
        name = f"{shard.name}/{entry.name}"
        with suppress(FileNotFoundError):
            if entry.is_file(follow_symlinks=False) and is_blob_name(name):
                yield name, entry.stat().st_size
