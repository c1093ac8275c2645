"""A store of jug's by what jug calls it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from backends.errors import OpenError
from taskgraph.jugstores.files import Folder
from taskgraph.jugstores.server import Server

if TYPE_CHECKING:
    from collections.abc import Set

_KEPT_ALIVE = "file_keepalive:"


class JugStore(Protocol):
    """What is read of a store of jug's."""

    url: str
    told: str

    def digests(self) -> Set[str]:
        """Return the digests of all calls that have a result."""

    def has(self, digest: str, /) -> bool:
        """Return whether a call has a result."""

    def refresh(self) -> bool:
        """Try again what could not be read; return whether it can be now."""

    def load(self, digest: str, /) -> Any:
        """Return the result of a call, unpickled."""

    def time(self, digest: str, /) -> float:
        """Return when it was written, 0 if nobody knows."""


def open_jug_store(name: str) -> JugStore:
    """Open a store as jug's option ``--jugdir`` names it.

    Nothing is unpickled by that.

    Raises
    ------
    OpenError
        There is none, or it is of a kind that cannot be read here.

    Examples
    --------
    >>> open_jug_store("/no/such/jugdata")
    Traceback (most recent call last):
    backends.errors.NoStoreError: there is no jug store /no/such/jugdata; ...
    """
    if name.startswith("redis:"):
        return Server(name)
    if name.startswith("dict_store"):
        raise OpenError(
            f"{name}: a dict_store cannot be read; a directory or redis://host can"
        )
    folder = Path(name.removeprefix(_KEPT_ALIVE))
    if (folder / "format.json").exists():
        raise OpenError(f"{folder} is a store of tg itself; tg copy takes from it")
    return Folder(folder)
