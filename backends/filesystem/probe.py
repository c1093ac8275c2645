"""What can be found out about a directory, for a store in it."""

from __future__ import annotations

import mmap
import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from backends.errors import BackendError
from backends.filesystem.directory import Directory
from backends.filesystem.format import BLOCK, describe_format
from backends.filesystem.mounts import judged, mount_of
from backends.filesystem.posix import (
    create_file,
    explain,
    explained,
    is_remote,
    put_if_absent,
    remove_tree,
    write_file,
)
from backends.interface import Finding, Level, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABANDONED = 3600.0
"""Seconds after which a scratch store that is no leftover of a store goes."""
_FSYNCS = 20
_SLOW, _NOTHING = 0.05, 20e-6
"""Seconds of an fsync that are many, or so few that it writes nothing."""
_LITTLE_ROOM, _FEW_FILES = 1 << 30, 10_000
_RPCS = 20_000
"""Requests a second of an NFS server with several threads, as we assume."""
_ASKED = 11, 3, 4, 2
"""Requests to an NFS server: for an append, to read a segment, or a merged block, and
for a look; see ``backends/DESIGN.md``."""


class DirectoryProbe:
    """Finds out about the directory of a store; see `Probe`.

    Parameters
    ----------
    root : Path
        Where the store is, or will be.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)
        self._block = BLOCK

    def facts(self) -> Iterator[Finding]:
        there = _nearest(self.root)
        try:
            directory = Directory(self.root, create=True, block=BLOCK)
        except BackendError as error:
            yield Finding("store", "cannot be opened", str(error), "", Level.UNFIT)
            return
        self._block = directory.block_size
        found = "a store" if directory.exists() else "none yet: it will be made"
        yield Finding("store", found, f"in {there}")
        with suppress(OSError):
            table = Path("/proc/self/mountinfo").read_text()
            yield from judged(mount_of(str(there.resolve()), table))
        yield from self._room(there)
        yield self._rights(directory, there)
        yield self._writing(there)

    def _room(self, there: Path) -> Iterator[Finding]:
        found = os.statvfs(there)
        free = found.f_bavail * found.f_frsize
        level = Level.WARNING if free < _LITTLE_ROOM else Level.FINE
        yield Finding(
            "free space",
            f"{free / 1e9:.1f} GB",
            "a small result takes 70 to 250 bytes; large arrays what they have",
            "free some, or choose another --store" if level else "",
            level,
        )
        if not found.f_files:
            meaning = "it does not count them"
            yield Finding("free inodes", "no limit is told", meaning)
            return
        level = Level.WARNING if found.f_favail < _FEW_FILES else Level.FINE
        yield Finding(
            "free inodes",
            f"{found.f_favail:,}",
            "a million small results take less than 2,000 files; each large value one",
            "remove files, or choose another --store" if level else "",
            level,
        )

    def _rights(self, directory: Directory, there: Path) -> Finding:
        mode = there.stat().st_mode
        # In a folder like /tmp nobody can replace what belongs to somebody else.
        loose = bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX
        if directory.open_to_all() or loose:
            return Finding(
                "rights",
                f"{there} may be written to by everybody",
                "who writes to a store runs code as whoever loads its results",
                f"chmod -R o-w {there}",
                Level.WARNING,
            )
        return Finding("rights", stat.filemode(mode), "not every user may write there")

    def _writing(self, there: Path) -> Finding:
        """Write a file where the store's own staged ones are, through to the disk."""
        place = self._place("").parent
        place = place if os.path.isdir(place) else there
        path = str(place / f"doctor-{os.urandom(6).hex()}")
        try:
            write_file(create_file(path), path, [bytes(1 << 16)], durable=True)
        except OSError as error:
            why = str(explain(error, f"write to {place}"))
            return Finding("writing", "refused", why, "", Level.UNFIT)
        finally:
            with suppress(OSError):
                os.unlink(path)
        return Finding("writing", "done", "files can be made and removed")

    # scratch stores

    def _place(self, name: str) -> Path:
        """Return where a scratch store is: a leftover of the store, or beside it."""
        if os.path.isdir(self.root):
            return self.root / "tmp" / (name or "x")
        there = _nearest(self.root.parent)
        return there / f".{self.root.name}.{name}"

    def make_scratch(self, name: str) -> str:
        place = str(self._place(name))
        with explained(f"write to {place}"):
            os.makedirs(f"{place}/tmp", exist_ok=True)
            staged = f"{place}/tmp/{os.urandom(6).hex()}"
            about = describe_format(self._block)
            write_file(create_file(staged), staged, [about], durable=False)
            put_if_absent(staged, f"{place}/format.json")
            with suppress(OSError):
                os.unlink(staged)
        return place

    def remove_scratch(self, name: str) -> None:
        place = self._place(name)
        for _ in range(3):  # what NFS renames because it is open goes a moment later
            shutil.rmtree(place, ignore_errors=True)
            if not place.exists():
                break
            time.sleep(0.2)
        with suppress(OSError):
            if not (self.root / "format.json").exists():
                os.rmdir(self.root / "tmp")
        with suppress(OSError):
            start = self._place("doctor-").name
            for old in os.scandir(place.parent):
                aged = time.time() - old.stat(follow_symlinks=False).st_mtime
                if old.name.startswith(start) and aged > _ABANDONED:
                    remove_tree(old)

    # what is measured

    def measures(self, name: str) -> Iterator[Finding]:
        folder = str(self._place(name) / "files")
        with explained(f"write to {folder}"):
            os.makedirs(folder, exist_ok=True)
            yield self._fsync(folder)
            yield self._links(folder)
            yield self._cases(folder)
            yield self._mapping(folder)

    def _fsync(self, folder: str) -> Finding:
        took = []
        for number in range(_FSYNCS):
            path = f"{folder}/fsync-{number}"
            descriptor = create_file(path)
            os.write(descriptor, bytes(4096))
            began = time.perf_counter()
            os.fsync(descriptor)
            took.append(time.perf_counter() - began)
            os.close(descriptor)
            if sum(took) > 1:
                break
        found = median(took)
        meaning, advice, level = "each batch of results waits for one", "", Level.FINE
        if found > _SLOW:
            advice, level = "a disk that is less busy, or an SSD", Level.WARNING
            meaning += "; batches are made larger for it, up to 3 s of work"
        elif found < _NOTHING:
            meaning = "it writes nothing: after a power cut the last results are gone"
        text = f"{1e3 * found:.2f} ms (the longest: {1e3 * max(took):.1f})"
        return Finding("fsync", text, meaning, advice, level)

    def _links(self, folder: str) -> Finding:
        one, other = f"{folder}/one", f"{folder}/other"
        os.close(create_file(one))
        try:
            os.link(one, other)
        except OSError as error:
            return self._without_links(folder, str(error.strerror))
        try:
            os.link(one, other)
        except FileExistsError:
            meaning = "who is second is refused, which is how segments get their places"
            return Finding("hard links", "yes", meaning)
        meaning = "a link replaced another one: two workers would both be first"
        advice = "choose another --store"
        return Finding("hard links", "they replace", meaning, advice, Level.UNFIT)

    def _without_links(self, folder: str, why: str) -> Finding:
        for name in ("x", "y"):
            os.mkdir(f"{folder}/{name}")
            os.close(create_file(f"{folder}/{name}/segment"))
        try:
            os.rename(f"{folder}/x", f"{folder}/y")
        except OSError:
            return Finding(
                "hard links",
                f"refused ({why})",
                "folders that are renamed take their place; each segment has a folder",
                "take a file system with hard links if workers are many",
                Level.WARNING,
            )
        return Finding(
            "hard links",
            f"refused ({why})",
            "and a folder was renamed onto one with files: two workers would be first",
            "choose another --store",
            Level.UNFIT,
        )

    def _cases(self, folder: str) -> Finding:
        os.close(create_file(f"{folder}/letters"))
        if os.path.exists(f"{folder}/LETTERS"):
            meaning = "no two names of a store differ in that alone"
            return Finding("letters", "A and a are one name", meaning)
        return Finding("letters", "A and a are two names", "as on most systems")

    def _mapping(self, folder: str) -> Finding:
        path = f"{folder}/mapped"
        write_file(create_file(path), path, [b"taskgraph" * 1000], durable=False)
        try:
            with open(path, "rb") as file:
                kept = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            same = kept[:9] == b"taskgraph"
            kept.close()
        except (OSError, ValueError) as error:
            same, why = False, str(error)
        else:
            why = "other bytes"
        if same:
            return Finding("mapped files", "yes", "large arrays are loaded by need")
        return Finding(
            "mapped files",
            why,
            "large results could not be loaded",
            "choose another --store, or a mount option that allows mmap",
            Level.UNFIT,
        )

    def service(self, name: str) -> Service:
        size = self._block
        if not is_remote(self._place(name)):
            return Service(block_size=size, here=True)
        assumed = f"that the file server answers {_RPCS:,} requests a second"
        append, read, block, look = (n / _RPCS for n in _ASKED)
        return Service(append, read, block, look, size, assumed=assumed)

    def close(self) -> None:
        pass


def _nearest(path: Path) -> Path:
    """Return the folder itself, or the nearest one above that is there."""
    return next(x for x in (path, *path.parents) if os.path.isdir(x))
