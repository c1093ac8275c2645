"""Functions whose results stay, whatever is cleaned up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from backends.interface import Backend

_DOCUMENT = "pinned"


def pinned(backend: Backend) -> list[str]:
    """Return the names of the functions whose results stay.

    Raises
    ------
    DamagedError
        They cannot be read.
    """
    data = backend.documents.get(_DOCUMENT) or b""
    return data.decode(errors="replace").split("\n") if data else []


def pin(backend: Backend, names: Collection[str], *, off: Collection[str] = ()) -> None:
    """Let results of some functions stay, those of others not any more."""
    kept = dict.fromkeys((*pinned(backend), *names))
    left = [name for name in kept if name not in off]
    backend.documents.put(_DOCUMENT, "\n".join(left).encode(errors="replace"))
