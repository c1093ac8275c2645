"""Files that a task wrote: its result names them, by paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


def paths_in(result: object) -> Iterator[str]:
    """Yield the paths in a result: itself, or what lists, tuples, sets and dicts hold.

    Text is no path here: a name may be anything.

    Examples
    --------
    >>> from pathlib import Path
    >>> list(paths_in({"mask": Path("a.tif"), "tables": [Path("a.csv")], "n": 3}))
    ['a.tif', 'a.csv']
    """
    if isinstance(result, os.PathLike):
        yield os.fsdecode(result)
    elif isinstance(result, dict):
        yield from paths_in(list(result.values()))
    elif isinstance(result, list | tuple | set | frozenset):
        for part in result:
            yield from paths_in(part)


def gone(path: str) -> bool:
    """Return whether nothing is there; what cannot be looked at counts as there."""
    try:
        os.stat(path)  # noqa: PTH116 - no object for each of many files
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def require_written(result: object) -> None:
    """Look whether a task with ``files=True`` wrote what it says.

    Raises
    ------
    UsageError
        It names no path, or one where nothing is.
    """
    paths = list(paths_in(result))
    if not paths:
        raise UsageError(
            "a function with files=True returns the paths of what it wrote, as Path or "
            f"File, not {type(result).__name__}"
        )
    lacking = [path for path in paths if gone(path)]
    if lacking:
        raise UsageError(f"{lacking[0]}: was returned as written, and is not there")
