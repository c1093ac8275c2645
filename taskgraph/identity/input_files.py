"""Files that arguments name by content: which they are, and whether they look changed.

A key holds what a file contained when the argument was made, so to know whether it
still does takes a new reading of the script. To know whether that is worth it takes a
look at size and time of each file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Mark: TypeAlias = tuple[int, int]
"""Size and modification time (ns); -1 and 0 of what is not there."""
InputFiles: TypeAlias = Mapping[str, Mark]
"""The mark of each file when it was first noted, by its absolute path."""


def note_files(files: dict[str, Mark], argument: object) -> None:
    """Note how the files are that an argument names, but for those noted before.

    It names them by ``__taskgraph_files__``, a method that returns paths, or how the
    file at each path was when the argument was made.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from taskgraph import File
    >>> path = Path(tempfile.mkdtemp(), "cells.txt")
    >>> size, files = path.write_text("3 cells"), {}
    >>> note_files(files, File(path))
    >>> list(changed_files(files))
    []
    >>> size = path.write_text("12 cells")
    >>> list(changed_files(files)) == [str(path)]
    True
    """
    named = getattr(argument, "__taskgraph_files__", None)
    found = named() if named is not None else ()
    marks = found if isinstance(found, Mapping) else dict.fromkeys(found)
    _note(files, marks)


def note_paths(files: dict[str, Mark], paths: Iterable[str]) -> None:
    """Note how files are, but for those noted before."""
    _note(files, dict.fromkeys(paths))


def _note(files: dict[str, Mark], marks: Mapping[str, Mark | None]) -> None:
    for path, mark in marks.items():
        whole = os.path.abspath(path)  # noqa: PTH100 - as it is named
        if whole not in files:
            files[whole] = mark or _mark_of(whole)


def changed_files(
    files: InputFiles, jugfile: str = "", moved: Path | None = None
) -> Iterator[str]:
    """Yield the paths of files that are gone, or have another size or time.

    Parameters
    ----------
    files : mapping
        What `note_files` noted.
    jugfile : str
        Where their jugfile was.
    moved : Path, optional
        Where it is now; files in its folder moved along.
    """
    was = os.path.dirname(jugfile)  # noqa: PTH120 - for many files
    here = was if moved is None else str(moved.resolve().parent)
    for path, mark in files.items():
        now = path
        if was != here and path.startswith(os.path.join(was, "")):  # noqa: PTH118 - for many files
            now = os.path.join(here, os.path.relpath(path, was))  # noqa: PTH118
        if _mark_of(now) != mark:
            yield now


def _mark_of(path: str) -> Mark:
    try:
        found = os.stat(path)  # noqa: PTH116 - no object for each of many files
    except OSError:
        return -1, 0
    return found.st_size, found.st_mtime_ns
