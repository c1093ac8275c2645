"""The graph as it was last loaded, kept in the store: `tg status` needs no jugfile."""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from dataclasses import field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

from backends.errors import DamagedError
from backends.interface import KEY_SIZE
from backends.interface.frozen import frozen
from taskgraph.calls.kept import Calls, Signature
from taskgraph.calls.past import Past
from taskgraph.compression import decompressed, zstd
from taskgraph.identity.input_files import changed_files
from taskgraph.upkeep.jugfile_store import is_default_store, is_edited

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from backends.interface import Backend
    from taskgraph.calls.kept import Call
    from taskgraph.identity.input_files import InputFiles

VERSION = 5
_KEY, _ROW = (struct.Struct(f"{KEY_SIZE}s" * count) for count in (1, 500))
_PREFIX = "graph-"
_LONGEST_STEM = 100
_DIGITS = 8
_ADVICE = "`tg execute` lists the tasks again"
_NONSENSE = (zlib.error, zstd.ZstdError, ValueError, TypeError)
_ANY_TEXT = "surrogatepass"
"""Paths and arguments are bytes that need not be UTF-8."""


@frozen
class Snapshot:
    """The tasks of a jugfile, with their arguments as plain data.

    Attributes
    ----------
    jugfile : str
        Its path.
    arguments : tuple of str
        What it was given on the command line.
    stamp : tuple of int
        Its modification time (ns), size and CRC-32 when it was loaded.
    time : float
        When it was loaded, in seconds since the epoch.
    missing : bytes
        Keys, concatenated, that have to get results before the jugfile says more;
        empty if it was read to its end.
    names : sequence of str
        The functions' names.
    functions : array of int
        For each task the place of its name in `names`.
    keys : bytes
        The tasks' keys, concatenated, each after all that it needs.
    counts, needs : array of int
        For each task how many it needs, and the places of these, concatenated.
    writing : tuple of str
        The names of the functions that write files.
    inputs : mapping
        Files that arguments name by content, and modules beside the jugfile that it
        imported, as they were: size and time by path.
    calls : Calls
        The arguments of the tasks.
    signatures : tuple of bytes
        For each of `names` a `Signature`, encoded.
    past : Past
        Calls of results that the graph has no more: what new ones can be compared with.
    asking : mapping
        What tasks ask for, as text, by the names of functions that ask for resources.
    moved : str
        The folder in which its jugfile is now; empty if that is as it was.
    """

    jugfile: str
    arguments: tuple[str, ...]
    stamp: tuple[int, int, int]
    time: float
    missing: bytes
    names: Sequence[str]
    functions: array[int]
    keys: bytes
    counts: array[int]
    needs: array[int]
    writing: tuple[str, ...] = ()
    inputs: InputFiles = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
    signatures: tuple[bytes, ...] = ()
    past: Past = field(default_factory=Past)
    asking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moved: str = field(default="", compare=False)

    @property
    def folder(self) -> str:
        """From where the paths of files count that its tasks write."""
        return self.moved or str(Path(self.jugfile).parent)

    def __len__(self) -> int:
        return len(self.functions)

    @property
    def complete(self) -> bool:
        """Whether the jugfile was read to its end, not only up to a barrier."""
        return not self.missing

    def split(self) -> list[bytes]:
        """Return the keys one by one."""
        return list(_each(self.keys))

    def awaited(self) -> list[bytes]:
        """Return the keys that have to get results before more tasks appear."""
        return list(_each(self.missing))

    def named(self) -> dict[bytes, str]:
        """Return the function name of each key."""
        names = self.names
        return dict(
            zip(self.split(), [names[number] for number in self.functions], strict=True)
        )

    def writers(self) -> list[bytes]:
        """Return the keys of the tasks that write files."""
        if not self.writing:
            return []
        places = {place for place, n in enumerate(self.names) if n in self.writing}
        found = zip(self.split(), self.functions, strict=True)
        return [key for key, function in found if function in places]

    def dependants(self) -> dict[bytes, list[bytes]]:
        """Return for each key that is needed the keys of the tasks that need it."""
        keys = self.split()
        found: dict[bytes, list[bytes]] = {}
        for place, needs in enumerate(self.needs_of()):
            for need in needs:
                found.setdefault(keys[need], []).append(keys[place])
        return found

    def needs_of(self) -> Iterator[array[int]]:
        """Yield for each task the places of the tasks that it needs."""
        start = 0
        for size in self.counts:
            yield self.needs[start : start + size]
            start += size

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.place_of(key) is not None

    def __iter__(self) -> Iterator[bytes]:
        return _each(self.keys)

    def name_of(self, key: bytes) -> str | None:
        """Return the function name of a key, None if it is not there."""
        place = self.place_of(key)
        return None if place is None else self.names[self.functions[place]]

    def needs_of_key(self, key: bytes) -> list[bytes]:
        """Return the keys that a task needs; none of one that is not there."""
        place = self.place_of(key)
        if place is None:
            return []
        start = sum(self.counts[:place])
        return [
            self.keys[need * KEY_SIZE : (need + 1) * KEY_SIZE]
            for need in self.needs[start : start + self.counts[place]]
        ]

    def call_of(self, key: bytes) -> Call | None:
        """Return the arguments of a task; None if they are not known."""
        place = self.place_of(key)
        return None if place is None else self.calls.at(place)

    def texts(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """Return the arguments of some tasks as short text, as far as known."""
        from taskgraph.calls.text import call_text

        wanted, names = set(keys), self.named()
        return {
            key: call_text(call, names.get)
            for key, call in zip(self, self.calls, strict=False)
            if key in wanted
        }

    def calls_as_text(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """Return the calls of some tasks as short text, as far as known."""
        texts = self.texts(keys).items()
        return {key: f"{self.name_of(key)}({text})" for key, text in texts}

    def signature_of(self, name: str) -> Signature:
        """Return what the calls of a function have in common."""
        for one, data in zip(self.names, self.signatures, strict=False):
            if one == name:
                return Signature.decode(data)
        return Signature()

    def place_of(self, key: bytes) -> int | None:
        """Find a key where it stands: rarely asked, and no table of a million keys."""
        found = self.keys.find(key)
        while found >= 0 and found % KEY_SIZE:
            found = self.keys.find(key, found + 1)
        return None if found < 0 or not key else found // KEY_SIZE

    def with_more(self, start: int, more: Snapshot) -> Snapshot:
        """Return the first `start` tasks of this one, and more that `Growing` took."""
        needs = sum(self.counts[:start]) if start < len(self) else len(self.needs)
        return replace(
            more,
            keys=self.keys[: start * KEY_SIZE] + more.keys,
            functions=self.functions[:start] + more.functions,
            counts=self.counts[:start] + more.counts,
            needs=self.needs[:needs] + more.needs,
            calls=self.calls.first(start) + more.calls,
        )

    def says(self, other: Snapshot) -> bool:
        """Return whether it is the same, whenever taken and whatever was before."""
        return replace(self, time=other.time, past=other.past) == other

    def after(self, before: Snapshot, known: Container[bytes]) -> Snapshot:
        """Return this one with the calls of the last one that it has no more."""
        keys = set(self)
        rows = chain(before.past.rows(), before.rows())
        return replace(
            self,
            past=Past.of(row for row in rows if row[0] in known and row[0] not in keys),
        )

    def rows(self) -> Iterator[tuple[bytes, str, Any]]:
        """Yield key, function and arguments of each task, as they were packed."""
        names = map(self.names.__getitem__, self.functions)
        return zip(self, names, self.calls.raw(), strict=False)

    def changed_inputs(self, jugfile: Path | None = None) -> list[str]:
        """Return the paths of files that may have other content now."""
        return list(changed_files(self.inputs, self.jugfile, jugfile))

    def outdated(self, jugfile: Path | None = None) -> bool:
        """Return whether the jugfile may list other tasks: it or an input changed."""
        return self.edited(jugfile) or bool(self.changed_inputs(jugfile))

    def edited(self, jugfile: Path | None = None) -> bool:
        """Return whether the jugfile, where it is now, says something else."""
        return is_edited(jugfile or Path(self.jugfile), self.stamp)


def save(snapshot: Snapshot, backend: Backend) -> None:
    """Keep a snapshot as the one of its jugfile with these arguments."""
    name = _document(snapshot.jugfile, snapshot.arguments)
    backend.documents.put(name, encode(snapshot))


def encode(snapshot: Snapshot) -> bytes:
    """Return a snapshot as bytes, for `decode`."""
    arrays = (snapshot.functions, snapshot.counts, snapshot.needs)
    plain = (
        VERSION,
        snapshot.jugfile,
        snapshot.arguments,
        snapshot.stamp,
        snapshot.time,
        snapshot.missing,
        list(snapshot.names),
        snapshot.keys,  # digests: nothing makes them smaller
        [zstd.compress(numbers.tobytes(), 1) for numbers in arrays],
        snapshot.writing,
        dict(snapshot.inputs),
        snapshot.calls.blocks,
        snapshot.signatures,
        (snapshot.past.keys, snapshot.past.names, snapshot.past.calls.blocks),
        dict(snapshot.asking),
    )
    return bytes(msgpack.packb(plain, unicode_errors=_ANY_TEXT))


def load(
    backend: Backend, jugfile: Path, arguments: Sequence[str] | None = None
) -> Snapshot | None:
    """Return the last snapshot of a jugfile, None if there is none.

    Parameters
    ----------
    backend : Backend
        The store that the jugfile ran with.
    jugfile : Path
        Where it is now. If it never ran from there, one of the same name counts if
        the store is its own, or if nothing is in the other's place, or the same:
        folders are moved, copied, and mounted in different places.
    arguments : sequence of str, optional
        Those that it was given; any by default.

    Raises
    ------
    DamagedError
        There was one that cannot be read any more.
    """
    path = str(jugfile.resolve())
    own = _document(path, arguments or ())[: -_DIGITS if arguments is None else None]
    found = [s for s in _load_all(backend, own) if s.jugfile == path]
    if not found:
        stem = own.removesuffix(own.rpartition("-")[2])
        mine = is_default_store(backend, jugfile)
        found = [
            snapshot
            for snapshot in _load_all(backend, stem)
            if Path(snapshot.jugfile).name == jugfile.name
            and (mine or _is_elsewhere_now(snapshot, jugfile))
        ]
    if arguments is not None:
        found = [s for s in found if s.arguments == tuple(arguments)]
    last = max(found, key=lambda s: s.time, default=None)
    return last and replace(last, moved=str(jugfile.resolve().parent))


def load_all(backend: Backend) -> list[Snapshot]:
    """Return the snapshots of all jugfiles that ran with a store; raises as `load`."""
    return list(_load_all(backend, _PREFIX))


def _load_all(backend: Backend, prefix: str) -> Iterator[Snapshot]:
    for name in backend.documents.names():
        if name.startswith(prefix):
            try:
                data = backend.documents.get(name)
            except DamagedError as error:
                raise DamagedError(error.what, error.why, _ADVICE) from error
            snapshot = None if data is None else decode(data)
            if snapshot is not None:
                yield snapshot


def _is_elsewhere_now(snapshot: Snapshot, jugfile: Path) -> bool:
    """Return whether a snapshot may be that of a jugfile when it was elsewhere."""
    there = os.path.exists(snapshot.jugfile)  # noqa: PTH110 - False if forbidden
    return not there or not snapshot.edited(jugfile)


def decode(data: bytes) -> Snapshot | None:
    """Return a snapshot; None if another version wrote it."""
    try:
        version, *plain = msgpack.unpackb(data, unicode_errors=_ANY_TEXT)
        if version != VERSION:
            return None
        *plain, calls, signatures, past, asking = plain
        *plain, names, keys, packed, writing, inputs = plain
        path, arguments, stamp, when, missing = plain
        functions, counts, needs = (
            array("I", decompressed(numbers)) for numbers in packed
        )
        past = Past(past[0], tuple(past[1]), _blocks(past[2]))
        calls = _blocks(calls)
    except (*_NONSENSE, msgpack.UnpackException):
        return None
    return Snapshot(
        path,
        tuple(arguments),
        tuple(stamp),
        when,
        missing,
        names,
        functions,
        keys,
        counts,
        needs,
        tuple(writing),
        {path: tuple(mark) for path, mark in inputs.items()},
        calls,
        tuple(signatures),
        past,
        {name: tuple(asked) for name, asked in asking.items()},
    )


def _blocks(blocks: Any) -> Calls:
    return Calls(tuple([(count, data) for count, data in blocks]))


def _document(jugfile: str, arguments: Sequence[str]) -> str:
    """Return a name of its own for each jugfile and its arguments."""
    path = jugfile.encode(errors="replace")
    words = "\0".join(arguments).encode(errors=_ANY_TEXT)
    stem = Path(jugfile).stem[:_LONGEST_STEM]
    return f"{_PREFIX}{stem}-{zlib.crc32(path):08x}{zlib.crc32(words):08x}"


def _each(keys: bytes) -> Iterator[bytes]:
    whole = len(keys) - len(keys) % _ROW.size
    rows, rest = _ROW.iter_unpack(keys[:whole]), _KEY.iter_unpack(keys[whole:])
    return chain.from_iterable(chain(rows, rest))
