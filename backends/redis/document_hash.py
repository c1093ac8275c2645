"""Documents in Redis: the fields of one hash, replaced when they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.redis import scripts

if TYPE_CHECKING:
    from backends.redis.room import Room

_ANY_TEXT = "surrogateescape"
"""Documents are called after files, whose names need not be UTF-8."""


class DocumentHash:
    """The `Documents` of a store in Redis, as bytes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._key = room.key("documents")

    def put(self, name: str, data: bytes) -> None:
        self._room.make()
        self._room.script(scripts.PUT, [self._key], name.encode(errors=_ANY_TEXT), data)

    def get(self, name: str) -> bytes | None:
        field = name.encode(errors=_ANY_TEXT)
        found: bytes | None = self._room.server.ask("hget", self._key, field)
        return found

    def names(self) -> list[str]:
        found = self._room.server.ask("hkeys", self._key)
        return sorted(name.decode(errors=_ANY_TEXT) for name in found)
