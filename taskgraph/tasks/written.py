"""Files that a task wrote: its result names them, and says what they were.

Of each file size and content are kept with the result, so that one that is emptied,
edited, or written by another task since is known for what it is, whatever its times
say. Of a folder only that it is there: others may write into it, too. Who only looks
(`tg status`) believes the times of a file, which are kept, too, and reads it if they
are others.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from taskgraph.errors import UsageError
from taskgraph.tasks.file_contents import content_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class WrittenFile(NamedTuple):
    """What a file was when the result that names it was stored.

    Attributes
    ----------
    path : str
        As the result names it.
    size : int
        Bytes; -1 of a folder or what may not be read: only the presence counts.
    content : str
        The digest of `content_of`; empty if only the presence counts.
    times : tuple of int
        When content and inode were changed last (ns), and the inode; empty if not
        known.
    """

    path: str
    size: int = -1
    content: str = ""
    times: tuple[int, ...] = ()

    def is_as_written(self, *, at_a_glance: bool = False) -> bool:
        """Return whether it is there, with this content; it is read if need be.

        What cannot be looked at counts as there. At a glance, so does what has the size
        and times that it had: a change within the same tick of the clock is missed.
        """
        try:
            now = os.stat(self.path)  # noqa: PTH116 - no object for each of many files
            if self.size < 0:
                return True
            if not stat.S_ISREG(now.st_mode) or now.st_size != self.size:
                return False
            if at_a_glance and _times(now) == self.times:
                return True
            return content_of(self.path) == self.content
        except (FileNotFoundError, NotADirectoryError, UsageError):
            return False
        except OSError:
            return True


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


def written_by(result: object) -> list[WrittenFile]:
    """Return what a task with ``files=True`` wrote, as it is now.

    An empty list (tuple, set, dict) says that it wrote nothing.

    Raises
    ------
    UsageError
        It names no path, one where nothing is, or one that is still written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "cells.txt")
    >>> _ = path.write_text("3 cells")
    >>> (file,) = written_by([path])
    >>> file.size, file.content[:12], file.is_as_written()
    (7, 'c64284511b4b', True)
    >>> _ = path.write_text("4 cells")
    >>> file.is_as_written()
    False
    """
    paths = list(dict.fromkeys(paths_in(result)))
    nothing = isinstance(result, list | tuple | set | frozenset | dict) and not result
    if not paths and not nothing:
        raise UsageError(
            "a function with files=True returns the paths of what it wrote, as Path or "
            f"File, not {type(result).__name__}"
        )
    return list(map(_as_it_is, paths))


def _as_it_is(path: str) -> WrittenFile:
    try:
        found = os.stat(path)  # noqa: PTH116 - no object for each of many files
        if not stat.S_ISREG(found.st_mode):
            return WrittenFile(path)
        content = content_of(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{path}: was returned as written, and is not there") from None
    except PermissionError:
        return WrittenFile(path)
    return WrittenFile(path, found.st_size, content, _times(found))


def _times(found: os.stat_result) -> tuple[int, ...]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino
