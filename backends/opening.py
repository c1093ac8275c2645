"""From a URL to a backend; each scheme's module is imported when it is asked for."""

from __future__ import annotations

import os
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import OpenError
from backends.garbage import few_collections
from backends.store import JournalStore
from backends.urls import without_password

if TYPE_CHECKING:
    from backends.interface import Backend, Probe
    from backends.log import Log

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+._-]*):")
_POSSIBLE = "a directory, file:///directory, memory://, redis://host or s3://bucket"
_REDIS = (
    *("redis", "rediss", "unix", "valkey", "valkeys"),
    *("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"),
)
_BUCKETS = "s3", "gs", "az"
_MODULES = {
    "memory": "backends.memory",
    **dict.fromkeys(_REDIS, "backends.redis.opening"),
    **dict.fromkeys(_BUCKETS, "backends.bucket"),
}
"""Where the function `open_log` of a scheme is: it takes a URL, and `create`."""
_PROBES = {
    **dict.fromkeys(_REDIS, "backends.redis.probe"),
    **dict.fromkeys(_BUCKETS, "backends.bucket.probe"),
}
"""Where the function `open_probe` of a scheme is."""


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
        A directory, ``file:///directory``, ``memory://``, a server of Redis as
        ``redis://host`` (`backends.redis.address`), or a prefix in a bucket as
        ``s3://bucket/prefix`` (`backends.bucket.address`). What has a colon in its
        first part is a URL: a directory of such a name is ``./a:b``, or a path object.
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
    return JournalStore(open_log(url, create=create), worker or worker_name())


def scheme_of(url: str | os.PathLike[str]) -> str:
    """Return the scheme of a URL, empty if it is the path of a directory.

    Examples
    --------
    >>> scheme_of("redis://host"), scheme_of("./a:b"), scheme_of(Path("a:b"))
    ('redis', '', '')
    """
    match = _SCHEME.match(url) if isinstance(url, str) else None
    return match.group(1).lower() if match else ""


def directory_of(url: str | os.PathLike[str]) -> Path | None:
    """Return the directory that a URL names; None if it is something else.

    Raises
    ------
    OpenError
        It is empty, or one of ``file:`` without the whole path.

    Examples
    --------
    >>> directory_of("file:///data/store"), directory_of("memory://")
    (PosixPath('/data/store'), None)
    """
    scheme, path = scheme_of(url), os.fspath(url)
    if scheme == "file":
        path = path[len("file:") :].removeprefix("//")
        if not path.startswith(("/", "~")):
            raise OpenError(
                f"{url!r}: file:// takes a whole path, as in file:///data/store; "
                "a directory can also be given by its path alone"
            )
    elif scheme:
        return None
    if not path:
        raise OpenError(f"the store has no name; give {_POSSIBLE}")
    if isinstance(url, str):
        _refuse_names_of_jug(url)
    # Of a user that there is not, it is a directory: pathlib would raise, and take a
    # user's home for ./~user.
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111


def _refuse_names_of_jug(url: str) -> None:
    """Refuse what is no directory to jug, and would be one here without a word."""
    here = f"(./{url} if a directory is called that)"
    if url == "dict_store":
        raise OpenError(f"{url!r}: a store in memory is memory:// {here}")
    if "%(" in url:
        raise OpenError(f"{url!r}: nothing is filled in; write the whole name {here}")


@few_collections()  # of what is imported nothing is garbage
def open_log(url: str | os.PathLike[str], *, create: bool = True) -> Log:
    """Open the log alone of the store that a URL names; see `open_backend`."""
    directory = directory_of(url)
    if directory is not None:
        from backends.filesystem.file_log import FileLog

        return FileLog(directory, create=create)
    scheme = scheme_of(url)
    if scheme in _MODULES:
        log: Log = import_module(_MODULES[scheme]).open_log(url, create=create)
        return log
    raise _no_backend(url, scheme)


def open_probe(url: str | os.PathLike[str]) -> Probe:
    """Return what can find out about the place of a store, which need not be there.

    Raises
    ------
    OpenError
        The URL names nothing that can be opened, or a store in memory.
    """
    directory = directory_of(url)
    if directory is not None:
        from backends.filesystem.probe import DirectoryProbe

        return DirectoryProbe(directory)
    scheme = scheme_of(url)
    if scheme in _PROBES:
        probe: Probe = import_module(_PROBES[scheme]).open_probe(url)
        return probe
    if scheme == "memory":
        raise OpenError(f"{url}: a store in memory is shared with nobody")
    raise _no_backend(url, scheme)


def _no_backend(url: str | os.PathLike[str], scheme: str) -> OpenError:
    shown = without_password(os.fspath(url))
    return OpenError(
        f"{shown!r}: no backend for {scheme!r}; give {_POSSIBLE} "
        f"(./{shown} if a directory is called that)"
    )
