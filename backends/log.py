"""What differs between a file system, memory and a server: where segments are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from backends.interface import Bytes, Member


class Log(Protocol):
    """The small part that differs between a file system, memory and a server."""

    url: str
    shared: bool
    """Whether other processes see it."""
    latency: float
    """Seconds after which others see an append, roughly."""

    @property
    def block_size(self) -> int:
        """How many positions `merge` takes together."""

    def make(self) -> None:
        """Make the store now, if that was put off until something is written."""

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        """Return the first `limit` bytes of the frame at `position` and its size.

        None if nothing was appended there.

        Raises
        ------
        DamagedError
            The frame is there and cannot be read.
        """

    def after(self, position: int) -> int | None:
        """Return the first position from this one on where something is, or None.

        It is for finding gaps, which no writer makes: `read` tells what is next.
        """

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:
        """Write a frame aside; with `durable` it survives a power cut."""

    def append(self, position: int, staged: str) -> bool:
        """Put a staged frame at `position` if nothing is there; return whether it was.

        It appears whole or not at all. An append that did succeed returns True even
        if its reply was lost on the way.
        """

    def unstage(self, staged: str) -> None:
        """Remove what was staged; what was appended stays."""

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        *,
        drop: bool,
    ) -> int:
        """Replace a block of `block_size` positions by some frames; count bytes freed.

        `sizes` are those of the frames that stay, and `frame` returns one of them: no
        more than one at a time has to be in memory. Positions of the block that are not
        in `sizes` read as VOID from now on. The former files go to the trash, or for
        good with `drop`. What `frame` raises leaves the block as it is.
        """

    def refresh(self) -> None:
        """Forget what a cache may hold about positions that were empty."""

    def write_blob(self, name: str, chunks: Iterable[Bytes]) -> int:
        """Write a large value under a new name; return its size in bytes."""

    def open_blob(self, name: str) -> memoryview:
        """Return a blob's bytes, memory-mapped where possible.

        Writing to the memory never changes the blob.
        """

    def blobs(self) -> Iterable[tuple[str, int]]:
        """Yield the names of all blobs and their sizes in bytes."""

    def blob_age(self, name: str) -> float:
        """Return the seconds since a blob was written, by the store's own clock."""

    def trash_blob(self, name: str) -> None:
        """Move a blob out of the way; it can be brought back by hand for a while."""

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        """Return what was staged so many seconds ago and never got a name."""

    def void(self, position: int) -> bool:
        """Put a frame that does nothing in the place of a damaged one; say if it was.

        What was there goes to the trash. It may be gone, if later ones are there.
        """

    def put_document(self, name: str, data: bytes) -> None:
        """Write a small named document; the last one written stays."""

    def get_document(self, name: str) -> bytes | None:
        """Return a document, or None."""

    def documents(self) -> list[str]:
        """Return the documents' names."""

    def beat(self, worker: str, about: Mapping[str, object]) -> None:
        """Renew a worker's heartbeat; the first one makes it a member."""

    def members(self) -> list[Member]:
        """Return everybody whose heartbeat is kept here, dead or alive."""

    def leave(self, worker: str) -> None:
        """Remove a member."""

    def wait(self, position: int, seconds: float) -> None:
        """Return when `position` is no longer empty, or after some seconds."""

    def empty_trash(self, older_than: float) -> int:
        """Remove what was trashed more than `older_than` seconds ago; count bytes."""

    def size(self) -> int:
        """Return the bytes in use."""

    def close(self) -> None:
        """Let go of files and connections."""
