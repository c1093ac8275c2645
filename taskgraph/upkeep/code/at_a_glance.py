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
    if len(keys) > _FEW and not search.found(keys[:: len(keys) // _SOME], snapshot):
        return []
    return search.found(keys, snapshot)


class _Search:
    def __init__(self, glance: AtAGlance, backend: Backend) -> None:
        self._glance = glance
        self._backend = backend
        self._parts: dict[str, list[str] | None] = {}

    def found(self, keys: list[Key], snapshot: Snapshot) -> list[Change]:
        """Return the changes that some results show, by function."""
        names = snapshot.named()
        changes: dict[str, Change] = {}
        for key, text in self._codes(keys):
            if text not in self._parts:
                self._parts[text] = self._looked_at(names[key], text)
            parts = self._parts[text]
            if parts is not None:
                name = names[key]
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
