"""One process that watches over the workers of one `tg execute`.

It reads the jugfile once and forks the workers, renews their heartbeats (a worker in
the middle of a long C call could not), notices at once when one of them dies, says what
it was running, and starts another one. A worker and the supervisor
share a page of memory: the one notes there what it runs, the other that it should stop.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.errors import BackendError
from backends.interface import Cause, Key
from backends.liveness import BEATS_PER_LEASE, process_stopped, worker_identity
from backends.opening import worker_name
from taskgraph.description import summary
from taskgraph.errors import TaskgraphError
from taskgraph.execution.observer import UNOBSERVED, Observer
from taskgraph.execution.shared_page import SharedPage
from taskgraph.execution.worker_process import SIGNALS, Job, work
from taskgraph.exit_codes import ExitCode
from taskgraph.results.provenance import Provenance
from taskgraph.results.records import Batch, Failure
from taskgraph.upkeep.checking import cut_blob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taskgraph.execution.options import RunOptions
    from taskgraph.execution.worker import GraphSource
    from taskgraph.tasks.jugfile import Loaded

GRACE = 4.0
"""Seconds that a worker has to end once it was told to end at once."""
PATIENCE = 1.0
"""Seconds in which a signal that ended a worker may reach the supervisor, too."""
TIMEOUT_GRACE = 5.0
"""Seconds after a task's timeout until its worker is killed."""
_CRASHES = 3
_HINTS = {
    "SIGBUS": " (a file that it had mapped was cut short or cannot be read; "
    "`tg fsck` looks for one in the store)",
    "SIGKILL": " (somebody killed it, or the memory is full)",
}


@dataclass(slots=True)
class _Child:
    """A worker's process."""

    pid: int
    worker: str
    page: SharedPage
    killed_at: float = 0.0
    overdue: bool = False


class Supervisor:
    """Keeps some workers running until there is nothing left to do."""

    def __init__(
        self,
        source: GraphSource,
        loaded: Loaded,
        options: RunOptions,
        *,
        folder: str = ".",
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._source = source
        self._loaded = loaded
        self._options = options
        self._observer = observer
        self._backend = loaded.results.backend
        self._children: dict[int, _Child] = {}
        self._signalled: list[tuple[float, _Child]] = []
        self._codes: list[ExitCode] = []
        self._crashes = 0
        self._said: set[str] = set()
        self._stopping = 0
        self._provenance = Provenance(folder, os.environ)
        self.signal = 0

    def run(self, after_start: Callable[[], None] | None = None) -> ExitCode:
        """Return the worst exit code of the workers.

        `after_start` is called once when they are at work.
        """
        self._backend.poll()
        if self._nothing_to_do():
            if after_start is not None:
                after_start()
            self._provenance.close()
            return ExitCode.DONE
        self._backend.make()  # once, and not by each worker
        # Asked before the workers are there: a task must not meet a child of ours.
        self._provenance.context()
        watched = {signal.SIGCHLD, *SIGNALS}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        gc.collect()
        gc.freeze()
        try:
            with _children_can_be_waited_for():
                for _ in range(self._options.workers):
                    self._start()
                if after_start is not None:
                    after_start()
                self._watch(watched)
        finally:
            for child in self._children.values():
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
            gc.unfreeze()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return max(self._codes, default=ExitCode.DONE)

    def _nothing_to_do(self) -> bool:
        known = self._backend.keys()
        keys = self._loaded.graph.keys()
        failed = any(key in self._loaded.graph for key in self._backend.failures())
        return not self._loaded.missing and not failed and all(k in known for k in keys)

    def _watch(self, watched: set[signal.Signals]) -> None:
        beat_every = self._options.lease / BEATS_PER_LEASE
        pause = min(beat_every, 0.25 if self._observer.tick else 1.0)
        beaten = time.monotonic()
        while self._children or self._signalled:
            patience = min(pause, PATIENCE / 2) if self._signalled else pause
            got = signal.sigtimedwait(watched, patience)
            # Stopped and continued, sigtimedwait may make up a signal out of nothing.
            if got is not None and got.si_signo in SIGNALS:
                self._interrupt(got.si_signo)
            self._reap()
            now = time.monotonic()
            self._judge(now)
            if now - beaten >= beat_every:
                beaten = now
                self._beat()
            self._enforce(now)
            if self._observer.tick is not None and self._children:
                self._backend.poll()
                self._observer.tick(self._backend)

    # workers

    def _start(self) -> None:
        worker, page = worker_name(), SharedPage()
        for stream in (sys.stdout, sys.stderr):
            with suppress(ValueError, OSError, AttributeError):  # closed by a jugfile
                stream.flush()
        pid = os.fork()
        if pid == 0:
            job = Job(
                self._source,
                self._loaded,
                self._options,
                self._provenance,
                self._observer.echo,
            )
            work(job, worker, page)
        self._children[pid] = _Child(pid, worker, page)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                del self._children[pid]
                self._settle_ended(child, os.waitstatus_to_exitcode(status))

    def _judge(self, now: float) -> None:
        """Settle what workers left that a signal has ended, once it is clear why.

        Batch systems send it to all processes: then it means the run, not the worker.
        """
        signalled, self._signalled = self._signalled, []
        for ended, child in signalled:
            if self._stopping or now - ended >= PATIENCE:
                signo = child.page.ended_by_signal()
                self._settle_dead(child, signal.Signals(signo).name)
            else:
                self._signalled.append((ended, child))

    def _settle_ended(self, child: _Child, code: int) -> None:
        """Settle what a worker left; start another one if it did not mean to end."""
        outcome = child.page.outcome()
        if outcome == ExitCode.NOT_DONE and child.page.ended_by_signal():
            self._signalled.append((time.monotonic(), child))
            return
        if outcome is not None:
            self._codes.append(outcome)
            self._pass_on(child.page.why())
            if outcome in (ExitCode.USAGE, ExitCode.STORE_FAILED):
                self._stop_all()
            return
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self._settle_dead(child, how)

    def _settle_dead(self, child: _Child, how: str) -> None:
        """Free what a worker held that died, note what it ran, and start another."""
        running = child.page.running()
        key = running[0] if running else None
        cut = self._cut_file(key) if how == "SIGBUS" else ""
        if child.overdue and key is not None and not self._stopping:
            self._record_timeout(child.worker, key)
        if self._stopping or child.overdue or cut:
            self._backend.expel(child.worker, Cause.RELEASED)
        else:
            self._backend.expel(child.worker, Cause.KILLED, running=key)
        self._backend.members.leave(child.worker)
        if self._stopping:
            return
        self._crashes = 0 if running else self._crashes + 1
        what = f"while it ran {self._describe(key)}" if key else "between two tasks"
        self._pass_on(child.page.why())
        if child.overdue:
            self._observer.note(f"a worker was killed at its timeout {what}")
        else:
            why = f": {cut}" if cut else _HINTS.get(how, "")
            self._observer.note(
                f"a worker died of {how} {what}{why}; starting another one"
            )
        if self._crashes >= _CRASHES:
            self._observer.note("workers die again and again before they run anything")
            self._codes.append(ExitCode.NOT_DONE)
            return
        self._start()

    def _pass_on(self, why: str) -> None:
        """Say why a worker ended, once if they all say the same."""
        if why and why not in self._said:
            self._said.add(why)
            self._observer.note(why)

    def _cut_file(self, key: Key | None) -> str:
        """Return which stored array of its arguments a task could not have read."""
        if key is None or key not in self._loaded.graph:
            return ""
        results = self._loaded.results
        with suppress(BackendError, TaskgraphError):
            self._backend.poll()
            for need in self._loaded.graph[key].needs:
                fault = cut_blob(results, need.key)
                if fault:
                    return f"{fault}, and is computed again"
        return ""

    def _describe(self, key: Key) -> str:
        graph = self._loaded.graph
        return (
            f"{graph[key].name} ({key.hex()[:12]})" if key in graph else key.hex()[:12]
        )

    def _record_timeout(self, worker: str, key: Key) -> None:
        self._backend.poll()
        held = [x for x in self._backend.locks() if x.key == key and x.worker == worker]
        if not held:
            return  # it was taken over or invalidated: somebody runs it again
        graph = self._loaded.graph
        name = arguments = ""
        if key in graph:
            task = graph[key]
            name, arguments = task.name, summary(task.args, task.kwargs)
        batch = Batch()
        message = "did not stop at its timeout, so its worker was killed"
        failure = Failure("timeout", "Timeout", message, "")
        batch.add(key, failure, (name, ""), (arguments, time.time(), 0.0, 0.0, 0))
        body = batch.encode({"host": os.uname().nodename, "pid": os.getpid()})
        rows = bytes(batch.rows)
        self._backend.publish(batch.keys, rows, body, since=held[0].token)

    def _beat(self) -> None:
        for child in self._children.values():
            if not process_stopped(child.pid):
                about = worker_identity(child.pid, self._options.lease, os.getpid())
                with suppress(BackendError):  # the worker itself will meet it too
                    self._backend.members.beat(child.worker, about)

    # ending

    def _interrupt(self, signo: int) -> None:
        self.signal = signo
        gentle = signo == signal.SIGINT and not self._stopping
        self._stopping += 1
        self._stop_all()
        if gentle:
            self._observer.note(
                "stopping after the tasks that run now; press Ctrl-C again to "
                "abandon them"
            )
            return
        for child in self._children.values():
            child.killed_at = child.killed_at or time.monotonic() + GRACE
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)

    def _stop_all(self) -> None:
        self._stopping = max(self._stopping, 1)
        for child in self._children.values():
            child.page.stop()

    def _enforce(self, now: float) -> None:
        """Kill workers that had to end, or whose task should have ended, by now."""
        for child in self._children.values():
            running = child.page.running()
            deadline = running[1] if running else 0.0
            if deadline and now > deadline + TIMEOUT_GRACE and not child.overdue:
                child.overdue = True
                child.killed_at = now
            if child.killed_at and now >= child.killed_at:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)


@contextmanager
def _children_can_be_waited_for() -> Iterator[None]:
    """Learn of the end of children, though SIGCHLD was ignored before."""
    before = None
    with suppress(ValueError):  # only the main thread may set it
        before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGCHLD, before)
