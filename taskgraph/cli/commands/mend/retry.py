"""`tg retry`: let failed tasks run again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import json_option, jugfile_argument, select_options
from taskgraph.cli.failures import chosen_failures
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store

if TYPE_CHECKING:
    from pathlib import Path


@click.command("retry")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@select_options
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    name: tuple[str, ...],
    pattern: tuple[str, ...],
    as_json: bool,
) -> int:
    """Let tasks of JUGFILE that failed run again: all of them, or some functions' only.

    Workers that are at work take them up; else start `tg execute`. `tg undo` takes it
    back. With ARGUMENTS after --, those of JUGFILE as it last ran with these.
    """
    from taskgraph.upkeep.invalidation import RETRY

    backend = find_store(jugfile, store)
    if backend is None:
        if as_json:
            print_json([])
        return 0
    from taskgraph.results.failures import discard_failures
    from taskgraph.results.results import Results

    found = chosen_failures(Results(backend), jugfile, name, pattern, arguments)
    if as_json:
        tasks = [{"key": key.hex(), "function": record.name} for key, record in found]
        print_json(tasks)
    if not found:
        return 0
    discard_failures(backend, [key for key, _ in found], reason=RETRY)
    counts = Counter(record.name for _, record in found)
    if not as_json:
        print_table(("task", "to run again"), sorted(counts.items()))
    note(f"{counted(len(found), 'task')} will run again with `tg execute`")
    return 0
