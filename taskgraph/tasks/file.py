"""Files as arguments: known by path and content, and handed on as paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError
from taskgraph.names import known_as
from taskgraph.tasks.file_contents import content_of

if TYPE_CHECKING:
    from collections.abc import Hashable


@known_as("taskgraph")
class File:
    """A file that a task reads: other content is another task.

    The function gets the path, as text and as it was given. Its content is read when
    this is made, and then remembered for all processes of the user, in
    ``~/.cache/taskgraph`` or where ``XDG_CACHE_HOME`` says, until size, times or inode
    differ. A file that was changed in the last minute is read each time, for its next
    change may not show in its times.

    Parameters
    ----------
    path : str or path
        Where it lies.

    Attributes
    ----------
    path : str
        As given.
    content : str
        The BLAKE3 digest of the content, 64 hexadecimal digits.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    UsageError
        It is written to while it is read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "cells.txt")
    >>> _ = path.write_text("3 cells")
    >>> before = File(path)
    >>> _ = path.write_text("4 cells")
    >>> File(path) == before
    False
    """

    __slots__ = ("content", "path")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.content = content_of(self.path)

    def __repr__(self) -> str:
        return f"File({self.path!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, File):
            return NotImplemented
        return self.__taskgraph_hash__() == other.__taskgraph_hash__()

    def __hash__(self) -> int:
        return hash(self.__taskgraph_hash__())

    def __fspath__(self) -> str:
        return self.path

    def __taskgraph_hash__(self) -> Hashable:
        """Return what a key knows of the file; the function sees the path as well."""
        return self.path, self.content

    def __taskgraph_files__(self) -> tuple[str, ...]:
        """Return the paths of what `tg status` looks at."""
        return (self.path,)

    def __taskgraph_value__(self) -> str:
        """Return the path, if the content is still what the key says.

        Raises
        ------
        UsageError
            The file is gone, or has other content.
        """
        try:
            now = content_of(self.path)
        except FileNotFoundError:
            raise UsageError(
                f"{self.path}: is gone since the task was written down; put it back, "
                "or run again"
            ) from None
        if now != self.content:
            raise UsageError(
                f"{self.path}: was changed after the task was written down; run again, "
                "and what depends on it is computed anew"
            )
        return self.path
