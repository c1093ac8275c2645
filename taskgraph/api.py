"""Running tasks from Python: a script, a notebook, a test."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from backends.errors import UnavailableError
from backends.warning import warn
from taskgraph.errors import GaveUpError, TasksFailedError, UsageError
from taskgraph.execution.in_process import run_here
from taskgraph.execution.options import RunOptions, WorkerOptions
from taskgraph.execution.retrying import judge, try_again
from taskgraph.exit_codes import ExitCode
from taskgraph.interactive.scripts import (
    given_or_script,
    is_being_read,
    keep_for_script,
    read_so_far,
)
from taskgraph.interactive.sources import Fixed, looked_at, source_of, told_unkept
from taskgraph.interactive.watching import ProgressLine
from taskgraph.names import known_as
from taskgraph.report import report_of
from taskgraph.resources import NOTHING, Resources
from taskgraph.results.causes import named_causes
from taskgraph.tasks.barriers import barrier
from taskgraph.tasks.limits import checked_causes, checked_resources, checked_workers
from taskgraph.tasks.refusals import refuse_in_task
from taskgraph.upkeep import gone_files
from taskgraph.upkeep.code.changed_code import told_changes
from taskgraph.upkeep.code.edited import told_edited
from taskgraph.upkeep.growing import take
from taskgraph.upkeep.inputs.named_files import told_named, written_calls
from taskgraph.upkeep.jugfile_store import keep_choice
from taskgraph.upkeep.kept_jugfile import KeptJugfile
from taskgraph.upkeep.other_stores import OtherStores, Together, told_at_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from taskgraph.report import Report
    from taskgraph.tasks.jugfile import GraphSource, Loaded
    from taskgraph.tasks.task import Task


_INSTEAD = (
    "end them first, give workers=0 to run in this process, or put the tasks into a "
    "script for `tg execute`, whose workers read it themselves"
)


@known_as("taskgraph")
def run(
    what: str | os.PathLike[str] | Task | Iterable[Task] | None = None,
    *,
    store: Any = None,
    workers: int = 1,
    also: Iterable[str] = (),
    resources: Mapping[str, Any] | Resources = NOTHING,
    options: WorkerOptions | None = None,
    retries_on: Any = None,
    check: bool = True,
    progress: bool = False,
    arguments: Sequence[str] = (),
) -> Report:
    """Run a jugfile, or some tasks and all that they need.

    At the end of a script, `run` without tasks runs that script: `python script.py`
    then does what `tg execute script.py` does, with the same results in the same store.
    While `tg` reads the script, it is a `barrier`; what else it is given counts for
    `python` alone.

    `tg` finds the results of a jugfile by its path, also if it chose its own store with
    `set_jugdir`. A `store` that is given here is not remembered, as one that is given
    to `tg execute --store` is not: two runs may use two stores. Give it to `tg status`
    and the others too, or to all of them in ``tg.toml``.

    Workers are forks of this process, as those of `tg execute --preload` are: what it
    has made cannot be read anew. They share open files with their positions, names of
    temporary files and random generators with it and with each other; only `random`
    and the global generator of `numpy.random` are seeded anew in each. Threads and
    pools that this process has started do not exist in a fork, so it is refused then.
    `tg execute` has none of this: each of its workers reads the jugfile itself.

    Parameters
    ----------
    what : path, Task or iterable of Task, optional
        A jugfile, or tasks that were written down in this process. By default the
        script that Python runs.
    store : str, path, Backend or Results, optional
        Where the results go: next to a jugfile by default; in memory for tasks, which
        a script is told of, as they are gone when it ends.
    workers : int, optional
        Processes to run them in. 0 runs them in this process, as a store in memory
        demands.
    also : iterable of str, optional
        Other stores, whose results are taken instead of computed; only looked into.
    resources : mapping, optional
        What all workers have together, as ``{"gpu": 1, "mem": "32G"}``, for tasks that
        ask for it.
    options : WorkerOptions, optional
        What to run of it, and how.
    retries_on : exception, str or sequence of these, optional
        Which failures are worth another try, now and of earlier runs, of functions that
        do not say it themselves: exceptions or their names, ``"timeout"``,
        ``"killed"``, ``"unstorable"``.
    check : bool, optional
        Raise if something failed or is still open.
    progress : bool, optional
        Show how far it is, in a line on standard error.
    arguments : sequence of str, optional
        What the jugfile finds in ``sys.argv`` after its name.

    Returns
    -------
    Report
        How many tasks are done.

    Raises
    ------
    TasksFailedError
        Tasks failed or wait for one that failed.
    GaveUpError
        Others hold the last tasks and none is alive, no worker has the resources that
        tasks ask for, or `options` left some out.
    KeyboardInterrupt
        Ctrl-C, also if `check` is false: after the tasks that ran then, whose results
        are kept; at once if it is pressed again.
    TaskInsideTaskError
        A task called it for the store that its own result goes to.
    UsageError
        There is no such thing to run, `workers` is no number of processes, two tasks
        with ``files=True`` wrote one file, or this process has threads or pools that
        would not survive a fork.

    Notes
    -----
    As by `tg execute`, tasks that raised in an earlier run are tried once more, files
    of tasks that are gone or changed are made again, and functions that have changed
    since their results were made are told, for `invalidate`. So is a lack of tasks.

    Examples
    --------
    >>> from taskgraph import Task, run, value
    >>> task = Task(divmod, 7, 2)
    >>> run(task).done
    1
    >>> value(task)
    (3, 1)

    >>> report = run([Task(divmod, 7, 0), Task(divmod, 7, 3)], check=False)
    >>> report.done, report.failed
    (1, 1)
    >>> report.errors[0].error
    'ZeroDivisionError'
    """
    workers, what = checked_workers(workers), given_or_script(what)
    if is_being_read(what):
        barrier()
        return report_of(read_so_far())
    source, results, folder = source_of(what, store, arguments)
    chosen = _chosen(options, also, checked_resources(resources, "run"), retries_on)
    if isinstance(source, Fixed):
        _tell(told_unkept(source.tasks, store, workers))
    began, start = results.backend.claim([]).token, time.time()
    loaded = source.load(results)
    _tell("" if loaded.graph.tasks or loaded.missing else _without_tasks(what))
    if isinstance(source, KeptJugfile) and results.backend.shared:
        keep_choice(results.backend, source.jugfile.path, loaded.results.backend)
    _prepare(loaded, chosen, began)
    line = ProgressLine(loaded) if progress else None
    if workers and loaded.results.backend.shared:
        given = RunOptions(workers, chosen)
        code = _run_in_workers(source, loaded, given, folder, line)
    else:
        code = _run_in_process(source, loaded, chosen, folder, line)
    if loaded.missing:
        loaded = source.load(loaded.results)  # what appeared behind barriers
    if line:
        line.end(loaded)
    keep_for_script(what, loaded.results)
    _tell_edited(source, loaded, start)
    return _reported(loaded, code, chosen.resources, check=check)


def _chosen(
    given: WorkerOptions | None, also: Iterable[str], has: Resources, retries_on: Any
) -> WorkerOptions:
    """Return the options of a run with what it was given besides."""
    o = given or WorkerOptions()
    causes = ",".join(named_causes(checked_causes(retries_on, "run")))
    return replace(
        o,
        also=[*also, *o.also],
        resources=has or o.resources,
        retries_on=causes or o.retries_on,
    )


def _tell_edited(source: GraphSource, loaded: Loaded, began: float) -> None:
    """Tell of results of other code, if files of a jugfile changed during a run."""
    if isinstance(source, KeptJugfile):
        path = source.jugfile.path
        about = loaded.results, path, loaded.inputs
        graph = partial(take, loaded.graph, path, inputs=loaded.inputs)
        _tell(told_edited(*about, graph, began, from_python=True))


def _tell(sentence: str) -> None:
    if sentence:
        warn(sentence)


def _reported(
    loaded: Loaded, code: ExitCode, resources: Resources, *, check: bool
) -> Report:
    """Return what came of a run; raise if it did not end well, and that is wanted."""
    report = report_of(loaded)
    _tell(_named(loaded))
    clashes = gone_files.told_clashes(loaded.results, gone_files.writing_files(loaded))
    if check:
        _raise_unless_done(report, code, resources)
        if clashes:
            raise UsageError(clashes)
        return report
    if code == ExitCode.LEFT and report.open:
        warn(report.told_waiting(resources, "run(resources=...)"))
    if clashes:
        warn(clashes)
    return report


@known_as("taskgraph")
def status(
    what: str | os.PathLike[str] | Task | Iterable[Task],
    *,
    store: Any = None,
    arguments: Sequence[str] = (),
    also: Iterable[str] = (),
) -> Report:
    """Return how far tasks are, without running any.

    Parameters
    ----------
    what : path, Task or iterable of Task
        A jugfile, which is read, or tasks. What they need counts, too.
    store, arguments
        As `run` takes them.
    also : iterable of str, optional
        Other stores: what `run` would take from there counts as done.

    Returns
    -------
    Report
        `counts` has the numbers by function, `errors` why tasks failed. What names
        files that are gone or changed is open, and a warning tells it.

    Examples
    --------
    >>> from taskgraph import Task, run, status
    >>> tasks = [Task(divmod, 7, 2), Task(divmod, 7, 0)]
    >>> status(tasks).open
    2
    >>> _ = run(tasks, check=False)
    >>> status(tasks).counts
    {'builtins.divmod': {'done': 1, 'failed': 1, 'blocked': 0, 'open': 0}}
    >>> for failed in status(tasks).errors:
    ...     print(failed.function, failed.arguments, failed.error, failed.message)
    builtins.divmod 7, 0 ZeroDivisionError integer division or modulo by zero
    """
    loaded = looked_at(what, store, arguments)
    loaded.results.backend.poll()
    others = OtherStores(also, loaded.results)
    others.look(loaded.graph)
    results = Together(loaded.results, others.takeable())
    writers = gone_files.writing_files(loaded)
    gone, told = gone_files.gone_at_a_glance(results, writers, "`run`")
    for sentence in filter(None, (*others.told, told, _named(loaded))):
        warn(sentence)
    return report_of(loaded, gone, results.found.keys())


def _named(loaded: Loaded) -> str:
    """Return what to tell of files that arguments name, and that changed since."""
    calls, folder = written_calls(loaded.graph), os.getcwd()  # noqa: PTH109
    backend, writers = loaded.results.backend, partial(gone_files.writing_files, loaded)
    return told_named(calls, backend, folder, writers, from_python=True)


def _without_tasks(what: Any) -> str:
    """Return what to tell of what has no tasks."""
    if isinstance(what, str | os.PathLike):
        advice = "decorate functions with @TaskGenerator, and call them"
        return f"{os.fspath(what)} has no tasks; {advice}"
    return "run() was given no tasks, so nothing was run; does a glob find no files?"


def _prepare(loaded: Loaded, options: WorkerOptions, began: int) -> None:
    """Do what is to be done once before tasks are run, and tell of it."""
    refuse_in_task("run()", loaded.results.backend)
    loaded.results.backend.poll()
    causes = checked_causes(options.retries_on, "run")
    for told in (
        try_again(loaded, judge(loaded, os.environ, causes=causes), began),
        gone_files.forget_gone(loaded, options.select),
        told_changes(loaded, from_python=True),
        *told_at_first(loaded, options.also, from_python=True),
    ):
        if told:
            warn(told)


def _run_in_process(
    source: GraphSource,
    loaded: Loaded,
    options: WorkerOptions,
    folder: Path,
    line: ProgressLine | None,
) -> ExitCode:
    """Run what was loaded here; return how it ended."""
    after = line.show if line else None
    return run_here(source, loaded, options, folder, after=after)


def _run_in_workers(
    source: GraphSource,
    loaded: Loaded,
    options: RunOptions,
    folder: Path,
    line: ProgressLine | None,
) -> ExitCode:
    """Run what was loaded in processes; return the worst exit code of them.

    A signal that ended the run then does to this process what it would have done.

    Raises
    ------
    KeyboardInterrupt
        A signal ended the run, and this process goes on in spite of it.
    UnavailableError
        The store failed in one of them.
    """
    from taskgraph.execution.observer import Observer
    from taskgraph.execution.processes.worker_process import HasRead
    from taskgraph.execution.processes.worker_signals import require_signals
    from taskgraph.execution.supervisor import Supervisor

    require_signals()
    said: list[str] = []

    def tell(sentence: str) -> None:
        said.append(sentence)
        warn(sentence)

    supervisor = Supervisor(
        HasRead(source, loaded, _INSTEAD),
        options,
        folder=str(folder),
        observer=Observer(note=tell, tick=line.tick if line else None),
    )
    code = supervisor.run()
    if supervisor.signal:
        signal.raise_signal(supervisor.signal)
        name = signal.Signals(supervisor.signal).name
        raise KeyboardInterrupt(f"{name} ended the run before all was done")
    if code == ExitCode.STORE_FAILED:
        url = loaded.results.backend.url
        raise UnavailableError("\n".join([f"{url} failed", *said]))
    return code


def _raise_unless_done(report: Report, code: ExitCode, has: Resources) -> None:
    if report.failed or report.blocked:
        first = next(iter(report.errors), None)
        trace = "" if first is None else f"\n{first.traceback or first.sentence}"
        raise TasksFailedError(
            f"tasks: {report.failed} failed, {report.blocked} blocked by them{trace}"
        )
    if report.open:
        why = "the run ended without them: `options` left them out, or workers died"
        if code == ExitCode.GAVE_UP:
            why = "others hold them, and no other worker is alive; see `tg locks`"
        if code == ExitCode.LEFT:
            why = report.told_waiting(has, "run(resources=...)")
        raise GaveUpError(f"tasks still open: {report.open}; {why}")
