"""Merging the blocks of a journal: what nobody can ask for any more is left out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from backends.errors import BackendError, DamagedError
from backends.interface import Kind
from backends.reading import look, name_of, read_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container

    from backends.copies import Copies
    from backends.log import Log
    from backends.state import State

_PASSING_BYTES = 1 << 26
"""Bytes up to which a block is merged in passing."""


class Compaction:
    """Merges blocks; small frames and one large one at a time are in memory.

    What is damaged is replaced by its copy, or left out if there is none.

    Parameters
    ----------
    log : Log
        Where the segments are.
    state : callable
        Returns what they fold into; the blocks to merge are part of it.
    damaged : container of int
        Positions of segments that could not be read.
    refused : container of int
        Positions of segments that do nothing.
    copies : Copies
        Of what should not get lost.

    Attributes
    ----------
    ends : dict
        What tells the last segment of a block from all others, as it was read: of
        blocks that this one did not merge yet.
    """

    def __init__(
        self,
        log: Log,
        state: Callable[[], State],
        damaged: Collection[int],
        refused: Container[int],
        copies: Copies,
    ) -> None:
        self._log = log
        self._state = state
        self._damaged = damaged
        self._refused = refused
        self._copies = copies
        self.ends: dict[int, int] = {}

    def merge_all(self) -> int:
        """Merge all full blocks; return bytes freed. See `Upkeep.compact`."""
        live = self._state().live()
        freed = 0
        for block in range(self._state().position // self._log.block_size):
            with suppress(DamagedError):  # a block with a new damage is left as it is
                freed += self._merge(block, live, passing=False)
        return freed

    def merge_behind(self, position: int) -> None:
        """Merge the block that an append has just filled: one file for a thousand.

        Who met a damage does not: what it takes for dead may be what others hold.

        It is the appender's turn and nobody else's. If it fails or dies, the block
        stays as it is, which costs later readers time and nothing else.
        """
        block, place = divmod(position + 1, self._log.block_size)
        if place == 0 and not self._damaged:
            with suppress(BackendError):
                self._merge(block - 1, self._state().live(), passing=True)

    def _merge(self, block: int, live: set[int], *, passing: bool) -> int:
        sizes: dict[int, int] = {}
        small: dict[int, bytes] = {}
        gone: dict[int, int] = {}
        room = _PASSING_BYTES
        first = block * self._log.block_size
        for at in range(first, first + self._log.block_size):
            start, size, check = self._look(at, live)
            if not size:
                gone[at] = check
                continue
            sizes[at] = size
            if size == len(start):
                small[at] = start
            room -= sizes[at]
            if passing and room < 0:
                return 0  # few large files are no burden; to copy them all is one

        def frame(at: int) -> bytes:
            return small[at] if at in small else read_whole(self._log, at, sizes[at])

        return self._log.merge(block, sizes, frame, gone, self.ends.pop(block, 0))

    def _look(self, position: int, live: set[int]) -> tuple[bytes, int, int]:
        """Return start, size and check of a frame; no size if nobody needs it any more.

        Only settled claims and dead records go. The end of a claim stays, since a
        reader in the middle of the block may have seen its beginning.
        """
        if position in self._damaged:
            copy = self._copies.frame(position) or b""
            return copy, len(copy), 0
        found = look(self._log, position)
        if found is None:
            raise DamagedError(name_of(self._log, position), "it is gone")
        segment, start, size = found
        nowhere = b"", 0, segment.check
        if position in self._refused:
            return nowhere
        settled = not self._state().unsettled(position)
        if segment.kind is Kind.VOID or (segment.kind is Kind.CLAIM and settled):
            return nowhere
        if segment.kind is Kind.PUBLISH and position not in live:
            return nowhere
        return start, size, segment.check
