"""Whether a file was put in the place of another, though it is older than a result.

`mv`, `cp -p`, `rsync -t` and `tar` give a file the time that it had elsewhere. When its
inode changed nobody can choose, so that tells. It changes too when a file is renamed or
given another mode, and of all files when a project is copied: then nothing is told.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOMENT = 2.0
"""Seconds that clocks of machines may differ, and that writing a file may take."""
_MOST = 64
"""Files of a folder that are looked at."""


Seen: TypeAlias = dict[str, list[os.stat_result]]


def put_there_later(
    path: str, about: os.stat_result, made: float, store: str, seen: Seen
) -> bool:
    """Return whether an older file took a file's place after a result was made of it.

    Parameters
    ----------
    path : str
        Where it is.
    about : os.stat_result
        Of the file that is there now.
    made : float
        When the task ended, in seconds since 1970.
    store : str
        Where results are: a folder, or the URL of a server.
    seen : dict
        What is known of the files in a folder; kept here from one call to the next.

    Returns
    -------
    bool
        False if it looks as if all that lies beside it, or the store, was put there
        with it.
    """
    if os.name != "posix" or not _is_kept(about, made):
        return False
    folder = os.path.dirname(path)  # noqa: PTH120 - many
    try:
        if _is_kept(os.stat(folder), made):  # noqa: PTH116 - many
            return False
    except OSError:
        return False
    if folder not in seen:
        seen[folder] = [*_files(folder)]
    if store not in seen:
        seen[store] = _stored(store)
    beside = [one for one in seen[folder] if one.st_ino != about.st_ino]
    older = [one for one in beside if one.st_mtime <= made]
    return not (_most_are_kept(older, made) or _most_are_kept(seen[store], made))


def _is_kept(about: os.stat_result, made: float) -> bool:
    """Return whether a file came here later, with the time that it had elsewhere."""
    return about.st_ctime > max(made, about.st_mtime) + _MOMENT


def _most_are_kept(files: list[os.stat_result], made: float) -> bool:
    return 2 * sum(_is_kept(one, made) for one in files) >= max(1, len(files))


def _stored(store: str) -> list[os.stat_result]:
    """Return some files of a store, in its folder and in those within."""
    try:
        folders = [entry.path for entry in os.scandir(store) if entry.is_dir()]
    except OSError:  # it is none on this machine
        return []
    inside = (one for folder in folders for one in _files(folder))
    return [*_files(store), *islice(inside, _MOST)]


def _files(folder: str) -> Iterator[os.stat_result]:
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, _MOST):
                if entry.is_file():
                    yield entry.stat()
    except OSError:  # it is gone, or may not be read
        return
