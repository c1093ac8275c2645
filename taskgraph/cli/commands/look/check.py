"""`tg check`: whether everything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import also_option, json_option, jugfile_argument
from taskgraph.cli.graphs import snapshot_now, status_now
from taskgraph.cli.printing import counted, print_json
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store
from taskgraph.upkeep.status import Status

if TYPE_CHECKING:
    from pathlib import Path


@click.command("check")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@also_option
@json_option
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    also: tuple[str, ...],
    as_json: bool,
) -> int:
    """Exit with 0 if every task of JUGFILE has a result, with 1 if not.

    The jugfile is loaded only if it or one of its inputs (`File(path)`, images) changed
    since it last ran. Tasks that may still
    appear behind a barrier count as not done, and so do those that wrote files which
    are gone or changed now.
    """
    backend = find_store(jugfile, store)
    if backend is None:
        if as_json:
            print_json(_plain(Status({}, complete=False)))
        return 1
    snapshot = snapshot_now(backend, jugfile, arguments)
    status, told = status_now(snapshot, backend, also=also)
    if as_json:
        print_json(_plain(status))
    from taskgraph.upkeep.inputs.named_files import kept_calls, told_named

    calls, writers = kept_calls(snapshot), snapshot.writers
    if named := told_named(calls, backend, snapshot.folder, writers):
        note(named)
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
    if told:
        note(told)
    return 1


def _plain(status: Status) -> dict[str, Any]:
    states = ("done", "failed", "blocked")
    return {
        "finished": status.finished,
        "complete": status.complete,
        "tasks": status.tasks,
        **{state: status.total(state) for state in states},
    }
