"""Calls whose results are there and that no task makes any more.

A call that has no result is compared with them: mostly one argument was changed.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from backends.interface import KEY_SIZE
from backends.interface.frozen import frozen
from taskgraph.calls.kept import Calls, pack_block

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 100_000


@frozen
class Past:
    """Calls in a row.

    Attributes
    ----------
    keys : bytes
        Theirs, concatenated.
    names : tuple of str
        The function of each.
    calls : Calls
        Their arguments.
    """

    keys: bytes = b""
    names: tuple[str, ...] = ()
    calls: Calls = field(default_factory=Calls)

    def rows(self) -> Iterable[tuple[bytes, str, Any]]:
        """Yield key, function and arguments of each, as they were packed."""
        starts = range(0, len(self.keys), KEY_SIZE)
        keys = [self.keys[at : at + KEY_SIZE] for at in starts]
        return zip(keys, self.names, self.calls.raw(), strict=False)

    @classmethod
    def of(cls, rows: Iterable[tuple[bytes, str, Any]]) -> Past:
        """Return those of `rows`, each key once and as it came last; the latest ones.

        Examples
        --------
        >>> past = Past.of([(b"k" * 20, "f", (1,)), (b"k" * 20, "f", (2,))])
        >>> list(past.rows()) == [(b"k" * 20, "f", (2,))]
        True
        """
        found = {key: (name, call) for key, name, call in rows}
        kept = list(found.items())[-_MOST:]
        calls = [call for _, (_, call) in kept]
        return cls(
            b"".join([key for key, _ in kept]),
            tuple([name for _, (name, _) in kept]),
            Calls(((len(calls), pack_block(calls)),)) if calls else Calls(),
        )
