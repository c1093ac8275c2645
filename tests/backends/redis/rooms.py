"""Logs in Redis whose blocks are short, and segments that are spoilt there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backends import OpenError
from backends.opening import open_backend
from backends.redis.address import parse_address
from backends.redis.redis_log import RedisLog
from backends.redis.room import Room
from backends.redis.server import Server
from backends.testing.deeds import A

if TYPE_CHECKING:
    from ...redis_servers import RedisServer


def open_log(url: str, block: int, *, create: bool = True) -> RedisLog:
    address = parse_address(url)
    room = Room(Server(address), address.store, block)
    return RedisLog(room, create=create, blobs=address.blobs)


def spoil(
    server: RedisServer, store: str, block: int, position: int, data: bytes
) -> None:
    """Replace the stored bytes of a position, start and body."""
    number, place = divmod(position, block)
    with server.client() as client:
        client.hset(f"{{taskgraph:{store}}}:log:{number}", str(place), data)
        client.hdel(f"{{taskgraph:{store}}}:body:{number}", str(place))


def refusal(url: str, kind: type[Exception] = OpenError, **how: bool) -> str:
    """Return why a store cannot be opened or written to."""
    with pytest.raises(kind) as caught:
        open_backend(url, **how).claim([A])
    return str(caught.value)
