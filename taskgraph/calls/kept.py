"""The arguments of calls as plain data: what tells calls apart, and can be shown.

They are kept with the graph, so that nobody has to run a jugfile or unpickle a result
to know them. Numbers, text and containers are what they were; of objects there are the
fields, of tasks the keys, of files paths and contents, and of anything else a few
letters. What is large is cut.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgpack

from backends.interface.frozen import frozen
from taskgraph.compression import zstd

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

ANY_TEXT = "surrogatepass"
"""Paths are bytes that need not be UTF-8."""
NONSENSE = (
    *(ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError),
    *(msgpack.UnpackException, zstd.ZstdError),
)


class Part(IntEnum):
    """What an argument that is no plain data stands for."""

    TASK = 1
    """A task: its key."""
    TEXT = 2
    """What is shown of it, in a few letters; whether two are the same is not known."""
    FILES = 3
    """The name of its class, paths, and what the key knows of their contents."""
    UNKNOWN = 4
    """A call of which nothing is kept."""


MARK = "\0"
"""In a mapping: the class of the object whose fields these are. In place of a call: its
arguments by position, beside those by name."""


@frozen
class Call:
    """The arguments of one call."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


@frozen
class Signature:
    """What the calls of a function have in common.

    Attributes
    ----------
    parameters : tuple of str
        Those that may be given by position.
    ignored : tuple of str
        Those that are no part of the key.
    version : str
        The label of `@TaskGenerator(version=...)`, and the code of the function if that
        is part of its keys; empty for none.
    defaults : dict
        By parameter, as plain data.
    retries_on : tuple of str
        Which failures are tried again; empty if the function does not say it.
    """

    parameters: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    version: str = ""
    defaults: dict[str, Any] = field(default_factory=dict)
    retries_on: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return it as bytes, for `decode`."""
        about = (self.parameters, self.ignored, self.version)
        plain = (*about, self.defaults, self.retries_on)
        return bytes(msgpack.packb(plain, unicode_errors=ANY_TEXT))

    @classmethod
    def decode(cls, data: bytes) -> Signature:
        """Return what was encoded; of nonsense, one that says nothing."""
        try:
            parameters, ignored, version, defaults, again = unpacked(data)
            return cls(parameters, ignored, str(version), dict(defaults), again)
        except NONSENSE:
            return cls()


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Calls in a row, some in each block; equal if they are, whatever the blocks.

    Attributes
    ----------
    blocks : sequence of (int, bytes)
        How many calls are in each, and they themselves.
    """

    blocks: Sequence[tuple[int, bytes]] = ()

    def __len__(self) -> int:
        return sum(count for count, _ in self.blocks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Calls):
            return NotImplemented
        same = tuple(self.blocks) == tuple(other.blocks)
        return same or (len(self) == len(other) and [*self.raw()] == [*other.raw()])

    __hash__ = None  # type: ignore[assignment] # they are compared, and no keys

    def __add__(self, more: Calls) -> Calls:
        return Calls((*self.blocks, *more.blocks))

    def __iter__(self) -> Iterator[Call]:
        return map(call_of, self.raw())

    def raw(self) -> Iterator[Any]:
        """Yield what was packed of each call; see `call_of`."""
        for count, data in self.blocks:
            yield from _block(count, data)

    def with_words(
        self, *words: re.Pattern[bytes]
    ) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Yield the blocks in which some words stand: first place, what was packed."""
        start = 0
        for count, data in self.blocks:
            with suppress(*NONSENSE):
                packed = zstd.decompress(data)
                if any(word.search(packed) for word in words):
                    yield start, _block(count, data)
            start += count

    def has_text(self, words: bytes) -> bool:
        """Return whether some words stand anywhere in the calls; none is unpacked."""
        for _, data in self.blocks:
            with suppress(*NONSENSE):
                if words in zstd.decompress(data):
                    return True
        return False

    def at(self, place: int) -> Call | None:
        """Return one call, None if nothing is kept of it."""
        found = self.raw_at(place)
        return None if found is None or is_unknown(found) else call_of(found)

    def raw_at(self, place: int) -> Any:
        """Return what was packed of one call, None if there is none."""
        ends = list(accumulate(count for count, _ in self.blocks))
        for (count, data), end in zip(self.blocks, ends, strict=True):
            if place < end:
                return _block(count, data)[place - end + count]
        return None

    def first(self, many: int) -> Calls:
        """Return the first `many` of them."""
        kept: list[tuple[int, bytes]] = []
        for count, data in self.blocks:
            if many >= count:
                kept.append((count, data))
            elif many > 0:
                kept.append((many, pack_block(list(_block(count, data)[:many]))))
            many -= count
        return Calls(tuple(kept))


def pack_block(calls: list[Any]) -> bytes:
    """Return calls as a block: what `Calls.raw` yields, or what was made of tasks."""
    return zstd.compress(msgpack.packb(calls, unicode_errors=ANY_TEXT), 1)


def _block(count: int, data: bytes) -> tuple[Any, ...]:
    """Return the calls of a block; those that cannot be read are unknown."""
    try:
        found = unpacked(zstd.decompress(data))
        if isinstance(found, tuple) and len(found) == count:
            return found
    except NONSENSE:
        pass
    return (msgpack.ExtType(Part.UNKNOWN, b""),) * count


def unpacked(data: bytes) -> Any:
    """Return plain data; what is in lists is in tuples."""
    return msgpack.unpackb(
        data,
        use_list=False,
        strict_map_key=False,
        unicode_errors=ANY_TEXT,
        object_pairs_hook=_mapping,
    )


def _mapping(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    return {key if type(key) is str else repr(key): value for key, value in pairs}


def is_unknown(raw: object) -> bool:
    """Return whether nothing is kept of a call."""
    return isinstance(raw, msgpack.ExtType) and raw.code == Part.UNKNOWN


def call_of(raw: Any) -> Call:
    """Return the call that was packed.

    Examples
    --------
    >>> call_of(3), call_of({MARK: (1,), "x": "a"})
    (Call(args=(3,), kwargs={}), Call(args=(1,), kwargs={'x': 'a'}))
    """
    if isinstance(raw, dict):
        return Call(raw.get(MARK, ()), {n: v for n, v in raw.items() if n != MARK})
    if isinstance(raw, tuple) and not isinstance(raw, msgpack.ExtType):
        return Call(raw)
    return Call() if is_unknown(raw) else Call((raw,))


def arguments_of(call: Call, signature: Signature) -> dict[str, Any]:
    """Return the arguments that count by name, with the defaults that were filled in.

    Examples
    --------
    >>> f = Signature(("x", "threads", "y"), ("threads",), defaults={"y": 2})
    >>> arguments_of(Call((1,), {"threads": 8}), f)
    {'x': 1, 'y': 2}
    """
    names = signature.parameters
    found: dict[str, Any] = {}
    for place, value in enumerate(call.args):
        found[names[place] if place < len(names) else f"[{place}]"] = value
    found |= call.kwargs
    for name, value in signature.defaults.items():
        found.setdefault(name, value)
    for name in signature.ignored:
        found.pop(name, None)
    return found
