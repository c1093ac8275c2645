"""The room that a store in Redis takes, and what in it can go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.redis import scripts

if TYPE_CHECKING:
    from backends.redis.blobs import BlobChunks
    from backends.redis.room import Room
    from backends.redis.shared_folder import SharedFolder


class Usage:
    """The `Space` of a store in Redis."""

    def __init__(self, room: Room, blobs: BlobChunks | SharedFolder) -> None:
        self._room = room
        self._blobs = blobs

    def now(self) -> float:
        return self._room.now() / 1e6

    def open_to_all(self) -> bool:
        return self._room.server.open_to_all or self._blobs.open_to_all()

    def size(self) -> int:
        room, server = self._room, self._room.server
        total = int(server.script(scripts.SIZE, [room.key("documents")]))
        for block in server.ask("smembers", room.key("blocks")):
            pair = [room.key("log", int(block)), room.key("body", int(block))]
            total += int(server.script(scripts.SIZE, pair))
        return total + self._blobs.size()

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        if not self._room.exists():
            return []
        return self._blobs.leftovers(older_than, remove=remove)

    def empty_trash(self, older_than: float) -> int:
        return self._blobs.empty_trash(older_than) if self._room.exists() else 0
