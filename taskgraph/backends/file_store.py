"""Stores in directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.context import open_store

if TYPE_CHECKING:
    from taskgraph.results.results import Results


def file_store(dname: str, compress_numpy: bool = False) -> Results:  # noqa: ARG001 - jug's
    """Return the store in a directory.

    Parameters
    ----------
    dname : str
        The directory; it is made when something is written.
    compress_numpy : bool, optional
        Nothing: arrays are compressed where that pays.
    """
    return open_store(dname)
