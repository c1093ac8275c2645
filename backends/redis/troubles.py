"""What went wrong with a server, in the words of redis-py, whoever asked it.

It is imported when something does: until then nobody may have needed it.
"""

from __future__ import annotations

import redis
from redis.connection import DefaultParser
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClusterError,
    InvalidResponse,
    MasterDownError,
    NoPermissionError,
    RedisClusterException,
    TryAgainError,
)

from backends.redis.plain import Refused, StrangeReplyError
from backends.redis.sentences import is_read_only

_GONE = (
    redis.ConnectionError,
    redis.TimeoutError,
    ClusterError,
    MasterDownError,
    RedisClusterException,
    TryAgainError,
)
_REFUSED = (AuthenticationError, AuthorizationError, NoPermissionError)


def in_words_of_redis_py(error: Exception) -> Exception | None:
    """Return an error as redis-py would have raised it; None if it is none of these.

    Examples
    --------
    >>> found = in_words_of_redis_py(Refused("NOPERM this user may not do that"))
    >>> print(type(found).__name__, found, sep=": ")
    NoPermissionError: this user may not do that
    >>> in_words_of_redis_py(ValueError("of somebody else"))
    """
    if isinstance(error, redis.RedisError | RedisClusterException):
        return error
    if isinstance(error, Refused):
        found: Exception = DefaultParser.parse_error(str(error))  # type: ignore[no-untyped-call]
        return found
    if isinstance(error, StrangeReplyError):
        return InvalidResponse(f"{error}")
    if isinstance(error, TimeoutError):
        return redis.TimeoutError(f"Timeout reading from socket ({error})")
    return redis.ConnectionError(f"{error}") if isinstance(error, OSError) else None


def may_pass(error: Exception, *, wrote: bool) -> bool:
    """Return whether it may go well a little later.

    Parameters
    ----------
    error : Exception
        One of redis-py.
    wrote : bool
        Whether something was written to the server before.
    """
    if isinstance(error, _REFUSED):
        return False
    # One that was written to and now is a replica was replaced by another one.
    replaced = is_read_only(error) and wrote
    few = "NOREPLICAS" in str(error)
    return isinstance(error, _GONE) or replaced or few


def is_untold(error: Exception) -> bool:
    """Return whether a server does not say something, as with some that are rented."""
    unknown = isinstance(error, redis.ResponseError) and "unknown command" in str(error)
    return isinstance(error, NoPermissionError) or unknown
