"""Records to be published: added one by one, kept by column in one segment."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import msgpack

from backends.interface import Inputs, Row
from taskgraph.compression import zstd
from taskgraph.description import brief, brief_numbers
from taskgraph.records import ANY_TEXT, HERE, NO_INPUTS, VERSION, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_RESULT, _FAILURE = int(Row.RESULT), int(Row.FAILURE)
_KEYS = attrgetter("keys")
_About: TypeAlias = tuple[str | int, float, float, float, int]
_Row: TypeAlias = tuple[
    bytes, int, bytes, int, Inputs, str | int, float, float, float, int
]
"""Key, kind, payload, number of the function, inputs; and what is about a record."""


def _not_told(keys: Sequence[bytes]) -> list[int]:
    raise LookupError(f"where is the record of {keys[0].hex()[:12]}? pass `places`")


@dataclass(slots=True)
class Batch:
    """Records that a worker has yet to publish; by column when they are published."""

    functions: dict[tuple[str, str], int] = field(default_factory=dict)
    outputs: dict[int, str] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    _added: list[_Row] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._added)

    @property
    def keys(self) -> list[bytes]:
        """The keys of the records, in order."""
        return [added[0] for added in self._added]

    @property
    def rows(self) -> bytes:
        """What each of them is: a `Row`."""
        return bytes(added[1] for added in self._added)

    @property
    def payloads(self) -> list[bytes]:
        """What they hold."""
        return [added[2] for added in self._added]

    @property
    def inputs(self) -> list[Inputs]:
        """What they were made of."""
        return [added[4] for added in self._added]

    def add(
        self,
        key: bytes,
        payload: bytes | Failure,
        function: tuple[str, str],
        about: _About,
        *,
        output: str = "",
        attempt: int = 1,
        inputs: Inputs = NO_INPUTS,
    ) -> None:
        """Add a record.

        `about` is summary, start, wall, cpu (s) and rss (KiB); the summary of a number
        may be that number.
        """
        kind = _RESULT
        if isinstance(payload, Failure):
            kind, payload = _FAILURE, _packed(payload)
        if output:
            self.outputs[len(self._added)] = output
        if attempt > 1:
            self.attempts[len(self._added)] = attempt
        functions = self.functions
        number = functions.get(function)
        if number is None:
            number = functions[function] = len(functions)
        # All of it at once: a signal finds whole records.
        self._added.append((key, kind, payload, number, inputs, *about))

    def encode(
        self,
        context: Mapping[str, Any],
        places: Callable[[Sequence[bytes]], list[int]] = _not_told,
    ) -> bytes:
        """Return the body of the segment that holds these records.

        Parameters
        ----------
        context : mapping
            What they share.
        places : callable
            Returns where the records of keys are that are not among them, as
            `Backend.places`. Records that were made of nothing else need none.

        Raises
        ------
        LookupError
            A record was made of another one, and nobody told where that is.
        """
        columns = zip(*self._added, strict=True) if self._added else repeat(())
        keys, _, payloads, calls, inputs, *about = islice(columns, 10)
        summary, start, wall, cpu = about[:4]
        base = int(start[0] * 1e6) if start else 0
        meta = {
            "functions": list(self.functions),
            "function": calls,
            "summary": _texts(summary),
            "start": list(map((-base).__add__, _microseconds(start))),
            "wall": _microseconds(wall),
            "cpu": _microseconds(cpu),
            "rss": about[4],
            "base": base,
            "outputs": self.outputs,
            "attempts": self.attempts,
            "context": dict(context),
        }
        packed = zstd.compress(_packed_columns(meta, _places(keys, inputs, places)), 1)
        sizes = list(map(len, payloads))
        body: bytes = msgpack.packb((VERSION, packed, sizes, b"".join(payloads)))
        return body


def _packed(failure: Failure) -> bytes:
    plain = failure.cause, failure.error, failure.message, failure.traceback
    return bytes(msgpack.packb(plain))


def _packed_columns(meta: dict[str, Any], places: dict[int, list[int]]) -> bytes:
    """Return all columns; what many records were made of is packed once."""
    packer = msgpack.Packer(unicode_errors=ANY_TEXT)
    pack, header = packer.pack, packer.pack_map_header
    parts = [header(len(meta) + 1)]
    for name, column in meta.items():
        parts += pack(name), pack(column)
    parts += pack("inputs"), header(len(places))
    last, packed = None, b""
    for row, flat in places.items():
        if flat is not last:
            last, packed = flat, pack(flat)
        parts += pack(row), packed
    return b"".join(parts)


def _texts(summaries: Sequence[str | int]) -> list[str]:
    kinds = set(map(type, summaries))
    if kinds == {int}:
        return brief_numbers(summaries)
    return [each if isinstance(each, str) else brief(each) for each in summaries]


def _microseconds(seconds: Sequence[float]) -> list[int]:
    return list(map(int, map((1e6).__mul__, seconds)))


def _places(
    keys: Sequence[bytes],
    inputs: Sequence[Inputs],
    places: Callable[[Sequence[bytes]], list[int]],
) -> dict[int, list[int]]:
    """Return by row where its inputs are: position and row, one after another."""
    own: dict[bytes, int] = {}
    found: dict[int, list[int]] = {}
    if not any(map(_KEYS, inputs)):
        return found
    last: Sequence[bytes] = ()
    needed: set[bytes] = set()
    flat: list[int] = []
    for row, (key, made_of) in enumerate(zip(keys, map(_KEYS, inputs), strict=True)):
        if made_of:
            if made_of is not last:
                last, needed = made_of, set(made_of)
                flat = _flat(last, own, places)
            found[row] = flat
        if key in needed:  # made anew: it is here now
            last = ()
        own[key] = row
    return found


def _flat(
    made_of: Sequence[bytes],
    own: Mapping[bytes, int],
    places: Callable[[Sequence[bytes]], list[int]],
) -> list[int]:
    """Return where these are: in rows of the segment, or in other segments."""
    others = [need for need in made_of if need not in own] if own else made_of
    elsewhere = places(others) if others else []
    if len(others) == len(made_of):
        return elsewhere
    rest, flat = zip(*[iter(elsewhere)] * 2, strict=True), list[int]()
    for need in made_of:
        flat += (HERE, own[need]) if need in own else next(rest)
    return flat
