"""Which store a text means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.context import open_store
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from taskgraph.results.results import Results

_MEMORY = "dict_store"
_KEEPALIVE = "file_keepalive:"


def select(jugdir: Any) -> Results:
    """Return the store that jug's word for one means, or any that is meant here.

    Parameters
    ----------
    jugdir : str, path or open store
        A directory; ``dict_store`` for one in memory; ``redis://host:port``;
        ``file_keepalive:directory``, which is the directory: all locks are kept alive.

    Raises
    ------
    UsageError
        A store in memory that a file keeps (``dict_store:file``).

    Examples
    --------
    >>> select("dict_store").backend.url
    'memory://'
    """
    if jugdir == _MEMORY:
        return open_store("memory://")
    if isinstance(jugdir, str) and jugdir.startswith(f"{_MEMORY}:"):
        raise UsageError(f"{jugdir}: a store that is kept is a directory; give one")
    if isinstance(jugdir, str):
        jugdir = jugdir.removeprefix(_KEEPALIVE)
    return open_store(jugdir)
