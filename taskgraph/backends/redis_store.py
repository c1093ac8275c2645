"""Stores on Redis servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.context import open_store

if TYPE_CHECKING:
    from taskgraph.results.results import Results


def redis_store(url: str) -> Results:
    """Return the store on a server, ``redis://host:port``."""
    return open_store(url)
