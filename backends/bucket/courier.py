"""Requests to an object store, made by a process of their own: the courier.

The library that speaks to object stores (obstore) has threads, and no fork of a process
that has used it can use it again. Workers are forks, and tasks may fork in their turn.
So a process that has a store in a bucket starts a courier, a new Python that loads this
module, and sends it requests through a socket; a fork of it starts one of its own.

A message is a length (u64) and as many bytes of msgpack. A request is a list: what to
do, and with what; several at once are made at the same time. The answer to each is a
pair: "ok" and a value, or what kind of failure it was and the word for it that the
store gave. No text that a library made up is passed on: there are URLs in it, and in
these may be signatures.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgpack

from backends.bucket.failures import IN_VAIN, told
from backends.bucket.sharing import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obstore import GetOptions, PutMode
    from obstore.store import ObjectStore

_LENGTH = struct.Struct("<Q")
_AT_ONCE = 32
"""Requests that are made at the same time."""
_PIECE = 8 << 20
"""Bytes of a large object that one request asks for, or sends."""
_PIECES = 6
"""Pieces that are under way at the same time."""
_PAGE = 1000
_TRIES = 8
"""How often a part of a large object is sent again."""
_FIRST, _LONGEST = 0.1, 5.0
"""Seconds before a request is made again, at first and at most."""


def send(connection: socket.socket, message: object) -> None:
    """Send what msgpack can carry."""
    data = msgpack.packb(message)
    connection.sendall(_LENGTH.pack(len(data)))
    connection.sendall(data)


def receive(connection: socket.socket) -> Any:
    """Return the next message.

    Raises
    ------
    EOFError
        The other side is gone.
    """
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return msgpack.unpackb(_exactly(connection, length), max_bin_len=length)


def receive_into(connection: socket.socket, memory: memoryview) -> None:
    """Fill memory with bytes that come without a length; see `receive`."""
    while memory:
        count = connection.recv_into(memory)
        if not count:
            raise EOFError
        memory = memory[count:]


def _exactly(connection: socket.socket, wanted: int) -> bytearray:
    data = bytearray(wanted)
    receive_into(connection, memoryview(data))
    return data


class Courier:
    """Makes requests to one bucket.

    Parameters
    ----------
    scheme, bucket, prefix, settings, allow_http
        See `Address`.
    patience : float
        Seconds for which a request is made again and again that may yet succeed.
    timeout : float
        Seconds for each try.
    """

    def __init__(
        self,
        scheme: str,
        bucket: str,
        prefix: str,
        settings: dict[str, str],
        allow_http: bool,
        patience: float,
        timeout: float,
    ) -> None:
        self._patience = patience
        self._answered = False
        self._shared = Shared(self._answer)
        self._make: Callable[[int], ObjectStore] = lambda tries: _store(
            scheme, bucket, prefix, settings, allow_http, timeout, tries
        )
        self._store: ObjectStore | None = None

    def serve(self, connection: socket.socket) -> None:
        """Answer the requests of one thread of one worker until it hangs up."""
        with (
            connection,
            ThreadPoolExecutor(_AT_ONCE) as pool,
            suppress(EOFError, OSError),
        ):
            while True:
                message = receive(connection)
                if message[0] == "upload":
                    send(connection, self._upload(connection, *message[1:]))
                elif message[0] == "download":
                    self._download(connection, pool, *message[1:])
                else:
                    some = map if len(message) == 1 else pool.map
                    found = some(lambda request: self._shared.answer(*request), message)
                    send(connection, list(found))

    def _answer(self, what: str, how: tuple[Any, ...]) -> tuple[str, Any]:
        return self._patiently(lambda: getattr(self, f"_{what}")(*how))

    def _patiently(self, deed: Callable[[], Any]) -> tuple[str, Any]:
        """Return what a deed returns, or how it fails for good.

        Before the first answer of the store, it is soon for good.
        """
        end = time.monotonic() + self._patience
        pause = _FIRST
        while True:
            try:
                if self._store is None:
                    self._store = self._make(0)
                found = deed()
            except BaseException as error:  # noqa: BLE001 - this one also panics
                kind, word = told(error)
                self._answered |= kind not in {*IN_VAIN, "other"}
                if not self._answered:
                    end = min(end, time.monotonic() + self._patience / 20)
                if kind not in IN_VAIN or time.monotonic() + pause > end:
                    return kind, word
                time.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, _LONGEST)
                continue
            self._answered = True
            return "ok", found

    @property
    def _known(self) -> ObjectStore:
        assert self._store is not None
        return self._store

    # one request each

    def _put(self, name: str, data: bytes, new: bool) -> str:
        from obstore import put

        mode: PutMode = "create" if new else "overwrite"
        found = put(self._known, name, data, mode=mode, use_multipart=False)
        return _mark(found)

    def _get(self, name: str, limit: int | None) -> tuple[bytes, int, str]:
        from obstore import get

        options: GetOptions = {} if limit is None else {"range": (0, limit)}
        try:
            found = get(self._known, name, options=options)
        except Exception as error:
            if limit is None or told(error)[1].split()[0] != "416":
                raise
            found = get(self._known, name)  # an empty object has no range
        meta = found.meta
        return found.bytes().to_bytes(), meta["size"], _mark(meta)

    def _head(self, name: str) -> tuple[int, str, float]:
        from obstore import head

        return _about(head(self._known, name))[1:]

    def _list(
        self, prefix: str, offset: str, most: int
    ) -> list[tuple[str, int, str, float]]:
        from obstore import list as list_objects

        found: list[tuple[str, int, str, float]] = []
        page = min(_PAGE, most)
        for objects in list_objects(
            self._known, prefix or None, offset=offset or None, chunk_size=page
        ):
            found += [_about(one) for one in objects]
            if len(found) >= most:
                break
        return found

    def _folders(self, prefix: str) -> tuple[list[str], list[str]]:
        from obstore import list_with_delimiter

        found = list_with_delimiter(self._known, prefix or None)
        folders = [name.rpartition("/")[2] for name in found["common_prefixes"]]
        return folders, [one["path"] for one in found["objects"]]

    def _delete(self, name: str) -> None:
        from obstore import delete

        with suppress(FileNotFoundError):
            delete(self._known, name)

    # large objects

    def _upload(self, connection: socket.socket, name: str) -> tuple[str, Any]:
        """Store what comes in pieces; whole or not at all."""
        from obstore import put

        pieces = _pieces(connection)
        try:
            # What was sent on cannot be asked for again: the library tries each part.
            put(
                self._make(_TRIES),
                name,
                map(bytes, pieces),
                use_multipart=True,
                chunk_size=_PIECE,
                max_concurrency=_PIECES,
            )
            return "ok", None
        except BaseException as error:  # noqa: BLE001 - this one also panics
            return told(error)
        finally:
            for _ in pieces:
                pass

    def _download(
        self, connection: socket.socket, pool: ThreadPoolExecutor, name: str
    ) -> None:
        """Send how large an object is, and then its bytes; they may end too early."""
        answer = self._patiently(lambda: self._get(name, _PIECE))
        if answer[0] != "ok":
            send(connection, answer)
            return
        data, size, _ = answer[1]
        send(connection, ("ok", size))
        connection.sendall(data)
        starts = range(len(data), size, _PIECE)
        for some in range(0, len(starts), _PIECES):
            for piece in pool.map(
                lambda start: self._piece(name, start, min(size, start + _PIECE)),
                starts[some : some + _PIECES],
            ):
                connection.sendall(piece)

    def _piece(self, name: str, start: int, end: int) -> bytes:
        from obstore import get_range

        answer = self._patiently(
            lambda: get_range(self._known, name, start=start, end=end).to_bytes()
        )
        if answer[0] != "ok" or len(answer[1]) != end - start:
            raise EOFError
        data: bytes = answer[1]
        return data


def _pieces(connection: socket.socket) -> Iterator[bytearray]:
    while True:
        piece = receive(connection)
        if not piece:
            return
        yield piece


def _mark(found: Any) -> str:
    """Return the entity tag of an object, however it was told."""
    return (found["e_tag"] or "").strip('"')


def _about(meta: Any) -> tuple[str, int, str, float]:
    """Return what is told of an object: its name, size, mark and time."""
    stamp = meta["last_modified"].timestamp()
    return meta["path"], meta["size"], _mark(meta), stamp


def _store(
    scheme: str,
    bucket: str,
    prefix: str,
    settings: dict[str, str],
    allow_http: bool,
    timeout: float,
    tries: int,
) -> ObjectStore:
    from obstore.store import AzureStore, GCSStore, S3Store

    kinds: dict[str, Any] = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}
    seconds = timedelta(seconds=timeout)
    return kinds[scheme](  # type: ignore[no-any-return]
        bucket,
        prefix=prefix or None,
        config=settings,
        client_options={
            "allow_http": allow_http,
            "timeout": seconds,
            "connect_timeout": seconds / 12,
        },
        retry_config={"max_retries": tries},
    )


def main(descriptor: int) -> None:
    """Serve who comes by a socket, each with a socket that it sends, until it ends."""
    couriers: dict[bytes, Courier] = {}
    with socket.socket(fileno=descriptor) as hiring:
        while True:
            _, found, _, _ = socket.recv_fds(hiring, 1, 1)
            if not found:
                os._exit(0)  # the owner is gone: nobody waits for what is under way
            line = socket.socket(fileno=found[0])
            threading.Thread(target=_serve, args=(line, couriers), daemon=True).start()


def _serve(line: socket.socket, couriers: dict[bytes, Courier]) -> None:
    with suppress(EOFError, OSError):
        about = receive(line)
        # One for all who ask the same: what one of them is told, all know.
        courier = couriers.setdefault(msgpack.packb(about), Courier(*about))
        courier.serve(line)
