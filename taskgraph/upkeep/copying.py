"""Results of one store put into another, each with all that it was made of."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import Inputs
from taskgraph.results.batch import Batch
from taskgraph.results.blobs import check_blob
from taskgraph.results.codec import blob_refs, same_result, stored_size
from taskgraph.upkeep.code.acceptance import copy_acceptances
from taskgraph.upkeep.code.refusal import copy_refusals
from taskgraph.upkeep.collection import key_of_blob
from taskgraph.upkeep.snapshot import load_all, save

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from backends.interface import Backend, Key, Where
    from taskgraph.records import Record
    from taskgraph.results.blobs import BlobRef, OpenBlob
    from taskgraph.results.results import Results

_ROWS, _BYTES = 1000, 1 << 24
"""So many results, or bytes of them, are put into the other store together."""
_PIECE = 1 << 24


@dataclass(slots=True)
class Copied:
    """What became of the results of a store that were to be in another one.

    Attributes
    ----------
    copied, size : int
        How many were put there, and their bytes, large values included.
    there : int
        How many had a result there before, which stays.
    elsewise : int
        How many were left out because something that they were made of has another
        result there.
    lacking : int
        How many were left out because something that they were made of was.
    locked : int
        How many were left out because somebody runs their tasks there now.
    damaged : list of str
        What could not be read.
    """

    copied: int = 0
    size: int = 0
    there: int = 0
    elsewise: int = 0
    lacking: int = 0
    locked: int = 0
    damaged: list[str] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """How many are not in the other store, whatever the reason."""
        return self.elsewise + self.lacking + self.locked + len(self.damaged)


@dataclass(frozen=True, slots=True)
class _Found:
    """A result to be copied, and whose results it was made of."""

    key: Key
    record: Record
    needs: Sequence[Key]


def origins(results: Results, keys: Iterable[Key]) -> set[Key]:
    """Return keys that have a record, and those of all that their records were made of.

    Raises
    ------
    DamagedError
        One of these records cannot be read.

    Examples
    --------
    >>> from backends.opening import open_backend
    >>> from taskgraph.results.results import Results
    >>> origins(Results(open_backend("memory://")), [b"k" * 20])
    set()
    """
    found: set[Key] = set()
    left = list(keys)
    while left:
        key = left.pop()
        where = results.backend.find(key)
        if where is not None and key not in found:
            found.add(key)
            left += _needs(results, key, where)
    return found


def functions(results: Results) -> dict[Key, str]:
    """Return the function's name of each result, as its record has it.

    Raises
    ------
    DamagedError
        A record cannot be read.
    """
    backend = results.backend
    names: dict[int, list[str]] = {}
    found: dict[Key, str] = {}
    for key in list(backend.keys()):
        where = backend.find(key)
        if where is None or where.failure:
            continue
        if where.position not in names:
            names[where.position] = results.body(where.position).column("function")
        found[key] = names[where.position][where.row]
    return found


def missing(source: Results, target: Results, keys: Iterable[Key]) -> list[Key]:
    """Return whose results are in one store and not in another, inputs first.

    Failures are no results: the tasks are to be tried in the other store, too.
    """
    known = target.backend.keys()
    places: list[tuple[int, int, Key]] = []
    for key in keys:
        where = source.backend.find(key)
        if where is not None and not where.failure and key not in known:
            places.append((where.position, where.row, key))
    return [key for _, _, key in sorted(places)]


def copy(
    source: Results,
    target: Results,
    keys: Collection[Key],
    told: Callable[[Copied], object] = lambda _: None,
) -> Copied:
    """Put results into another store; what is there already stays.

    Each is put there with its provenance, and only if what it was made of is there as
    the same result. It is compared with its checksum on the way, and nothing is
    unpickled. Whoever is stopped in the middle has copied so much, and goes on from
    there next time.

    Parameters
    ----------
    source, target : Results
        From where and to where; both up to date.
    keys : collection of bytes
        Whose results, with all that they were made of: see `origins`.
    told : callable, optional
        Is told from time to time how far it is.

    Returns
    -------
    Copied
        What became of them.
    """
    wanted = missing(source, target, keys)
    copying = _Copying(source, target)
    copying.done.there = sum(map(target.backend.keys().__contains__, keys))
    for batch in copying.batches(wanted):
        copying.put(batch)
        told(copying.done)
    return copying.done


def take(source: Results, target: Results, keys: Sequence[Key], token: int) -> Copied:
    """Put results into another store whose tasks this worker has locked there.

    Parameters
    ----------
    source, target : Results
        From where and to where, as `copy` takes them.
    keys : sequence of bytes
        Whose results, each after those among them that it was made of.
    token : int
        Of the claim that locked them.

    Returns
    -------
    Copied
        What became of them; those left out are still locked.
    """
    copying = _Copying(source, target)
    for batch in copying.batches(keys):
        copying.publish(batch, token)
    return copying.done


def copy_graphs(source: Backend, target: Backend) -> None:
    """Let another store know the graphs of jugfiles, and what is accepted, in this one.

    One there that is newer stays.

    Raises
    ------
    DamagedError
        A graph in one of them cannot be read.
    """
    copy_acceptances(source, target)
    copy_refusals(source, target)
    known = {(there.jugfile, there.arguments): there.time for there in load_all(target)}
    for graph in load_all(source):
        if known.get((graph.jugfile, graph.arguments), 0.0) < graph.time:
            save(graph, target)


def sizes(source: Results, keys: Iterable[Key]) -> int:
    """Return how many bytes results take, large values included."""
    total = 0
    for key in keys:
        with suppress(DamagedError):
            total += stored_size(source.payload(key))
    return total


class _Copying:
    def __init__(self, source: Results, target: Results) -> None:
        self.done = Copied()
        self._source = source
        self._target = target
        self._same: dict[Key, bool] = {}
        self._same_as_of = target.backend.forgot_at

    def batches(self, keys: Sequence[Key]) -> Iterator[list[_Found]]:
        """Yield results that share what was written down of their runs."""
        batch: list[_Found] = []
        size = 0
        for found in self._read(keys):
            other = batch and batch[0].record.context != found.record.context
            if batch and (other or len(batch) == _ROWS or size > _BYTES):
                yield batch
                batch, size = [], 0
            batch.append(found)
            size += len(found.record.payload)
        if batch:
            yield batch

    def _read(self, keys: Sequence[Key]) -> Iterator[_Found]:
        for key in keys:
            where = self._source.backend.find(key)
            if where is None or where.failure:
                continue  # forgotten since
            try:
                record = self._source.body_of(key, where).record(
                    where.row, failed=False
                )
                yield _Found(key, record, _needs(self._source, key, where))
            except DamagedError as error:
                self.done.damaged.append(f"{error.what}: {error.why}")

    def put(self, batch: Sequence[_Found]) -> None:
        """Put results into the other store, locked while their large values are."""
        backend, done = self._target.backend, self.done
        claim = backend.claim([found.key for found in batch])
        try:
            free = set(claim.keys)
            for found in batch:
                if found.key not in free:
                    known = backend.find(found.key) is not None
                    done.there += known
                    done.locked += not known
            self.publish([found for found in batch if found.key in free], claim.token)
        finally:
            backend.release(claim.keys)

    def publish(self, wanted: Sequence[_Found], token: int) -> None:
        """Put results whose tasks are locked into the other store."""
        backend, records, size = self._target.backend, Batch(), 0
        as_of = backend.position
        if self._same_as_of != backend.forgot_at:
            self._same_as_of = backend.forgot_at
            self._same.clear()
        for found in wanted:
            other = [need for need in found.needs if not self._is_same(need)]
            if other:
                self._same[found.key] = False
                known = any(backend.find(need) is not None for need in other)
                self.done.elsewise += known
                self.done.lacking += not known
                continue
            try:
                self._bring_blobs(found)
            except DamagedError as error:
                self._same[found.key] = False
                self.done.damaged.append(f"{error.what}: {error.why}")
                continue
            self._same[found.key] = True
            _add(records, found, as_of)
            size += stored_size(found.record.payload)
        if not records:
            return
        body = records.encode(wanted[0].record.context, backend.places)
        rows, inputs = bytes(records.rows), records.inputs
        accepted = backend.publish(records.keys, rows, body, since=token, inputs=inputs)
        self.done.copied += accepted
        self.done.size += size
        refused = len(records) - accepted
        if refused:
            self.done.elsewise += refused
            self._same.clear()

    def _is_same(self, key: Key) -> bool:
        """Return whether both stores have one result of a key."""
        if key not in self._same:
            here, there = self._source.backend, self._target.backend
            wheres = here.find(key), there.find(key)
            self._same[key] = False
            if all(where is not None and not where.failure for where in wheres):
                with suppress(DamagedError):
                    of_both = self._source.payload(key), self._target.payload(key)
                    self._same[key] = same_result(*of_both)
        return self._same[key]

    def _bring_blobs(self, found: _Found) -> None:
        for ref in blob_refs(found.record.payload):
            if key_of_blob(ref.name) != found.key:
                raise DamagedError(f"blob {ref.name}", "it is of another task")
            self._bring_blob(ref)

    def _bring_blob(self, ref: BlobRef) -> None:
        blobs = self._target.backend.blobs
        whole = self._source.backend.blobs.open(ref.name)
        check_blob(ref, lambda _: whole)
        if _is_whole(ref, blobs.open):
            return  # who was stopped has brought it
        size = len(whole)
        blobs.write(
            ref.name, (whole[at : at + _PIECE] for at in range(0, size, _PIECE))
        )


def _is_whole(ref: BlobRef, open_blob: OpenBlob) -> bool:
    try:
        check_blob(ref, open_blob)
    except DamagedError:
        return False
    return True


def _needs(results: Results, key: Key, where: Where) -> list[Key]:
    """Return whose results a record was made of."""
    return [results.key_at(*place) for place in results.inputs(key, where)]


def _add(records: Batch, found: _Found, as_of: int) -> None:
    record = found.record
    about = record.summary, record.start, record.wall, record.cpu, record.rss // 1024
    records.add(
        found.key,
        record.payload,
        (record.name, record.code),
        about,
        output=record.output,
        attempt=record.attempt,
        inputs=Inputs(as_of, found.needs),
    )
