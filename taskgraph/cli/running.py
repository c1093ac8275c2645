"""A run that a command starts: in workers or in this process, and how it ends."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from backends.garbage import few_collections
from taskgraph.cli.batch.limits import concluded_early, ends_for_limit, in_its_time
from taskgraph.cli.changed_code import load_for_end, tell_at_end
from taskgraph.cli.printing import counted, one_line
from taskgraph.cli.sentences import functions_are_known, note
from taskgraph.cli.words.run_options import is_first
from taskgraph.errors import JugfileError, UsageError
from taskgraph.exit_codes import ExitCode, by_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from backends.interface import Backend, Key
    from taskgraph.cli.progress import Display
    from taskgraph.execution.options import RunOptions
    from taskgraph.execution.shared_page import Notes
    from taskgraph.execution.supervisor import Supervisor
    from taskgraph.report import Report
    from taskgraph.results.causes import Causes
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded, Pause
    from taskgraph.upkeep.kept_jugfile import KeptJugfile
    from taskgraph.upkeep.snapshot import Snapshot


T = TypeVar("T")
_NAMED = 4
_MANY = 100_000
"""Results of which it takes too long to count whose they are."""
_INSTEAD = (
    "without --preload each worker reads the jugfile itself, and has its own; --debug "
    "runs in this process"
)


class KeptSource(Protocol):
    """A jugfile, or what is like one, whose graph is kept in the store."""

    def load(self, results: Results, pause: Pause | None = None, /) -> Loaded:
        """Write the tasks down; see `GraphSource`."""

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
    options = in_its_time(options)
    if options.per_worker.debug:
        return _run_here(source, loaded, path, options)
    require_shared(loaded)
    return _supervise(source, loaded, path, options)


def require_shared(loaded: Loaded) -> None:
    """Refuse a store in memory, which workers in processes cannot share.

    Raises
    ------
    UsageError
        It is one.
    """
    if not loaded.results.backend.shared:
        raise UsageError(
            "a store in memory ends with this command, and its workers cannot see it; "
            "give a directory, or --debug to run in this process"
        )


def retry_failures(loaded: Loaded, options: RunOptions, before: int | None) -> None:
    """Let failed tasks be tried again, once per run; tell which are and which not.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results.
    options : RunOptions
        Whether all are tried again, or none.
    before : int, optional
        When this run began: a token of its store. By default now.
    """
    from taskgraph.execution.retrying import judge, try_again
    from taskgraph.results.failures import discard_failures
    from taskgraph.tasks.limits import checked_causes

    backend = loaded.results.backend
    now = backend.claim([]).token
    causes = checked_causes(options.per_worker.retries_on, "--retries-on")
    verdict = judge(loaded, os.environ, everything=options.retry, causes=causes)
    if verdict.damaged:
        discard_failures(backend, verdict.damaged, reason="damaged: a failure")
    if options.no_retry:
        return
    told = try_again(loaded, verdict, now if before is None else before)
    if told:
        note(told)
    for found, why in (
        (verdict.same_run, f"failed in this run ({verdict.because})"),
        (verdict.deadly, _not_passing(loaded, causes)),
    ):
        if found and is_first():
            tasks = counted(len(found), "task")
            them = "them" if len(found) > 1 else "it"
            note(f"{tasks} {why}; `tg execute --retry` runs {them} again")


def _not_passing(loaded: Loaded, causes: Causes | None) -> str:
    """Return why tasks that failed are not tried again by themselves."""
    if causes or any(one.retries_on for one in loaded.graph.generators):
        return "failed for causes that are not tried again (see retries_on)"
    return "killed a worker or took too long"


def tell_of_others(loaded: Loaded, options: RunOptions) -> None:
    """Tell what other stores have that are looked into, and which cannot be read."""
    if options.per_worker.also and is_first():
        from taskgraph.upkeep.other_stores import told_at_first

        for told in told_at_first(loaded, options.per_worker.also):
            note(told)


def _run_here(
    source: KeptSource, loaded: Loaded, path: Path, options: RunOptions
) -> tuple[int, Report]:
    from taskgraph.execution.in_process import run_here
    from taskgraph.report import report_of
    from taskgraph.upkeep.gone_files import writing_files

    source.keep(loaded)
    folder = path.resolve().parent
    given = (source, loaded, options.per_worker, folder, options.lease)
    code = debugged(run_here, *given, pdb=options.pdb)
    if loaded.missing:
        loaded = source.load(loaded.results)  # what appeared behind barriers
    report = report_of(loaded)
    whole = _tell_files(report, writing_files(loaded), options)
    if code == ExitCode.LEFT and report.open:
        note(report.told_waiting(options.per_worker.resources))
    if code in (ExitCode.NOT_DONE, ExitCode.LEFT) and report.open:
        return ExitCode.LEFT, report
    return report.exit_code if whole else ExitCode.NOT_DONE, report


def debugged(f: Callable[..., T], *given: Any, pdb: bool) -> T:
    """Call a function; open a debugger where it raises, if that was asked for.

    Of a jugfile that raised while it was read, that is the place in the jugfile.

    Raises
    ------
    click.exceptions.Exit
        The debugger was left: 1 for a task, 2 for a jugfile.
    """
    try:
        return f(*given)
    except Exception as error:
        if not pdb:
            raise
        import traceback
        from pdb import post_mortem

        loading = isinstance(error, JugfileError)
        raised = error.__cause__ if loading else error
        if raised is None or raised.__traceback__ is None:
            raise
        traceback.print_exception(raised)
        post_mortem(raised.__traceback__)
        code = ExitCode.USAGE if loading else ExitCode.NOT_DONE
        raise click.exceptions.Exit(code) from error


def run_script(
    source: KeptJugfile,
    results: Results,
    prepare: Callable[[Loaded], None],
    options: RunOptions,
) -> int:
    """Run a jugfile in workers that read it themselves; return the exit code.

    Parameters
    ----------
    source : KeptJugfile
        The jugfile.
    results : Results
        Where results go if it chooses no other store.
    prepare : callable
        What the first worker does when it has read: in its own process, and before
        any task is run.
    options : RunOptions
        How to run.

    Raises
    ------
    JugfileError
        It raised, or is not to be run.
    """
    with few_collections(lasting=True):
        from taskgraph.cli.progress import progress
        from taskgraph.execution.observer import Observer
        from taskgraph.execution.processes.worker_process import ToRead
        from taskgraph.execution.processes.worker_signals import require_signals
        from taskgraph.execution.supervisor import Supervisor

    require_signals()
    options, began = in_its_time(options), time.time()
    results.folder = str(source.jugfile.path.resolve().parent)
    with progress(quiet=options.quiet) as display:
        says = (display.echo, display.tick, display.note)
        supervisor = Supervisor(
            ToRead(source, results, prepare),
            options,
            folder=results.folder,
            observer=Observer(*says, learned=_learner(display)),
        )
        code = supervisor.run()
        if supervisor.refused:
            raise JugfileError(supervisor.refused)
        told = supervisor.snapshot
        if told is None:
            return _ended_unread(supervisor, code, options)
        from taskgraph.report import report_from

        report = report_from(told, supervisor.results)
        if len(told):
            display.end(supervisor.results.backend)
    said = display.summary(report, supervisor.noted.made)
    whole = not len(told) or _summarize(said, report, told.writers(), options)
    about = source.jugfile.path, told.inputs, lambda: told, began
    tell_at_end(supervisor.results, *about)
    return _concluded(supervisor, code, report, options, whole=whole)


def _learner(display: Display) -> Callable[[Snapshot, Backend, bool], None]:
    """Return what takes in a graph that workers have told."""

    def learned(told: Snapshot, backend: Backend, kept: bool) -> None:
        from taskgraph.upkeep.kept_jugfile import keep_snapshot

        display.know(told.named, lambda: told)
        if not kept:  # `tg status` knows of the run from then on
            keep_snapshot(told, backend)
        load_for_end()  # now workers are busy

    return learned


def _supervise(
    source: KeptSource, loaded: Loaded, path: Path, options: RunOptions
) -> tuple[int, Report]:
    from taskgraph.cli.progress import progress
    from taskgraph.execution.observer import Observer
    from taskgraph.execution.processes.worker_process import HasRead
    from taskgraph.execution.processes.worker_signals import require_signals
    from taskgraph.execution.supervisor import Supervisor
    from taskgraph.report import report_of
    from taskgraph.upkeep.gone_files import writing_files
    from taskgraph.upkeep.growing import take

    require_signals()
    graph, began = loaded.graph, time.time()

    def told() -> Snapshot:
        return take(loaded.graph, path, missing=loaded.missing, inputs=loaded.inputs)

    with progress(quiet=options.quiet) as display:
        display.know(lambda: {key: graph[key].name for key in graph}, told)
        supervisor = Supervisor(
            HasRead(source, loaded, _INSTEAD),
            options,
            folder=str(path.resolve().parent),
            observer=Observer(
                display.echo,
                display.tick,
                display.note,
                started=lambda: source.keep(loaded),
            ),
        )
        code = supervisor.run()
        if loaded.missing and not code and not supervisor.signal:
            loaded = source.load(loaded.results)  # what appeared behind barriers
        report = report_of(loaded)
        display.end(loaded.results.backend)
    said = display.summary(report, supervisor.noted.made)
    whole = _summarize(said, report, writing_files(loaded), options)
    tell_at_end(loaded.results, path, loaded.inputs, told, began)
    return _concluded(supervisor, code, report, options, whole=whole), report


def _tell_files(report: Report, keys: Sequence[Key], options: RunOptions) -> bool:
    """Say what tasks have written, and where; return whether no two wrote one file."""
    if not keys:
        return True
    from taskgraph.cli.written_files import told_files
    from taskgraph.upkeep.gone_files import told_clashes

    if not options.quiet and is_first():
        for line in told_files(report.store, keys):
            note(line)
    clashes = told_clashes(report.store, keys)
    if clashes and is_first():
        note(f"error: {clashes}")
    return not clashes


def _tell_taken(noted: Notes, options: RunOptions) -> None:
    """Say how many results were found in other stores."""
    if noted.taken and not options.quiet and is_first():
        note(f"{counted(noted.taken, 'result')} taken from other stores")


def _summarize(
    said: Sequence[str], report: Report, writing: Sequence[Key], options: RunOptions
) -> bool:
    """Say how it went, and what tasks have written; see `_tell_files`."""
    for line in said if is_first() else ():
        note(line)
    if report.done and not options.quiet and is_first():
        note(_made(report))
    return _tell_files(report, writing, options)


def _made(report: Report) -> str:
    """Return how many results there are of which functions, and where."""
    where = f"results are in {report.store.backend.url}"
    if report.done > _MANY or not functions_are_known():
        return where
    done = {name: row["done"] for name, row in report.counts.items() if row["done"]}
    named = [f"{one_line(n.rpartition('.')[2])} {done[n]}" for n in list(done)[:_NAMED]]
    more = f" and {len(done) - _NAMED} more" if len(done) > _NAMED else ""
    return f"{', '.join(named)}{more}: {where}"


def _limited(supervisor: Supervisor, options: RunOptions) -> bool:
    """Return whether a limit ended a run, or a warning of one did."""
    return supervisor.noted.limited or (
        options.requeue and ends_for_limit(supervisor.signal)
    )


def _ended_unread(supervisor: Supervisor, code: int, options: RunOptions) -> int:
    """Return the exit code of a run that ended before its jugfile was read."""
    if _limited(supervisor, options) and code <= ExitCode.NOT_DONE:
        return concluded_early(progress=False, requeue=options.requeue)
    return by_signal(supervisor.signal) if supervisor.signal else code


def _concluded(
    supervisor: Supervisor,
    code: int,
    report: Report,
    options: RunOptions,
    *,
    whole: bool,
) -> int:
    """Return the exit code of a run; let it be queued again if that is wanted."""
    _tell_taken(supervisor.noted, options)
    signo = supervisor.signal
    limited = _limited(supervisor, options) and code <= ExitCode.NOT_DONE
    if limited and report.open:
        return concluded_early(
            progress=supervisor.noted.progress, requeue=options.requeue
        )
    if signo:
        return by_signal(signo)
    if code == ExitCode.LEFT and report.open:
        note(report.told_waiting(options.per_worker.resources))
        return code
    if ExitCode.NOT_DONE < code != ExitCode.LEFT:
        if code == ExitCode.GAVE_UP:
            note("gave up waiting: nobody else is alive, and nothing can be run here")
        return code
    undone = report.failed or report.blocked or code == ExitCode.NOT_DONE or not whole
    return ExitCode.NOT_DONE if undone else ExitCode.DONE
