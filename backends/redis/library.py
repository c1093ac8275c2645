"""Clients of redis-py, for what takes more than a socket: TLS, sentinels, clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from backends.redis.address import Address


def client_of(address: Address, password: str, answer: float, connect: float) -> Any:
    """Return a client of redis-py; it connects when it is asked something.

    Parameters
    ----------
    address : Address
        Where the server is, or who knows.
    password : str
        Empty if there is none.
    answer, connect : float
        Seconds within which it answers, and within which it can be reached, if the
        address does not say otherwise.

    Raises
    ------
    TypeError, ValueError
        An option is none, or has another value.
    """
    options = {
        **_connection_options(address),
        **_own(address, password, answer, connect),
    }
    if address.kind == "unix":
        return _pooled(redis.UnixDomainSocketConnection, path=address.path, **options)
    if address.kind == "cluster":
        from redis.cluster import ClusterNode, RedisCluster

        nodes = [ClusterNode(*host) for host in address.hosts]  # type: ignore[no-untyped-call]
        options.pop("db")
        return RedisCluster(startup_nodes=nodes, ssl=address.tls, **options)
    if address.kind == "sentinel":
        return _found_by_sentinels(address, options)
    (host, port), *_ = address.hosts
    kind = redis.SSLConnection if address.tls else redis.Connection
    return _pooled(kind, host=host, port=port, **options)


def _pooled(kind: type, **options: Any) -> redis.Redis:
    pool = redis.ConnectionPool(connection_class=kind, **options)
    kind(**options)  # an option that is none is refused here
    return redis.Redis.from_pool(pool)


def _found_by_sentinels(address: Address, options: dict[str, Any]) -> Any:
    from redis.sentinel import Sentinel

    own = {
        key: options.pop(key) for key in list(options) if key.startswith("sentinel_")
    }
    about = {key.removeprefix("sentinel_"): value for key, value in own.items()}
    for key, value in options.items():
        if key.startswith(("socket_", "ssl_")):
            about.setdefault(key, value)
    about["retry"] = options["retry"]
    if address.tls:
        options["ssl"] = about["ssl"] = True
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        address.hosts, sentinel_kwargs=about, **options
    )
    return sentinel.master_for(address.path)  # type: ignore[no-untyped-call]


def _connection_options(address: Address) -> dict[str, Any]:
    """Return the options of a URL as redis-py reads them, whatever the kind."""
    from urllib.parse import urlencode

    from redis.connection import parse_url

    options: dict[str, Any] = parse_url(  # type: ignore[no-untyped-call]
        f"redis://?{urlencode(address.options)}"
    )
    return options


def _own(
    address: Address, password: str, answer: float, connect: float
) -> dict[str, Any]:
    given = address.options
    own: dict[str, Any] = {
        "db": address.db,
        "username": address.user or None,
        "password": password or None,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "decode_responses": False,
    }
    own["socket_timeout"] = answer
    if "socket_connect_timeout" not in given:
        own["socket_connect_timeout"] = connect
    if "socket_keepalive" not in given and address.kind != "unix":
        own["socket_keepalive"] = True
    return own
