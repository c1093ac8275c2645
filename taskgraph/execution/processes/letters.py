"""Letters: what a worker tells its supervisor, however long, without waiting for it."""

from __future__ import annotations

import os
import signal
from struct import Struct
from typing import TYPE_CHECKING, Any

import msgpack

from taskgraph.execution.output import DescriptorCopy

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIZES = Struct("<QQ")
"""Before each letter: how many bytes are packed, and how many follow as they are."""


class Letters:
    """A file in memory that a worker appends to and its supervisor reads.

    Unlike a pipe it is never full, so that neither waits for the other; it has to be
    made before the worker is forked.

    Examples
    --------
    >>> letters = Letters()
    >>> letters.send("store", "jugdata"); letters.send("numbers", [1, 2])
    >>> list(letters.received()), list(letters.received())
    ([('store', 'jugdata'), ('numbers', [1, 2])], [])
    """

    def __init__(self) -> None:
        self._file = _in_memory()
        self._supervisor = os.getpid()
        self._read = 0

    def send(self, about: str, content: Any) -> None:
        """Tell something: plain data, as msgpack knows them.

        Raises
        ------
        OSError
            A task has closed the file.
        """
        if not self._file.intact():
            raise OSError("a task closed what its worker tells its supervisor by")
        raw = content if type(content) is bytes else b""  # much, and not to be copied
        plain = about, None if raw else content
        data = msgpack.packb(plain, unicode_errors="surrogatepass")
        for part in _SIZES.pack(len(data), len(raw)), data, raw:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(self._file.number, rest) :]
        if os.getpid() != self._supervisor:
            os.kill(self._supervisor, signal.SIGCHLD)  # what it sleeps on

    def received(self) -> Iterator[tuple[str, Any]]:
        """Yield what was told since, in order; what is not written to its end waits."""
        while True:
            number, start = self._file.number, self._read + _SIZES.size
            head = os.pread(number, _SIZES.size, self._read)
            if len(head) < _SIZES.size:
                return
            plain, raw = _SIZES.unpack(head)
            end = start + plain + raw
            if os.fstat(number).st_size < end:
                return
            data = _read(number, start, plain)
            about, content = msgpack.unpackb(data, unicode_errors="surrogatepass")
            self._read = end
            yield about, _read(number, start + plain, raw) if raw else content

    def close(self) -> None:
        """Forget them."""
        self._file.close()


def _read(file: int, start: int, size: int) -> bytes:
    pieces = []
    while size:
        piece = os.pread(file, size, start)
        pieces.append(piece)
        start, size = start + len(piece), size - len(piece)
    return b"".join(pieces)


def _in_memory() -> DescriptorCopy:
    if not hasattr(os, "memfd_create"):
        import tempfile  # costs time at every start

        with tempfile.TemporaryFile() as file:
            return DescriptorCopy(file.fileno())
    number = os.memfd_create("letters")
    try:
        return DescriptorCopy(number)
    finally:
        os.close(number)
