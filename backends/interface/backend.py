"""The store as a worker sees it: records and locks, and the parts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from backends.interface.answers import Change, Claim, Discarded, Lock, Where
    from backends.interface.blobs import Blobs
    from backends.interface.documents import Documents
    from backends.interface.members import Members
    from backends.interface.segments import Bytes, Cause, Key
    from backends.interface.space import Space
    from backends.interface.upkeep import Upkeep


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

    def expel(self, worker: str, cause: Cause, *, running: Key | None = None) -> bool:
        """Void the locks of a worker that is dead, and note what it was running.

        Return whether it had any, which is so as of now and not of the last poll.
        """

    def deaths(self, key: Key) -> Mapping[Cause, int]:
        """Return how often a worker died that had locked this key alone."""

    def suspect(self, key: Key) -> bool:
        """Return whether the key was among those of a worker that died."""

    def locked_by(self, key: Key) -> str | None:
        """Return the worker that has locked `key`."""

    def holders(self) -> Mapping[Key, str]:
        """Return who has locked each key that is: a view, not to be kept or changed."""

    def locks(self) -> list[Lock]:
        """Return all locks, with what is known of them."""

    def discard(self, keys: Sequence[Key], *, reason: str) -> int | None:
        """Make keys unknown again; return the position to restore, None if no-op."""

    def restore(self, position: int) -> int:
        """Undo a discard; return how many keys came back."""

    def discards(self) -> list[Discarded]:
        """Return the discards that can be undone, oldest first."""

    @property
    def blobs(self) -> Blobs:
        """Large values."""

    @property
    def documents(self) -> Documents:
        """Small named documents, sealed."""

    @property
    def members(self) -> Members:
        """Workers and their heartbeats."""

    @property
    def space(self) -> Space:
        """What the store takes, and what in it can go."""

    @property
    def upkeep(self) -> Upkeep:
        """What is done to the journal as a whole."""

    def close(self) -> None:
        """Let go of files and connections."""
