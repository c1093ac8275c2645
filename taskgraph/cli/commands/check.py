"""`tg check`: whether everything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import jugfile_argument
from taskgraph.cli.graphs import snapshot_now
from taskgraph.cli.printing import counted
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.upkeep.status import status_of

if TYPE_CHECKING:
    from pathlib import Path


@click.command("check")
@jugfile_argument
@click.argument("arguments", nargs=-1)
def command(jugfile: Path, store: str | None, arguments: tuple[str, ...]) -> int:
    """Exit with 0 if every task of JUGFILE has a result, with 1 if not.

    The jugfile is loaded only if it changed since it last ran. Tasks that may still
    appear behind a barrier count as not done.
    """
    backend = find_store(jugfile, store)
    if backend is None:
        return 1
    snapshot = snapshot_now(backend, jugfile, arguments)
    status = status_of(snapshot, backend.keys(), backend.failures(), ())
    if status.finished:
        return 0
    parts = [f"{status.total('done')} of {counted(status.tasks, 'task')} done"]
    parts += [
        f"{status.total(state)} {state}"
        for state in ("failed", "blocked")
        if status.total(state)
    ]
    parts += [] if status.complete else ["more may appear behind a barrier"]
    note(", ".join(parts))
    return 1
