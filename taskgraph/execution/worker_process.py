"""Being a worker: the process that a supervisor forks."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from backends.errors import BackendError
from backends.liveness import worker_identity
from backends.warning import warnings_printed
from taskgraph.errors import TaskgraphError
from taskgraph.execution.output import Capture
from taskgraph.execution.runner import StopNow
from taskgraph.execution.worker import GraphSource, Worker
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from taskgraph.execution.options import RunOptions
    from taskgraph.execution.shared_page import SharedPage
    from taskgraph.results.provenance import Provenance
    from taskgraph.tasks.jugfile import Loaded

SIGNALS = {
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
    signal.SIGHUP,
}
"""Those that end a run, sooner or later."""
_ENDING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
"""Those that a worker acts on itself."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers of a supervisor have in common."""

    source: GraphSource
    loaded: Loaded
    options: RunOptions
    provenance: Provenance
    echo: int | None


def work(job: Job, worker: str, page: SharedPage) -> NoReturn:
    """Be a worker and end with this process; the page says how it ended."""
    code = ExitCode.BUG
    try:
        code = _work_to_end(job, worker, page)
    finally:
        os._exit(code)


def _work_to_end(job: Job, worker: str, page: SharedPage) -> ExitCode:
    """Return the exit code of the process: 0 if it meant to end."""
    try:
        outcome = _work(job, worker, page)
    except StopNow:
        outcome = ExitCode.NOT_DONE
    except BackendError as error:
        outcome = ExitCode.STORE_FAILED
        page.say_why(str(error))
    except TaskgraphError as error:
        outcome = ExitCode.USAGE
        page.say_why(str(error))
    except BaseException:  # noqa: BLE001 - the last place to tell what happened
        page.say_why(traceback.format_exc())
        return ExitCode.BUG
    page.finish(outcome)
    with suppress(Exception):
        sys.stdout.flush()
    return ExitCode.DONE


def _work(job: Job, worker: str, page: SharedPage) -> ExitCode:
    backend = job.loaded.results.backend
    backend.worker = worker
    about = worker_identity(os.getpid(), job.options.lease, os.getppid())
    joined = False

    def join() -> None:
        nonlocal joined
        if not joined:
            backend.members.beat(worker, about)
            joined = True

    capture = Capture(job.echo)
    _set_signals(page)
    at_work = Worker(
        job.source,
        job.loaded,
        job.options.per_worker,
        provenance=job.provenance.context,
        page=page,
        output=capture.take,
        join=join,
    )
    try:
        with warnings_printed(capture.beside):
            return at_work.run()
    finally:
        capture.close()


def _set_signals(page: SharedPage) -> None:
    """End at once, but properly, when told to; leave Ctrl-C to the supervisor.

    Unless the supervisor says so, the task that runs stays on the page: it may have
    done that, and the supervisor has to judge.
    """

    def stop(signo: int, _frame: object) -> None:
        told = page.stopping
        page.stop()
        if not told:
            page.note_signal(signo)
        if page.running() is not None:
            for number in _ENDING:
                signal.signal(number, signal.SIG_IGN)
            if told:
                page.end()
            raise StopNow

    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for number in _ENDING:
        signal.signal(number, stop)
    _leave_to_children()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def _leave_to_children() -> None:
    """Let a signal to a process that a task forked end that process alone.

    They wait while it forks: one that came before Python is ready would be forgotten.
    """
    own = os.getpid()
    before: list[set[int]] = []

    def hold() -> None:
        if os.getpid() == own:
            before.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)))

    def go_on() -> None:
        if before:
            signal.pthread_sigmask(signal.SIG_SETMASK, before.pop())

    def be_a_child() -> None:
        if before:
            for number in _ENDING:
                signal.signal(number, signal.SIG_DFL)
        go_on()

    os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=be_a_child)
