"""`tg stop`: let all workers of a store end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import jugfile_argument
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import find_store, store_url
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path


@click.command("stop")
@jugfile_argument
@click.option("--now", is_flag=True, help="Abandon the tasks that run.")
@click.option("--off", is_flag=True, help="Let workers start again.")
def command(jugfile: Path, store: str | None, *, now: bool, off: bool) -> int:
    """Let the workers of JUGFILE end, on all machines, after the tasks that run now.

    A note in the store tells them, within some seconds. Until it is taken away by
    --off, workers that are started end at once, so that jobs that still wait in the
    queue of a batch system do nothing; `tg cancel` ends those.
    """
    from taskgraph.execution.ending import StopNote, author, leave_note

    if now and off:
        raise click.UsageError("--now and --off are two ways: give one")
    backend = find_store(jugfile, store)
    if backend is None:
        where = store_url(jugfile, store)
        note(
            f"so nobody is told: workers would read it in the store, and {where} is "
            "none; if they have another one, give it by --store"
        )
        return ExitCode.USAGE
    leave_note(backend, None if off else StopNote(now, author(), time.time()))
    if off:
        note("workers may start again, by `tg execute`")
        return 0
    when = "now" if now else "after the tasks that run now"
    note(f"workers end {when}; `tg stop --off` lets them start again")
    return 0
