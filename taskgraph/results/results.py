"""Results: what tasks returned, by key; the codec on top of a backend."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError
from taskgraph.description import printable
from taskgraph.errors import NoResultError
from taskgraph.results import codec
from taskgraph.results.records import Body, Failure, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from backends.errors import DamagedError
    from backends.interface import Backend, Where
    from taskgraph.tasks.task import Task

_CACHED_BYTES = 256 << 20
_LONGEST_MESSAGE = 2000
_LONGEST_TRACEBACK = 1 << 16


class Results:
    """What tasks returned, by key.

    Parameters
    ----------
    backend : Backend
        Where records and blobs are.
    run : callable, optional
        Runs a task here and now, for `run_here`.
    """

    def __init__(
        self, backend: Backend, run: Callable[[Results, Task], Any] | None = None
    ) -> None:
        self.backend = backend
        self._run = run
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
            return codec.decode(payload, self.backend.blobs.open)
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
        return codec.encode(value, stem, self.backend.blobs.write)

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

    def run_here(self, task: Task) -> Any:
        """Return the result of a task, calling its function here if there is none.

        What the task needs must have results; nobody else is asked to wait.
        """
        if self.has(task.key):
            return self.load(task.key, task.name)
        if self._run is None:
            raise NoResultError(f"{task.name} has no result yet; run `tg execute`")
        return self._run(self, task)

    def discard_damaged(self, key: bytes, error: DamagedError) -> None:
        """Set a damaged record aside, so that its task is run again."""
        self.backend.discard([key], reason=f"damaged: {error.why}")


def _of_group(error: BaseException) -> list[str]:
    """Return the tracebacks of the exceptions in a group; empty for any other one."""
    import traceback
    from textwrap import indent

    lines = []
    if isinstance(error, BaseExceptionGroup):
        for place, inner in enumerate(error.exceptions, start=1):
            text = "".join(traceback.format_exception(inner))
            lines.append(f"\nException {place} of {len(error.exceptions)}:\n\n")
            lines.append(indent(text, "    "))
    return lines


def failure_of(error: BaseException, cause: str = "exception") -> Failure:
    """Return what to keep of an exception; the engine's own frames are left out."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    own = [frame for frame in frames if os.path.dirname(frame.filename) == here]  # noqa: PTH120
    kept = frames[frames.index(own[-1]) + 1 :] if own else frames
    lines = ["Traceback (most recent call last):\n"]
    lines += traceback.StackSummary.from_list(kept or frames).format()
    kind = type(error).__qualname__
    try:
        message = str(error)
        lines += traceback.format_exception_only(error)
        lines += _of_group(error)
        if error.__cause__ is not None:
            before = traceback.format_exception(error.__cause__)
            lines = [*before, "\nThis led to:\n\n", *lines]
    except Exception:  # noqa: BLE001 - somebody else's __str__
        message = "(its message cannot be shown)"
        lines.append(f"{kind}: {message}\n")
    short = printable(message, _LONGEST_MESSAGE)
    return Failure(cause, kind, short, printable("".join(lines), _LONGEST_TRACEBACK))
