"""A run that a command starts: in workers or in this process, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from taskgraph.cli.run_options import is_first
from taskgraph.cli.sentences import note
from taskgraph.errors import UsageError
from taskgraph.exit_codes import ExitCode, by_signal

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.api import Report
    from taskgraph.execution.options import RunOptions
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded


class KeptSource(Protocol):
    """A jugfile, or what is like one, whose graph is kept in the store."""

    def load(self, results: Results) -> Loaded:
        """Write the tasks down."""

    def keep(self, loaded: Loaded) -> None:
        """Keep the graph in the store."""


def run_loaded(
    source: KeptSource, loaded: Loaded, path: Path, options: RunOptions
) -> tuple[int, Report]:
    """Run what was loaded from `path`, in workers or in this process.

    Returns
    -------
    int
        The exit code.
    Report
        How many tasks are done.

    Raises
    ------
    UsageError
        Workers cannot see the store.
    """
    if options.per_worker.debug:
        return _run_here(source, loaded, path, options)
    if not loaded.results.backend.shared:
        raise UsageError(
            "a store in memory ends with this command, and its workers cannot see it; "
            "give a directory, or --debug to run in this process"
        )
    return _supervise(source, loaded, path, options)


def forget_failures(loaded: Loaded, *, everything: bool) -> None:
    """Let failed tasks run again whose function has other code now, or all of them."""
    from taskgraph.results.provenance import code_fingerprint

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
    source: KeptSource, loaded: Loaded, path: Path, options: RunOptions
) -> tuple[int, Report]:
    from taskgraph.api import report_of
    from taskgraph.execution.in_process import run_here

    source.keep(loaded)
    try:
        folder = path.resolve().parent
        run_here(source, loaded, options.per_worker, folder, options.lease)
    except Exception:
        if not options.pdb:
            raise
        import pdb  # noqa: T100 - asked for
        import sys
        import traceback

        traceback.print_exc()
        pdb.post_mortem(sys.exc_info()[2])
        return ExitCode.NOT_DONE, report_of(loaded)
    report = report_of(source.load(loaded.results))
    return report.exit_code, report


def _supervise(
    source: KeptSource, loaded: Loaded, path: Path, options: RunOptions
) -> tuple[int, Report]:
    from taskgraph.api import report_of
    from taskgraph.cli.progress import progress
    from taskgraph.execution.observer import Observer
    from taskgraph.execution.supervisor import Supervisor

    with progress(loaded, path, quiet=options.quiet) as display:
        supervisor = Supervisor(
            source,
            loaded,
            options,
            folder=str(path.resolve().parent),
            observer=Observer(display.echo, display.tick, display.note),
        )
        code = supervisor.run(after_start=lambda: source.keep(loaded))
        if loaded.missing and not code and not supervisor.signal:
            loaded = source.load(loaded.results)  # what appeared behind barriers
        report = report_of(loaded)
        display.end(loaded.results.backend)
    for line in display.summary(report) if is_first() else ():
        note(line)
    return _concluded(code, supervisor.signal, report), report


def _concluded(code: int, signo: int, report: Report) -> int:
    """Return the exit code of a run."""
    if signo:
        return by_signal(signo)
    if code > ExitCode.NOT_DONE:
        if code == ExitCode.GAVE_UP:
            note("gave up waiting: nobody else is alive, and nothing can be run here")
        return code
    undone = report.failed or report.blocked or code
    return ExitCode.NOT_DONE if undone else ExitCode.DONE
