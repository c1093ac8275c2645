"""Where relative paths lead: for what is written always from the jugfile's folder.

So workers that are started in different folders write into one place, and results say
where, whatever folder they are looked at from.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class _Reading:
    """Of which folder the jugfile is that this process reads; threads see it, too."""

    folder = ""


_reading = _Reading()


@contextmanager
def counted_from(folder: str) -> Iterator[None]:
    """Let relative paths of what is written count from a folder, in the block."""
    before, _reading.folder = _reading.folder, folder
    try:
        yield
    finally:
        _reading.folder = before


def project() -> str:
    """Return the folder of the jugfile that is read, else the working directory."""
    return _reading.folder or os.getcwd()  # noqa: PTH109 - text


def place_of(path: str, folder: str) -> str:
    """Return where a path leads that counts from a folder: absolute, without ``..``.

    Examples
    --------
    >>> place_of("out/../a.tif", "/data"), place_of("/b.tif", "/data")
    ('/data/a.tif', '/b.tif')
    """
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118 - text


def is_within(place: str, folder: str) -> bool:
    """Return whether a place is in a folder, or below, as it is named or really.

    Examples
    --------
    >>> is_within("/data/a/b.tif", "/data"), is_within("/database", "/data")
    (True, False)
    """
    if _starts(place, folder):
        return True
    above, name = os.path.split(place)
    real = os.path.join(os.path.realpath(above), name)  # noqa: PTH118 - text
    return _starts(real, os.path.realpath(folder))


def _starts(place: str, folder: str) -> bool:
    return place.startswith(folder.rstrip(os.sep) + os.sep)


def noted(path: str, folder: str) -> str:
    """Return how a store knows a path: from a folder, if it lies there.

    Without a folder it is known as it is.

    Examples
    --------
    >>> noted("/data/out/a.tif", "/data"), noted("/else/a.tif", "/data")
    ('out/a.tif', '/else/a.tif')
    """
    if not folder:
        return path
    here = os.getcwd()  # noqa: PTH109 - text
    place = place_of(path, here)
    if not _starts(place, folder):
        return path if here == folder else place
    return os.path.relpath(place, folder)


def seen(path: str, folder: str) -> str:
    """Return a path that a store knows as it leads there from the working directory.

    Examples
    --------
    >>> seen("out/a.tif", "/data"), seen("/else/a.tif", "/data"), seen("a.tif", "")
    ('/data/out/a.tif', '/else/a.tif', 'a.tif')
    """
    if not folder or os.getcwd() == folder:  # noqa: PTH109 - text
        return path
    return place_of(path, folder)


def read_from(path: str, read: Callable[[str], T]) -> tuple[str, T]:
    """Return where a path leads, and what is read there.

    From the working directory; or, if nothing is there, from the jugfile's folder, so
    that workers that were started elsewhere agree.

    Raises
    ------
    FileNotFoundError
        Nothing is at either place.
    """
    try:
        return path, read(path)
    except FileNotFoundError:
        place = place_of(path, project())
        if place == path or not os.path.lexists(place):
            raise
        return place, read(place)
