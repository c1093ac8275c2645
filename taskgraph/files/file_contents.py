"""What files contain, as digests; a content is read once for all processes of a user.

A digest is remembered with size, times and inode of its file, in memory and in the
user's cache folder: a log of lines for each folder with such files, each appended by
one write and sealed by a checksum. Who is killed in the middle leaves a line that
nobody believes, and who cannot write there reads files again.

What changed within the grain of the clock has the same times as before. So nothing is
remembered of a file that was changed less than a minute before it was read, as git does
with its index; a minute, because a file server's clock may differ from ours, and what
is written through mapped memory gets its time when the system gets to it.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from blake3 import blake3

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 20
_SETTLED = 60 * 10**9
"""Nanoseconds that a file has to be as it is before its content is remembered."""
_SUM = 16
_SLACK = 100
Mark: TypeAlias = tuple[int, int]
"""Size and modification time (ns)."""
_Mark: TypeAlias = tuple[int, int, int, int]
_Known: TypeAlias = dict[str, tuple[_Mark, str]]


def content_of(path: str) -> str:
    """Return the BLAKE3 digest of a file, as 64 hexadecimal digits; see `look_into`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "cells.txt")
    >>> _ = path.write_text("3 cells")
    >>> content_of(str(path))[:12]
    'c64284511b4b'
    """
    return look_into(path)[0]


def look_into(path: str) -> tuple[str, Mark]:
    """Return the BLAKE3 digest of a file, and its size and modification time (ns).

    It is read unless its content is remembered of the same size, times and inode.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    UsageError
        It is written to while it is read, or it is none, but a pipe or a device.
    """
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - as it is named
    memory, now = _memory_of(folder, _cache()), time.time_ns()
    before = _mark_of(path)
    digest = memory.recall(name, before)
    if digest:
        return digest, before[:2]
    digest = _digest_of(path)
    if _mark_of(path) != before:
        raise UsageError(f"{path}: is being written to; run again when it is whole")
    if max(before[1:3]) < now - _SETTLED:
        memory.remember(name, before, digest)
    return digest, before[:2]


class _Memory:
    """The contents of the files of one folder, as far as they are remembered.

    Parameters
    ----------
    log : Path or None
        Where all processes note them; None if nowhere.
    """

    def __init__(self, log: Path | None) -> None:
        self._log = log
        self._known: _Known = {}
        self._read = (0, 0)

    def recall(self, name: str, mark: _Mark) -> str:
        """Return the digest of a file that has this mark; empty if it is not known."""
        for look in (False, True):
            if look:
                self._look()
            known, digest = self._known.get(name, (None, ""))
            if known == mark:
                return digest
        return ""

    def remember(self, name: str, mark: _Mark, digest: str) -> None:
        """Note the digest of a file, for other processes too."""
        self._known[name] = mark, digest
        if self._log is not None:
            with suppress(OSError):
                _append(self._log, _line(name, mark, digest))

    def _look(self) -> None:
        """Take in what was noted since the last look; tidy up what is outdated."""
        if self._log is None:
            return
        with suppress(OSError, ValueError), self._log.open("rb") as stream:
            found = os.fstat(stream.fileno())
            inode, start = self._read
            if (inode, start) == (found.st_ino, found.st_size):
                return
            stream.seek(start if inode == found.st_ino else 0)
            lines = stream.read().split(b"\n")
            self._known.update(_entries(lines))
            self._read = found.st_ino, stream.tell()
            if len(lines) > 2 * len(self._known) + _SLACK:
                _replace(self._log, self._known)


@lru_cache(maxsize=1000)
def _memory_of(folder: str, cache: str) -> _Memory:
    named = blake3(os.fsencode(folder)).hexdigest(length=12)
    return _Memory(Path(cache, named) if cache else None)


def _cache() -> str:
    """Return the user's folder for it; empty if there is none of his alone."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    if not home.startswith(os.sep):  # the rule of XDG: others are ignored
        home = os.path.expanduser("~/.cache")  # noqa: PTH111 - no error without a home
    return _usable(f"{home}/taskgraph/contents")


@lru_cache(maxsize=10)
def _usable(folder: str) -> str:
    if not folder.startswith(os.sep):  # of somebody without a home
        return ""
    with suppress(OSError):
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
        found = os.stat(folder)  # noqa: PTH116
        if found.st_uid == os.geteuid() and not found.st_mode & 0o022:
            return folder
    return ""


def _mark_of(path: str) -> _Mark:
    """Return what tells a file from what it was; opened, so that NFS asks anew."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(file)
    finally:
        os.close(file)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{path}: is no file, but a pipe or a device: give a file")
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _digest_of(path: str) -> str:
    whole = blake3()
    with Path(path).open("rb") as stream:
        while piece := stream.read(_PIECE):
            whole.update(piece)
    digest: str = whole.hexdigest()
    return digest


def _line(name: str, mark: _Mark, digest: str) -> bytes:
    """Return what is noted: on a line of its own, whatever lies before it."""
    text = json.dumps([name, mark, digest]).encode()
    return b"\n" + _sum_of(text) + text


def _entries(lines: list[bytes]) -> Iterator[tuple[str, tuple[_Mark, str]]]:
    """Yield what whole lines say."""
    for line in lines:
        text = line[_SUM:]
        if text and line[:_SUM] == _sum_of(text):
            name, mark, digest = json.loads(text)
            yield name, (tuple(mark), digest)


def _sum_of(text: bytes) -> bytes:
    return bytes(blake3(text).hexdigest(length=_SUM // 2).encode())


def _append(log: Path, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    file = os.open(log, flags, 0o600)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def _replace(log: Path, known: _Known) -> None:
    """Write a log anew; what others append meanwhile is read again from the files."""
    fresh = log.with_name(f"{log.name}.{os.urandom(4).hex()}")
    try:
        _append(fresh, b"".join(_line(name, *entry) for name, entry in known.items()))
        fresh.replace(log)
    finally:
        fresh.unlink(missing_ok=True)
