"""Where a jugfile went that chose its own store: a note in the one it did not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.errors import DamagedError

if TYPE_CHECKING:
    from pathlib import Path

    from backends.interface import Backend

_PREFIX = "elsewhere-"
_LONGEST_NAME = 100


def point(backend: Backend, jugfile: Path, chosen: Backend) -> None:
    """Leave a note in the store of a jugfile which one it has chosen instead.

    The note is taken back if it has chosen none. The URL of a store in a folder is
    absolute, so that it holds in any working directory.
    """
    url = chosen.url if chosen.url != backend.url and chosen.shared else ""
    try:
        before = chosen_url(backend, jugfile)
    except DamagedError:
        before = None
    if url != before:
        backend.documents.put(_document(jugfile), url.encode(errors="surrogateescape"))


def chosen_url(backend: Backend, jugfile: Path) -> str:
    """Return the URL of the store that a jugfile has chosen, empty if it has not."""
    data = backend.documents.get(_document(jugfile)) or b""
    return data.decode(errors="surrogateescape")


def _document(jugfile: Path) -> str:
    name = jugfile.name.encode(errors="replace").decode()
    return f"{_PREFIX}{name[:_LONGEST_NAME]}"
