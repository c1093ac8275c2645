"""Results out of a Redis server where jug keeps them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError, OpenError, pip_install
from taskgraph.jugstores.files import decoded

if TYPE_CHECKING:
    from collections.abc import Set

_URL = re.compile(r"redis://(?P<host>[A-Za-z0-9.\-]+)(:(?P<port>[0-9]+))?/?")
_RESULT = b"result:"


class Server:
    """The results that jug keeps in a Redis server; nothing is written.

    Parameters
    ----------
    url : str
        As jug has it: ``redis://host`` or ``redis://host:port``.

    Attributes
    ----------
    told : str
        Empty: there is no pack that could be damaged.

    Raises
    ------
    OpenError
        The URL is no such one, the package redis is not there, or the server does not
        answer.
    """

    told = ""

    def __init__(self, url: str) -> None:
        found = _URL.fullmatch(url)
        if found is None:
            raise OpenError(f"{url}: jug has its stores at redis://host[:port]")
        try:
            import redis
        except ImportError:
            raise OpenError(
                f"{url}: stores in Redis need the package redis; "
                + pip_install("redis>=5.0.1")
            ) from None
        self.url = url
        self._errors = redis.RedisError, OSError
        self._redis: Any = redis.Redis(found["host"], int(found["port"] or 6379))
        self._known = frozenset(self._listed())

    def digests(self) -> Set[str]:
        """Return the digests of all calls that have a result."""
        return self._known

    def has(self, digest: str) -> bool:
        """Return whether a call has a result."""
        return digest in self._known

    def refresh(self) -> bool:
        """Return False: there is nothing to try again."""
        return False

    def load(self, digest: str) -> Any:
        """Return the result of a call.

        Raises
        ------
        DamagedError
            It cannot be read.
        """
        try:
            found = self._redis.get(_RESULT + digest.encode())
            if found is None:
                raise LookupError("it is gone")
            return decoded(base64.b64decode(found, validate=True))
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise DamagedError(
                f"{self.url} {digest}", f"cannot be read: {what}"
            ) from error

    def time(self, digest: str) -> float:  # noqa: ARG002 - as of a folder
        """Return 0: Redis does not say when a result was written."""
        return 0.0

    def _listed(self) -> list[str]:
        try:
            keys = list(self._redis.scan_iter(match=_RESULT + b"*", count=10_000))
        except self._errors as error:
            raise OpenError(f"{self.url}: {error}") from error
        return [key[len(_RESULT) :].decode("latin-1") for key in keys]
