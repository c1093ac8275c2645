"""`tg undo`: take an invalidation, a retry or a cleanup back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taskgraph.cli.options import (
    find_store,
    json_option,
    jugfile_and_words,
    note,
    two_words,
)
from taskgraph.cli.tables import counted, moment_text, print_json, print_table
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backends.interface import Backend, Discarded


@click.command("undo")
@jugfile_and_words("[JUGFILE] [NUMBER]", required=False)
@click.option("-l", "--list", "listing", is_flag=True, help="List what can be undone.")
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    listing: bool,
    as_json: bool,
) -> int:
    """Take the last invalidation, retry or cleanup back, or the one of a NUMBER.

    After an invalidation, everything that it forgot comes back, and what was computed
    anew since is forgotten in its place. After a retry, what succeeded stays.
    """
    from taskgraph.collection import undoable

    path, what = two_words(words, jugfile)
    if what is None and words and words[-1].isdigit():
        what = words[-1]
    backend = find_store(path, store)
    found = undoable(backend) if backend is not None else []
    if listing or as_json:
        _list(found, as_json=as_json)
        return 0
    if backend is None:
        return 0
    if not found:
        note("there is nothing to undo")
        return 0
    chosen = _chosen(found, what)
    back = _undo(backend, chosen)
    total = len(chosen.keys)
    note(f"{counted(back, 'result')} of {total} came back ({chosen.reason})")
    return 0


def _chosen(found: Sequence[Discarded], what: str | None) -> Discarded:
    if what is None:
        return found[-1]
    for discarded in found:
        if str(discarded.position) == what:
            return discarded
    raise UsageError(f"nothing to undo has the number {what}; see `tg undo --list`")


def _undo(backend: Backend, chosen: Discarded) -> int:
    from taskgraph.invalidation import INVALIDATION, superseding
    from taskgraph.snapshot import load_all

    known = backend.keys()
    newer = superseding(chosen, known, load_all(backend))
    if newer:
        reason = f"{INVALIDATION} newer results, by undo {chosen.position}"
        position = backend.discard(sorted(newer), reason=reason)
        note(
            f"{counted(len(newer), 'newer result')} forgotten in their place; "
            f"`tg undo {position}` would bring those back"
        )
    return backend.restore(chosen.position)


def _list(found: Sequence[Discarded], *, as_json: bool) -> None:
    header = ("number", "when", "results", "why", "by")
    if as_json:
        rows = [(d.position, d.time, len(d.keys), d.reason, d.worker) for d in found]
        print_json([dict(zip(header, row, strict=True)) for row in rows])
        return
    print_table(
        header,
        [
            (d.position, moment_text(d.time), len(d.keys), d.reason, d.worker)
            for d in found
        ],
    )
