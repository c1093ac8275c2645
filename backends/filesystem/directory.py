"""The directory of a store: when it is made, what is staged in it, what is trashed."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from backends.errors import DamagedError, NoStoreError, OpenError, UnavailableError
from backends.filesystem.format import FORMAT, check_format, describe_format, is_format
from backends.filesystem.posix import (
    bytes_in,
    create_file,
    explained,
    put_if_absent,
    read_file,
    remove_tree,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from backends.interface import Bytes

T = TypeVar("T")

_FOLDERS = ("log", "blobs", "workers", "documents", "tmp", "trash")
_ABANDONED = 86400.0
"""Seconds after which nobody writes to a staged file any more."""


class Directory:
    """The directory `root` of a store, and its `Space`.

    It is made when something is first written to it: whoever only wanted to, and then
    could not, leaves nothing behind.

    Parameters
    ----------
    root : Path
        Where it is.
    create : bool
        Make it if there is none.
    block : int
        How many segments make a block, if it is made; kept in `format.json`.
    kind : str, optional
        What `format.json` says that it is.

    Attributes
    ----------
    block_size : int
        How many segments make a block.
    """

    def __init__(
        self, root: Path, *, create: bool, block: int, kind: str = FORMAT
    ) -> None:
        self.root = root
        self.block_size = block
        self._kind = kind
        self._path = str(root)
        self._made = False
        self._staged = count()
        self._pid = 0
        self._private = ""
        with explained(f"open the store {root}"):
            if self.exists():
                return
            if not create:
                raise NoStoreError(
                    f"there is no store at {root}; `tg execute` makes one"
                )
            if root.is_dir():
                self._refuse_foreign()
            self._refuse_inside()

    def exists(self) -> bool:
        """Return whether the store was made, by anybody."""
        if not self._made:
            with explained(f"open the store {self.root}"), suppress(FileNotFoundError):
                self._learn_format()
        return self._made

    def _learn_format(self) -> None:
        try:
            text, _ = read_file(f"{self._path}/format.json")
        except (NotADirectoryError, DamagedError):
            if not self.root.is_dir():  # but a file, or links in a circle
                raise OpenError(
                    f"{self.root} is not a directory; choose another --store"
                ) from None
            text = b""
        self.block_size = check_format(text, self.root, self._kind)
        self._refuse_links()
        self._made = True

    def _refuse_links(self) -> None:
        """Refuse folders that lie elsewhere: what is in them is moved and removed."""
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name in _FOLDERS and entry.is_symlink():
                    raise OpenError(
                        f"{self.root}/{entry.name} is a link to somewhere else, and no "
                        "store makes links; put the whole store there, or choose "
                        "another --store"
                    )

    def _refuse_foreign(self) -> None:
        """Refuse a directory of somebody else; another worker may be making ours."""
        names = {entry.name for entry in self.root.iterdir()}
        if names - {*_FOLDERS, "format.json"}:
            raise OpenError(
                f"{self.root} holds other files and no store; choose an empty or a "
                "new directory with --store"
            )

    def _refuse_inside(self) -> None:
        """Refuse a place in the directory of a store, whose files are its own."""
        for folder in self.root.resolve().parents:
            with suppress(OSError, DamagedError):
                text, _ = read_file(f"{folder}/format.json")
                if is_format(text):
                    raise OpenError(
                        f"{self.root} would be a store inside of the store {folder}; "
                        "choose a directory beside it with --store"
                    )

    def make(self) -> None:
        """Make the store, unless it was made."""
        with explained(f"write to the store {self.root}"):
            if not self.exists():
                self._make()

    def _make(self) -> None:
        self._make_folders()
        staged = self._write(
            [describe_format(self.block_size, self._kind)], durable=True
        )
        put_if_absent(staged, f"{self._path}/format.json")
        self.unstage(staged)
        self._learn_format()

    def _make_folders(self) -> None:
        for name in _FOLDERS:
            try:
                (self.root / name).mkdir(parents=True, exist_ok=True)
            except FileNotFoundError:  # as in /proc
                raise OpenError(
                    f"no directory can be made at {self.root}; choose another --store"
                ) from None

    def into_folder(self, write: Callable[[], T]) -> T:
        """Return what `write` does in a folder of the store; made again if removed."""
        try:
            return write()
        except FileNotFoundError:
            if not os.path.exists(f"{self._path}/format.json"):
                raise  # the whole store is gone
            self._make_folders()
            return write()

    # files that are not public yet

    def stage(self, chunks: Iterable[Bytes], *, durable: bool) -> str:
        """Write a file that nobody else looks at; see `Log.stage`."""
        with explained(f"write to the store {self.root}"):
            if not self.exists():
                self._make()
            return self._write(chunks, durable=durable)

    def _write(self, chunks: Iterable[Bytes], *, durable: bool) -> str:
        if self._pid != os.getpid():  # forked: what we write needs other names
            self._pid = os.getpid()
            self._private = f"{self._pid:x}-{os.urandom(6).hex()}"
        path = f"{self._path}/tmp/{self._private}-{next(self._staged)}"
        descriptor = self.into_folder(lambda: create_file(path))
        write_file(descriptor, path, chunks, durable=durable)
        return path

    def unstage(self, staged: str) -> None:
        """Remove what was staged; what got a public name stays."""
        with suppress(OSError):
            os.unlink(staged)

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was staged so many seconds ago and never got a name."""
        if not self.exists():
            return []
        limit = self.now() - older_than
        found = []
        with explained(f"look into {self.root}/tmp"):
            for entry in self._entries("tmp"):
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < limit:
                        found.append(entry.name)
                        if remove:
                            remove_tree(entry)
        return found

    def now(self) -> float:
        """Return the time by the clock that stamps the files."""
        try:
            staged = self.stage([b""], durable=False)
        except UnavailableError:
            return time.time()
        stamp = os.stat(staged).st_mtime
        self.unstage(staged)
        return stamp

    # the trash

    def trash(self, path: str) -> str:
        """Move a file or folder to the trash; return where it is now."""
        trashed = self.trashed(os.path.basename(path))
        self.into_folder(lambda: os.rename(path, trashed))
        return trashed

    def trashed(self, name: str) -> str:
        """Return a new name in the trash, which says since when it is there."""
        mark = os.urandom(3).hex()
        return f"{self._path}/trash/{int(self.now())}-{mark}-{name}"

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed so many seconds ago; return its bytes."""
        if not self.exists():
            return 0
        with explained(f"empty the trash of {self.root}"):
            freed = self._remove_trashed(older_than, lambda _: True)
            return freed + self._remove_abandoned(older_than)

    def forget_merged(self, older_than: float) -> int:
        """Remove the former files of blocks merged so many seconds ago; count bytes.

        Each merging leaves a folder of a thousand files behind, so nobody is asked.
        """
        return self._remove_trashed(older_than, str.isdecimal)

    def _remove_trashed(self, older_than: float, named: Callable[[str], bool]) -> int:
        limit = self.now() - older_than
        freed = 0
        for entry in self._entries("trash"):
            with suppress(ValueError):
                since, _, name = entry.name.split("-", 2)
                if named(name) and float(since) <= limit:
                    freed += remove_tree(entry)
        return freed

    def _remove_abandoned(self, older_than: float) -> int:
        """Remove what was staged by writers that are long dead."""
        limit = self.now() - max(older_than, _ABANDONED)
        freed = 0
        for entry in self._entries("tmp"):
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < limit:
                    freed += remove_tree(entry)
        return freed

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        with suppress(FileNotFoundError), os.scandir(self.root / folder) as entries:
            return list(entries)
        return []

    def size(self) -> int:
        """Return the bytes in use."""
        return bytes_in(self._path)

    def open_to_all(self) -> bool:
        """Return whether every user of the machine may write to the store."""
        for folder in ("", *_FOLDERS):
            with suppress(OSError):
                if os.stat(self.root / folder).st_mode & stat.S_IWOTH:
                    return True
        return False
