"""What differs between a file system, memory and a server: where segments are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from backends.errors import DamagedError
    from backends.interface import Blobs, Bytes, Documents, Members, Segment, Space


class Log(Protocol):
    """The small part that differs between a file system, memory and a server."""

    url: str
    shared: bool
    """Whether other processes see it."""
    latency: float
    """Seconds after which others see an append, roughly."""
    lasting: bool
    """Whether what was appended never vanishes, whatever else fails."""

    @property
    def block_size(self) -> int:
        """How many positions `merge` takes together."""

    def make(self) -> None:
        """Make the store now, if that was put off until something is written."""

    def again(self) -> Log:
        """Return the same log, opened once more: for another thread."""

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        """Return the first `limit` bytes of the frame at `position` and its size.

        None if nothing was appended there.

        Raises
        ------
        DamagedError
            The frame is there and cannot be read.
        """

    def merged(
        self, position: int
    ) -> Iterable[tuple[int, Segment | DamagedError]] | None:
        """Return what is left of a merged block from a position in it on.

        None if it is not merged as far as this log knows, which may be found out at
        the first position of a block only. Each position comes with its segment, the
        body left out, or with its damage; those that are left out are VOID.

        Raises
        ------
        DamagedError
            It is merged and cannot be read.
        """

    def after(self, position: int) -> int | None:
        """Return the first position from this one on where something is, or None.

        It is for finding gaps, which no writer makes: `read` tells what is next.
        """

    def unnoticed(self) -> Iterable[tuple[str, str, int | None]]:
        """Yield what is damaged and does no harm: elsewhere it stands once more.

        Each is a name, a reason, and the position of a segment, or None for what is of
        many. `merge` writes anew what is of many; shelves and the like go, so that the
        next one who merges makes them again.
        """

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:
        """Write a frame aside; with `durable` it survives a power cut."""

    def append(self, position: int, staged: str, link: bytes = b"") -> bool:
        """Put a staged frame at `position` if nothing is there; return whether it was.

        It appears whole or not at all. An append that did succeed returns True even
        if its reply was lost on the way.

        Parameters
        ----------
        position : int
            Where it goes.
        staged : str
            What `stage` returned.
        link : bytes
            What to write into the frame first, at `segment.LINK_AT`; b"" for nothing.
        """

    def retract(self, position: int, staged: str) -> None:
        """Take away what was just appended: what came before it is gone."""

    def unstage(self, staged: str) -> None:
        """Remove what was staged; what was appended stays."""

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int],
        end: int = 0,
    ) -> int:
        """Replace a block of `block_size` positions by some frames; count bytes freed.

        `sizes` are those of the frames that stay, and `frame` returns one of them: no
        more than one at a time has to be in memory. Positions of the block that are not
        in `sizes` read as VOID from now on, with the check that `gone` has of some of
        them. The former files go to the trash. What
        `frame` raises leaves the block as it is, and so does a frame at its last
        position that is another than `end` tells, if it tells one: the block is not any
        more what the caller read.
        """

    def refresh(self) -> None:
        """Forget what a cache may hold about positions that were empty."""

    def replace(self, position: int, frame: bytes, own: int = 0) -> bool:
        """Put a frame in the place of a damaged one; say if it was.

        What was there goes to the trash. It may be gone, if later ones are there. One
        that is whole stays, unless its check is `own`: somebody else filled the place.
        """

    def wait(self, position: int, seconds: float) -> None:
        """Return when `position` is no longer empty, or after some seconds."""

    @property
    def blobs(self) -> Blobs:
        """Large values."""

    @property
    def documents(self) -> Documents:
        """Small named documents, as bytes."""

    @property
    def members(self) -> Members:
        """Workers and their heartbeats."""

    @property
    def space(self) -> Space:
        """What the store takes, and what in it can go."""

    def close(self) -> None:
        """Let go of files and connections."""
