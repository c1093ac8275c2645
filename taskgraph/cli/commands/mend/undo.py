"""`tg undo`: take an invalidation, an acceptance, a retry or a cleanup back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_and_words
from taskgraph.cli.printing import (
    counted,
    moment_text,
    print_json,
    print_table,
    seconds_text,
)
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.jugfiles import two_words
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backends.interface import Backend, Discarded
    from taskgraph.upkeep.code.acceptance import Accepted


@click.command("undo")
@jugfile_and_words("[JUGFILE] [NUMBER]", required=False)
@click.option("-l", "--list", "listing", is_flag=True, help="List what can be undone.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would come back.")
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    listing: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take the last invalidation, acceptance, retry or cleanup back, or that of NUMBER.

    After an invalidation, everything that it forgot comes back, and what was computed
    anew since is forgotten in its place. After a retry, what succeeded stays. NUMBER
    is one of --list, or what the command said that forgot them. Without it, what was
    the last and when is said first, and on a terminal you are asked.
    """
    from taskgraph.upkeep.code.acceptance import Accepted

    path, what = two_words(words, jugfile)
    if what is None and words and words[-1].isdigit():
        what = words[-1]
    backend = find_store(path, store)
    found = _undoable(backend) if backend is not None else []
    if listing:
        _list(found, as_json=as_json)
        return 0
    chosen = _chosen(found, what)
    newer = back = 0
    if isinstance(chosen, Accepted):
        assert backend is not None
        ask = what is None and not yes
        return _refuse(backend, chosen, ask=ask, dry_run=dry_run, as_json=as_json)
    if backend is not None and chosen is not None:
        if what is None or dry_run:
            note(_described(chosen, backend.space.now()))
        if not dry_run and not _agreed(yes=yes or what is not None):
            return 2
        if not dry_run:
            newer, back = _undo(backend, chosen)
    elif backend is not None:
        note("there is nothing to undo")
    if as_json:
        print_json(_told(chosen, newer, back))
    return 0


def _undoable(backend: Backend) -> list[Discarded | Accepted]:
    """Return what can be undone, oldest first."""
    from taskgraph.upkeep.code.acceptance import undoable

    both: list[Discarded | Accepted] = [*backend.discards(), *undoable(backend)]
    return sorted(both, key=lambda one: one.time)


def _refuse(
    backend: Backend, chosen: Accepted, *, ask: bool, dry_run: bool, as_json: bool
) -> int:
    """Take an acceptance back, or say what that would do."""
    from taskgraph.upkeep.code.acceptance import take_back

    results = counted(chosen.results, "result")
    if ask or dry_run:
        ago = seconds_text(max(0.0, backend.space.now() - chosen.time))
        note(f"the {chosen.reason!r} of {ago} ago was of {results} ({chosen.position})")
    if not dry_run and not _agreed(yes=not ask):
        return 2
    if not dry_run:
        take_back(backend, chosen.position)
        note(f"{results} accepted no more ({chosen.reason})")
    if as_json:
        print_json(_told(chosen, 0, 0))
    return 0


def _told(chosen: Discarded | Accepted | None, newer: int, back: int) -> dict[str, Any]:
    """Return what was done, for other programs."""
    return {
        "number": chosen.position if chosen is not None else None,
        "why": chosen.reason if chosen is not None else None,
        "results": chosen.results if chosen is not None else 0,
        "back": back,
        "forgotten": newer,
    }


def _chosen(
    found: Sequence[Discarded | Accepted], what: str | None
) -> Discarded | Accepted | None:
    """Return the one of a number, else the last one if there is any."""
    if what is None or not found:
        return found[-1] if found else None
    for one in found:
        if str(one.position) == what:
            return one
    raise UsageError(f"nothing to undo has the number {what}; see `tg undo --list`")


def _described(chosen: Discarded, now: float) -> str:
    """Return what there is to take back, and how old it is."""
    ago = seconds_text(max(0.0, now - chosen.time))
    return (
        f"the {chosen.reason!r} of {moment_text(chosen.time)} ({ago} ago) forgot "
        f"{counted(len(chosen.keys), 'result')} (number {chosen.position})"
    )


def _agreed(*, yes: bool) -> bool:
    """Ask, where there is a terminal: an undoing can be undone itself."""
    return yes or not sys.stdin.isatty() or click.confirm("Take it back?", err=True)


def _undo(backend: Backend, chosen: Discarded) -> tuple[int, int]:
    """Return how many newer results were forgotten, and how many came back."""
    from taskgraph.results.results import Results
    from taskgraph.upkeep.invalidation import INVALIDATION
    from taskgraph.upkeep.undoing import undo

    done = undo(Results(backend), chosen)
    back, newer, total = len(done.back), len(done.gone), len(chosen.keys)
    if newer:
        note(
            f"{counted(newer, 'newer result')} forgotten in their place; "
            f"`tg undo {backend.position - 1}` would bring those back"
        )
    note(f"{counted(back, 'result')} of {total} came back ({chosen.reason})")
    if back < total and chosen.reason.startswith(INVALIDATION):
        note(
            f"{total - back} did not, since other results are stored, or none, than "
            "those that they were made of; undo a later one first (see --list)"
        )
    return newer, back


def _list(found: Sequence[Discarded | Accepted], *, as_json: bool) -> None:
    header = ("number", "when", "results", "why", "by")
    if as_json:
        rows = [(d.position, d.time, d.results, d.reason, d.worker) for d in found]
        print_json([dict(zip(header, row, strict=True)) for row in rows])
        return
    print_table(
        header,
        [
            (d.position, moment_text(d.time), d.results, d.reason, d.worker)
            for d in found
        ],
    )
