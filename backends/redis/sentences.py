"""What a server's errors mean, each as a sentence that says what to do."""

from __future__ import annotations

import re

import redis
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
)

from backends.errors import BackendError, OpenError, UnavailableError

_NO_OPTION = re.compile(r"unexpected keyword argument ('\w+')")
PASSWORD = (
    "give name and password in the URL, redis://user:password@host, or the "
    "password in the variable REDISCLI_AUTH"
)
_WORDS: dict[str, tuple[type[BackendError], str]] = {
    "WRONGTYPE": (
        OpenError,
        (
            "something else than a store has keys of this name there; choose another "
            "?store=NAME"
        ),
    ),
    "Authentication required": (OpenError, f"the server wants a password; {PASSWORD}"),
    "NOAUTH": (OpenError, f"the server wants a password; {PASSWORD}"),
    "WRONGPASS": (OpenError, f"the server refuses name or password; {PASSWORD}"),
    "DB index": (
        OpenError,
        "the server has no database of that number; take a smaller one",
    ),
    "SELECT is not allowed": (
        OpenError,
        "the server is a cluster; write redis+cluster://host",
    ),
    "MISCONF": (
        UnavailableError,
        (
            "the server cannot save what it has, and so takes nothing more; look into "
            "its log, its disk may be full"
        ),
    ),
    "unknown command": (
        OpenError,
        (
            "the server does not know a command that stores need; Redis 6.2 or Valkey "
            "7.2 is the oldest that does"
        ),
    ),
}
_CERTIFICATE = (
    "its certificate cannot be verified; name that of its issuer, "
    "rediss://host?ssl_ca_certs=/path/to/ca.pem"
)


def sentence_of(error: Exception, text: str) -> tuple[type[BackendError], str]:
    """Return the class and the sentence for an error of redis-py.

    Parameters
    ----------
    error : Exception
        What was raised.
    text : str
        What it says, without passwords.

    Examples
    --------
    >>> error = redis.ResponseError("DB index is out of range")
    >>> sentence_of(error, str(error))[1]
    'the server has no database of that number; take a smaller one'
    """
    for word, (kind, sentence) in _WORDS.items():
        if word in text:  # not always in front, if it comes out of a script
            return kind, sentence
    if isinstance(error, OutOfMemoryError) or "maxmemory" in text:
        return UnavailableError, (
            "the server is out of memory (maxmemory); free some by `tg cleanup`, give "
            "it more, or keep large results in a folder, ?blobs=/shared/folder"
        )
    if isinstance(error, AskError) or text.startswith("MOVED"):
        return OpenError, (
            "the server is a node of a cluster, and not the one for this store; write "
            "redis+cluster://host"
        )
    if is_read_only(error):
        return UnavailableError, (
            "the server is a replica, which can only be read; give the address of "
            "the primary one, or of its sentinels (redis+sentinel://)"
        )
    if isinstance(error, NoPermissionError):
        return UnavailableError, f"the user of the URL may not do that ({text})"
    if isinstance(error, AuthenticationError | AuthorizationError):
        return OpenError, f"the server refuses name or password ({text}); {PASSWORD}"
    return _of_connections(error, text)


def is_read_only(error: Exception) -> bool:
    """Return whether a server refuses to write because it is a replica."""
    return isinstance(error, ReadOnlyError) or "READONLY" in str(error)


def _of_connections(error: Exception, text: str) -> tuple[type[BackendError], str]:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return UnavailableError, _CERTIFICATE
    if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text:
        return UnavailableError, "the server does not speak TLS there; write redis://"
    if isinstance(error, InvalidResponse):
        return UnavailableError, f"what answers there is no Redis server ({text})"
    if isinstance(error, redis.BusyLoadingError):
        return UnavailableError, "the server is starting; try again in a moment"
    if isinstance(error, redis.TimeoutError):
        return UnavailableError, (
            f"the server does not answer in time ({text}); it is busy or cut off, or "
            "one side speaks TLS and the other does not (rediss://, redis://)"
        )
    if any(word in text for word in ("closed", "reset by peer", "Broken pipe")):
        return UnavailableError, (
            f"the server ends the connection ({text}); it is being stopped, wants TLS "
            "(rediss://), or is no Redis server"
        )
    if isinstance(error, redis.ConnectionError | RedisClusterException):
        return UnavailableError, (
            f"no server answers ({text}); start it, or correct the URL"
        )
    return UnavailableError, f"the server says: {text}"


def without_calls(text: str) -> str:
    """Return why options of a URL were refused, in words of the URL and not of Python.

    Examples
    --------
    >>> without_calls("Connection.__init__() got an unexpected keyword argument 'stor'")
    "there is no option 'stor'; those of a store are store, blobs and patience, ..."
    >>> without_calls("Invalid value for 'db'")
    "Invalid value for 'db'"
    """
    found = _NO_OPTION.search(text)
    if found is None:
        return text
    return (
        f"there is no option {found[1]}; those of a store are store, blobs and "
        "patience, all others those of a connection in redis-py"
    )
