"""What is known by path and content: files and folders as arguments."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from taskgraph.errors import UsageError
from taskgraph.files.places import read_from

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from taskgraph.files.file_contents import Mark


class Known:
    """What a task reads, by path: other content is another task."""

    __slots__ = ("_marks", "_place", "content", "path")
    _changed: ClassVar[str]
    """What is said of other content, after the path."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._place, found = read_from(self.path, self._look)
        self.content, self._marks = found

    @staticmethod
    @abstractmethod
    def _look(place: str) -> tuple[str, dict[str, Mark | None]]:
        """Return the digest of what is there, and how all of it is, by path."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
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
        self._marks = {}

    def __taskgraph_hash__(self) -> Hashable:
        """Return what a key knows of it; the function sees the path as well."""
        return self.path, self.content

    def __taskgraph_files__(self) -> Mapping[str, Mark | None]:
        """Return the paths of what `tg status` looks at, and how these were."""
        return self._marks

    def __taskgraph_value__(self) -> str:
        """Return where it is, if the content is still what the key says.

        Raises
        ------
        UsageError
            It is gone, or has other content.
        """
        try:
            now, _ = self._look(self._place)
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(
                f"{self.path}: is gone since the task was written down; put it back, "
                "or run again"
            ) from None
        if now != self.content:
            raise UsageError(
                f"{self.path}: {self._changed} after the task was written down; run "
                "again, and what depends on it is computed anew"
            )
        return self._place
