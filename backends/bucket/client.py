"""What a store in a bucket asks of its courier, and what is said of failures."""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from backends.bucket.address import how_to_authenticate
from backends.bucket.courier import receive, receive_into, send
from backends.bucket.hiring import hired
from backends.errors import DamagedError, OpenError, UnavailableError, pip_install

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from backends.bucket.address import Address
    from backends.bucket.hiring import Line
    from backends.interface import Bytes

PATIENCE = 100.0
"""Seconds for which a request that may yet succeed is made again."""
TIMEOUT = 60.0
"""Seconds that a single try may take: some hundred megabytes, if that must be."""
_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_PROMPT, _LOOK = 2000, 250
"""Milliseconds in which most answers come, and between two looks for signals then."""
_LARGE = 8 << 20
"""Bytes from which on an object is sent in pieces."""


class Found(NamedTuple):
    """An object, its bytes left out."""

    name: str
    size: int
    mark: str
    time: float


class Get(NamedTuple):
    """The start of an object, the size of it all, and its mark (its entity tag)."""

    data: bytes
    size: int
    mark: str


class FailedError(Exception):
    """A request failed in a way that may mean something to who made it."""

    def __init__(self, kind: str, word: str) -> None:
        super().__init__(kind, word)
        self.kind, self.word = kind, word


class Client:
    """Requests to one bucket, below one prefix.

    Parameters
    ----------
    address : Address
        Which.
    patience, timeout : float
        See `PATIENCE` and `TIMEOUT`.

    Attributes
    ----------
    requests : dict
        How many were asked for so far, by kind; see `Shared` for who need not be made.

    Raises
    ------
    OpenError
        The package that speaks to object stores is not installed.
    """

    def __init__(
        self, address: Address, *, patience: float = PATIENCE, timeout: float = TIMEOUT
    ) -> None:
        if find_spec("obstore") is None:
            raise OpenError(
                f"{address.url}: this needs the package obstore; install it with "
                f"`{pip_install('obstore>=0.12')}`"
            )
        self.address = address
        self.url = address.url
        self.requests: dict[str, int] = {}
        self._limits = patience, timeout
        self._pid = 0
        self._lines = threading.local()

    def above(self, prefix: str) -> Client:
        """Return what makes requests below another prefix of the same bucket."""
        patience, timeout = self._limits
        address = self.address.moved(prefix)
        return Client(address, patience=patience, timeout=timeout)

    # one request each

    def put(self, name: str, data: Bytes, *, new: bool = False) -> str:
        """Write an object and return its mark; with `new`, if there is none.

        Raises
        ------
        FileExistsError
            There may be one: the store says so, or that somebody else is about to
            write one. It may also be one's own, if a reply was lost.
        """
        (answer,) = self._ask([["put", name, bytes(data), new]])
        try:
            return str(_value(answer))
        except FailedError as error:
            if new and error.kind == "exists":
                raise FileExistsError(name) from None
            raise self._explained(error, "write to") from None

    def append(self, name: str, data: Bytes) -> str:
        """Write an object of which no name is ever free again; see `put`.

        Of several on this machine that append there at once, one makes a request.
        """
        (answer,) = self._ask([["append", name, bytes(data)]])
        try:
            return str(_value(answer))
        except FailedError as error:
            if error.kind == "exists":
                raise FileExistsError(name) from None
            raise self._explained(error, "write to") from None

    def put_all(self, objects: Iterable[tuple[str, Bytes]]) -> None:
        """Write some objects at the same time."""
        asked = [["put", name, bytes(data), False] for name, data in objects]
        for answer in self._ask(asked) if asked else ():
            self._checked(answer, "write to")

    def get(
        self, name: str, limit: int | None = None, mark: str | None = None
    ) -> Get | None:
        """Return an object, or its first bytes; None if there is none.

        With a mark, it may be what somebody on this machine read or wrote before, if
        its mark was that one; with an empty one, whatever it was.
        """
        return self.get_all([(name, limit, mark)])[0]

    def get_all(
        self, wanted: Sequence[tuple[str, int | None, str | None]]
    ) -> list[Get | None]:
        """Return some objects, which are asked for at the same time; see `get`."""
        answers = self._ask([["get", *each] for each in wanted])
        found = [self._checked(answer, "read") for answer in answers]
        return [None if each is None else Get(*each) for each in found]

    def head(self, name: str, age: float = 0.0) -> Found | None:
        """Return what is known of an object, or was some seconds ago; None if none is.

        What somebody on this machine has just read or written has no time.
        """
        (answer,) = self._ask([["head", name, age]])
        found = self._checked(answer, "read")
        return None if found is None else Found(name, *found)

    def listed(
        self, prefix: str, after: str = "", most: int = 1 << 62, age: float = 0.0
    ) -> list[Found]:
        """Return the objects below a prefix whose names come after another one.

        Those that there were some seconds ago will do.
        """
        (answer,) = self._ask([["list", prefix, after, most, age]])
        found = [Found(*each) for each in self._checked(answer, "look into") or ()]
        self._count("list", max(0, len(found) - 1) // 1000)
        return [each for each in found if each.name > after]

    def folders(self, prefix: str) -> tuple[list[str], list[str]]:
        """Return the folders right below a prefix, and the names of the objects."""
        (answer,) = self._ask([["folders", prefix]])
        folders, names = self._checked(answer, "look into") or ([], [])
        return folders, names

    def delete(self, names: Iterable[str]) -> None:
        """Remove some objects; what is not there is removed."""
        asked = [["delete", name] for name in names]
        for answer in self._ask(asked) if asked else ():
            self._checked(answer, "remove something from")

    # large objects

    def upload(self, name: str, chunks: Iterable[Bytes]) -> int:
        """Write an object whose bytes come in chunks; return its size."""
        kept = bytearray()
        chunks = iter(chunks)
        for chunk in chunks:
            kept += chunk
            if len(kept) > _LARGE:
                break
        else:
            self.put(name, kept)
            return len(kept)
        size = 0
        connection = self._connection()
        with self._told():
            send(connection, ["upload", name])
            for piece in _pieces(kept, chunks):
                size += len(piece)
                send(connection, piece)
                self._count("put")
            send(connection, b"")
            answer = self._answer(connection)
        self._checked(answer, "write to")
        return size

    def download(self, name: str) -> memoryview | None:
        """Return the bytes of an object, in memory of its own; None if it is gone.

        Raises
        ------
        DamagedError
            It has fewer than the store said.
        """
        connection = self._connection()
        with self._told():
            send(connection, ["download", name])
            answer = self._answer(connection)
        size = self._checked(answer, "read")
        self._count("get", 1 + (size or 0) // _LARGE)
        if size is None:
            return None
        memory = memoryview(bytearray(size))
        try:
            receive_into(connection, memory)
        except (EOFError, OSError):
            self._hang_up()
            raise DamagedError(f"{name} of {self.url}", "cut short") from None
        return memory

    # the courier

    def _ask(self, requests: list[list[Any]]) -> list[list[Any]]:
        for what, *_ in requests:
            self._count("put" if what == "append" else what)
        connection = self._connection()
        with self._told():
            send(connection, requests)
            answers: list[list[Any]] = self._answer(connection)
        return answers

    def _answer(self, connection: Line) -> Any:
        """Return what comes; wait no more if this process is to end."""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        patience = _PROMPT
        while not poll.poll(patience):
            patience = _LOOK
            if signal.sigpending() & _ENDING:
                raise UnavailableError(f"{self.url} does not answer")
        return receive(connection)

    def _count(self, what: str, times: int = 1) -> None:
        self.requests[what] = self.requests.get(what, 0) + times

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Let a courier that is gone be an error of the store while the block runs."""
        try:
            yield
        except (EOFError, OSError):
            self._hang_up()
            raise UnavailableError(
                f"the process that speaks to {self.url} was ended; start again"
            ) from None
        except BaseException:  # who was interrupted hears no answer any more
            self._hang_up()
            raise

    def _connection(self) -> Line:
        """Return the line of this thread to the courier of this process."""
        if self._pid != os.getpid():
            self._pid, self._lines = os.getpid(), threading.local()
        line: Line | None = getattr(self._lines, "line", None)
        if line is None:
            a = self.address
            told = [a.scheme, a.bucket, a.prefix, dict(a.settings), a.allow_http]
            line = self._lines.line = hired([*told, *self._limits])
        return line

    def close(self) -> None:
        """Let go of the courier."""
        if self._pid == os.getpid():
            self._hang_up()

    def _hang_up(self) -> None:
        line = self._lines.__dict__.pop("line", None)
        if line is not None:
            line.close()

    # failures

    def _checked(self, answer: Sequence[Any], deed: str) -> Any:
        """Return the value of an answer; None if there is no such object."""
        try:
            return _value(answer)
        except FailedError as error:
            if error.kind == "missing":
                return None
            raise self._explained(error, deed) from None

    def _explained(self, error: FailedError, deed: str) -> Exception:
        address, kind, word = self.address, error.kind, error.word
        where = f"{address.scheme}://{address.bucket}"
        settings = address.settings
        service = settings.get("endpoint") or settings.get("base_url") or address.kind
        if kind == "no bucket" or (kind == "missing" and deed == "write to"):
            return OpenError(
                f"there is no bucket {where} at {service}; make it, or choose another "
                "--store"
            )
        sentence = {
            "credentials": f"{service} does not take the credentials for {where} "
            f"({word}): they are missing, wrong or expired; "
            f"{how_to_authenticate(address.scheme)}, and start again",
            "denied": f"the credentials may not {deed} {where} ({word}); a store "
            "needs to read, write, list and remove objects there",
            "elsewhere": f"{where} is in another region ({word}); say in which by "
            f"{where}?region=NAME or AWS_REGION",
            "unsupported": f"{service} cannot write an object only if there is none "
            f"({word}), and a store needs that; choose another --store",
            "busy": f"{service} could not {deed} {where} for a while ({word}); start "
            "again",
            "unreachable": f"cannot {deed} {where}: {service} cannot be reached; look "
            "at the network and at the URL, and start again",
        }.get(kind, f"cannot {deed} {where}: {service} answers {word}")
        misplaced = kind in ("elsewhere", "unsupported")  # another URL is needed
        return OpenError(sentence) if misplaced else UnavailableError(sentence)


def _value(answer: Sequence[Any]) -> Any:
    kind, value = answer
    if kind != "ok":
        raise FailedError(kind, value)
    return value


def _pieces(kept: bytearray, chunks: Iterable[Bytes]) -> Iterator[bytes]:
    """Yield bytes in pieces that are neither small nor very large."""
    for chunk in chunks:
        kept += chunk
        while len(kept) >= _LARGE:
            yield bytes(kept[:_LARGE])
            del kept[:_LARGE]
    if kept:
        yield bytes(kept)
