"""Records: what is stored about a task, many of them in the body of one segment.

What the records of a segment share (host, versions, commit ...) is there once; the rest
is kept by column and compressed, so that a small result takes some tens of bytes with
all its provenance. Body, as a msgpack array::

    [version, zstd(msgpack(columns)), sizes of payloads, payloads]
"""

from __future__ import annotations

from functools import wraps
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import msgpack

from backends.errors import DamagedError
from backends.interface import KEY_SIZE, Inputs
from backends.interface.frozen import frozen
from taskgraph.compression import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backends.interface import Bytes

P = ParamSpec("P")
T = TypeVar("T")

VERSION = 2
NO_INPUTS = Inputs(0, ())
HERE = -1
"""Stands for the position of the segment itself, where that is not known yet."""
_LARGEST = 1 << 56
"""Microseconds or bytes: more than a thousand years, or than a machine has."""
_NONSENSE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError),
    *(RecursionError, msgpack.UnpackException, zstd.ZstdError),
)
_OF_CODE = ("function", "functions")
ANY_TEXT = "surrogatepass"
"""A function is called after its file, and that name need not be UTF-8."""


@frozen
class Failure:
    """Why a task has no result.

    `cause` is one of exception, timeout, killed, lost, unstorable.
    """

    cause: str
    error: str
    message: str
    traceback: str


@frozen
class Record:
    """Everything that is kept about one task, but for its key.

    Times are seconds since the epoch by the worker's clock, `cpu` is in seconds, `rss`
    (the peak of the worker's resident set until then) in bytes.
    """

    name: str
    code: str
    summary: str
    start: float
    wall: float
    cpu: float
    rss: int
    attempt: int
    output: str
    payload: bytes
    failure: Failure | None
    context: Mapping[str, Any]

    @property
    def end(self) -> float:
        """When it ended, in seconds since the epoch."""
        return self.start + self.wall


def _understood(read: Callable[P, T]) -> Callable[P, T]:
    """Let what cannot be read of a body be damage: a stranger may have written it."""

    @wraps(read)
    def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except _NONSENSE as error:
            why = f"its records make no sense: {error}"
            raise DamagedError("a segment", why) from error

    return tried


class Body:
    """The records in the body of a segment; columns are unpacked when asked for.

    Attributes
    ----------
    keys : bytes
        Whose records they are, row by row, concatenated.
    size : int
        Bytes of the body.
    """

    @_understood
    def __init__(self, data: Bytes, keys: bytes) -> None:
        self.keys = keys
        version, self._packed, sizes, self._payloads = msgpack.unpackb(data)
        if version != VERSION:
            raise DamagedError("a segment", f"its records have version {version}")
        self._sizes = sizes
        self._ends: list[int] = []
        self._meta: dict[str, Any] | None = None
        self._codes: dict[str, Any] = {}
        self.size = len(data)
        if len(keys) != KEY_SIZE * len(sizes):
            raise DamagedError("a segment", "it has other keys than records")
        if not isinstance(self._payloads, bytes) or sum(sizes) != len(self._payloads):
            raise ValueError("other sizes than payloads")

    def __len__(self) -> int:
        return len(self._sizes)

    def key(self, row: int) -> bytes:
        """Return whose record it is; b"" if there is none."""
        return self.keys[KEY_SIZE * row : KEY_SIZE * (row + 1)] if row >= 0 else b""

    def payload(self, row: int) -> bytes:
        """Return the payload of a record."""
        if not self._ends:
            self._ends = list(accumulate(self._sizes))
        end = self._ends[row]
        payload: bytes = self._payloads[end - self._sizes[row] : end]
        return payload

    @_understood
    def failure(self, row: int) -> Failure:
        """Return the failure that a record holds."""
        failure = Failure(*msgpack.unpackb(self.payload(row)))
        _require(str, failure.cause, failure.error, failure.message, failure.traceback)
        return failure

    @_understood
    def record(self, row: int, *, failed: bool) -> Record:
        """Return a record."""
        meta = self._columns()
        name, code = meta["functions"][meta["function"][row]]
        summary, output = meta["summary"][row], meta["outputs"].get(row, "")
        times = [meta[what][row] for what in ("start", "wall", "cpu")]
        rss, attempt = meta["rss"][row], meta["attempts"].get(row, 1)
        _require(str, name, code, summary, output)
        _require(int, meta["base"], *times, rss, attempt)
        start, wall, cpu = times
        return Record(
            name=name,
            code=code,
            summary=summary,
            start=(meta["base"] + start) / 1e6,
            wall=wall / 1e6,
            cpu=cpu / 1e6,
            rss=rss * 1024,
            attempt=attempt,
            output=output,
            payload=b"" if failed else self.payload(row),
            failure=self.failure(row) if failed else None,
            context=meta["context"],
        )

    @_understood
    def codes(self) -> list[str]:
        """Return what the code of each record does, as it says itself, row by row.

        No other column is unpacked.
        """
        meta = self._codes = self._codes or self._some(*_OF_CODE)
        codes = [code for _, code in meta["functions"]]
        _require(str, *codes)
        return [codes[number] for number in meta["function"]]

    @_understood
    def makers(self) -> set[tuple[str, str]]:
        """Return the functions that made the records, each with what its code does."""
        found = {(name, code) for name, code in self._some("functions")["functions"]}
        _require(str, *[part for maker in found for part in maker])
        return found

    @_understood
    def inputs(self, row: int, position: int) -> list[tuple[int, int]]:
        """Return where the results are that a record was made of: positions and rows.

        Parameters
        ----------
        row : int
            Of the record.
        position : int
            Of the segment that this is the body of.
        """
        flat = self._columns()["inputs"].get(row, ())
        _require(int, *flat)
        return [
            (position if at == HERE else at, number)
            for at, number in zip(flat[::2], flat[1::2], strict=True)
        ]

    @_understood
    def column(self, name: str) -> list[Any]:
        """Return a column: function (name), cpu or wall (in seconds)."""
        meta = self._columns()
        if name == "function":
            names = [meta["functions"][number][0] for number in meta["function"]]
            _require(str, *names)
            return names
        _require(int, *meta[name])
        return [number / 1e6 for number in meta[name]]

    @_understood
    def ends(self) -> list[float]:
        """Return when each task ended, in seconds since the epoch."""
        meta = self._columns()
        base, starts, walls = meta["base"], meta["start"], meta["wall"]
        _require(int, base, *starts, *walls)
        return [
            (base + start + wall) / 1e6
            for start, wall in zip(starts, walls, strict=True)
        ]

    def _some(self, *names: str) -> dict[str, Any]:
        data = zstd.decompress(self._packed)
        unpacker = msgpack.Unpacker(
            strict_map_key=False, unicode_errors=ANY_TEXT, max_buffer_size=len(data)
        )
        unpacker.feed(data)
        found: dict[str, Any] = {}
        for _ in range(unpacker.read_map_header()):
            if len(found) == len(names):
                break
            name = unpacker.unpack()
            if name in names:
                found[name] = unpacker.unpack()
            else:
                unpacker.skip()
        return found

    def _columns(self) -> dict[str, Any]:
        if self._meta is None:
            meta = msgpack.unpackb(
                zstd.decompress(self._packed),
                strict_map_key=False,
                unicode_errors=ANY_TEXT,
            )
            _require_context(meta["context"])
            self._meta = meta
        return self._meta


def _require(kind: type, *parts: Any) -> None:
    """Refuse parts of another type, and numbers that are no times nor sizes."""
    for part in parts:
        fits = type(part) is kind
        if not fits or (kind is int and abs(part) > _LARGEST):
            raise ValueError(f"{part!r:.40} is not what belongs there")


def _require_context(context: object) -> None:
    """Refuse what records cannot share: versions and a commit have a form."""
    if not isinstance(context, dict):
        raise TypeError("no context")
    packages, git = context.get("packages") or {}, context.get("git") or {}
    if not isinstance(packages, dict) or not isinstance(git, dict):
        raise TypeError("a context of another form")
    _require(str, *packages, *packages.values())
    if git and not {"commit", "dirty"} <= git.keys():
        raise ValueError("a commit of another form")
