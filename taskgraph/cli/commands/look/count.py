"""`tg count`: the tasks of a jugfile, by function."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.graphs import snapshot_now
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import open_store_of, store_url
from taskgraph.cli.words.jugfiles import is_pipeline, require_jugfile

if TYPE_CHECKING:
    from pathlib import Path


@click.command("count")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@json_option
def command(
    jugfile: Path, store: str | None, arguments: tuple[str, ...], as_json: bool
) -> int:
    """Count the tasks of JUGFILE by function.

    The jugfile is loaded. It need not have run: without a store it is read up to its
    first barrier. A pipeline's tasks are those of its last run.
    """
    require_jugfile(jugfile)
    counts, missing = _counted(jugfile, store, arguments)
    if as_json:
        functions = [{"name": n, "tasks": c} for n, c in sorted(counts.items())]
        complete = not missing
        print_json(
            {"tasks": counts.total(), "functions": functions, "complete": complete}
        )
        return 0
    print_table(
        ("task", "tasks"), sorted(counts.items()), total=("all", counts.total())
    )
    if not counts:
        note(f"{jugfile} has no tasks; decorate functions with @TaskGenerator")
    if missing:
        awaited = counted(missing, "task")
        note(f"the jugfile stops at a barrier: more tasks may appear after {awaited}")
    return 0


def _counted(
    jugfile: Path, store: str | None, arguments: tuple[str, ...]
) -> tuple[Counter[str], int]:
    """Return the tasks by function, and for how many of them a barrier waits."""
    from backends.errors import NoStoreError
    from taskgraph.context import open_store
    from taskgraph.execution.at_once import run_at_once
    from taskgraph.tasks.jugfile import Jugfile

    if is_pipeline(str(jugfile)):
        snapshot = snapshot_now(open_store_of(jugfile, store), jugfile, arguments)
        return Counter(snapshot.named().values()), 0
    try:
        results = open_store(store_url(jugfile, store), create=False)
    except NoStoreError:
        results = open_store("memory://")
    with redirect_stdout(sys.stderr):  # what it prints is no count
        loaded = Jugfile(jugfile, arguments, run_at_once).load(results)
    return Counter(task.name for task in loaded.graph.tasks), len(loaded.missing)
