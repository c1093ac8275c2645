"""`tg accept`: keep results that other code has made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import json_option, jugfile_and_words
from taskgraph.cli.changed_code import load_changes
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.cli.words.jugfiles import two_words
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskgraph.upkeep.code.changed_code import Change


@click.command("accept")
@jugfile_and_words("[JUGFILE] NAME")
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be accepted.")
@json_option
def command(
    words: tuple[str, ...],
    jugfile: str,
    store: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Let results of the function NAME count that were made by other code.

    Its code has changed, and you know that the results are the same: a change of style.
    They are not told of any more, until the code changes once more. NAME is a function
    of JUGFILE, or a glob ('*': all). Who accepted what is kept in the store; `tg undo`
    takes it back. If you are not sure, `tg verify` compares some first.
    """
    path, name = two_words(words, jugfile)
    if name is None:
        raise UsageError("say whose results to accept: a function's name, or '*'")
    backend = find_store(path, store)
    if backend is None:
        if as_json:
            print_json(_told([], ""))
        return 0
    from taskgraph.upkeep.code.accepting import accept

    loaded, found, _ = load_changes(backend, path, name)
    number = "" if dry_run else accept(loaded.results.backend, found)
    if as_json:
        print_json(_told(found, number))
    elif found:
        rows = [(change.name, len(change.keys)) for change in found]
        print_table(("task", "results"), rows)
    results = counted(sum(len(change.keys) for change in found), "result")
    if not found:
        note("nothing to accept: the code is that which made the results")
    elif dry_run:
        note(f"nothing was changed; without --dry-run {results} would be accepted")
    else:
        note(f"{results} accepted; `tg undo {number}` takes it back")
    return 0


def _told(found: Sequence[Change], number: str) -> dict[str, Any]:
    """Return what was accepted, for other programs."""
    return {"accepted": [change.plain() for change in found], "number": number}
