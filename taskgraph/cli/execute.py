"""`tg execute`: run the tasks of a jugfile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from taskgraph.cli.names import require_names
from taskgraph.cli.options import (
    jugfile_argument,
    note,
    select_options,
    store_url,
)
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.api import KeptJugfile, Report
    from taskgraph.jugfile import Loaded
    from taskgraph.results import Results
    from taskgraph.worker import Options


@click.command("execute")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option("-j", "--jobs", default=1, show_default=True, help="Workers to start.")
@select_options
@click.option("--fail-fast", is_flag=True, help="Start no new task after a failure.")
@click.option("--retry", is_flag=True, help="Run tasks again that failed before.")
@click.option("--debug", is_flag=True, help="Run in this process; let errors through.")
@click.option("--pdb", is_flag=True, help="Open a debugger where a task fails.")
@click.option(
    "--lease",
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Silence after which a worker counts as dead.",
)
@click.option(
    "--max-wait",
    default=1800.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up when no other worker is alive and nothing can be run for so long.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def command(jugfile: Path, store: str | None, **given: Any) -> int:
    """Run the tasks of JUGFILE until nothing is left to do.

    Start it again, here or on any machine that sees the store, and the workers share
    the work. ARGUMENTS after -- are the script's own. Tasks that fail do not stop the
    others; `tg errors` shows why they failed.

    \b
    Exit code: 0 all done, 1 tasks failed or blocked, 2 usage or jugfile error,
    3 gave up waiting for others, 4 the store failed, 128+N stopped by signal N.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from taskgraph.api import KeptJugfile
    from taskgraph.cli.changes import tell_changes
    from taskgraph.jugfile import Jugfile, open_results

    options = _options(given)
    source = KeptJugfile(Jugfile(jugfile, given["arguments"]))
    source.jugfile.compiled()  # no store for what is no jugfile
    results = open_results(store_url(jugfile, store))
    loaded = source.jugfile.load(results)
    require_names(
        {task.name for task in loaded.graph.tasks},
        given["name"],
        given["pattern"],
        jugfile=jugfile,
        complete=not loaded.missing,
    )
    _point(loaded, results, jugfile)
    if not len(loaded.graph) and not loaded.missing:
        note(f"{jugfile} has no tasks; decorate functions with @TaskGenerator")
        source.keep(loaded)
        return 0
    _forget_failures(loaded, everything=given["retry"])
    tell_changes(loaded)
    if not (options.debug or loaded.results.backend.shared):
        raise UsageError(
            "a store in memory ends with this command, and its workers cannot see it; "
            "give a directory, or --debug to run in this process"
        )
    if options.debug:
        return _run_here(source, loaded, options, given)
    return _supervise(source, loaded, options, given)


def _options(given: dict[str, Any]) -> Options:
    """Return what to run and how, as it was given on the command line."""
    from taskgraph.graph import selector
    from taskgraph.worker import Options

    if given["jobs"] < 1:
        raise click.UsageError("-j takes the number of workers, 1 or more")
    if given["lease"] <= 0 or given["max_wait"] < 0:
        raise click.UsageError("--lease and --max-wait take seconds, more than 0")
    names, patterns = given["name"], given["pattern"]
    return Options(
        select=selector(names, patterns) if names or patterns else None,
        fail_fast=given["fail_fast"],
        debug=given["debug"] or given["pdb"],
        max_wait=given["max_wait"],
    )


def _point(loaded: Loaded, results: Results, jugfile: Path) -> None:
    """Tell the user and other commands if the jugfile chose another store."""
    from taskgraph.elsewhere import point

    chosen = loaded.results.backend
    if chosen.url != results.backend.url:
        note(f"the jugfile chose the store {chosen.url}")
    if results.backend.shared:
        point(results.backend, jugfile, chosen)


def _forget_failures(loaded: Loaded, *, everything: bool) -> None:
    """Let failed tasks run again whose function has other code now, or all of them."""
    from taskgraph.provenance import code_fingerprint

    results = loaded.results
    results.backend.poll()
    again = []
    for key in list(results.backend.failures()):
        if key not in loaded.graph:
            continue
        record = results.record(key)
        now = code_fingerprint(loaded.graph[key].f)
        if everything or (record is not None and record.code and record.code != now):
            again.append(key)
    if again:
        results.backend.discard(again, reason="retry")
        note(f"{len(again)} tasks that failed before are run again")


def _run_here(
    source: KeptJugfile, loaded: Loaded, options: Options, given: dict[str, Any]
) -> int:
    from taskgraph.api import report_of, run_here

    source.keep(loaded)
    folder = source.jugfile.path.resolve().parent
    try:
        run_here(source, loaded, options, folder, given["lease"])
    except Exception:
        if not given["pdb"]:
            raise
        import pdb  # noqa: T100 - asked for
        import sys
        import traceback

        traceback.print_exc()
        pdb.post_mortem(sys.exc_info()[2])
        return 1
    return report_of(source.load(loaded.results)).exit_code


def _supervise(
    source: KeptJugfile, loaded: Loaded, options: Options, given: dict[str, Any]
) -> int:
    from taskgraph.api import report_of
    from taskgraph.cli.progress import progress
    from taskgraph.supervisor import Plan, Supervisor

    with progress(loaded, source.jugfile.path, quiet=given["quiet"]) as display:
        plan = Plan(
            workers=given["jobs"],
            options=options,
            lease=given["lease"],
            folder=str(source.jugfile.path.resolve().parent),
            echo=display.echo,
            tick=display.tick,
            say=display.say,
        )
        supervisor = Supervisor(source, loaded, plan)
        code = supervisor.run(after_start=lambda: source.keep(loaded))
        if loaded.missing and not code and not supervisor.signal:
            loaded = source.load(loaded.results)  # what appeared behind barriers
        report = report_of(loaded)
        display.end(loaded.results.backend)
    for line in display.summary(report):
        note(line)
    return _conclude(code, supervisor.signal, report)


def _conclude(code: int, signo: int, report: Report) -> int:
    """Return the exit code of a run."""
    if signo:
        return 128 + signo
    if code in (2, 3, 4):
        if code == 3:
            note("gave up waiting: nobody else is alive, and nothing can be run here")
        return code
    return 1 if report.failed or report.blocked or code else 0
