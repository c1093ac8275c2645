"""Large values in the directory of a store: a file each, mapped when it is read."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.filesystem.posix import explain, explained, open_anew

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backends.filesystem.directory import Directory
    from backends.interface import Bytes


class BlobFolder:
    """The `Blobs` of a store in a directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._path = f"{directory.root}/blobs"

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        path = f"{self._path}/{name}"
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
        path = f"{self._path}/{name}"
        try:
            descriptor = open_anew(path)
        except FileNotFoundError:
            store = self._directory.root
            raise DamagedError(f"blob {name} of {store}", "it is gone") from None
        except OSError as error:
            if error.errno == errno.EIO:
                raise DamagedError(path, "the disk cannot read it") from error
            raise explain(error, f"read {path}") from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                store = self._directory.root
                raise DamagedError(f"blob {name} of {store}", "it is no file")
            if found.st_size == 0:
                return memoryview(b"")
            # A private mapping: a task may change its input in place, nobody sees it.
            return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY))
        finally:
            os.close(descriptor)

    def all(self) -> Iterator[tuple[str, int]]:
        if not self._directory.exists():
            return
        for shard in sorted(os.scandir(self._path), key=lambda entry: entry.name):
            for entry in os.scandir(shard.path):
                with suppress(FileNotFoundError):
                    yield f"{shard.name}/{entry.name}", entry.stat().st_size

    def age(self, name: str) -> float:
        with suppress(FileNotFoundError):
            written = os.stat(f"{self._path}/{name}").st_mtime
            return self._directory.now() - written
        return 0.0

    def trash(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._directory.trash(f"{self._path}/{name}")
