"""`tg submit`: start many workers by a batch system."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.arguments import jugfile_argument, select_options
from taskgraph.cli.batch.options import (
    OWN_OPTIONS,
    given_store,
    submit_options,
    words_given,
)
from taskgraph.cli.batch.readiness import Ready, living_workers
from taskgraph.cli.batch.submitting import require_going_on, submit
from taskgraph.cli.graphs import require_script, snapshot_now, status_now
from taskgraph.cli.stores import open_store_of
from taskgraph.cli.words.keys import locked_keys
from taskgraph.cli.words.run_options import run_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command("submit")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@submit_options
@select_options
@run_options
@click.pass_context
def command(
    context: click.Context, /, jugfile: Path, store: str | None, **given: Any
) -> int:
    """Submit an array of jobs, each of which is a `tg execute` of JUGFILE.

    The batch system of this machine is found by itself. Jobs end before their time is
    over, and are queued again if work is left; any of them may start late or never. Job
    script and logs are kept beside the jugfile, in its name with .tgjobs. What else is
    given goes to `tg execute`, ARGUMENTS after -- to the script.
    """
    from taskgraph.tasks.graph import selector
    from taskgraph.tasks.jugfile import Jugfile
    from taskgraph.upkeep.asking import for_whom

    names = given["name"], given["pattern"]
    select = selector(*names) if any(names) else lambda _: True
    require_script(jugfile)
    arguments = given["arguments"]
    Jugfile(jugfile, arguments).compiled()
    backend = open_store_of(jugfile, store, create=True)
    require_going_on(backend, given)

    def ready() -> Ready:
        backend.poll()
        snapshot = snapshot_now(backend, jugfile, arguments)
        held, _ = locked_keys(backend)
        status, _ = status_now(snapshot, backend, held)
        counts = {
            name: row["ready"] for name, row in status.counts.items() if select(name)
        }
        wanted = for_whom(counts, snapshot.asking, given["resources"])
        useful = partial(for_whom, wanted, snapshot.asking)
        return Ready(sum(wanted.values()) - living_workers(backend, useful), useful)

    words = words_given(context, OWN_OPTIONS)
    words += [str(jugfile), *(["--", *arguments] if arguments else [])]
    return submit(
        jugfile, ["tg", "execute", *words], given, given_store(context), ready
    )
