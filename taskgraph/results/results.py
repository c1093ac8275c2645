"""Results: what tasks returned, by key; the codec on top of a backend."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError, DamagedError, RewoundError
from taskgraph.errors import MissingResultError, NoResultError
from taskgraph.files.places import seen
from taskgraph.names import known_as
from taskgraph.records import Body, Record
from taskgraph.results import codec, short
from taskgraph.results.unpacked import Unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Set

    from backends.interface import Backend, Where

_CACHED_BYTES = 256 << 20
_CONSTANT = frozenset({int, float, complex, bool, str, bytes, type(None)})
_SMALL, _MANY = 64, 1 << 17
"""How large encoded results are, and how many, that are kept decoded."""
_PATHS = {type(Path())}
_UNKNOWN = object()
_NO_ROW: tuple[tuple[bytes, ...], list[Any]] = (), []


@known_as("taskgraph")
class Results:
    """What tasks returned, by key.

    Parameters
    ----------
    backend : Backend
        Where records and blobs are.
    folder : str, optional
        From where relative paths of files count that tasks have written: the folder of
        their jugfile. By default the working directory.
    """

    def __init__(self, backend: Backend, folder: str = "") -> None:
        self.backend, self.folder = backend, folder
        self.pending: dict[bytes, bytes] = {}
        self._bodies: OrderedDict[int, Body] = OrderedDict()
        self._cached = 0
        self._unpacked = Unpacked()
        self._small: dict[bytes, Any] = {}
        self._small_as_of = backend.forgot_at
        self._row = _NO_ROW
        self._had = b"", -1
        self._thread, self._of_thread = threading.get_ident(), threading.local()

    def here(self) -> Results:
        """Return the same results as this thread may ask for them.

        An open store is of one thread: each other one works with the store as another
        worker does, and shares only what waits to be stored.
        """
        if threading.get_ident() == self._thread:
            return self
        found: Results | None = getattr(self._of_thread, "results", None)
        if found is None:
            found = self._of_thread.results = Results(self.backend.again(), self.folder)
            found.pending = self.pending
        return found

    def settle(self, keys: Iterable[bytes], *, stored: bool) -> None:
        """Take in that `keys` are pending no more; unless `stored`, some were refused.

        Then they have other results now, or none.
        """
        for key in keys:
            self.pending.pop(key, None)
        if not stored:
            self._forget_small()

    def keys(self) -> Set[bytes]:
        """Return the keys of all records, and of results that wait to be stored."""
        stored = self.backend.keys()
        return stored | self.pending.keys() if self.pending else stored

    def has(self, key: bytes) -> bool:
        """Return whether `key` has a result, looking at the store if need be."""
        if key in self.pending:
            return True
        where = self._find(key)
        return where is not None and not where.failure

    def has_all(self, keys: bytes) -> bool:
        """Return whether all these have results in the store, as of the last poll.

        Whoever asks for the same once more is told at once, until something is
        forgotten.

        Parameters
        ----------
        keys : bytes
            The keys, concatenated.
        """
        as_of = self.backend.forgot_at
        if self._had == (keys, as_of):
            return True
        if not self.backend.holds(keys):
            return False
        self._had = keys, as_of
        return True

    def _find(self, key: bytes) -> Where | None:
        """Return where the record of `key` is, looking at the store if need be.

        What becomes known so is told to whoever asks the store for changes.
        """
        where = self.backend.find(key)
        if where is None:
            self.backend.refresh()
            where = self.backend.find(key)
        return where

    def load(self, key: bytes, name: str = "the task") -> Any:
        """Return the result of `key`.

        Raises
        ------
        NoResultError
            It has none yet, or it failed.
        DamagedError
            What is stored is not what was stored.
        RewoundError
            What is there is the record of another key.
        """
        known = self._decoded().get(key, _UNKNOWN)
        if known is not _UNKNOWN:
            return known
        payload = self.payload(key, name)
        found = self.decode(payload, key)
        self._keep(key, found, payload)
        return found

    def _keep(self, key: bytes, found: Any, payload: bytes) -> None:
        """Keep a value decoded, if it is small and cannot be changed."""
        if len(payload) <= _SMALL and type(found) in _CONSTANT:
            # Of a key that is kept already, a row may hold what it was before.
            if len(self._small) >= _MANY or key in self._small:
                self._forget_small()
            self._small[key] = found

    def load_many(self, keys: tuple[bytes, ...]) -> list[Any]:
        """Return the results of `keys`, to each place one of its own; see `load`.

        What cannot be changed is decoded once, as long as there is room for it, and
        looked up once for those who ask for the same tuple in turn.
        """
        known = self._decoded()
        if keys is self._row[0]:
            return self._row[1].copy()
        with suppress(KeyError):
            self._row = keys, list(map(known.__getitem__, keys))
            return self._row[1].copy()
        return [
            self.load(key) if (value := known.get(key, _UNKNOWN)) is _UNKNOWN else value
            for key in keys
        ]

    def _decoded(self) -> dict[bytes, Any]:
        """Return the small values that are kept, if the store has not forgotten any."""
        if self._small_as_of != self.backend.forgot_at:
            self._forget_small()
            self._small_as_of = self.backend.forgot_at
        return self._small

    def _forget_small(self) -> None:
        self._small.clear()
        self._row = _NO_ROW

    def decode(self, payload: bytes, key: bytes) -> Any:
        """Return the value of a payload, telling whose it is if that fails."""
        return self._read(codec.decode, payload, key)

    def outline(self, payload: bytes, key: bytes) -> Any:
        """Return the same without its large arrays; see `codec.outline`."""
        return self._read(codec.outline, payload, key)

    def _read(self, read: Callable[..., Any], payload: bytes, key: bytes) -> Any:
        try:
            found = read(payload, self.backend.blobs.open, self._unpacked)
            return found if payload[:1] != b"F" else self._seen(found, payload)
        except (BackendError, MemoryError):
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise NoResultError(
                f"the result {key.hex()[:12]} holds an object that cannot be made "
                f"again: {what}; is its class the same, and can it be unpickled?"
            ) from error

    def _seen(self, found: Any, payload: bytes) -> Any:
        """Return a result that is the paths of files as they lead there from here."""
        noted = {path for path, *_ in codec.files_in(payload)}
        each = found if type(found) is tuple else (found,)
        if not all(type(one) in _PATHS and str(one) in noted for one in each):
            return found
        paths = tuple(Path(seen(str(one), self.folder)) for one in each)
        return paths if type(found) is tuple else paths[0]

    def payload(self, key: bytes, name: str = "the task") -> bytes:
        """Return the encoded result of `key`; see `load`."""
        pending = self.pending.get(key)
        if pending is not None:
            return pending
        where = self._find(key)
        if where is None:
            raise MissingResultError(
                f"{name} ({key.hex()[:12]}) has no result yet; run `tg execute`, "
                "or taskgraph.run() from Python"
            )
        if where.failure:
            failure = self.body_of(key, where).failure(where.row)
            why = f"{failure.error}: {failure.message}"
            raise MissingResultError(
                f"{name} ({key.hex()[:12]}) failed: {why}; see `tg errors`, "
                "or the `errors` of taskgraph.status()"
            )
        return self.body_of(key, where).payload(where.row)

    def encode(self, value: object, key: bytes) -> bytes:
        """Return the payload of a result; its large arrays are stored at once.

        It is to be pending until it is settled: who made it need not decode it.

        Raises
        ------
        UnstorableError
            The value cannot be pickled.
        """

        def stem() -> str:
            digits = key.hex()
            return f"{digits[:2]}/{digits}-{os.urandom(4).hex()}"

        payload = codec.encode(value, stem, self.backend.blobs.write)
        self._keep(key, value, payload)
        return payload

    def encode_short(self, value: object, key: bytes) -> bytes | None:
        """Return the same of a number or a short text; None of anything else."""
        brief = short.pack(value)
        if brief is None:
            return None
        payload = codec.PLAIN_ALONE + brief
        if len(payload) <= _SMALL:
            if len(self._small) >= _MANY or key in self._small:
                self._forget_small()
            self._small[key] = value
        return payload

    def record(self, key: bytes) -> Record | None:
        """Return the whole record of `key`, None if there is none."""
        where = self.backend.find(key)
        return None if where is None else self._record(key, where)

    def codes(self, keys: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
        """Yield what made those of `keys` that have a result, segment by segment.

        That is the code of their records; what cannot be read is left out.
        """
        rows: dict[int, list[tuple[int, bytes]]] = {}
        for key in keys:
            where = self.backend.find(key)
            if where is not None and not where.failure:
                rows.setdefault(where.position, []).append((where.row, key))
        for position, found in sorted(rows.items()):
            with suppress(DamagedError):  # told when somebody needs it
                body = self.body(position)
                codes = body.codes()
                for row, key in found:
                    if body.key(row) == key and row < len(codes):
                        yield key, codes[row]

    def makers(self, most: int) -> set[tuple[str, str]] | None:
        """Return the functions that made all there is, by name, and what each one does.

        What cannot be read is left out.

        Parameters
        ----------
        most : int
            In how many segments all that may lie; None is returned if it is more.
        """
        places = self.backend.published()
        if len(places) > most:
            return None
        found: set[tuple[str, str]] = set()
        for position in places:
            with suppress(DamagedError):  # told when somebody needs it
                segment = self.backend.segment(position)  # all in turn: none is kept
                found |= Body(segment.body, segment.keys).makers()
        return found

    def _record(self, key: bytes, where: Where) -> Record:
        body = self.body_of(key, where)
        return body.record(where.row, failed=where.failure)

    def records(self, keys: Iterator[bytes]) -> Iterator[tuple[bytes, Record]]:
        """Yield the records of those keys that have one, segment by segment."""
        places = [(key, self.backend.find(key)) for key in keys]
        found = [(key, where) for key, where in places if where is not None]
        for key, where in sorted(
            found, key=lambda pair: (pair[1].position, pair[1].row)
        ):
            yield key, self._record(key, where)

    def inputs(self, key: bytes, where: Where) -> list[tuple[int, int]]:
        """Return where the records are that a record was made of: position and row."""
        return self.body_of(key, where).inputs(where.row, where.position)

    def key_at(self, position: int, row: int) -> bytes:
        """Return whose record is at a place; b"" if there is none."""
        return self.body(position).key(row)

    def body_of(self, key: bytes, where: Where) -> Body:
        """Return the segment with the record of `key`.

        Raises
        ------
        RewoundError
            Another key's record is there.
        """
        body = self.body(where.position)
        if body.key(where.row) != key:
            raise RewoundError(self.backend.url)
        return body

    def body(self, position: int) -> Body:
        """Return the records of a segment; the latest used ones are kept in memory."""
        body = self._bodies.get(position)
        if body is not None:
            self._bodies.move_to_end(position)
            return body
        segment = self.backend.segment(position)
        body = Body(segment.body, segment.keys)
        self._bodies[position] = body
        self._cached += body.size
        while self._cached > _CACHED_BYTES and len(self._bodies) > 1:
            _, old = self._bodies.popitem(last=False)
            self._cached -= old.size
        return body
