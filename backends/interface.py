"""What a backend promises; its implementations and the engine meet only here.

A backend keeps a **journal**: one totally ordered sequence of immutable segments.
A segment is appended at a position by compare-and-append: it is there whole or not
at all, and only if the writer has seen everything before it. So every worker folds
the same history into the same state, and four things need no further protocol:

* the first result of a key wins, whoever comes late;
* a batch of locks is granted in one step, and each key in it to one worker;
* an invalidation voids the results that were begun before it;
* undoing an invalidation is one more segment.

Backends know bytes. They know neither tasks nor arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Key = bytes
"""The digest that names a task: `KEY_SIZE` bytes."""

KEY_SIZE = 20

Bytes = bytes | bytearray | memoryview
"""What can be written without being copied first."""


class Kind(IntEnum):
    """What a segment does to the state."""

    PUBLISH = 0
    CLAIM = 1
    RELEASE = 2
    EXPEL = 3
    DISCARD = 4
    RESTORE = 5
    VOID = 6


class Row(IntEnum):
    """What a row of a PUBLISH segment holds."""

    RESULT = 0
    FAILURE = 1
    STALE = 2


class Cause(IntEnum):
    """Why a worker lost its locks."""

    KILLED = 0
    """Its process ended under its supervisor's eyes: it names what ran."""
    LOST = 1
    """Its heartbeat stopped for a lease, or its process is gone."""
    RELEASED = 2
    """Somebody released its locks by hand."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One entry of the journal.

    `keys` are concatenated, `rows` has one byte (a `Row`) for each key of a PUBLISH
    segment and is empty otherwise, `about` depends on the kind, `body` is the
    engine's and opaque here.
    """

    kind: Kind
    worker: str
    time: float
    keys: bytes = b""
    rows: bytes = b""
    about: str = ""
    number: int = 0
    body: Bytes = b""

    def split(self) -> list[Key]:
        """Return the keys one by one."""
        keys, size = self.keys, KEY_SIZE
        return [keys[i : i + size] for i in range(0, len(keys), size)]


@dataclass(frozen=True, slots=True)
class Change:
    """What became known: keys that have a result, a failure, or nothing any more."""

    results: Sequence[Key] = ()
    failures: Sequence[Key] = ()
    discarded: Sequence[Key] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """Locks that were granted. `token` proves when, for `Backend.publish`."""

    token: int
    keys: Sequence[Key]


@dataclass(frozen=True, slots=True)
class Where:
    """Where the record of a key is: the row of a segment."""

    position: int
    row: int
    failure: bool


@dataclass(frozen=True, slots=True)
class Discarded:
    """An invalidation or cleanup that can still be undone."""

    position: int
    time: float
    worker: str
    reason: str
    keys: Sequence[Key]


@dataclass(frozen=True, slots=True)
class Member:
    """A worker as others see it: who it says it is and its last heartbeat.

    `beat` is a value that changes with each heartbeat. It is compared with itself
    only, never with a clock. `age` is in seconds by the store's own clock.
    """

    worker: str
    about: Mapping[str, object]
    beat: float
    age: float


@dataclass(frozen=True, slots=True)
class Lock:
    """One worker's claim on a task."""

    key: Key
    worker: str
    since: float
    token: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that `Backend.check` found."""

    what: str
    why: str
    keys: Sequence[Key] = ()
    kind: str = "damaged"


class Backend(Protocol):
    """A store of records with its locks.

    One instance serves one worker (or one command) and is not safe for use by two
    threads at once. Everything that it answers is as of its last `poll`, `claim`,
    `publish` or `discard`; each of them brings it up to date.
    """

    url: str
    worker: str
    latency: float
    shared: bool

    def make(self) -> None:
        """Make the store now, if that was put off until something is written."""

    def poll(self) -> list[Change]:
        """Return what became known since the last poll, oldest first."""

    def wait(self, seconds: float) -> None:
        """Return as soon as there may be news, and after `seconds` at the latest."""

    def find(self, key: Key) -> Where | None:
        """Return where the result or the failure of `key` is."""

    def keys(self) -> Collection[Key]:
        """Return all keys with a result or a failure."""

    def failures(self) -> Collection[Key]:
        """Return the keys whose record is a failure."""

    def body(self, position: int) -> bytes:
        """Return the body of a PUBLISH segment.

        Raises
        ------
        DamagedError
            Its checksum is not that of the bytes.
        """

    def publish(
        self, keys: Sequence[Key], rows: bytes, body: Bytes, *, since: int
    ) -> int:
        """Publish records, whole or not at all; return how many were accepted.

        A key that has a record already keeps it. A key that was discarded after
        `since` (the token of the claim) is left out: its result is stale.
        """

    def claim(self, keys: Sequence[Key]) -> Claim:
        """Lock those of `keys` that are free and have no record."""

    def release(self, keys: Sequence[Key]) -> None:
        """Give back own locks."""

    def expel(self, worker: str, cause: Cause, *, running: Key | None = None) -> None:
        """Void the locks of a worker that is dead, and note what it was running."""

    def deaths(self, key: Key) -> Mapping[Cause, int]:
        """Return how often a worker died while it alone held this key."""

    def suspect(self, key: Key) -> bool:
        """Return whether the key was among those of a worker that died."""

    def holder(self, key: Key) -> str | None:
        """Return the worker that has locked `key`."""

    def locks(self) -> list[Lock]:
        """Return all locks."""

    def members(self) -> list[Member]:
        """Return all workers whose heartbeat is kept."""

    def beat(self, worker: str, about: Mapping[str, object]) -> None:
        """Renew a worker's heartbeat; the first one makes it a member."""

    def leave(self, worker: str) -> None:
        """Remove a member: it holds nothing any more."""

    def discard(self, keys: Sequence[Key], *, reason: str) -> int | None:
        """Make keys unknown again; return the position to restore, None if no-op."""

    def restore(self, position: int) -> int:
        """Undo a discard; return how many keys came back."""

    def discards(self) -> list[Discarded]:
        """Return the discards that can be undone, oldest first."""

    def write_blob(self, name: str, chunks: Iterable[Bytes]) -> int:
        """Write a large value under a new name; return its size in bytes."""

    def open_blob(self, name: str) -> memoryview:
        """Return a blob's bytes, memory-mapped where possible."""

    def blobs(self) -> Iterable[tuple[str, int]]:
        """Yield the names of all blobs and their sizes in bytes."""

    def blob_age(self, name: str) -> float:
        """Return the seconds since a blob was written, by the store's own clock."""

    def trash_blob(self, name: str) -> None:
        """Move a blob to the trash."""

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was staged so many seconds ago and never got a name."""

    def put_document(self, name: str, data: bytes) -> None:
        """Write a small named document; the last one written stays.

        An empty one counts as none.
        """

    def get_document(self, name: str) -> bytes | None:
        """Return a document, or None.

        Raises
        ------
        DamagedError
            Its checksum is not that of the bytes.
        """

    def documents(self) -> list[str]:
        """Return the documents' names."""

    def damaged(self) -> list[Fault]:
        """Return the segments that could not be read."""

    def mend(self) -> int:
        """Replace damaged segments by some that do nothing; return how many."""

    def compact(self, keep: Iterable[Key] | None = None) -> int:
        """Merge old segments; return bytes freed.

        In memory are, at a time, the segments of one block up to 64 KiB each, and one
        of the larger ones.

        Discarded records go unless their keys are in `keep`, by default all are kept.
        What was dropped cannot be restored. The state stays as it is, also for those
        who have read only a part.
        """

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed more than `older_than` seconds ago; count bytes."""

    def size(self) -> int:
        """Return the bytes in use."""

    def close(self) -> None:
        """Let go of files and connections."""
