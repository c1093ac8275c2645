"""A Redis server as a store uses it: found, asked, waited for; its errors as ours."""

from __future__ import annotations

import os
import signal
import stat
import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import finalize

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClusterError,
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    RedisClusterException,
    TryAgainError,
)
from redis.retry import Retry

from backends.errors import BackendError, OpenError, UnavailableError
from backends.redis.secrets import password_of
from backends.redis.sentences import is_read_only, sentence_of, without_calls
from backends.warning import warn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backends.redis.address import Address
    from backends.redis.scripts import Script

T = TypeVar("T")

_GONE = (
    redis.ConnectionError,
    redis.TimeoutError,
    ClusterError,
    MasterDownError,
    RedisClusterException,
    TryAgainError,
)
_REFUSED = (AuthenticationError, AuthorizationError, NoPermissionError)
_ANSWER = 20.0
"""Seconds within which a server answers, or is taken for gone."""
_CONNECT = 5.0
_PAUSES = 0.02, 1.0
"""Seconds between two tries, at first and at last."""
_NAMES = (
    ("driver_info",) if hasattr(redis, "DriverInfo") else ("lib_name", "lib_version")
)
"""Options of what redis-py calls itself; which they are depends on its version."""
_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Server:
    """The server, or the several of a cluster, at an address.

    Whatever is asked of it may be asked twice: a reply can be lost. Who opens a store
    hears at once that nobody answers; later, a server that is gone is waited for, as
    long as the address says.

    Attributes
    ----------
    longest_wait : float
        Seconds that one question may wait for news, at most.
    close : callable
        Lets go of all connections.

    Raises
    ------
    OpenError
        It cannot be used: another password, no such database, an option that is none.
    UnavailableError
        It does not answer.
    """

    def __init__(self, address: Address) -> None:
        self.url = address.url
        self.longest_wait = _answer_within(address) / 4
        self._password = password_of(address)
        self.open_to_all = _open_to_all(address, self._password)
        self._patience = 0.0
        self._wrote = False
        try:
            self._client = _client(address, self._password)
            self.close = finalize(self, self._client.close)
            self.close.atexit = False
            self.about = self.info("memory")
        except (TypeError, ValueError) as error:
            why = without_calls(self._clean(error))
            raise OpenError(f"{self.url}: {why}") from None
        self._patience = address.patience

    def info(self, section: str) -> dict[str, Any]:
        """Return what it says of itself; nothing if it may not tell this user."""
        return self._run(lambda client: _told(client, "info", section))

    def setting(self, name: str) -> str:
        """Return a setting of it; empty if it may not tell this user, or has none."""
        found = self._run(lambda client: _told(client, "config_get", name))
        value = found.get(name, "")
        return value.decode() if isinstance(value, bytes) else str(value)

    def ask(self, command: str, *words: Any, **options: Any) -> Any:
        """Return what a command answers, which redis-py calls by this name."""
        return self._run(lambda client: getattr(client, command)(*words, **options))

    def script(
        self,
        script: Script,
        keys: Sequence[str],
        *arguments: Any,
        patient: bool = True,
    ) -> Any:
        """Run a script, which is sent whole if the server does not know it yet."""
        words = (len(keys), *keys, *arguments)

        def run_it(client: Any) -> Any:
            try:
                return client.evalsha(script.digest, *words)
            except NoScriptError:
                return client.eval(script.text, *words)

        found = self._run(run_it, patient=patient)
        self._wrote |= script.writes
        return found

    def _run(self, command: Callable[[Any], T], *, patient: bool = True) -> T:
        """Return what a command answers, waiting for a server that is gone."""
        began, (pause, longest) = time.monotonic(), _PAUSES
        told = False
        while True:
            try:
                return command(self._client)
            except (redis.RedisError, RedisClusterException) as error:
                left = began + self._patience - time.monotonic()
                if not (patient and left > 0 and self._may_come_back(error)):
                    raise self._explained(error) from None
            if signal.sigpending() & _ENDING:
                raise UnavailableError(f"{self.url}: the server is gone")
            if pause >= longest and not told:
                told = True
                warn(
                    f"{self.url} does not answer; waiting for it, "
                    f"{self._patience:.0f} s at most"
                )
            time.sleep(min(pause, left))
            pause = min(2 * pause, longest)

    def _may_come_back(self, error: Exception) -> bool:
        if isinstance(error, _REFUSED):
            return False
        # One that was written to and now is a replica was replaced by another one.
        replaced = is_read_only(error) and self._wrote
        few = "NOREPLICAS" in str(error)
        return isinstance(error, _GONE) or replaced or few

    def _explained(self, error: Exception) -> BackendError:
        kind, sentence = sentence_of(error, self._clean(error))
        return kind(f"{self.url}: {sentence}")

    def _clean(self, error: Exception) -> str:
        """Return what an error says, without the password."""
        text = str(error) or type(error).__name__
        return text.replace(self._password, "...") if self._password else text


def _open_to_all(address: Address, password: str) -> bool:
    """Return whether every user of the machine gets in."""
    if password or address.user:
        return False
    if address.kind != "unix":
        return True
    try:
        return bool(os.stat(address.path).st_mode & stat.S_IWOTH)  # noqa: PTH116 - one number
    except OSError:
        return False


def _told(client: Any, command: str, what: str) -> dict[str, Any]:
    """Return what a server, or one of several, says of itself.

    Nothing if it may not tell this user, as with some that are rented.
    """
    if hasattr(client, "get_primaries"):
        client = client.get_redis_connection(client.get_primaries()[0])
    try:
        found: dict[Any, Any] = getattr(client, command)(what)
    except NoPermissionError:
        return {}
    except redis.ResponseError as error:
        if "unknown command" not in str(error).lower():
            raise
        return {}
    return {k.decode() if isinstance(k, bytes) else k: v for k, v in found.items()}


def _client(address: Address, password: str) -> Any:
    """Return a client; it connects when it is asked something."""
    options = {**_connection_options(address), **_own(address, password)}
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
    about |= {key: options[key] for key in ("retry", *_NAMES) if key in options}
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


def _answer_within(address: Address) -> float:
    """Return for how many seconds an answer is waited for."""
    try:
        return float(address.options.get("socket_timeout", _ANSWER)) or _ANSWER
    except ValueError:
        return _ANSWER  # what it is instead, redis-py will say


def _own(address: Address, password: str) -> dict[str, Any]:
    given = address.options
    own: dict[str, Any] = {
        "db": address.db,
        "username": address.user or None,
        "password": password or None,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "decode_responses": False,
    }
    own["socket_timeout"] = _answer_within(address)
    if "socket_connect_timeout" not in given:
        own["socket_connect_timeout"] = _CONNECT
    if "socket_keepalive" not in given and address.kind != "unix":
        own["socket_keepalive"] = True
    if "lib_name" not in given:
        # Or redis-py looks up its version, and tells the server, for each connection.
        own |= dict.fromkeys(_NAMES)
    return own
