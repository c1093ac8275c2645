"""Records: what is stored about a task, many of them in the body of one segment.

What the records of a segment share (host, versions, commit ...) is there once; the rest
is kept by column and compressed, so that a small result takes some tens of bytes with
all its provenance. Body, as a msgpack array::

    [version, zstd(msgpack(columns)), sizes of payloads, payloads]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgpack

from backends.errors import DamagedError
from backends.interface import Inputs, Row
from taskgraph.results.compression import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backends.interface import Bytes, Where

VERSION = 2
NO_INPUTS = Inputs(0, ())
_HERE = -1
_ANY_TEXT = "surrogatepass"
"""A function is called after its file, and that name need not be UTF-8."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task has no result.

    `cause` is one of exception, timeout, killed, lost, unstorable.
    """

    cause: str
    error: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
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


@dataclass(slots=True)
class Batch:
    """Records that a worker has yet to publish, by column."""

    keys: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    rows: bytearray = field(default_factory=bytearray)
    functions: dict[tuple[str, str], int] = field(default_factory=dict)
    columns: dict[str, list[Any]] = field(
        default_factory=lambda: {
            "function": [], "summary": [], "start": [], "wall": [], "cpu": [], "rss": []
        }
    )  # fmt: skip
    outputs: dict[int, str] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    inputs: list[Inputs] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keys)

    def add(
        self,
        key: bytes,
        payload: bytes | Failure,
        function: tuple[str, str],
        about: tuple[str, float, float, float, int],
        *,
        output: str = "",
        attempt: int = 1,
        inputs: Inputs = NO_INPUTS,
    ) -> None:
        """Add a record; `about` is summary, start, wall, cpu (s) and rss (KiB)."""
        if isinstance(payload, Failure):
            self.rows.append(Row.FAILURE)
            plain = (payload.cause, payload.error, payload.message, payload.traceback)
            payload = bytes(msgpack.packb(plain))
        else:
            self.rows.append(Row.RESULT)
        if output:
            self.outputs[len(self.keys)] = output
        if attempt > 1:
            self.attempts[len(self.keys)] = attempt
        self.keys.append(key)
        self.inputs.append(inputs)
        self.payloads.append(payload)
        functions = self.functions
        number = functions.setdefault(function, len(functions))
        columns = self.columns
        summary, start, wall, cpu, rss = about
        columns["function"].append(number)
        columns["summary"].append(summary)
        columns["start"].append(int(start * 1e6))
        columns["wall"].append(int(wall * 1e6))
        columns["cpu"].append(int(cpu * 1e6))
        columns["rss"].append(rss)

    def encode(
        self, context: Mapping[str, Any], find: Callable[[bytes], Where | None]
    ) -> bytes:
        """Return the body of the segment that holds these records.

        Parameters
        ----------
        context : mapping
            What they share.
        find : callable
            Returns where the record of a key is that is not among them.
        """
        starts = self.columns["start"]
        base = starts[0] if starts else 0
        meta = {
            **self.columns,
            "base": base,
            "start": [start - base for start in starts],
            "functions": list(self.functions),
            "outputs": self.outputs,
            "attempts": self.attempts,
            "inputs": self._places(find),
            "context": dict(context),
        }
        packed = zstd.compress(msgpack.packb(meta, unicode_errors=_ANY_TEXT), 1)
        sizes = list(map(len, self.payloads))
        body: bytes = msgpack.packb((VERSION, packed, sizes, b"".join(self.payloads)))
        return body

    def _places(self, find: Callable[[bytes], Where | None]) -> dict[int, list[int]]:
        """Return by row where its inputs are: position and row, one after another."""
        own: dict[bytes, int] = {}
        places: dict[int, list[int]] = {}
        for row, (key, inputs) in enumerate(zip(self.keys, self.inputs, strict=True)):
            for need in inputs.keys:
                where = None if need in own else find(need)
                if where is not None:
                    place = where.position, where.row
                else:
                    place = _HERE, own.get(need, _HERE)
                places.setdefault(row, []).extend(place)
            own[key] = row
        return places


class Body:
    """The records in the body of a segment; columns are unpacked when asked for.

    Attributes
    ----------
    keys : sequence of bytes
        Whose records they are, row by row.
    size : int
        Bytes of the body.
    """

    def __init__(self, data: Bytes, keys: Sequence[bytes]) -> None:
        self.keys = keys
        version, self._packed, sizes, self._payloads = msgpack.unpackb(data)
        if version != VERSION:
            raise DamagedError("a segment", f"its records have version {version}")
        self._ends = list(accumulate(sizes))
        self._sizes = sizes
        self._meta: dict[str, Any] | None = None
        self.size = len(data)
        if len(keys) != len(sizes):
            raise DamagedError("a segment", "it has other keys than records")

    def __len__(self) -> int:
        return len(self._sizes)

    def payload(self, row: int) -> bytes:
        """Return the payload of a record."""
        end = self._ends[row]
        payload: bytes = self._payloads[end - self._sizes[row] : end]
        return payload

    def failure(self, row: int) -> Failure:
        """Return the failure that a record holds."""
        return Failure(*msgpack.unpackb(self.payload(row)))

    def record(self, row: int, *, failed: bool) -> Record:
        """Return a record."""
        meta = self._columns()
        name, code = meta["functions"][meta["function"][row]]
        return Record(
            name=name,
            code=code,
            summary=meta["summary"][row],
            start=(meta["base"] + meta["start"][row]) / 1e6,
            wall=meta["wall"][row] / 1e6,
            cpu=meta["cpu"][row] / 1e6,
            rss=meta["rss"][row] * 1024,
            attempt=meta["attempts"].get(row, 1),
            output=meta["outputs"].get(row, ""),
            payload=b"" if failed else self.payload(row),
            failure=self.failure(row) if failed else None,
            context=meta["context"],
        )

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
        return [
            (position if at == _HERE else at, number)
            for at, number in zip(flat[::2], flat[1::2], strict=True)
        ]

    def column(self, name: str) -> list[Any]:
        """Return a column: function (name), cpu or wall (in seconds)."""
        meta = self._columns()
        if name == "function":
            return [meta["functions"][number][0] for number in meta["function"]]
        return [number / 1e6 for number in meta[name]]

    def _columns(self) -> dict[str, Any]:
        if self._meta is None:
            self._meta = msgpack.unpackb(
                zstd.decompress(self._packed),
                strict_map_key=False,
                unicode_errors=_ANY_TEXT,
            )
        return self._meta
