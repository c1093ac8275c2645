"""Running tasks from Python: a script, a notebook, a test."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError, UnavailableError
from backends.liveness import BEATS_PER_LEASE, DEFAULT_LEASE, identify
from taskgraph.context import open_results
from taskgraph.errors import GaveUpError, TasksFailedError, UsageError
from taskgraph.execution.options import RunOptions, WorkerOptions
from taskgraph.execution.worker import Outcome, Source, Worker
from taskgraph.names import known_as
from taskgraph.results.provenance import Provenance
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Jugfile, Loaded, default_store
from taskgraph.tasks.limits import checked_workers
from taskgraph.tasks.recording import Recording
from taskgraph.tasks.task import Task, Tasklet
from taskgraph.upkeep import snapshot, store_pointer

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.results.results import Results


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
    def exit_code(self) -> int:
        """0 if all is done, 1 if tasks failed or are blocked, 3 if some are open."""
        if self.failed or self.blocked:
            return 1
        return 3 if self.open else 0


@dataclass(frozen=True, slots=True)
class KeptJugfile:
    """A jugfile whose graph is kept in the store each time it is loaded.

    So `tg status` knows it without running the jugfile.
    """

    jugfile: Jugfile

    def load(self, results: Results) -> Loaded:
        """Load the jugfile; see `Jugfile.load`."""
        loaded = self.jugfile.load(results)
        self.keep(loaded)
        return loaded

    def keep(self, loaded: Loaded) -> None:
        """Keep the graph, unless the store has the same one already."""
        backend = loaded.results.backend
        path, arguments = self.jugfile.path, self.jugfile.arguments
        before = None
        with suppress(DamagedError):  # one more reason to write it anew
            before = snapshot.load(backend, path, arguments)
        taken = snapshot.take(
            loaded.graph, path, arguments=arguments, missing=loaded.missing
        )
        if before is None or not before.says(taken):
            # Without it `tg status` knows less; workers will tell what is wrong.
            with suppress(UnavailableError):
                snapshot.save(taken, backend)


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A source that has said everything."""

    tasks: list[Task]

    def load(self, results: Results) -> Loaded:
        graph = Graph(self.tasks)
        met = Recording()
        for task in graph.tasks:  # what they need may be of other recordings
            task.recording.results = results
        for task in (*self.tasks, *graph.tasks):
            if met.functions.get(task.generator.prefix) is not task.f:
                met.meet(task.generator)
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
        There is no such thing to run, or `workers` is no number of processes.

    Examples
    --------
    >>> from taskgraph import Task, run, value
    >>> task = Task(divmod, 7, 2)
    >>> run(task).done
    1
    >>> value(task)
    (3, 1)
    """
    source: Source
    workers = checked_workers(workers)
    if isinstance(what, str | os.PathLike) and os.fspath(what):
        source = KeptJugfile(Jugfile(Path(what)))
        results = open_results(store or default_store(Path(what)))
        folder = Path(what).resolve().parent
    else:
        source = _Fixed(_tasks(what))
        results = open_results(store or _store_of(source.tasks))
        folder = Path.cwd()
    loaded = source.load(results)
    if isinstance(source, KeptJugfile) and results.backend.shared:
        store_pointer.point(
            results.backend, source.jugfile.path, loaded.results.backend
        )
    options = options or WorkerOptions()
    if workers and loaded.results.backend.shared:
        from taskgraph.execution.observer import Observer
        from taskgraph.execution.supervisor import Supervisor

        said: list[str] = []
        supervisor = Supervisor(
            source,
            loaded,
            RunOptions(workers, options),
            folder=str(folder),
            observer=Observer(note=said.append),
        )
        code = supervisor.run()
        if code == 4:
            raise UnavailableError("\n".join([f"{results.backend.url} failed", *said]))
    else:
        run_here(source, loaded, options, folder)
    report = report_of(source.load(loaded.results))
    if check:
        _raise_unless_done(report)
    return report


def run_here(
    source: Source,
    loaded: Loaded,
    options: WorkerOptions,
    folder: Path,
    lease: float = DEFAULT_LEASE,
) -> Outcome:
    """Be a worker in this process: for a debugger, a notebook, a store in memory."""
    backend = loaded.results.backend
    provenance = Provenance(str(folder), os.environ)
    provenance.context()  # git has ended before a task could meet it
    about = identify(os.getpid(), lease)
    with (
        closing(provenance),
        _heartbeat(lambda: backend.beat(backend.worker, about), lease) as announce,
    ):
        return Worker(
            source,
            loaded,
            options,
            provenance=provenance.context,
            announce=announce,
        ).run()


class _heartbeat:  # noqa: N801 - reads as a verb
    """Renew a heartbeat from a thread, from the first announcement on."""

    def __init__(self, beat: Callable[[], None], lease: float) -> None:
        self._beat = beat
        self._every = lease / BEATS_PER_LEASE
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Callable[[], None]:
        return self._announce

    def __exit__(self, *exception: object) -> None:
        self._ended.set()

    def _announce(self) -> None:
        if self._thread is None:
            self._beat()
            self._thread = threading.Thread(target=self._keep, daemon=True)
            self._thread.start()

    def _keep(self) -> None:
        while not self._ended.wait(self._every):
            self._beat()


def report_of(loaded: Loaded) -> Report:
    """Return how far a graph is by what the store knows now."""
    from taskgraph.tasks.graph import Frontier

    backend = loaded.results.backend
    backend.poll()
    frontier = Frontier(loaded.graph, backend.keys(), backend.failures())
    done, failed = len(frontier.finished), len(frontier.failed)
    blocked = len(frontier.blocked()) if failed else 0
    rest = len(loaded.graph) - done - failed - blocked
    return Report(done, failed, blocked, rest + bool(loaded.missing), loaded.results)


def _raise_unless_done(report: Report) -> None:
    if report.failed or report.blocked:
        backend = report.store.backend
        first = next(iter(backend.failures()), None)
        record = report.store.record(first) if first is not None else None
        trace = f"\n{record.failure.traceback}" if record and record.failure else ""
        raise TasksFailedError(
            f"{report.failed} tasks failed and {report.blocked} wait for them{trace}"
        )
    if report.open:
        raise GaveUpError(
            f"{report.open} tasks are still open: others hold them, and no other "
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
