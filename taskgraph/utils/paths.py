"""Files: listed once, moved for good."""

from __future__ import annotations

import os
from glob import glob

from taskgraph.context import CachedFunction
from taskgraph.names import known_as


@known_as("taskgraph.utils")
def glob_sort(pat: str) -> list[str]:
    """Return the paths that a pattern finds, sorted.

    Examples
    --------
    >>> glob_sort("/no/such/folder/*")
    []
    """
    return sorted(glob(pat))  # noqa: PTH207 - as text, as jug has it


def cached_glob(pat: str) -> list[str]:
    """Return the paths that a pattern found when it was first asked for here, sorted.

    The store keeps them: files that are added later are not seen. Write
    ``sorted(glob(pat))`` where they should be; the tasks that are there already keep
    their results all the same.

    Examples
    --------
    >>> from taskgraph import set_jugdir
    >>> _ = set_jugdir("memory://")
    >>> cached_glob("/no/such/folder/*")
    []
    """
    found: list[str] = CachedFunction(glob_sort, pat)
    return found


def sync_move(src: str, dst: str) -> None:
    """Rename a file, and return when the new name would outlive a power cut.

    Its contents have to be synced by whoever wrote it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     new = open(f"{folder}/new", "w").close()
    ...     sync_move(f"{folder}/new", f"{folder}/old")
    ...     os.listdir(folder)
    ['old']
    """
    os.rename(src, dst)  # noqa: PTH104 - names may be bytes, too
    folder = os.open(os.path.dirname(dst) or ".", os.O_RDONLY)  # noqa: PTH120 - as above
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
