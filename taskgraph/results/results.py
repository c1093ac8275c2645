"""Results: what tasks returned, by key; the codec on top of a backend."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError
from taskgraph.errors import NoResultError
from taskgraph.names import known_as
from taskgraph.results import codec
from taskgraph.results.records import Body, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backends.errors import DamagedError
    from backends.interface import Backend, Where

_CACHED_BYTES = 256 << 20


@known_as("taskgraph")
class Results:
    """What tasks returned, by key.

    Parameters
    ----------
    backend : Backend
        Where records and blobs are.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.pending: dict[bytes, bytes] = {}
        self._bodies: OrderedDict[int, Body] = OrderedDict()
        self._cached = 0

    def has(self, key: bytes) -> bool:
        """Return whether `key` has a result, looking at the store if need be."""
        if key in self.pending:
            return True
        where = self.backend.find(key)
        if where is None:
            self.backend.poll()
            where = self.backend.find(key)
        return where is not None and not where.failure

    def load(self, key: bytes, name: str = "the task") -> Any:
        """Return the result of `key`.

        Raises
        ------
        NoResultError
            It has none yet, or it failed.
        DamagedError
            What is stored is not what was stored.
        """
        return self.decode(self.payload(key, name), key)

    def decode(self, payload: bytes, key: bytes) -> Any:
        """Return the value of a payload, telling whose it is if that fails."""
        try:
            return codec.decode(payload, self.backend.open_blob)
        except (BackendError, MemoryError):
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise NoResultError(
                f"the result {key.hex()[:12]} holds an object that cannot be made "
                f"again: {what}; is its class the same, and can it be unpickled?"
            ) from error

    def payload(self, key: bytes, name: str = "the task") -> bytes:
        """Return the encoded result of `key`; see `load`."""
        pending = self.pending.get(key)
        if pending is not None:
            return pending
        where = self.backend.find(key)
        if where is None:
            self.backend.poll()
            where = self.backend.find(key)
        if where is None:
            raise NoResultError(
                f"{name} ({key.hex()[:12]}) has no result yet; run `tg execute`"
            )
        if where.failure:
            failure = self.body(where.position).failure(where.row)
            why = f"{failure.error}: {failure.message}"
            raise NoResultError(
                f"{name} ({key.hex()[:12]}) failed: {why}; see `tg errors`"
            )
        return self.body(where.position).payload(where.row)

    def encode(self, value: object, key: bytes) -> bytes:
        """Return the payload of a result; its large arrays are stored at once.

        Raises
        ------
        UnstorableError
            The value cannot be pickled.
        """
        digits = key.hex()
        stem = f"{digits[:2]}/{digits}-{os.urandom(4).hex()}"
        return codec.encode(value, stem, self.backend.write_blob)

    def record(self, key: bytes) -> Record | None:
        """Return the whole record of `key`, None if there is none."""
        where = self.backend.find(key)
        return None if where is None else self.record_at(where)

    def record_at(self, where: Where) -> Record:
        """Return the record at a place."""
        return self.body(where.position).record(where.row, failed=where.failure)

    def records(self, keys: Iterator[bytes]) -> Iterator[tuple[bytes, Record]]:
        """Yield the records of those keys that have one, segment by segment."""
        places = [(key, self.backend.find(key)) for key in keys]
        found = [(key, where) for key, where in places if where is not None]
        for key, where in sorted(
            found, key=lambda pair: (pair[1].position, pair[1].row)
        ):
            yield key, self.record_at(where)

    def body(self, position: int) -> Body:
        """Return the records of a segment; the latest used ones are kept in memory."""
        body = self._bodies.get(position)
        if body is not None:
            self._bodies.move_to_end(position)
            return body
        body = Body(self.backend.body(position))
        self._bodies[position] = body
        self._cached += body.size
        while self._cached > _CACHED_BYTES and len(self._bodies) > 1:
            _, old = self._bodies.popitem(last=False)
            self._cached -= old.size
        return body

    def discard_damaged(self, key: bytes, error: DamagedError) -> None:
        """Set a damaged record aside, so that its task is run again."""
        self.backend.discard([key], reason=f"damaged: {error.why}")
