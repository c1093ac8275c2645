"""The heads of merged blocks: what the segments of a block are about, in one object.

They say nothing that the segments do not say. Who joins reads many blocks, one after
another: of these it asks for ever more at the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.bucket.layout import HEADS, heads_of
from backends.errors import DamagedError
from backends.filesystem.packs import read_front

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.bucket.client import Client, Get
    from backends.filesystem.packs import Pack
    from backends.interface import Bytes

_FIRST, _AT_ONCE = 2, 32


class Heads:
    """The heads of a store in a bucket.

    Parameters
    ----------
    client : Client
        Makes the requests.
    positions : callable
        Returns the positions of a block.
    """

    def __init__(self, client: Client, positions: Callable[[int], range]) -> None:
        self._client = client
        self._positions = positions
        self._ahead: dict[int, Get] = {}
        self._missing: set[int] = set()
        self._many = _FIRST  # who begins to read may be at the beginning of much

    def go_on(self, block: int) -> bool:
        """Return whether a block probably has heads, as those before it had."""
        return block in self._ahead or self._many > _FIRST

    def read(self, block: int) -> tuple[Pack, Bytes] | None:
        """Return a pack without bodies, and its heads; None if they are not whole."""
        if block in self._missing:
            return None
        found = self._ahead.pop(block, None) or self._asked(block)
        if found is None:
            self._missing.add(block)
            return None
        try:
            pack, heads = read_front(
                found.data, heads_of(block), self._positions(block)
            )
        except DamagedError:
            return None
        return (pack, heads) if pack.is_whole(heads) else None

    def _asked(self, block: int) -> Get | None:
        """Ask for the heads of a block, and of more after it if some were there."""
        blocks = range(block, block + self._many)
        found = self._client.get_all([(heads_of(at), None, "") for at in blocks])
        self._ahead = {
            at: each for at, each in zip(blocks, found, strict=True) if each is not None
        }
        whole = len(self._ahead) == len(blocks)
        self._many = min(_AT_ONCE, 2 * self._many) if whole else 1
        return self._ahead.pop(block, None)

    def forget(self) -> None:
        """Keep nothing of what was read ahead, and ask again for what was not there."""
        self._ahead.clear()
        self._missing.clear()

    def write(self, block: int, data: bytes, *, anew: bool) -> None:
        """Write the heads of a block, if they are not there already."""
        there = None if anew else self._client.get(heads_of(block))
        if there is None or there.data != data:
            self._client.put(heads_of(block), data)

    def all(self) -> list[int]:
        """Return which blocks have heads."""
        names = [found.name.rpartition("/")[2] for found in self._client.listed(HEADS)]
        return sorted(int(name) for name in names if name.isdecimal())

    def worn(self, block: int) -> str:
        """Return why the heads of a block are damaged, empty if they are not."""
        found = self._client.get(heads_of(block))
        try:
            data = b"" if found is None else found.data
            pack, heads = read_front(data, "", self._positions(block))
        except DamagedError as error:
            return error.why
        return "" if pack.is_whole(heads) else "its heads have another checksum"
