"""What can be found out about a server of Redis or Valkey, for a store on it."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from backends.errors import OpenError, pip_install
from backends.filesystem.probe import DirectoryProbe
from backends.interface import Finding, Kind, Level, Row, Segment, Service
from backends.redis.address import parse_address
from backends.redis.opening import refuse_eviction
from backends.redis.secrets import password_of
from backends.segment import encode_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backends.redis.address import Address
    from backends.redis.redis_log import RedisLog
    from backends.redis.room import Room
    from backends.redis.server import Server

_LIFE = 600
"""Seconds after which the server removes what a probe that was killed has left."""
_BLOCK = 4096
_OLDEST = (6, 2)
_FULL = 0.8
_PINGS = 50
_SLOW = 0.005
_SEGMENTS, _LOOKS = 200, 20
_LEFT = 500
"""Segments that are left of a merged block: not the locks."""
_EACH = 2
"""Connections of a worker: its own, and that of its supervisor."""


class RedisProbe:
    """Finds out about a server; see `Probe`.

    Parameters
    ----------
    address : Address
        Of the store.
    """

    def __init__(self, address: Address) -> None:
        if find_spec("redis") is None:
            raise OpenError(
                f"{address.url}: stores in Redis need the package redis; "
                + pip_install("redis>=5.0.1")
            )
        from backends.redis.server import Server

        self.url = address.url
        self._address = address
        self._server: Server = Server(address)

    def facts(self) -> Iterator[Finding]:
        server = self._server
        yield _version(server.info("server"))
        try:
            refuse_eviction(self.url, server.about)
        except OpenError as error:
            policy = str(server.about["maxmemory_policy"])
            yield Finding("eviction", policy, str(error), "", Level.UNFIT)
        else:
            yield Finding("eviction", "noeviction", "what is stored stays")
        yield _memory(server.about)
        yield _persistence(
            server.info("persistence"), server.setting("save"), server.setting
        )
        replication = server.info("replication")
        yield _replicas(replication, server.setting("min-replicas-to-write"))
        yield _clients(server.info("clients"))
        if server.open_to_all:
            yield Finding(
                "password",
                "none",
                "who reaches the server may run code as whoever loads results",
                "set requirepass, or users (ACL), and bind it to your own network",
                Level.WARNING,
            )
        if self._address.blobs:
            folder = Path(self._address.blobs).expanduser() / "taskgraph-"
            for found in DirectoryProbe(folder).facts():
                if found.what != "store":
                    yield replace(found, what=f"blobs, {found.what}")

    # scratch stores

    def _of(self, name: str) -> Address:
        """Return the address of a scratch store; its password is known by it, too."""
        start, _, query = self.url.partition("?")
        kept = [pair for pair in parse_qsl(query) if pair[0] not in {"store", "blobs"}]
        kept.append(("store", f"{self._address.store}.{name}"))
        found = parse_address(f"{start}?{urlencode(kept, quote_via=quote, safe='/:,')}")
        password = password_of(self._address)
        if password:
            password_of(replace(found, password=password))
        return found

    def _room(self, name: str) -> Room:
        from backends.redis.room import Room

        return Room(self._server, self._of(name).store, _BLOCK)

    def make_scratch(self, name: str) -> str:
        room = self._room(name)
        if not room.exists():
            log = self._log(room)
            log.append(0, log.stage(_frame(), durable=False))
            log.documents.put("scratch", b"scratch")
            log.members.beat("doctor", {})
            for key in _keys(room):
                self._server.ask("expire", key, _LIFE)
        return self._of(name).url

    def _log(self, room: Room) -> RedisLog:
        from backends.redis.redis_log import RedisLog

        return RedisLog(room)

    def remove_scratch(self, name: str) -> None:
        for key in _keys(self._room(name)):
            self._server.ask("unlink", key)

    # what is measured

    def measures(self, name: str) -> Iterator[Finding]:  # noqa: ARG002 - nothing is written
        took = []
        for _ in range(_PINGS):
            began = time.perf_counter()
            self._server.ask("ping")
            took.append(time.perf_counter() - began)
        found = median(took)
        slow = found > _SLOW
        yield Finding(
            "round trip",
            f"{1e3 * found:.2f} ms (the longest: {1e3 * max(took):.1f})",
            "an append takes two, and a look for news one",
            "a server nearer by, if tasks are short" if slow else "",
            Level.WARNING if slow else Level.FINE,
        )

    def service(self, name: str) -> Service:
        """Return seconds of the server's one thread, as it counts them itself."""
        from backends.redis.room import BLOCK

        room = self._room(name)
        log = self._log(room)
        first = log.after(0) or 0
        while log.read(first) is not None:
            first += 1
        append = self._seconds(lambda k: _append(log, first + k), _SEGMENTS)
        reading = self._seconds(lambda _: _look(log, first), _LOOKS)
        look = self._seconds(lambda _: _look(log, first + _SEGMENTS), _LOOKS)
        read = max(0.0, reading - look) / _SEGMENTS
        places, key = list(range(first, first + _SEGMENTS)), room.key("log", 0)
        ask = self._server.ask  # who reads a merged block gets all of it so
        many = self._seconds(lambda _: ask("hmget", key, places), _LOOKS, "hmget")
        assumed = ""
        if not append:
            append, read, look, many = 1e-4, 3e-6, 5e-5, 1e-4
            assumed = "what its scripts cost: INFO commandstats does not tell"
        block = look + _LEFT * many / _SEGMENTS
        return Service(append + look, read, block, look, BLOCK, assumed=assumed)

    def _seconds(self, deed: Any, times: int, *commands: str) -> float:
        """Return the seconds of a command (a script) in the server's own thread."""
        names = commands or ("evalsha", "eval")
        before = self._counted(names)
        for number in range(times):
            deed(number)
        after = self._counted(names)
        calls, spent = (b - a for a, b in zip(before, after, strict=True))
        return 1e-6 * spent / calls if calls else 0.0

    def _counted(self, names: Sequence[str]) -> tuple[float, float]:
        stats = self._server.info("commandstats")
        found = [stats.get(f"cmdstat_{name}", {}) for name in names]
        calls, spent = (sum(x.get(k, 0) for x in found) for k in ("calls", "usec"))
        return calls, spent

    def close(self) -> None:
        self._server.close()


def open_probe(url: str) -> RedisProbe:
    """Return what finds out about the server that a URL names.

    Raises
    ------
    OpenError
        The URL makes no sense, or the package redis is not installed.
    UnavailableError
        Nobody answers.
    """
    return RedisProbe(parse_address(url))


def _keys(room: Room) -> list[str]:
    """Return the keys of a scratch store; those of its workers end by themselves."""
    names = ("meta", "blocks", "news", "workers", "documents", "blobs", "staged")
    parts = [room.key(what, 0) for what in ("log", "body")]
    return [*map(room.key, names), *parts, room.key("worker", "doctor")]


def _frame() -> list[Any]:
    key = bytes(19) + b"d"
    rows = bytes([Row.RESULT])
    return encode_frame(Segment(Kind.PUBLISH, "doctor", 0.0, key, rows, body=b"probe"))


def _append(log: RedisLog, position: int) -> None:
    staged = log.stage(_frame(), durable=False)
    log.append(position, staged)
    log.unstage(staged)


def _look(log: RedisLog, position: int) -> None:
    log.refresh()
    log.read(position, 1 << 16)


def _version(about: dict[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in about else "Redis"
    told = str(about.get("valkey_version") or about.get("redis_version") or "?")
    number = [int(x) for x in told.split(".")[:2] if x.isdecimal()]
    if number and tuple(number) < _OLDEST:
        meaning = "stores need commands that it does not know"
        advice = "Redis 6.2 or Valkey 7.2 is the oldest that does"
        return Finding("version", f"{name} {told}", meaning, advice, Level.UNFIT)
    return Finding("version", f"{name} {told}", "all that is needed is there")


def _memory(about: dict[str, Any]) -> Finding:
    used, most = int(about.get("used_memory", 0)), int(about.get("maxmemory", 0))
    limit = most or int(about.get("total_system_memory", 0))
    text = f"{used / 1e6:.0f} MB of {limit / 1e6:,.0f} MB"
    meaning = "all that is stored is in memory; a server that is full refuses more"
    if limit and used > _FULL * limit:
        advice = "give it more, or keep large results elsewhere (?blobs=/shared/folder)"
        return Finding("memory", text, meaning, advice, Level.WARNING)
    return Finding("memory", text, meaning)


def _persistence(about: dict[str, Any], save: str, setting: Any) -> Finding:
    what = "persistence"
    failed = [
        name
        for name in ("rdb_last_bgsave_status", "aof_last_write_status")
        if about.get(name, "ok") != "ok"
    ]
    if failed:
        meaning = "it cannot save what it has, and may take nothing more"
        advice = "look into its log; its disk may be full"
        return Finding(what, f"{failed[0]}: failed", meaning, advice, Level.WARNING)
    if int(about.get("aof_enabled", 0)):
        how = setting("appendfsync") or "?"
        meaning = "a restart loses a second of results at most, computed again"
        return Finding(what, f"append-only file, fsync {how}", meaning)
    advice = "appendonly yes, in redis.conf and by redis-cli CONFIG SET"
    if save:
        meaning = "a restart loses what came since the last snapshot"
        return Finding(what, f"snapshots ({save})", meaning, advice, Level.WARNING)
    told = bool(about)
    return Finding(
        what,
        "none" if told else "not told",
        "a restart of the server loses all results" if told else "it is not known",
        advice,
        Level.WARNING,
    )


def _replicas(about: dict[str, Any], needed: str) -> Finding:
    what = "replicas"
    if about.get("role", "master") != "master":
        meaning = "it can only be read"
        advice = "give the address of the primary one, or of its sentinels"
        return Finding(what, "this is one", meaning, advice, Level.UNFIT)
    count = int(about.get("connected_slaves", 0))
    if not count:
        return Finding(what, "none", "nobody takes over when it is gone")
    end = int(about.get("master_repl_offset", 0))
    of = [about.get(f"slave{k}", {}) for k in range(count)]
    behind = max(end - int(one.get("offset", end)) for one in of)
    text = f"{count}, {behind:,} bytes behind at most"
    if needed in ("", "0"):
        return Finding(
            what,
            f"{text}, none of which is waited for",
            "one that takes over may lack the last results; workers notice it and end",
            "redis-cli CONFIG SET min-replicas-to-write 1, and the same in redis.conf",
            Level.WARNING,
        )
    return Finding(what, text, f"{needed} of them must be there for each append")


def _clients(about: dict[str, Any]) -> Finding:
    most, now = int(about.get("maxclients", 0)), int(about.get("connected_clients", 0))
    room = max(0, most - now) // _EACH
    text = f"{now} of {most or '?'}"
    meaning = f"room for {room:,} workers" if most else "no limit is told"
    return Finding("connections", text, meaning)
