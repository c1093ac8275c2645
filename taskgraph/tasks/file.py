"""Files as arguments: known by path and content, and handed on as paths."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from taskgraph.errors import UsageError
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Hashable

_PIECE = 1 << 20
_COARSE = 2 * 10**9  # ns; no file system's times are coarser
_Mark: TypeAlias = tuple[int, int, int, int]
_known: dict[str, tuple[_Mark, str]] = {}


@known_as("taskgraph")
class File:
    """A file that a task reads: other content is another task.

    The function gets the path, as text and as it was given. Its content is read when
    this is made, and once in a process, unless size, time or inode differ: a change
    within two seconds of the last one is noticed too.

    Parameters
    ----------
    path : str or path
        Where it lies.

    Attributes
    ----------
    path : str
        As given.
    content : str
        The BLAKE3 digest of the content, 64 hexadecimal digits.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    UsageError
        It is written to while it is read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "cells.txt")
    >>> _ = path.write_text("3 cells")
    >>> before = File(path)
    >>> _ = path.write_text("4 cells")
    >>> File(path) == before
    False
    """

    __slots__ = ("content", "path")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.content = _content_of(self.path)

    def __repr__(self) -> str:
        return f"File({self.path!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, File):
            return NotImplemented
        return self.__taskgraph_hash__() == other.__taskgraph_hash__()

    def __hash__(self) -> int:
        return hash(self.__taskgraph_hash__())

    def __fspath__(self) -> str:
        return self.path

    def __taskgraph_hash__(self) -> Hashable:
        """Return what a key knows of the file; the function sees the path as well."""
        return self.path, self.content

    def __taskgraph_value__(self) -> str:
        """Return the path, if the content is still what the key says.

        Raises
        ------
        UsageError
            The file is gone, or has other content.
        """
        try:
            now = _content_of(self.path)
        except FileNotFoundError:
            raise UsageError(
                f"{self.path}: is gone since the task was written down; put it back, "
                "or run again"
            ) from None
        if now != self.content:
            raise UsageError(
                f"{self.path}: was changed after the task was written down; run again, "
                "and what depends on it is computed anew"
            )
        return self.path


def _content_of(path: str) -> str:
    """Return the digest of a file, from memory if the file is the same."""
    where, now, before = str(Path(path).absolute()), time.time_ns(), _mark_of(path)
    mark, digest = _known.get(where, (None, ""))
    if mark == before:
        return digest
    digest = _digest_of(path)
    if _mark_of(path) != before:
        raise UsageError(f"{path}: is being written to; run again when it is whole")
    if before[1] < now - _COARSE:  # else the next change may not show in the time
        _known[where] = before, digest
    return digest


def _mark_of(path: str) -> _Mark:
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


def _digest_of(path: str) -> str:
    from blake3 import blake3

    whole = blake3()
    with Path(path).open("rb") as stream:
        while piece := stream.read(_PIECE):
            whole.update(piece)
    digest: str = whole.hexdigest()
    return digest
