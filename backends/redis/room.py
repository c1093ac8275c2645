"""One store on a server: the names of its keys, and its description.

::

    {taskgraph:NAME}:meta        format, version, segments in a block, a random id
    {taskgraph:NAME}:log:12      block 12: starts of frames (header, head) by place
    {taskgraph:NAME}:body:12     their bodies
    {taskgraph:NAME}:blocks      numbers of all blocks
    {taskgraph:NAME}:news        a stream of one entry: the last position
    {taskgraph:NAME}:workers     names; each has a key that lives for a lease
    {taskgraph:NAME}:worker:...  when it beat last, and who it is
    {taskgraph:NAME}:documents   documents by name
    {taskgraph:NAME}:blobs       when, token, size of all and of a chunk, by name
    {taskgraph:NAME}:chunk:...   a chunk of a blob, by its token and number
    {taskgraph:NAME}:staged      tokens of blobs that are being written
    {taskgraph:NAME}:trash       blobs as above that nobody needs, and since when

What stands in braces makes a cluster keep all keys of a store on one node, so that one
script may work on several.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from backends.errors import FormatError, RewoundError
from backends.redis import scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backends.redis.scripts import Script
    from backends.redis.server import Server

FORMAT = "taskgraph store in Redis"
VERSION = 1
BLOCK = 1000
_LARGEST_BLOCK = 4096
"""What a script can handle at once."""


class Room:
    """A store by its name on a server, made when something is first written to it.

    Parameters
    ----------
    server : Server
        Where it is.
    store : str
        Its name there.
    block : int
        How many segments make a block, if it is made.

    Raises
    ------
    FormatError
        Another version wrote it, or something else has a key of its name.
    """

    def __init__(self, server: Server, store: str, block: int = BLOCK) -> None:
        self.server, self._store = server, store
        self.url = server.url
        self.block_size = block
        self._tag = f"{{taskgraph:{store}}}"
        self._id = b""

    def again(self) -> Room:
        """Return the same room, for another thread."""
        return Room(self.server, self._store, self.block_size)

    def key(self, what: str, which: object = None) -> str:
        """Return the name of a key."""
        return f"{self._tag}:{what}" + ("" if which is None else f":{which}")

    def exists(self) -> bool:
        """Return whether the store was made, by anybody."""
        if not self._id:
            key = self.key("meta")
            fields = ["format", "version", "block", "id"]
            self._learn(self.server.ask("hmget", key, fields))
        return bool(self._id)

    def make(self) -> None:
        """Make the store, unless it was made."""
        if not self.exists():
            about = FORMAT, VERSION, self.block_size, os.urandom(8).hex()
            self._learn(self.server.script(scripts.MAKE, [self.key("meta")], *about))

    def _learn(self, found: list[bytes | None]) -> None:
        """Take in what a store says of itself; refuse what cannot be read."""
        form, version, block, ident = found
        if form is version is block is ident is None:
            return
        number = 0
        with suppress(TypeError, ValueError):
            number, self.block_size = int(version or 0), int(block or 0)
        fits = 0 < self.block_size <= _LARGEST_BLOCK
        if form != FORMAT.encode() or not ident or not fits or number < 1:
            raise FormatError(
                f"{self.url}: the key {self.key('meta')} is not that of a taskgraph "
                "store; choose another ?store=NAME"
            )
        if number != VERSION:
            advice = (
                "install a newer taskgraph-segkit"
                if number > VERSION
                else "use the release that wrote it"
            )
            raise FormatError(
                f"{self.url} has format {number}, this taskgraph reads format "
                f"{VERSION}; {advice} or choose another ?store=NAME"
            )
        self._id = ident

    def script(
        self, script: Script, keys: list[str], *arguments: Any, patient: bool = True
    ) -> Any:
        """Run a script that is for this very store, if it is there still.

        Raises
        ------
        RewoundError
            The server has none of this name any more, or another one.
        """
        found = self.server.script(
            script, [self.key("meta"), *keys], self._id, *arguments, patient=patient
        )
        if found == scripts.OTHER:
            raise RewoundError(self.url)
        return found

    def now(self) -> int:
        """Return microseconds since the epoch by the server's clock."""
        return int(self.server.script(scripts.TIME, [self.key("meta")]))

    def fields(self, key: str) -> Iterator[tuple[str, bytes]]:
        """Yield the fields of a hash, some at a time, with their values."""
        found: dict[bytes, bytes] = {}
        cursor = 0
        while True:
            cursor, some = self.server.ask("hscan", key, cursor, count=1000)
            found.update(some)  # one may come twice
            if not int(cursor):
                break
        for name, value in found.items():
            yield name.decode(errors="surrogateescape"), value

    @property
    def ident(self) -> str:
        """What tells this store from all others; it has to exist."""
        return self._id.decode()
