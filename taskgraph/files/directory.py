"""Folders as arguments: known by path and by all that is in them."""

from __future__ import annotations

import errno
import os
from operator import attrgetter
from typing import TYPE_CHECKING

from blake3 import blake3

from taskgraph.errors import UsageError
from taskgraph.files.file_contents import look_into
from taskgraph.files.known import Known
from taskgraph.names import known_as

if TYPE_CHECKING:
    from taskgraph.files.file_contents import Mark

_NUL = b"\0"
_FILE, _FOLDER, _OTHER = b"f ", b"d ", b"? "
_LINK_TO_FILE, _LINK_TO_FOLDER, _LINK_TO_NOTHING = b"lf", b"ld", b"l "
_LINKS = {_LINK_TO_FILE, _LINK_TO_FOLDER, _LINK_TO_NOTHING}


@known_as("taskgraph")
class Directory(Known):
    """A folder that a task reads: other content is another task.

    Its content is the names of all files and folders in it, at any depth, empty and
    hidden ones too, and what the files contain. A link is known by where it points
    and by what is there. Times, owners and rights do not count, nor does an order.
    The function gets the path, as text, and as it was given if it leads there from the
    working directory. What files contain is remembered as for `File`.

    Parameters
    ----------
    path : str or path
        Where it lies: from the working directory or, if nothing is there, from the
        folder of the jugfile.

    Attributes
    ----------
    path : str
        As given.
    content : str
        A BLAKE3 digest of names and contents, 64 hexadecimal digits.

    Raises
    ------
    OSError
        There is no such folder, or something in it cannot be read.
    UsageError
        It is written to while it is read, or has a pipe or a device in it, which has
        no content.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> before = Directory(folder)
    >>> Path(folder, "cells.txt").touch()
    >>> Directory(folder) == before
    False
    """

    __slots__ = ()
    _changed = "something in it was changed"

    @staticmethod
    def _look(place: str) -> tuple[str, dict[str, Mark | None]]:
        return _look_into(place)


def _look_into(top: str) -> tuple[str, dict[str, Mark | None]]:
    """Return the digest of a folder, and how files and folders in it are, by path.

    The digest is of each entry, in the order of their names: two letters for what it
    is, its path from the top, the digest of a file, the target of a link. What is at
    the target of one follows, as of that path; a folder that was met before is not gone
    into again.
    """
    whole, marks, met = blake3(), dict[str, "Mark | None"](), set[tuple[int, int]]()
    waiting = [(_FOLDER, b"", os.fsencode(top))]
    while waiting:
        kind, name, path = waiting.pop()
        shown, content = os.fsdecode(path), b""
        try:
            if kind in _LINKS:
                content = os.readlink(path) + _NUL  # noqa: PTH115 - bytes
            if kind in (_FILE, _LINK_TO_FILE):
                digest, marks[shown] = look_into(shown)
                content += digest.encode()
            elif kind in (_FOLDER, _LINK_TO_FOLDER):
                found = os.stat(path)  # noqa: PTH116 - bytes
                marks[shown] = found.st_size, found.st_mtime_ns
                if (node := (found.st_dev, found.st_ino)) not in met:
                    met.add(node)
                    waiting += _inside(name, path)
            elif kind == _OTHER:
                raise UsageError(
                    f"{shown}: is a pipe, a socket or a device, which has no content; "
                    f"keep it out of {top}"
                )
        except (FileNotFoundError, NotADirectoryError) as error:
            if not name:
                raise
            raise UsageError(f"{shown}: went while it was read; run again") from error
        whole.update(kind + name + _NUL + content + _NUL)
    return str(whole.hexdigest()), marks


def _inside(name: bytes, path: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Return what is in a folder: kind, path from the top, path; last name first."""
    with os.scandir(path) as entries:
        found = sorted(entries, key=attrgetter("name"), reverse=True)
    start = name + b"/" if name else b""
    return [(_kind(entry), start + entry.name, entry.path) for entry in found]


def _kind(entry: os.DirEntry[bytes]) -> bytes:
    """Return what an entry is; of nearly all, the list of the folder tells it."""
    link = entry.is_symlink()
    if link and _leads_nowhere(entry.path):
        return _LINK_TO_NOTHING
    if entry.is_file():
        return _LINK_TO_FILE if link else _FILE
    if entry.is_dir():
        return _LINK_TO_FOLDER if link else _FOLDER
    return _OTHER


def _leads_nowhere(link: bytes) -> bool:
    """Return whether nothing is at the target of a link, or only the link itself."""
    try:
        os.stat(link)  # noqa: PTH116 - bytes
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return True
    return False
