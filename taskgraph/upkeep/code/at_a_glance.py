"""Results that were made by other code than stands in the files of a jugfile now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.fingerprints.by_files import AtAGlance
from taskgraph.fingerprints.parts import recorded
from taskgraph.records import Body
from taskgraph.upkeep.code.acceptance import kept
from taskgraph.upkeep.code.changed_code import Change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backends.interface import Backend, Key
    from taskgraph.upkeep.snapshot import Snapshot

_FEW, _SOME = 20_000, 500
"""Tasks up to which all are looked at; of more so many, and all if one differs."""


def changes_at_a_glance(
    snapshot: Snapshot, backend: Backend, jugfile: Path
) -> list[Change]:
    """Return what was made by other code, and is not accepted, by function.

    The jugfile is not run: its file, and those of the project that it imported, are
    compared with what the records say. What only a run can tell is not noticed.

    Parameters
    ----------
    snapshot : Snapshot
        The graph.
    backend : Backend
        The store, as of the last look.
    jugfile : Path
        Where it is now.
    """
    keys = snapshot.split()
    files = [str(jugfile), *snapshot.inputs]
    search = _Search(AtAGlance(files), backend)
    if len(keys) > _FEW and search.nothing(keys[:: len(keys) // _SOME], snapshot):
        return []
    return search.found(keys, snapshot)


class _Search:
    def __init__(self, glance: AtAGlance, backend: Backend) -> None:
        self._glance = glance
        self._backend = backend
        self._parts: dict[str, list[str] | None] = {}

    def nothing(self, some: list[Key], snapshot: Snapshot) -> bool:
        """Return whether nothing is found, by what made all there is, or else `some`.

        Segments are asked for all that made them: nothing need be known of their keys.
        """
        places = self._backend.published()
        if len(places) <= _SOME and all(map(self._is_as_it_was, places)):
            return True
        return not self.found(some, snapshot)

    def _is_as_it_was(self, position: int) -> bool:
        try:
            segment = self._backend.segment(position)
            makers = Body(segment.body, segment.keys).makers()
        except DamagedError:  # told when somebody needs it
            return True
        return all(self._parts_of(name, text) is None for name, text in makers)

    def _parts_of(self, name: str, text: str) -> list[str] | None:
        if text not in self._parts:
            self._parts[text] = self._looked_at(name, text)
        return self._parts[text]

    def found(self, keys: list[Key], snapshot: Snapshot) -> list[Change]:
        """Return the changes that some results show, by function."""
        names = snapshot.named()
        changes: dict[str, Change] = {}
        for key, text in self._codes(keys):
            name = names[key]
            parts = self._parts_of(name, text)
            if parts is not None:
                changes.setdefault(name, Change(name)).add(key, text, "", parts)
        return [changes[name] for name in sorted(changes)]

    def _looked_at(self, name: str, text: str) -> list[str] | None:
        """Return what is other than it was; None if nothing is, or it is accepted."""
        parts = self._glance.changed(text)
        if parts is None:
            return None
        digest, _ = recorded(text)
        for one in kept(self._backend):
            accepted = one.name == name and digest in one.old
            if accepted and one.code and self._glance.changed(one.code) is None:
                return None
        return parts

    def _codes(self, keys: list[Key]) -> Iterator[tuple[Key, str]]:
        rows: dict[int, list[tuple[int, Key]]] = {}
        for key in keys:
            where = self._backend.find(key)
            if where is not None and not where.failure:
                rows.setdefault(where.position, []).append((where.row, key))
        for position, found in sorted(rows.items()):
            try:
                segment = self._backend.segment(position)
                body = Body(segment.body, segment.keys)
                codes = body.codes()
            except DamagedError:  # told when somebody needs it
                continue
            yield from (
                (key, codes[row])
                for row, key in found
                if body.key(row) == key and row < len(codes)
            )
