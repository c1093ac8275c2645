"""What tests of stores do to them, and everything that a store can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends import Cause, Row

if TYPE_CHECKING:
    from backends.log import Log
    from backends.store import JournalStore


def key(number: int) -> bytes:
    return number.to_bytes(20, "big")


A, B, C = key(1), key(2), key(3)
RESULT, FAILURE = bytes([Row.RESULT]), bytes([Row.FAILURE])


def publish(
    store: JournalStore, *keys: bytes, body: bytes = b"x", since: int | None = None
) -> int:
    """Publish results, of a claim that was just made unless `since` says else."""
    token = store.claim(keys).token if since is None else since
    return store.publish(keys, RESULT * len(keys), body, since=token)


def body_of(store: JournalStore, wanted: bytes) -> bytes:
    store.poll()
    where = store.find(wanted)
    assert where is not None
    return bytes(store.segment(where.position).body)


def drop_discarded(store: JournalStore) -> int:
    """Make all discards final and merge; return the bytes that were freed."""
    store.poll()
    store.make_final([discarded.position for discarded in store.discards()])
    return store.upkeep.compact()


def history(anna: JournalStore, bert: JournalStore) -> None:
    """Do some of everything, over several blocks."""
    anna.claim([key(n) for n in range(6)])
    bert.claim([key(6), key(7)])
    publish(anna, key(0), key(1), since=0)
    anna.release([key(2)])
    bert.claim([key(2)])
    anna.expel("bert", Cause.KILLED, running=key(2))
    bert.claim([key(2), key(8), key(9)])
    anna.expel("bert", Cause.LOST)
    anna.discard([key(0), key(8)], reason="wrong")
    back = anna.discard([key(1)], reason="by mistake")
    assert back is not None
    bert.undo(back)
    bert.claim([key(0)])
    anna.expel("bert", Cause.LOST)
    bert.publish([key(9), key(10)], RESULT + FAILURE, b"more", since=99)
    publish(anna, key(0), body=b"again")
    bert.claim([key(11), key(12)])


def answers(store: JournalStore) -> dict[str, object]:
    """Return everything that a store can be asked."""
    store.poll()
    keys = [key(n) for n in range(20)]
    return {
        "bodies": {k: body_of(store, k) for k in list(store.keys())},
        "where": {k: store.find(k) for k in keys},
        "failures": set(store.failures()),
        "locks": {(x.key, x.worker) for x in store.locks()},
        "locked": {k: store.locked_by(k) for k in keys},
        "deaths": {k: dict(store.deaths(k)) for k in keys},
        "suspects": set(store.suspects()).intersection(keys),
        "discards": store.discards(),
    }


class Until:
    """A log that seems to end at a position, until `end` is None."""

    def __init__(self, log: Log, end: int) -> None:
        self._log = log
        self.end: int | None = end

    def read(self, position: int, limit: int | None = None):
        if self.end is not None and position >= self.end:
            return None
        return self._log.read(position, limit)

    def merged(self, position: int):
        return None if self.end is not None else self._log.merged(position)

    def __getattr__(self, name: str):
        return getattr(self._log, name)
