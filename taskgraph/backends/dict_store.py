"""Stores in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.backends.select import select

if TYPE_CHECKING:
    from taskgraph.results.results import Results


def dict_store(backend: str | None = None) -> Results:
    """Return a new store in memory.

    Raises
    ------
    UsageError
        A file is given, to keep it in.

    Examples
    --------
    >>> dict_store().backend.url
    'memory://'
    """
    return select("dict_store" if backend is None else f"dict_store:{backend}")
