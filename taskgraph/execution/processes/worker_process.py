"""Being a worker: the process that a supervisor forks."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import taskgraph
from backends.errors import BackendError
from backends.garbage import few_collections
from backends.interface.frozen import frozen
from backends.liveness import worker_identity
from backends.warning import warnings_printed
from taskgraph.errors import TaskgraphError
from taskgraph.execution.ending import limited, run_told
from taskgraph.execution.output import Capture, flush_streams
from taskgraph.execution.process_state import StopNow
from taskgraph.execution.processes import (
    fork_safety,
    process_ends,
    processors,
    worker_signals,
)
from taskgraph.execution.processes.reading import Reader
from taskgraph.execution.processes.worker_signals import Stopped
from taskgraph.execution.worker import Worker
from taskgraph.exit_codes import ExitCode
from taskgraph.told_store import STORE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.execution.ending import Ending
    from taskgraph.execution.options import RunOptions
    from taskgraph.execution.processes.letters import Letters
    from taskgraph.execution.processes.reading import Script
    from taskgraph.execution.shared_page import SharedPage
    from taskgraph.results.provenance import Provenance
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import GraphSource, Loaded
    from taskgraph.upkeep.snapshot import Snapshot

_LOOK_EVERY = 0.0005
"""Seconds from one look to the next whether tasks may be run."""


@frozen
class ToRead:
    """A jugfile that each worker reads for itself."""

    script: Script
    results: Results
    prepare: Callable[[Loaded], None]

    def last(self) -> Snapshot | None:
        """Return the graph that the jugfile had last time: mostly it is the same."""
        with suppress(BackendError):  # it is kept anew
            return self.script.last(self.results.backend)
        return None

    def look_ahead(self, last: Snapshot | None) -> None:
        """Find out what the store has of the last graph: that is then known at once."""
        with suppress(BackendError):
            if last is not None:
                self.results.has_all(last.keys)


@frozen
class HasRead:
    """What the process had read that the workers are forks of.

    Attributes
    ----------
    source : GraphSource
        Where it is from.
    loaded : Loaded
        What it is.
    instead : str
        What to do where a process like this one cannot be forked.
    """

    source: GraphSource
    loaded: Loaded
    instead: str

    def last(self) -> Snapshot | None:
        """Return None: nothing is known before."""

    def look_ahead(self, last: Snapshot | None) -> None:  # noqa: ARG002 - there is none
        """Find out what the store has."""
        self.loaded.results.backend.keys()


@frozen
class Job:
    """What all workers of a supervisor have in common; see `Reader`."""

    what: ToRead | HasRead
    options: RunOptions
    provenance: Provenance
    echo: int | None
    ending: Ending
    last: Snapshot | None
    known: Snapshot | None


@frozen
class Seat:
    """What a worker has of its own; see `Reader` for `first` and `whole`."""

    worker: str
    page: SharedPage
    letters: Letters
    first: bool = False
    whole: bool = False


def load_engine() -> None:
    """Load what jugfiles ask of the engine, and learn which machine this is: once."""
    with few_collections():
        for name in ("Task", "TaskGenerator", "barrier", "bvalue", "value"):
            getattr(taskgraph, name)
    worker_identity(os.getpid(), 0.0)  # the machine is remembered


def work(job: Job, seat: Seat) -> NoReturn:
    """Be a worker and end with this process; the page says how it ended."""
    code = ExitCode.BUG
    fork = isinstance(job.what, HasRead)
    before = process_ends.loaded_now()
    try:
        process_ends.with_parent(seat.page.supervisor)
        process_ends.begin(fork=fork)
        if fork:
            fork_safety.reseed()
        code = _work_to_end(job, seat)
    finally:
        process_ends.end(code, fork=fork, before=before)


def _work_to_end(job: Job, seat: Seat) -> ExitCode:
    """Return the exit code of the process: 0 if it meant to end."""
    why = ""
    try:
        outcome = _work(job, seat)
    except StopNow:
        outcome = ExitCode.NOT_DONE
    except Stopped:
        outcome = ExitCode.NOT_DONE if seat.page.ended_by_signal() else ExitCode.DONE
    except BackendError as error:
        outcome, why = ExitCode.STORE_FAILED, str(error)
    except TaskgraphError as error:
        outcome, why = ExitCode.USAGE, str(error)
    except BaseException:  # noqa: BLE001 - the last place to tell what happened
        import traceback  # costs time at every start

        with suppress(OSError):
            seat.letters.send("why", traceback.format_exc())
        return ExitCode.BUG
    with suppress(OSError):
        if why:
            seat.letters.send("why", why)
    seat.page.finish(outcome)
    flush_streams()
    return ExitCode.DONE


def _work(job: Job, seat: Seat) -> ExitCode:
    stop = worker_signals.taken(seat.page)
    cpus = processors.share(job.options.workers, os.environ)
    os.environ[processors.VARIABLE] = str(cpus)
    with few_collections():  # of the tasks, of which none is garbage
        source, loaded = _graph(job, seat)
        if not _may_run(seat.page):
            _let_go(loaded)
            del loaded  # while nobody looks for garbage
            return ExitCode.DONE
    stop.reading = False
    return _run(job, seat, source, loaded)


def _run(job: Job, seat: Seat, source: GraphSource, loaded: Loaded) -> ExitCode:
    """Run what was read; return how it ended."""
    worker = seat.worker
    backend = loaded.results.backend
    backend.worker = worker
    about = job.options.identity(os.getpid(), os.getppid())
    joined = False

    def join() -> None:
        nonlocal joined
        if not joined:
            backend.members.beat(worker, about)
            joined = True

    os.environ[STORE_VARIABLE] = backend.url
    process_ends.spare(loaded.graph)
    capture = Capture(job.echo)
    at_work = Worker(
        source,
        loaded,
        job.options.per_worker,
        provenance=job.provenance.context,
        page=limited(seat.page, job.options, job.ending.until),
        output=capture.take,
        join=join,
    )
    seat.page.describe = at_work.describe
    try:
        with warnings_printed(capture.beside):
            return run_told(loaded, at_work.run)
    finally:
        capture.close()
        seat.page.describe = None  # or the graph, and its files, would outlive this


def _graph(job: Job, seat: Seat) -> tuple[GraphSource, Loaded]:
    """Return where the graph comes from, and what is known of it."""
    what = job.what
    if isinstance(what, HasRead):
        return what.source, what.loaded
    what.results.backend.worker = seat.worker
    reader = Reader(
        what.script,
        seat.letters,
        seat.first,
        what.prepare,
        seat.whole,
        job.options.lease,
        job.options.per_worker.also,
        job.last,
        job.known,
    )
    return reader, reader.begin(what.results)


def _let_go(loaded: Loaded) -> None:
    """Leave no circle of the tasks and their recording."""
    for task in loaded.graph.last(1):
        task.recording.let_go()


def _may_run(page: SharedPage) -> bool:
    """Wait until tasks may be run; return False if none is to be."""
    while not page.may_run:
        if page.stopping:
            return False
        time.sleep(_LOOK_EVERY)
    return True
