"""Being a worker in this process: for a debugger, a notebook, a store in memory."""

from __future__ import annotations

import os
import threading
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from backends.liveness import BEATS_PER_LEASE, DEFAULT_LEASE, worker_identity
from taskgraph.execution.ending import limited, run_told, until_of
from taskgraph.execution.options import RunOptions
from taskgraph.execution.shared_page import NoPage
from taskgraph.execution.worker import Worker
from taskgraph.results.provenance import Provenance
from taskgraph.told_store import told_to_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.execution.options import WorkerOptions
    from taskgraph.exit_codes import ExitCode
    from taskgraph.tasks.jugfile import GraphSource, Loaded


def run_here(
    source: GraphSource,
    loaded: Loaded,
    options: WorkerOptions,
    folder: Path,
    lease: float = DEFAULT_LEASE,
    *,
    after: Callable[[], None] | None = None,
) -> ExitCode:
    """Be a worker until nothing more can come.

    Parameters
    ----------
    source : GraphSource
        What to run; loaded again when results let it say more.
    loaded : Loaded
        What it says now.
    options : WorkerOptions
        What to run of it, and how.
    folder : Path
        Whose git commit is recorded.
    lease : float
        Seconds without a heartbeat after which others take over the locks.
    after : callable, optional
        Called after each task.
    """

    def output() -> str:
        if after is not None:
            after()
        return ""

    backend = loaded.results.backend
    provenance = Provenance(str(folder), os.environ)
    provenance.context()  # git has ended before a task could meet it
    about = options.identity(os.getpid(), lease)
    with (
        closing(provenance),
        told_to_children(backend.url) if backend.shared else nullcontext(),
        heartbeat(lambda: backend.members.beat(backend.worker, about), lease) as join,
    ):
        worker = Worker(
            source,
            loaded,
            options,
            provenance=provenance.context,
            page=limited(NoPage(), RunOptions(per_worker=options), until_of(options)),
            output=output,
            join=join,
        )
        return run_told(loaded, worker.run)


@contextmanager
def member(backend: Backend) -> Iterator[None]:
    """Be a member of a store while the block runs, so that one's locks count."""
    about = worker_identity(os.getpid(), DEFAULT_LEASE)
    beat = partial(backend.members.beat, backend.worker, about)
    try:
        with heartbeat(beat, DEFAULT_LEASE) as join:
            join()
            yield
    finally:
        backend.members.leave(backend.worker)


class heartbeat:  # noqa: N801 - reads as a verb
    """Beat from a thread, from when the worker joins to the end of the block."""

    def __init__(self, beat: Callable[[], None], lease: float) -> None:
        self._beat = beat
        self._every = lease / BEATS_PER_LEASE
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Callable[[], None]:
        return self._join

    def __exit__(self, *exception: object) -> None:
        self._ended.set()

    def _join(self) -> None:
        if self._thread is None:
            self._beat()
            self._thread = threading.Thread(target=self._keep, daemon=True)
            self._thread.start()

    def _keep(self) -> None:
        while not self._ended.wait(self._every):
            self._beat()
