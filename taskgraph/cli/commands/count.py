"""`tg count`: the tasks of a jugfile, by function."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import json_option, jugfile_argument
from taskgraph.cli.jugfiles import require_jugfile
from taskgraph.cli.printing import counted, print_json, print_table
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import store_url

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
    first barrier.
    """
    from backends.errors import NoStoreError
    from taskgraph.context import open_store
    from taskgraph.execution.at_once import run_at_once
    from taskgraph.tasks.jugfile import Jugfile

    require_jugfile(jugfile)
    try:
        results = open_store(store_url(jugfile, store), create=False)
    except NoStoreError:
        results = open_store("memory://")
    loaded = Jugfile(jugfile, arguments, run_at_once).load(results)
    counts = Counter(task.name for task in loaded.graph.tasks)
    if as_json:
        functions = [{"name": n, "tasks": c} for n, c in sorted(counts.items())]
        complete = not loaded.missing
        print_json(
            {"tasks": counts.total(), "functions": functions, "complete": complete}
        )
        return 0
    print_table(
        ("task", "tasks"), sorted(counts.items()), total=("all", counts.total())
    )
    if not counts:
        note(f"{jugfile} has no tasks; decorate functions with @TaskGenerator")
    if loaded.missing:
        awaited = counted(len(loaded.missing), "task")
        note(f"the jugfile stops at a barrier: more tasks may appear after {awaited}")
    return 0
