"""Files as arguments: known by path and content, and handed on as paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.files.file_contents import look_into
from taskgraph.files.known import Known
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskgraph.files.file_contents import Mark


@known_as("taskgraph")
class File(Known):
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

    __slots__ = ()
    _changed = "was changed"

    @staticmethod
    def _look(place: str) -> tuple[str, dict[str, Mark | None]]:
        content, mark = look_into(place)
        return content, {place: mark}

    def __setstate__(self, state: tuple[None, Mapping[str, str]]) -> None:
        """Be what a result has kept."""
        super().__setstate__(state)
        self._marks = {self._place: None}
