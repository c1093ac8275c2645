"""From a URL to a store in Redis; what would lose results or be slow is refused."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from backends.errors import OpenError, pip_install
from backends.redis.address import parse_address

if TYPE_CHECKING:
    from backends.redis.redis_log import RedisLog


def open_log(url: str, *, create: bool) -> RedisLog:
    """Open the store that a URL names.

    Raises
    ------
    OpenError
        The URL makes no sense, the package redis is not installed, the server wants
        another password, or throws away what it has no room for.
    UnavailableError
        Nobody answers.
    """
    address = parse_address(url)
    if find_spec("redis") is None:
        raise OpenError(
            f"{address.url}: stores in Redis need the package redis; "
            + pip_install("redis>=5.0.1")
        )
    from backends.redis.redis_log import RedisLog
    from backends.redis.room import Room
    from backends.redis.server import Server

    server = Server(address)
    refuse_eviction(address.url, server.about)
    return RedisLog(Room(server, address.store), create=create, blobs=address.blobs)


def refuse_eviction(url: str, about: dict[str, object]) -> None:
    """Refuse a server that makes room by forgetting results, or who is at work.

    Examples
    --------
    >>> refuse_eviction("redis://host", {"maxmemory_policy": "noeviction"})
    >>> refuse_eviction("redis://host", {"maxmemory_policy": "allkeys-lru"})
    Traceback (most recent call last):
    backends.errors.OpenError: redis://host: the server forgets what it has ...
    """
    policy = about.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise OpenError(
            f"{url}: the server forgets what it has when memory gets short "
            f"(maxmemory-policy is {policy}), and results would vanish; have it say "
            "noeviction: redis-cli CONFIG SET maxmemory-policy noeviction, and the "
            "same in redis.conf"
        )
