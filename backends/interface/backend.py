"""The store as a worker sees it: records and locks, and the parts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set

    from backends.interface.answers import (
        Change,
        Claim,
        Discarded,
        Inputs,
        Lock,
        Undoing,
        Where,
    )
    from backends.interface.blobs import Blobs
    from backends.interface.documents import Documents
    from backends.interface.members import Members
    from backends.interface.segments import Bytes, Cause, Key, Segment
    from backends.interface.space import Space
    from backends.interface.upkeep import Upkeep


class Backend(Protocol):
    """A store of records with its locks.

    One instance serves one worker (or one command) and is not safe for use by two
    threads at once: `again` gives each its own. Everything that it answers is as of its
    last `refresh`, `poll`, `claim`, `publish`, `discard` or `undo`; each of them brings
    it up to date, and what became known on the way is told by the next `changes` or
    `poll`: nothing is lost.

    Raises
    ------
    RewoundError
        By each of them: the journal is no longer the one that was read before.
    """

    url: str
    worker: str
    latency: float
    shared: bool

    def make(self) -> None:
        """Make the store now, if that was put off until something is written."""

    def again(self) -> Backend:
        """Return the same store, opened once more by another worker: for a thread."""

    @property
    def position(self) -> int:
        """How many segments of the journal have been taken in."""

    @property
    def forgot_at(self) -> int:
        """The position after the last segment that took records away; 0 if none did.

        As long as it stays the same, what had a record has it still.
        """

    def refresh(self) -> None:
        """Bring it up to date."""

    def changes(self) -> list[Change]:
        """Return what became known and was not told yet, oldest first."""

    def poll(self) -> list[Change]:
        """Bring it up to date; return the changes."""

    def wait(self, seconds: float) -> None:
        """Return as soon as there may be news, and after `seconds` at the latest."""

    def find(self, key: Key) -> Where | None:
        """Return where the result or the failure of `key` is."""

    def places(self, keys: Sequence[Key]) -> list[int]:
        """Return where the results or failures of many keys are, two numbers for each.

        They are the position and the row, in the order of `keys`; -1 and -1 for a key
        that has neither.
        """

    def keys(self) -> Set[Key]:
        """Return all keys with a result or a failure."""

    def failures(self) -> Collection[Key]:
        """Return the keys whose record is a failure."""

    def holds(self, keys: bytes) -> bool:
        """Return whether all these, concatenated, have results and none is a failure.

        That is quick if they come as they were published, many in a row.
        """

    def published(self) -> list[int]:
        """Return the positions of all segments with a result or a failure, in order.

        Of some of them, others may have taken the place of all records since.
        """

    def segment(self, position: int) -> Segment:
        """Return a whole PUBLISH segment: its keys and its body.

        Raises
        ------
        DamagedError
            Its checksum is not that of the bytes.
        """

    def publish(
        self,
        keys: Sequence[Key],
        rows: bytes,
        body: Bytes,
        *,
        since: int,
        inputs: Sequence[Inputs] = (),
    ) -> int:
        """Publish records, whole or not at all; return how many were accepted.

        A key that has a record already keeps it. A key that was discarded after
        `since` (the token of the claim) is left out: its result is stale. So is a
        record of which an input is not the stored one any more. All this is decided
        on the state in which it is appended.

        Parameters
        ----------
        keys : sequence of bytes
            Whose records, each after those among them that it was made of.
        rows : bytes
            A `Row` for each.
        body : bytes
            The records.
        since : int
            The token of the claim.
        inputs : sequence of Inputs, optional
            Of what each was made; of nothing by default.
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

    def suspects(self) -> Set[Key]:
        """Return the keys that were among those of a worker that died: a view."""

    def locked_by(self, key: Key) -> str | None:
        """Return the worker that has locked `key`."""

    def holders(self) -> Mapping[Key, str]:
        """Return who has locked each key that is: a view, not to be kept or changed."""

    def locks(self) -> list[Lock]:
        """Return all locks, with what is known of them."""

    def discard(
        self,
        keys: Sequence[Key],
        *,
        reason: str,
        more: Callable[[], Collection[Key]] | None = None,
    ) -> int | None:
        """Make keys unknown again; return the position to undo, None if no-op.

        Parameters
        ----------
        keys : sequence of bytes
            Those that have a record or a lock are discarded.
        reason : str
            Why.
        more : callable, optional
            Returns what else goes, of the state in which it is appended.
        """

    def undo(self, position: int, plan: Callable[[], Undoing] | None = None) -> int:
        """Undo a discard in one step; return how many keys came back.

        Parameters
        ----------
        position : int
            Of the discard.
        plan : callable, optional
            Says what comes back and what goes, of the state in which it is appended;
            by default everything comes back whose key has no new record. What goes can
            be undone in turn, by the number that `discards` tells.
        """

    def make_final(self, positions: Iterable[int]) -> list[int]:
        """Let discards never be undone, nor be listed; return which could be till now.

        Their records go when their blocks are merged next.
        """

    def taken(self, position: int) -> Mapping[Key, Where]:
        """Return where the records are that a discard took away; empty if undone."""

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
