"""From a URL to a backend; each scheme's module is imported when it is asked for."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import OpenError
from backends.store import JournalStore

if TYPE_CHECKING:
    from backends.interface import Backend
    from backends.log import Log

_SCHEME = re.compile(r"([a-z][a-z0-9+]*)://")


def worker_name() -> str:
    """Return a name for a worker that no other one has, now or later."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", os.uname().nodename)[:40]
    return f"{host}-{os.getpid()}-{os.urandom(6).hex()}"


def open_backend(
    url: str | os.PathLike[str], *, create: bool = True, worker: str | None = None
) -> Backend:
    """Open the store that a URL names.

    Parameters
    ----------
    url : str or path
        A directory, ``file:///directory`` or ``memory://``.
    create : bool
        Make the store if it does not exist, as soon as something is written to it;
        otherwise that is an `OpenError`.
    worker : str, optional
        Who works with it; a new unique name by default.

    Raises
    ------
    OpenError
        The URL names nothing that can be opened.
    FormatError
        An older or newer program wrote the store.
    UnavailableError
        The store is there, but cannot be read or made now.

    Examples
    --------
    >>> backend = open_backend("memory://")
    >>> backend.claim([b"k" * 20]).keys
    [b'kkkkkkkkkkkkkkkkkkkk']
    >>> open_backend("gopher://host")
    Traceback (most recent call last):
    backends.errors.OpenError: 'gopher://host': no backend for 'gopher'; ...
    """
    return JournalStore(
        _open_log(os.fspath(url), create=create), worker or worker_name()
    )


def _open_log(url: str, *, create: bool) -> Log:
    match = _SCHEME.match(url)
    scheme = match.group(1) if match else "file"
    if scheme == "file":
        from backends.filesystem import FileLog

        path = Path(url.removeprefix("file://")).expanduser()
        return FileLog(path.absolute(), create=create)
    if scheme == "memory":
        from backends.memory import MemoryLog

        return MemoryLog()
    raise OpenError(
        f"{url!r}: no backend for {scheme!r}; give a directory, file:// or memory://"
    )
