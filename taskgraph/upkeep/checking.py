"""What is wrong with a store, and how to put it right."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import Cause, Fault
from backends.liveness import left_behind
from taskgraph.results.blobs import check_blob
from taskgraph.results.codec import blob_refs
from taskgraph.results.lineage import made_of
from taskgraph.upkeep.collection import orphans

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from backends.interface import Backend, Key, Where
    from taskgraph.results.results import Results

DAMAGED, COPY, DOCUMENT = "damaged", "copy", "document"
ORPHAN, LEFTOVER, DEAD = "orphan", "leftover", "dead"
DAY = 86400.0


def check(results: Results) -> Iterator[Fault]:
    """Yield what is wrong with a store; reads every byte of it.

    A fault's `kind` is

    * damaged: a segment, record or blob has another checksum or is gone;
    * copy: one of two copies is damaged, of what is kept twice;
    * document: a list of tasks, or another document, has another checksum;
    * orphan: a blob that no record needs, older than a day by the store's clock;
    * leftover: a file that nobody finished writing, as old;
    * dead: a worker that is gone and did not sign off.
    """
    backend = results.backend
    backend.poll()
    unnoticed = backend.upkeep.unnoticed()
    yield from unnoticed
    yield from backend.upkeep.damaged()
    for position, rows in _records(backend).items():
        yield from _check_segment(results, position, rows)
    yield from _check_documents(backend, {fault.what for fault in unnoticed})
    for name, size in orphans(results):
        if backend.blobs.age(name) > DAY:
            yield Fault(
                f"blob {name}", f"{size} bytes that no result needs", (), ORPHAN
            )
    for name in backend.space.leftovers(DAY):
        yield Fault(f"file {name}", "nobody finished writing it", (), LEFTOVER)
    dead = left_behind(backend)
    for member in backend.members.all() if dead else ():
        if member.worker in dead:
            why = f"no heartbeat for {member.age:.0f} s"
            yield Fault(f"worker {member.worker}", why, (), DEAD)


def repair(results: Results, faults: Iterable[Fault]) -> int:
    """Put faults right; return how many tasks have to be computed again.

    Damaged records are discarded, so that their tasks are run again. Damaged copies are
    written anew, damaged documents are emptied, orphans go to the trash, leftovers and
    dead workers away.
    """
    backend = results.backend
    listed = list(faults)
    keys = {key for fault in listed if fault.kind == DAMAGED for key in fault.keys}
    if keys:
        backend.discard(
            sorted(keys),
            reason="damaged: found by fsck",
            more=lambda: made_of(results, keys),
        )
    if any(fault.kind in {DAMAGED, COPY} for fault in listed):
        backend.upkeep.mend()
    for fault in listed:
        what = fault.what.partition(" ")[2]
        if fault.kind == DOCUMENT:
            backend.documents.put(what, b"")
        elif fault.kind == ORPHAN:
            backend.blobs.trash(what)
        elif fault.kind == DEAD:
            backend.expel(what, Cause.LOST)
            backend.members.leave(what)
    if any(fault.kind == LEFTOVER for fault in listed):
        backend.space.leftovers(DAY, remove=True)
    return len(keys)


def cut_blob(results: Results, key: Key) -> str:
    """Return which blob of a result has another size than it was stored with.

    Only sizes are compared, nothing is read; empty if all are right.
    """
    for ref in blob_refs(results.payload(key)):
        size = len(results.backend.blobs.open(ref.name))
        wanted = ref.offset + ref.size
        if size != wanted:
            return f"blob {ref.name} of the store has {size} bytes instead of {wanted}"
    return ""


def _check_documents(backend: Backend, told: Container[str]) -> Iterator[Fault]:
    for name in backend.documents.names():
        if f"document {name}" in told:
            continue
        try:
            backend.documents.get(name)
        except DamagedError as error:
            yield Fault(f"document {name}", error.why, (), DOCUMENT)


def _records(backend: Backend) -> dict[int, list[tuple[Key, Where]]]:
    """Return where the records are, by segment."""
    found: dict[int, list[tuple[Key, Where]]] = defaultdict(list)
    for key in list(backend.keys()):
        where = backend.find(key)
        if where is not None:
            found[where.position].append((key, where))
    return dict(sorted(found.items()))


def _check_segment(
    results: Results, position: int, found: list[tuple[Key, Where]]
) -> Iterator[Fault]:
    try:
        results.body(position)
    except DamagedError as error:
        yield Fault(error.what, error.why, [key for key, _ in found])
        return
    for key, where in found:
        try:
            body = results.body_of(key, where)
            if where.failure:
                body.failure(where.row)
                continue
            for ref in blob_refs(body.payload(where.row)):
                check_blob(ref, results.backend.blobs.open)
        except DamagedError as error:
            yield Fault(error.what, error.why, [key])
