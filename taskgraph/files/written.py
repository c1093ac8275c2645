"""Files that a task wrote: its result names them, and says what they were.

Of each file size and content are kept with the result, so that one that is emptied,
edited, or written by another task since is known for what it is, whatever its times
say. Of a folder, such as a Zarr, the same of all files that are in it, by name: what
others put there later is theirs. Who only looks (`tg status`) believes the times of a
file, which are kept, too, and reads it if they are others.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from taskgraph.errors import UsageError
from taskgraph.files.file_contents import content_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NUL = b"\0"


class WrittenFile(NamedTuple):
    """What a file was when the result that names it was stored.

    Attributes
    ----------
    path : str
        As the result names it.
    size : int
        Bytes, of a folder those of all files in it; -1 of an empty one or what may not
        be read: only the presence counts.
    content : str
        The digest of `content_of`, of a folder one of names and contents; empty if only
        the presence counts.
    times : tuple of int
        When content and inode were changed last (ns), and the inode, of a folder a
        digest of all of these; empty if not known.
    within : bytes
        The names of the files in a folder, in order, with zeros between.
    """

    path: str
    size: int = -1
    content: str = ""
    times: tuple[int, ...] = ()
    within: bytes = b""

    @property
    def names(self) -> list[bytes]:
        """The paths of the files in a folder, from there; none of a file."""
        return self.within.split(_NUL) if self.within else []

    def is_as_written(self, *, at_a_glance: bool = False) -> bool:
        """Return whether it is there, with this content; it is read if need be.

        What cannot be looked at counts as there. At a glance, so does what has the size
        and times that it had: a change within the same tick of the clock is missed.
        """
        try:
            now = os.stat(self.path)  # noqa: PTH116 - no object for each of many files
            if self.size < 0:
                return True
            if self.within:
                return self._is_as_filled(at_a_glance=at_a_glance)
            if not stat.S_ISREG(now.st_mode) or now.st_size != self.size:
                return False
            if at_a_glance and _times(now) == self.times:
                return True
            return content_of(self.path) == self.content
        except (FileNotFoundError, NotADirectoryError, UsageError):
            return False
        except OSError:
            return True

    def moved(self, path: str, place: str) -> WrittenFile:
        """Return the same after it was renamed to a place, where `path` leads.

        To rename it is a change of its times, if nothing else was changed.
        """
        now = os.stat(place)  # noqa: PTH116 - no object for each of many files
        times = _times(now)
        own = stat.S_ISREG(now.st_mode) and times[::2] == self.times[::2]
        return self._replace(path=path, times=times if own else self.times)

    def _is_as_filled(self, *, at_a_glance: bool) -> bool:
        """Return whether all files that were in a folder are, as they were."""
        names = self.within.split(_NUL)
        found = [os.stat(file) for file in _files(self.path, names)]  # noqa: PTH116
        if _size_of(found) != self.size:
            return False
        if at_a_glance and _times_of(found) == self.times:
            return True
        contents = [content_of(file) for file in _files(self.path, names)]
        return _content_of(names, contents) == self.content


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

    An empty list (tuple, set, dict), or one of such, says that it wrote nothing.

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
    if not paths and not _says_nothing(result):
        raise UsageError(
            "a function with files=True returns the paths of what it wrote, as Path or "
            f"File, not {type(result).__name__}; write `return Path(path)`, as "
            "text may be anything"
        )
    return list(map(written_at, paths))


def _says_nothing(result: object) -> bool:
    """Return whether there is nothing in a container, or in those in it."""
    if isinstance(result, dict):
        result = result.values()
    elif not isinstance(result, list | tuple | set | frozenset):
        return False
    return all(map(_says_nothing, result))


def written_at(path: str) -> WrittenFile:
    """Return what a file or folder is that was written, as it is now.

    Raises
    ------
    UsageError
        Nothing is there, or it is still written to.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - no object for each of many files
        if stat.S_ISDIR(found.st_mode):
            return _as_it_is_filled(path)
        if not stat.S_ISREG(found.st_mode):
            return WrittenFile(path)
        content = content_of(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{path}: was returned as written, and is not there") from None
    except PermissionError:
        return WrittenFile(path)
    return WrittenFile(path, found.st_size, content, _times(found))


def _as_it_is_filled(path: str) -> WrittenFile:
    """Return what is in a folder, but for what others write there at this moment."""
    names, contents, found = [], [], []
    for name in sorted(_names_in(path)):
        (file,) = _files(path, [name])
        try:
            one = os.stat(file)  # noqa: PTH116
            if stat.S_ISREG(one.st_mode):
                contents.append(content_of(file))
                names.append(name)
                found.append(one)
        except (FileNotFoundError, NotADirectoryError, UsageError):
            continue
    if not names:
        return WrittenFile(path)
    return WrittenFile(
        path,
        _size_of(found),
        _content_of(names, contents),
        _times_of(found),
        _NUL.join(names),
    )


def _names_in(path: str) -> Iterator[bytes]:
    """Yield the names of all files in a folder and those below it."""
    top = os.fsencode(path)
    for folder, _, names in os.walk(top):
        below = os.path.relpath(folder, top)
        for name in names:
            yield name if below == b"." else os.path.join(below, name)  # noqa: PTH118


def _files(folder: str, names: Sequence[bytes]) -> Iterator[str]:
    for name in names:
        yield os.path.join(folder, os.fsdecode(name))  # noqa: PTH118


def _size_of(found: Sequence[os.stat_result]) -> int:
    return sum(one.st_size for one in found)


def _content_of(names: Sequence[bytes], contents: Sequence[str]) -> str:
    whole = blake3()
    for name, content in zip(names, contents, strict=True):
        whole.update(name + _NUL + content.encode())
    digest: str = whole.hexdigest()
    return digest


def _times(found: os.stat_result) -> tuple[int, ...]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _times_of(found: Sequence[os.stat_result]) -> tuple[int, ...]:
    each = blake3(repr([*map(_times, found)]).encode()).digest(length=8)
    return (int.from_bytes(each),)
