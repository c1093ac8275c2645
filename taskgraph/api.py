"""Running tasks from Python: a script, a notebook, a test."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import UnavailableError
from backends.warning import warn
from taskgraph.context import open_store
from taskgraph.errors import GaveUpError, TasksFailedError, UsageError
from taskgraph.execution.at_once import run_at_once
from taskgraph.execution.in_process import run_here
from taskgraph.execution.options import RunOptions, WorkerOptions
from taskgraph.exit_codes import ExitCode
from taskgraph.names import known_as
from taskgraph.tasks.frontier import Frontier
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Jugfile, Loaded
from taskgraph.tasks.limits import checked_workers
from taskgraph.tasks.recording import Recording
from taskgraph.tasks.task import Task
from taskgraph.tasks.tasklet import Tasklet
from taskgraph.upkeep.changed_code import told_changes
from taskgraph.upkeep.gone_files import forget_gone
from taskgraph.upkeep.jugfile_store import default_store, keep_choice
from taskgraph.upkeep.kept_jugfile import KeptJugfile
from taskgraph.upkeep.status import status_of

if TYPE_CHECKING:
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import GraphSource
    from taskgraph.upkeep.snapshot import Snapshot


_INSTEAD = (
    "end them first, give workers=0 to run in this process, or put the tasks into a "
    "script for `tg execute`, whose workers read it themselves"
)


@known_as("taskgraph")
@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run.

    Attributes
    ----------
    done, failed, blocked, open : int
        How many tasks have a result, failed, wait for a failed one, or are neither.
    store : Results
        Where the results are.
    """

    done: int
    failed: int
    blocked: int
    open: int
    store: Results

    @property
    def exit_code(self) -> ExitCode:
        """0 if all is done, 1 if tasks failed or are blocked, 3 if some are open."""
        if self.failed or self.blocked:
            return ExitCode.NOT_DONE
        return ExitCode.GAVE_UP if self.open else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A source that has said everything."""

    tasks: list[Task]

    def load(self, results: Results, _pause: object = None) -> Loaded:
        graph = Graph(self.tasks)
        together = Recording[Task]()
        for task in graph.tasks:  # what they need may be of other recordings
            task.recording.results = results
            task.recording.run_at_once = run_at_once
        for task in (*self.tasks, *graph.tasks):
            if together.functions.get(task.generator.prefix) is not task.f:
                together.register(task.generator)
        return Loaded(graph, {}, results)


@known_as("taskgraph")
def run(
    what: str | os.PathLike[str] | Task | Iterable[Task],
    *,
    store: Any = None,
    workers: int = 1,
    options: WorkerOptions | None = None,
    check: bool = True,
) -> Report:
    """Run a jugfile, or some tasks and all that they need.

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
    what : path, Task or iterable of Task
        A jugfile, or tasks that were written down in this process.
    store : str, path, Backend or Results, optional
        Where the results go: next to a jugfile by default; in memory for tasks.
    workers : int, optional
        Processes to run them in. 0 runs them in this process, as a store in memory
        demands.
    options : WorkerOptions, optional
        What to run of it, and how.
    check : bool, optional
        Raise if something failed or is still open.

    Returns
    -------
    Report
        How many tasks are done.

    Raises
    ------
    TasksFailedError
        Tasks failed or wait for one that failed.
    GaveUpError
        Others hold the last tasks and none of them is alive.
    UsageError
        There is no such thing to run, `workers` is no number of processes, or this
        process has threads or pools that would not survive a fork.

    Examples
    --------
    >>> from taskgraph import Task, run, value
    >>> task = Task(divmod, 7, 2)
    >>> run(task).done
    1
    >>> value(task)
    (3, 1)
    """
    workers = checked_workers(workers)
    source, results, folder = _source(what, store)
    loaded = source.load(results)
    if isinstance(source, KeptJugfile) and results.backend.shared:
        keep_choice(results.backend, source.jugfile.path, loaded.results.backend)
    options = options or WorkerOptions()
    for told in (forget_gone(loaded, options.select), told_changes(loaded)):
        if told:
            warn(told)
    if workers and loaded.results.backend.shared:
        _run_in_workers(source, loaded, RunOptions(workers, options), folder)
    else:
        run_here(source, loaded, options, folder)
    if loaded.missing:
        loaded = source.load(loaded.results)  # what appeared behind barriers
    report = report_of(loaded)
    if check:
        _raise_unless_done(report)
    return report


def _source(what: Any, store: Any) -> tuple[GraphSource, Results, Path]:
    """Return where the tasks come from, where results go, and whose commit counts."""
    if isinstance(what, str | os.PathLike) and os.fspath(what):
        path = Path(what)
        results = open_store(store or default_store(path))
        jugfile = Jugfile(path, run_at_once=run_at_once)
        return KeptJugfile(jugfile), results, path.resolve().parent
    source = _Fixed(_tasks(what))
    return source, open_store(store or _store_of(source.tasks)), Path.cwd()


def _run_in_workers(
    source: GraphSource, loaded: Loaded, options: RunOptions, folder: Path
) -> None:
    """Run what was loaded in processes.

    Raises
    ------
    UnavailableError
        The store failed in one of them.
    """
    from taskgraph.execution.observer import Observer
    from taskgraph.execution.processes.worker_process import HasRead
    from taskgraph.execution.processes.worker_signals import require_signals
    from taskgraph.execution.supervisor import Supervisor

    require_signals()
    said: list[str] = []
    supervisor = Supervisor(
        HasRead(source, loaded, _INSTEAD),
        options,
        folder=str(folder),
        observer=Observer(note=said.append),
    )
    if supervisor.run() == ExitCode.STORE_FAILED:
        url = loaded.results.backend.url
        raise UnavailableError("\n".join([f"{url} failed", *said]))


def report_of(loaded: Loaded) -> Report:
    """Return how far a graph is by what the store knows now."""
    backend = loaded.results.backend
    backend.poll()
    frontier = Frontier(loaded.graph, backend.keys(), backend.failures())
    done, failed = len(frontier.finished), len(frontier.failed)
    blocked = len(frontier.blocked()) if failed else 0
    rest = len(loaded.graph) - done - failed - blocked
    return Report(done, failed, blocked, rest + bool(loaded.missing), loaded.results)


def report_from(snapshot: Snapshot, results: Results) -> Report:
    """Return how far a graph is that somebody else has read."""
    backend = results.backend
    backend.poll()
    totals = status_of(snapshot, backend.keys(), backend.failures(), ()).totals
    done, failed, blocked = (totals[state] for state in ("done", "failed", "blocked"))
    rest = len(snapshot) - done - failed - blocked
    return Report(done, failed, blocked, rest + (not snapshot.complete), results)


def _raise_unless_done(report: Report) -> None:
    if report.failed or report.blocked:
        backend = report.store.backend
        first = next(iter(backend.failures()), None)
        record = report.store.record(first) if first is not None else None
        trace = f"\n{record.failure.traceback}" if record and record.failure else ""
        raise TasksFailedError(
            f"tasks: {report.failed} failed, {report.blocked} blocked by them{trace}"
        )
    if report.open:
        raise GaveUpError(
            f"tasks still open: {report.open}; others hold them, and no other "
            "worker is alive; see `tg locks`"
        )


def _tasks(what: Any) -> list[Task]:
    single = isinstance(what, Task | Tasklet | str | bytes)
    if single or not isinstance(what, Iterable):
        what = [what]  # refused below if it is no task
    tasks: list[Task] = []
    for item in what:
        if isinstance(item, Task):
            tasks.append(item)
        elif isinstance(item, Tasklet):
            tasks += item.dependencies()
        else:
            raise UsageError(
                f"run() takes the path of a jugfile, or tasks, not {item!r:.60}; give "
                "the path of your script, or what Task() or a TaskGenerator returned"
            )
    return tasks


def _store_of(tasks: list[Task]) -> Any:
    """Return the store that tasks were written down with, else one in memory."""
    for task in tasks:
        if task.recording.results is not None:
            return task.recording.results
    return "memory://"
