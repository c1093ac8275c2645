"""Large values in Redis: chunks, and what says which they are, written last."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from backends.errors import DamagedError
from backends.names import is_blob_name
from backends.redis import scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backends.interface import Bytes
    from backends.redis.room import Room

CHUNK = 1 << 25
"""Bytes of a chunk at most: a server answers nobody else while it takes one in."""
_SMALL = 1 << 20
"""Bytes up to which what is left goes along with the last word."""


class Manifest(NamedTuple):
    """When a blob was written, in microseconds, and its chunks."""

    time: int
    token: str
    sizes: list[int]


def parse_manifest(text: bytes) -> Manifest:
    """Return what is known of a blob."""
    time, token, *sizes = text.decode().split()
    return Manifest(int(time), token, [int(size) for size in sizes])


class BlobChunks:
    """The `Blobs` of a store in Redis.

    What the engine gives is compressed already where that pays.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._blobs = room.key("blobs")

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        if not is_blob_name(name):
            raise DamagedError(f"blob {name!r} of {self._room.url}", "it is no name")
        self._room.make()
        token = os.urandom(8).hex()
        sizes: list[int] = []
        last: Bytes = b""
        for piece in _pieces(chunks):
            if sizes:
                self._put(token, len(sizes) - 1, last)
            last = piece
            sizes.append(len(piece))
        if len(last) > _SMALL:
            self._put(token, len(sizes) - 1, last)
            last = b""
        staged = self._room.key("staged")
        chunk = self._chunk(token, max(0, len(sizes) - 1))
        self._room.script(
            scripts.COMMIT,
            [self._blobs, staged, chunk],
            *(name, token, " ".join(map(str, sizes)), self._chunk_prefix(), last),
        )
        return sum(sizes)

    def _put(self, token: str, number: int, piece: Bytes) -> None:
        if not number:
            self._room.script(scripts.STAGE, [self._room.key("staged")], token)
        key = self._chunk(token, number)
        self._room.server.ask("set", key, piece)

    def _chunk(self, token: str, number: int) -> str:
        return f"{self._chunk_prefix()}{token}:{number}"

    def _chunk_prefix(self) -> str:
        return self._room.key("chunk", "")

    def open(self, name: str) -> memoryview:
        what = f"blob {name} of {self._room.url}"
        if not is_blob_name(name):
            raise DamagedError(f"blob {name!r} of {self._room.url}", "it is no name")
        ask = self._room.server.ask
        text = ask("hget", self._blobs, name)
        if text is None:
            raise DamagedError(what, "it is gone")
        manifest = parse_manifest(text)
        data = memoryview(bytearray(sum(manifest.sizes)))
        at = 0
        for number, size in enumerate(manifest.sizes):
            key = self._chunk(manifest.token, number)
            chunk = ask("get", key)
            if chunk is None or len(chunk) != size:
                raise DamagedError(what, "a part of it is gone")
            data[at : at + size] = chunk
            at += size
        return data

    def all(self) -> Iterator[tuple[str, int]]:
        for name, text in self._room.fields(self._blobs):
            yield name, sum(parse_manifest(text).sizes)

    def age(self, name: str) -> float:
        ask = self._room.server.ask
        text = ask("hget", self._blobs, name)
        if text is None:
            return 0.0
        return (self._room.now() - parse_manifest(text).time) / 1e6

    def trash(self, name: str) -> None:
        if self._room.exists():
            keys = [self._blobs, self._room.key("trash")]
            self._room.script(scripts.TRASH, keys, name)

    def open_to_all(self) -> bool:
        """Return whether others get to blobs who do not get to the server."""
        return False

    def size(self) -> int:
        """Return the bytes of all blobs, those in the trash included."""
        stored = sum(size for _, size in self.all())
        return stored + sum(sum(each.sizes) for _, each, _ in self._trashed())

    def _trashed(self) -> Iterator[tuple[str, Manifest, int]]:
        """Yield fields of the trash, what was a blob, and since when it is there."""
        for field, since in self._room.fields(self._room.key("trash")):
            manifest = parse_manifest(field.partition(" ")[2].encode())
            yield field, manifest, int(since)

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was begun so many seconds ago and never became a blob."""
        key = self._room.key("staged")
        before = self._room.now() - older_than * 1e6
        found = [x for x, since in self._room.fields(key) if int(since) <= before]
        if remove:
            for token in found:
                self._remove(token)
                self._room.server.ask("hdel", key, token)
        return [self._room.key("chunk", token) for token in found]

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed so many seconds ago; return its bytes."""
        before = self._room.now() - older_than * 1e6
        freed = 0
        for field, manifest, since in self._trashed():
            if since <= before:
                freed += self._remove(manifest.token)
                self._room.server.ask("hdel", self._room.key("trash"), field)
        return freed

    def _remove(self, token: str) -> int:
        """Remove the chunks of a blob; return their bytes."""
        ask = self._room.server.ask
        freed = number = 0
        while size := ask("strlen", self._chunk(token, number)):
            ask("unlink", self._chunk(token, number))
            freed += size
            number += 1
        return freed


def _pieces(chunks: Iterable[Bytes]) -> Iterator[Bytes]:
    """Yield chunks of some megabytes; large ones are not copied, small ones joined."""
    small = bytearray()
    for chunk in chunks:
        view = memoryview(chunk).cast("B")
        if len(view) < _SMALL and len(small) < _SMALL:
            small += view
            continue
        if small:
            yield bytes(small)
            small.clear()
        for start in range(0, len(view), CHUNK):
            yield view[start : start + CHUNK]
    if small:
        yield bytes(small)
