"""Large values in Redis: chunks, and what says which they are, written last."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from backends.errors import BackendError, DamagedError
from backends.names import is_blob_name, is_name
from backends.redis import scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backends.interface import Bytes
    from backends.redis.room import Room

CHUNK = 1 << 19
"""Bytes of a chunk: few enough that neither side asks its system for memory anew."""


class Manifest(NamedTuple):
    """When a blob was written, in microseconds, its bytes, and those of a chunk."""

    time: int
    token: str
    size: int
    chunk: int


def parse_manifest(text: bytes) -> Manifest:
    """Return what is known of a blob.

    Raises
    ------
    DamagedError
        No worker would say so.

    Examples
    --------
    >>> parse_manifest(b"1700000000000000 0a1b 1000000 524288").size
    1000000
    """
    try:
        time, token, size, chunk = text.decode().split()
        found = Manifest(int(time), token, int(size), int(chunk))
    except ValueError:
        found = Manifest(0, "", 0, 0)
    if not is_name(found.token) or found.size < 0 or found.chunk < 1:
        raise DamagedError("what names a blob", "it makes no sense")
    return found


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
        try:
            return self._write(name, token, chunks)
        except BackendError:
            with suppress(BackendError):  # a full server has no room for leftovers
                self._drop(token)
            raise

    def _write(self, name: str, token: str, chunks: Iterable[Bytes]) -> int:
        size = number = 0
        last: Bytes = b""
        for piece in _pieces(chunks, CHUNK):
            if size:
                self._put(token, number, last)
                number += 1
            last = piece
            size += len(piece)
        self._room.script(
            scripts.COMMIT,
            [self._blobs, self._room.key("staged"), self._chunk(token, number)],
            *(name, token, size, CHUNK, self._room.key("chunk", ""), last),
        )
        return size

    def _put(self, token: str, number: int, piece: Bytes) -> None:
        if not number:
            self._room.script(scripts.STAGE, [self._room.key("staged")], token)
        self._room.server.ask("set", self._chunk(token, number), piece)

    def _chunk(self, token: str, number: int) -> str:
        return f"{self._room.key('chunk', token)}:{number}"

    def open(self, name: str) -> memoryview:
        what = f"blob {name} of {self._room.url}"
        if not is_blob_name(name):
            raise DamagedError(f"blob {name!r} of {self._room.url}", "it is no name")
        ask = self._room.server.ask
        text = ask("hget", self._blobs, name)
        if text is None:
            raise DamagedError(what, "it is gone")
        manifest = parse_manifest(text)
        data = memoryview(bytearray(manifest.size))
        for at in range(0, manifest.size, manifest.chunk):
            room = data[at : at + manifest.chunk]
            chunk = ask("get", self._chunk(manifest.token, at // manifest.chunk))
            if chunk is None or len(chunk) != len(room):
                raise DamagedError(what, "a part of it is gone")
            room[:] = chunk
        return data

    def all(self) -> Iterator[tuple[str, int]]:
        for name, text in self._room.fields(self._blobs):
            with suppress(DamagedError):
                if is_blob_name(name):
                    yield name, parse_manifest(text).size

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
        return stored + sum(each.size for _, each, _ in self._trashed())

    def _trashed(self) -> Iterator[tuple[str, Manifest, int]]:
        """Yield fields of the trash, what was a blob, and since when it is there."""
        for field, since in self._room.fields(self._room.key("trash")):
            with suppress(DamagedError, ValueError):
                manifest = parse_manifest(field.partition(" ")[2].encode())
                yield field, manifest, int(since)

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was begun so many seconds ago and never became a blob."""
        key = self._room.key("staged")
        before = self._room.now() - older_than * 1e6
        staged = self._room.fields(key)
        found = [x for x, at in staged if at.isdigit() and int(at) <= before]
        if remove:
            for token in found:
                self._drop(token)
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

    def _drop(self, token: str) -> None:
        """Remove what was begun and did not become a blob."""
        self._remove(token)
        self._room.server.ask("hdel", self._room.key("staged"), token)

    def _remove(self, token: str) -> int:
        """Remove the chunks of a blob; return their bytes."""
        ask = self._room.server.ask
        freed = number = 0
        while size := ask("strlen", self._chunk(token, number)):
            ask("unlink", self._chunk(token, number))
            freed += size
            number += 1
        return freed


def _pieces(chunks: Iterable[Bytes], size: int) -> Iterator[Bytes]:
    """Yield what chunks hold in pieces of a size, the last one smaller.

    Examples
    --------
    >>> [bytes(piece) for piece in _pieces([b"ab", b"cdefghi", b"", b"j"], 3)]
    [b'abc', b'def', b'ghi', b'j']
    """
    rest = bytearray()
    for chunk in chunks:
        view = memoryview(chunk).cast("B")
        if rest:
            missing = size - len(rest)
            rest += view[:missing]
            view = view[missing:]
            if len(rest) == size:
                yield bytes(rest)
                rest.clear()
        whole = len(view) - len(view) % size
        for start in range(0, whole, size):
            yield view[start : start + size]  # not copied
        rest += view[whole:]
    if rest:
        yield bytes(rest)
