"""Large values in a folder that all machines mount, beside a store in Redis."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.filesystem.blob_folder import BlobFolder
from backends.filesystem.directory import Directory
from backends.filesystem.format import BLOBS, BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backends.interface import Bytes
    from backends.redis.room import Room


class SharedFolder:
    """The `Blobs` of a store in Redis, as files.

    They lie in a folder of their own, called after the id of the store, so that several
    stores may share a place, and one that was made anew does not meet old files.

    Parameters
    ----------
    room : Room
        The store.
    place : str
        The folder that all machines mount.
    """

    def __init__(self, room: Room, place: str) -> None:
        self._room = room
        self._place = Path(place).expanduser()

    @cached_property
    def _directory(self) -> Directory:
        root = self._place / f"taskgraph-{self._room.ident}"
        return Directory(root, create=True, block=BLOCK, kind=BLOBS)

    @cached_property
    def _blobs(self) -> BlobFolder:
        return BlobFolder(self._directory)

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        self._room.make()
        return self._blobs.write(name, chunks)

    def open(self, name: str) -> memoryview:
        if not self._room.exists():
            raise DamagedError(f"blob {name} of {self._room.url}", "it is gone")
        return self._blobs.open(name)

    def all(self) -> Iterator[tuple[str, int]]:
        return self._blobs.all() if self._room.exists() else iter(())

    def age(self, name: str) -> float:
        return self._blobs.age(name) if self._room.exists() else 0.0

    def trash(self, name: str) -> None:
        if self._room.exists():
            self._blobs.trash(name)

    def size(self) -> int:
        """Return the bytes of all files."""
        return self._directory.size() if self._room.exists() else 0

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was begun so many seconds ago and never became a blob."""
        return self._directory.leftovers(older_than, remove=remove)

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed so many seconds ago; return its bytes."""
        return self._directory.empty_trash(older_than)

    def open_to_all(self) -> bool:
        """Return whether every user of the machine may write to the folder."""
        return self._room.exists() and self._directory.open_to_all()
