"""The arguments of tasks made plain data, so that they can be kept; see `Calls`.

Tasks whose arguments are numbers and short text, as those of large graphs are, are
packed many at once; whatever else there is takes some microseconds for each.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgpack

from taskgraph.calls.kept import ANY_TEXT, MARK, Calls, Part, Signature, pack_block
from taskgraph.compression import zstd
from taskgraph.description import FUNCTIONS, brief, function_text
from taskgraph.identity.parameters import WithNames
from taskgraph.results.causes import named_causes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taskgraph.tasks.task import Task, TaskGenerator

_BLOCK = 1024
_USUAL = 200
"""Bytes of a call: if those of a block have more, each of them is cut."""
_MANY_NEEDS = 32
_LONGEST, _SHOWN = 200, 60
"""Letters of a text that is kept whole, and of both ends of a longer one."""
_ITEMS, _DEEP, _ROOM = 32, 6, 200
"""Items of a container that are kept, how deep, and how many in all of a call."""
_SMALL = 1 << 63
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_SCALARS = (type(None), bool, float)
_FUNCTIONS = (*FUNCTIONS, type)


def calls_of(tasks: Sequence[Task], counts: Sequence[int] = ()) -> Calls:
    """Return the arguments of tasks, in order.

    Parameters
    ----------
    tasks : sequence of Task
        They are packed in blocks.
    counts : sequence of int, optional
        How many tasks each of them needs, if that is known already.
    """
    counts = counts or [len(task.needs) for task in tasks]
    compressor = zstd.ZstdCompressor(1)
    compress = partial(compressor.compress, mode=compressor.FLUSH_FRAME)
    found = []
    for at in range(0, len(tasks), _BLOCK):
        block, most = tasks[at : at + _BLOCK], max(counts[at : at + _BLOCK])
        found.append((len(block), _packed(block, most, compress)))
    return Calls(tuple(found))


def signature_of(generator: TaskGenerator) -> Signature:
    """Return what the calls of a function have in common."""
    parameters = generator._parameters  # noqa: SLF001 - what the key is made of
    version = "" if generator.version is None else str(generator.version)
    if generator.code:
        version = f"{version} code {generator.label[1][:8]}".lstrip()
    room = _Room()
    defaults = {one.name: room.plain(one.value) for one in parameters.defaults}
    ignored, again = tuple(sorted(generator.ignore)), named_causes(generator.retries_on)
    return Signature(parameters.names, ignored, version, defaults, again)


def _packed(
    tasks: Sequence[Task], most: int, compress: Callable[[bytes], bytes]
) -> bytes:
    """Return a block of calls, of which none needs more than `most` tasks."""
    if most <= _MANY_NEEDS:
        known: dict[int, Any] = {}
        try:
            packed = msgpack.packb(
                [task.call for task in tasks],
                default=partial(_default, known),
                strict_types=True,
                unicode_errors=ANY_TEXT,
            )
            if len(packed) <= _USUAL * len(tasks):
                return compress(packed)
        except (ValueError, TypeError, OverflowError, RecursionError):
            pass
    return pack_block([_cut(task.call) for task in tasks])


def _default(known: dict[int, Any], value: Any) -> Any:
    """Return what stands for what msgpack does not know; once for each object."""
    kind = type(value)
    if kind is tuple:
        return list(value)
    if kind is WithNames:
        return {MARK: value.args, **value.kwargs}
    found = known.get(id(value))
    if found is None:
        found = known[id(value)] = _Room().plain(value)
    return found


def _cut(call: Any) -> Any:
    """Return a call with what is large in it cut."""
    room = _Room()
    if type(call) is WithNames:
        named = {name: room.plain(value) for name, value in call.kwargs.items()}
        return {MARK: [room.plain(value) for value in call.args], **named}
    if type(call) is not tuple:
        return room.plain(call)
    return [room.plain(value) for value in call]


def _text(words: str) -> msgpack.ExtType:
    cleaned = _ADDRESS.sub("", words)
    return msgpack.ExtType(Part.TEXT, cleaned.encode(errors=ANY_TEXT))


class _Room:
    """Makes values plain, as long as there is room for what is in them."""

    def __init__(self) -> None:
        self._left = _ROOM

    def plain(self, value: Any, deep: int = 0) -> Any:
        """Return a value as plain data; of what is large or strange, some letters."""
        self._left -= 1
        kind = type(value)
        if kind in _SCALARS or (kind is int and -_SMALL <= value < _SMALL):
            return value
        if kind is str or kind is bytes:
            return value if len(value) <= _LONGEST else _long_text(value)
        if getattr(kind, "__taskgraph_task__", False):
            return msgpack.ExtType(Part.TASK, value.key)
        if self._left < 0 or deep > _DEEP:
            return _text("...")
        inside = _INSIDE.get(kind)
        try:
            if inside is not None:
                return inside(self, value, deep + 1)
            return self._object(value, kind, deep + 1)
        except Exception:  # noqa: BLE001 - somebody else's properties
            return _text(brief(value))

    def sequence(self, value: Any, deep: int) -> Any:
        """Return the first items, and how many there are if that is not all."""
        found = [self.plain(item, deep) for item in islice(value, _ITEMS)]
        if len(value) > _ITEMS:
            found.append(_text(f"... {len(value)} items"))
        return found

    def in_any_order(self, value: Any, deep: int) -> Any:
        """Return the items of a set, sorted: their order says nothing."""
        if len(value) > _ITEMS:
            return _text(f"{type(value).__name__} of {len(value)} items")
        return sorted([self.plain(item, deep) for item in value], key=repr)

    def mapping(self, value: Any, deep: int) -> Any:
        """Return the first items by key, and how many there are if that is not all."""
        found = {
            key if type(key) is str else brief(key): self.plain(value[key], deep)
            for key in islice(value, _ITEMS)
        }
        return found | ({"...": len(value)} if len(value) > _ITEMS else {})

    def _object(self, value: Any, kind: type, deep: int) -> Any:
        """Return a file, an object's fields, or what is shown of anything else."""
        if hasattr(kind, "__taskgraph_files__") and not isinstance(value, type):
            paths = [str(path) for path in value.__taskgraph_files__()]
            content = self.plain(value.__taskgraph_hash__(), deep)
            about = [kind.__name__, paths, content]
            packed = msgpack.packb(about, unicode_errors=ANY_TEXT)
            return msgpack.ExtType(Part.FILES, packed)
        if isinstance(value, PurePath) and len(str(value)) <= _LONGEST:
            return _text(repr(value))  # whole: `upkeep/inputs` looks at the file
        if isinstance(value, _FUNCTIONS):
            return _text(function_text(value))
        fields = _fields(value, kind)
        if fields is None:
            return _text(brief(value))
        return {MARK: kind.__name__, **self.mapping(fields, deep)}


_INSIDE: dict[type, Callable[[_Room, Any, int], Any]] = {
    list: _Room.sequence,
    tuple: _Room.sequence,
    set: _Room.in_any_order,
    frozenset: _Room.in_any_order,
    dict: _Room.mapping,
}


def _fields(value: Any, kind: type) -> dict[str, Any] | None:
    """Return what an object has that its class names, or that was set on it."""
    if hasattr(kind, "__taskgraph_parts__"):  # a view of a result
        base, (_, *index) = value.__taskgraph_parts__()
        return {"of": base, "index": tuple(index)}
    if hasattr(kind, "__taskgraph_brief__"):
        return None
    if hasattr(kind, "_fields") and isinstance(value, tuple):
        return dict(zip(kind._fields, value, strict=False))
    if hasattr(kind, "shape") or isinstance(value, Enum | BaseException):
        return None
    named = getattr(kind, "__dataclass_fields__", None)
    if named is not None:
        return {name: getattr(value, name) for name in named if hasattr(value, name)}
    return dict(getattr(value, "__dict__", ())) or None


def _long_text(value: str | bytes) -> msgpack.ExtType:
    """Return the beginning and the end of a long text, with what tells it apart."""
    data = value.encode(errors=ANY_TEXT) if isinstance(value, str) else value
    first, last = value[:_SHOWN], value[-_SHOWN:]
    check = f"{len(value)} long, CRC {crc32(data):08x}"
    return _text(f"{first!r}...{last!r} ({check})")
