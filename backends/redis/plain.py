"""A client for one server that is spoken to in the clear: what a store asks, no more.

To import redis-py takes longer than all else that a short command does. So where none
of what it is needed for (TLS, sentinels, clusters, options) is asked for, the protocol
is spoken here: a command is an array of strings, and a reply says with its first letter
what it is. https://redis.io/docs/latest/develop/reference/protocol-spec/ (RESP 2).

Its methods are called as those of redis-py, and its errors become those of redis-py,
which is imported then: see `troubles`.
"""

from __future__ import annotations

import os
import select
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backends.interface import Bytes
    from backends.redis.address import Address

_OPTIONS = {"socket_timeout", "socket_connect_timeout"}
_LARGE = 1 << 16
"""Bytes that are sent as they lie in memory."""
_LONGEST = 1 << 16
"""Bytes of a line of a reply."""
_MOST = 1 << 32
"""Bytes or parts of a reply; servers keep to an eighth of it."""
_COMMANDS = (
    *("eval", "evalsha", "expire", "get", "hdel", "hget", "hkeys", "ping", "set"),
    *("smembers", "strlen", "unlink"),
)
_WORDS = {**{name: name for name in _COMMANDS}, "delete": "del"}
"""Commands that are sent as they are called, by what redis-py calls them."""


class Refused(Exception):  # noqa: N818 - what it says is the server's
    """The server answers with an error; the text of it."""


class StrangeReplyError(Exception):
    """What answers does not speak the protocol."""


class Place:
    """Where a server is, and how one gets in.

    Parameters
    ----------
    address : Address
        Of a server or socket.
    password : str
        Empty if there is none.
    answer, connect : float
        Seconds within which it answers, and within which it can be reached.
    """

    def __init__(
        self, address: Address, password: str, answer: float, connect: float
    ) -> None:
        self._address, self._password = address, password
        self._answer, self._connect = answer, connect

    def connection(self) -> Connection:
        """Return a new connection to it.

        Raises
        ------
        OSError
            It cannot be reached.
        Refused
            It does not let one in.
        """
        address = self._address
        connection = Connection(self._reached())
        try:
            if address.user or self._password:
                user = [address.user] if address.user else []
                connection.ask(["AUTH", *user, self._password])
            if address.db:
                connection.ask(["SELECT", address.db])
        except BaseException:
            connection.close()
            raise
        return connection

    def _reached(self) -> socket.socket:
        """Return a socket that leads to it."""
        address = self._address
        where = address.path or "{}:{}".format(*address.hosts[0])
        try:
            reached = self._by_path() if address.path else self._by_host()
        except TimeoutError:
            raise TimeoutError("Timeout connecting to server") from None
        except OSError as error:
            why = f"Error {error.errno} connecting to {where}. {error.strerror}."
            raise ConnectionError(why) from None
        reached.settimeout(self._answer)
        return reached

    def _by_path(self) -> socket.socket:
        reached = socket.socket(socket.AF_UNIX)
        reached.settimeout(self._connect)
        try:
            reached.connect(self._address.path)
        except OSError:
            reached.close()
            raise
        return reached

    def _by_host(self) -> socket.socket:
        reached = socket.create_connection(self._address.hosts[0], self._connect)
        reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return reached


class Connection:
    """One connection, on which one question is asked at a time."""

    def __init__(self, reached: socket.socket) -> None:
        self._socket = reached
        self._file = reached.makefile("rb", 1 << 16)
        self._coming = select.poll()
        self._coming.register(reached, select.POLLIN)

    @property
    def idle(self) -> bool:
        """Whether it is still there, and nothing comes that nobody asked for."""
        return not self._coming.poll(0)

    def ask(self, words: Sequence[Any]) -> Any:
        """Return the reply to a command.

        Raises
        ------
        Refused
            It is an error.
        OSError
            None came. What does may belong to no question: no other is to be asked.
        """
        for part in _packed(words):
            self._socket.sendall(part)
        try:
            reply = self._reply()
        except RecursionError:
            raise StrangeReplyError("Protocol Error: arrays in arrays") from None
        if isinstance(reply, Refused):
            raise reply
        return reply

    def _reply(self) -> Any:
        line = self._file.readline(_LONGEST)
        if not line.endswith(b"\r\n"):
            if line:
                raise StrangeReplyError(f"Protocol Error: {line!r:.80}")
            raise ConnectionError("Connection closed by server.")
        kind, text = line[:1], line[1:-2]
        if kind in b"$*" and text == b"-1":
            return None
        if kind == b"$":
            return self._read(_number(line))
        if kind == b":":
            return _number(line)
        if kind == b"*":
            return [self._reply() for _ in range(_number(line))]
        if kind == b"+":
            return text
        if kind == b"-":
            return Refused(text.decode(errors="replace"))
        raise StrangeReplyError(f"Protocol Error: {line!r:.80}")

    def _read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if len(data) < size or len(self._file.read(2)) < 2:
            raise ConnectionError("Connection closed by server.")
        return data

    def close(self) -> None:
        """End it."""
        with suppress(OSError):
            self._file.close()
            self._socket.close()


class PlainClient:
    """A client with as many connections as threads ask something at once.

    A process that was forked has its own: the replies on others are its parent's.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._idle: list[Connection] = []
        self._process = os.getpid()

    def __getattr__(self, name: str) -> Any:
        """Return what asks a command of this name."""
        if name not in _WORDS:
            raise AttributeError(name)
        return partial(self._ask, _WORDS[name])

    def _ask(self, *words: Any) -> Any:
        connection = self._connection()
        try:
            found = connection.ask(words)
        except Refused:
            self._idle.append(connection)
            raise
        except BaseException:  # also if a signal interrupts it
            connection.close()
            raise
        self._idle.append(connection)
        return found

    def _connection(self) -> Connection:
        if self._process != os.getpid():
            self._process, self._idle = os.getpid(), []
        with suppress(IndexError):  # another thread takes some, too
            while not (connection := self._idle.pop()).idle:
                connection.close()
            return connection
        return self._place.connection()

    def hmget(self, key: str, fields: Iterable[Any]) -> Any:
        """Return the values of fields of a hash."""
        return self._ask("hmget", key, *fields)

    def hscan(self, key: str, cursor: int, *, count: int) -> tuple[Any, dict[Any, Any]]:
        """Return some fields of a hash with their values, and where to go on."""
        cursor, found = self._ask("hscan", key, cursor, "count", count)
        return cursor, dict(zip(found[::2], found[1::2], strict=True))

    def xread(self, streams: Mapping[str, str], *, block: int) -> Any:
        """Return what comes in some streams within milliseconds; nothing in vain."""
        names = *streams, *streams.values()
        return self._ask("xread", "block", block, "streams", *names)

    def info(self, section: str) -> dict[str, Any]:
        """Return what the server says of itself."""
        lines = self._ask("info", section).decode(errors="replace").splitlines()
        pairs = [line.partition(":") for line in lines if not line.startswith("#")]
        return {name: _value(text) for name, colon, text in pairs if colon}

    def config_get(self, name: str) -> dict[Any, Any]:
        """Return settings of the server."""
        found = self._ask("config", "get", name)
        return dict(zip(found[::2], found[1::2], strict=True))

    def close(self) -> None:
        """Let go of all connections."""
        while self._idle:
            self._idle.pop().close()


def plain_client(
    address: Address, password: str, answer: float, connect: float
) -> PlainClient | None:
    """Return a client of a server, None if it takes more than is known here.

    Parameters
    ----------
    address : Address
        Where it is.
    password : str
        Empty if there is none.
    answer, connect : float
        Seconds within which it answers, and within which it can be reached, if the
        address does not say otherwise.
    """
    options = address.options
    if (
        address.kind not in {"server", "unix"}
        or address.tls
        or options.keys() - _OPTIONS
    ):
        return None
    try:
        answer = float(options.get("socket_timeout", answer))
        connect = float(options.get("socket_connect_timeout", connect))
    except ValueError:  # redis-py will say it
        return None
    if min(answer, connect) <= 0:
        return None
    return PlainClient(Place(address, password, answer, connect))


def _number(line: bytes) -> int:
    """Return the number in a line of a reply."""
    with suppress(ValueError):
        number = int(line[1:-2])
        if line[:1] == b":" or 0 <= number < _MOST:
            return number
    raise StrangeReplyError(f"Protocol Error: {line!r:.80}")


def _packed(words: Sequence[Any]) -> list[Bytes]:
    """Return a command as it is sent; what is large is not copied."""
    parts: list[Bytes] = []
    small = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes | memoryview) else _bytes_of(word)
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        small.append(b"$%d\r\n" % size)
        if size < _LARGE:
            small.append(bytes(data))
        else:
            parts += [b"".join(small), data]
            small = []
        small.append(b"\r\n")
    return [*parts, b"".join(small)]


def _bytes_of(word: Any) -> bytes:
    if isinstance(word, bytearray):
        return bytes(word)
    return word.encode() if isinstance(word, str) else str(word).encode()


def _value(text: str) -> Any:
    """Return a value of `info` as redis-py does: numbers, mappings, text."""
    if "=" in text and "," in text:
        pairs = [part.partition("=") for part in text.split(",")]
        return {name: _value(value) for name, _, value in pairs}
    with suppress(ValueError):
        return float(text) if "." in text else int(text)
    return text
