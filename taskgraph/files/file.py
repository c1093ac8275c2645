"""Files as arguments: known by path and content, and handed on as paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError
from taskgraph.files.file_contents import look_into
from taskgraph.files.places import read_from
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from taskgraph.files.file_contents import Mark


@known_as("taskgraph")
class File:
    """A file that a task reads: other content is another task.

    The function gets the path, as text, and as it was given if it leads there from the
    working directory. Its content is read when
    this is made, and then remembered for all processes of the user, in
    ``~/.cache/taskgraph`` or where ``XDG_CACHE_HOME`` says, until size, times or inode
    differ. A file that was changed in the last minute is read each time, for its next
    change may not show in its times.

    Parameters
    ----------
    path : str or path
        Where it lies: from the working directory or, if nothing is there, from the
        folder of the jugfile.

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
        It is written to while it is read, or it is none, but a pipe or a device.

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

    __slots__ = ("_mark", "_place", "content", "path")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._place, found = read_from(self.path, look_into)
        self.content = found[0]
        self._mark: Mark | None = found[1]

    def __repr__(self) -> str:
        return f"File({self.path!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, File):
            return NotImplemented
        return self.__taskgraph_hash__() == other.__taskgraph_hash__()

    def __hash__(self) -> int:
        return hash(self.__taskgraph_hash__())

    def __fspath__(self) -> str:
        return self._place

    def __getstate__(self) -> object:
        """Return what is kept of it in a result."""
        return None, {"content": self.content, "path": self.path}

    def __setstate__(self, state: tuple[None, Mapping[str, str]]) -> None:
        """Be what a result has kept."""
        self.content, self.path = state[1]["content"], state[1]["path"]
        self._place = self.path
        self._mark = None

    def __taskgraph_hash__(self) -> Hashable:
        """Return what a key knows of the file; the function sees the path as well."""
        return self.path, self.content

    def __taskgraph_files__(self) -> Mapping[str, Mark | None]:
        """Return the paths of what `tg status` looks at, and how these were."""
        return {self._place: self._mark}

    def __taskgraph_value__(self) -> str:
        """Return where it is, if the content is still what the key says.

        Raises
        ------
        UsageError
            The file is gone, or has other content.
        """
        try:
            now, _ = look_into(self._place)
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
        return self._place
