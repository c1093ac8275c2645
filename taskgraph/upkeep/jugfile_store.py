"""Which store a jugfile has: the one beside it, or another one that it chose.

A choice is kept as a note in the store that was not taken, so that commands find it
without running the jugfile.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import DamagedError

if TYPE_CHECKING:
    from backends.interface import Backend

_PREFIX = "elsewhere-"
_LONGEST_NAME = 100


def default_store(jugfile: Path) -> str:
    """Return where the results of a jugfile go if nothing else is said.

    It begins in a way that no URL does, whatever the jugfile is called.

    Raises
    ------
    JugfileError
        It is a directory, by its path.

    Examples
    --------
    >>> default_store(Path("some/work.py"))
    './some/work.tgdata'
    """
    if not jugfile.name:
        from taskgraph.tasks.jugfile import is_a_folder

        raise is_a_folder(jugfile)
    return os.path.join(".", jugfile.with_suffix(".tgdata"))  # noqa: PTH118 - pathlib drops it


def is_default_store(backend: Backend, jugfile: Path) -> bool:
    """Return whether a store is the one beside a jugfile, which moves with it."""
    return Path(backend.url).resolve() == Path(default_store(jugfile)).resolve()


def stamp_of(jugfile: Path) -> tuple[int, int, int]:
    """Return what tells whether a file was changed; zeros if it cannot be read."""
    try:
        found = jugfile.stat()
        return found.st_mtime_ns, found.st_size, zlib.crc32(jugfile.read_bytes())
    except OSError:
        return 0, 0, 0


def is_edited(jugfile: Path, stamp: tuple[int, int, int]) -> bool:
    """Return whether a jugfile, if it is there, says something else than it did."""
    try:
        found = jugfile.stat()
    except OSError:
        return False
    if (found.st_mtime_ns, found.st_size) == stamp[:2]:
        return False
    return stamp_of(jugfile)[1:] != stamp[1:]


def keep_choice(backend: Backend, jugfile: Path, chosen: Backend) -> None:
    """Keep in the store of a jugfile which one it has chosen instead.

    The note is taken back if it has chosen none. The URL of a store in a folder is
    absolute, so that it holds in any working directory.
    """
    url = chosen.url if chosen.url != backend.url and chosen.shared else ""
    try:
        before = chosen_store(backend, jugfile)
    except DamagedError:
        before = None
    if url != before:
        backend.documents.put(_document(jugfile), url.encode(errors="surrogateescape"))


def chosen_store(backend: Backend, jugfile: Path) -> str:
    """Return the URL of the store that a jugfile has chosen, empty if it has not."""
    data = backend.documents.get(_document(jugfile)) or b""
    return data.decode(errors="surrogateescape")


def _document(jugfile: Path) -> str:
    name = jugfile.name.encode(errors="replace").decode()
    return f"{_PREFIX}{name[:_LONGEST_NAME]}"
