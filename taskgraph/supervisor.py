"""One process that watches over the workers of one `tg execute`.

It reads the jugfile once and forks the workers, renews their heartbeats (a worker in
the middle of a long C call could not), notices at once when one of them dies, says what
it was running, and starts another one. Workers and supervisor share a desk: a page of
memory on which a worker notes what it runs, and the supervisor that it should stop.
"""

from __future__ import annotations

import gc
import mmap
import os
import signal
import struct
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends.errors import BackendError
from backends.interface import KEY_SIZE, Cause, Key
from backends.liveness import BEATS_PER_LEASE, DEFAULT_LEASE, identify, process_stopped
from backends.opening import worker_name
from taskgraph.errors import TaskgraphError
from taskgraph.output import Capture
from taskgraph.provenance import Provenance
from taskgraph.records import Batch, Failure
from taskgraph.running import StopNow
from taskgraph.worker import Options, Outcome, Source, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend
    from taskgraph.jugfile import Loaded

EXIT_STORE = 4
EXIT_JUGFILE = 2
GRACE = 4.0
"""Seconds that a worker has to end once it was told to end at once."""
TIMEOUT_GRACE = 5.0
"""Seconds after a task's timeout until its worker is killed."""
_SIGNALS = {
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
    signal.SIGHUP,
}
_CRASHES = 3
_SLOT = struct.Struct(f"<{KEY_SIZE}s?d")
_STOP, _ENDED, _START = 0, 1, 2


class Desk:
    """A page of memory that a worker shares with its supervisor."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._supervisor = os.getpid()

    def finish(self, code: int) -> None:
        """Note that the worker ended by its own will, and how."""
        self._page[_ENDED] = 1 + code

    def outcome(self) -> int | None:
        """Return how the worker ended, None if it did not mean to."""
        code = self._page[_ENDED] - 1
        return code if code >= 0 else None

    def begin(self, key: Key, deadline: float) -> None:
        """Note what runs now, and until when it may (monotonic; 0 for no limit)."""
        _SLOT.pack_into(self._page, _START, key, True, deadline)

    def end(self) -> None:
        """Note that nothing runs."""
        self._page[_START + KEY_SIZE] = 0

    def running(self) -> tuple[Key, float] | None:
        """Return what runs and its deadline."""
        key, busy, deadline = _SLOT.unpack_from(self._page, _START)
        return (key, deadline) if busy else None

    def stop(self) -> None:
        """Ask for no new task."""
        self._page[_STOP] = 1

    @property
    def stopping(self) -> bool:
        """Whether no new task is wanted, or the supervisor is gone."""
        return self._page[_STOP] == 1 or os.getppid() != self._supervisor


@dataclass(slots=True)
class _Child:
    """A worker's process."""

    pid: int
    worker: str
    desk: Desk
    killed_at: float = 0.0
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a supervisor is told.

    Attributes
    ----------
    workers : int
        How many workers to keep running.
    options : Options
        For each of them.
    lease : float
        Seconds without a heartbeat after which others take over the locks.
    folder : str
        Whose git commit is recorded.
    echo : int, optional
        Descriptor that gets what tasks print.
    tick : callable, optional
        Called now and then with the backend, to show progress.
    say : callable
        Tells the user something in one sentence.
    """

    workers: int = 1
    options: Options = field(default_factory=Options)
    lease: float = DEFAULT_LEASE
    folder: str = "."
    echo: int | None = None
    tick: Callable[[Backend], None] | None = None
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class _Job:
    """What all workers of a supervisor have in common."""

    source: Source
    loaded: Loaded
    plan: Plan
    provenance: Provenance


class Supervisor:
    """Keeps some workers running until there is nothing left to do."""

    def __init__(self, source: Source, loaded: Loaded, plan: Plan) -> None:
        self._source = source
        self._loaded = loaded
        self._plan = plan
        self._backend = loaded.results.backend
        self._children: dict[int, _Child] = {}
        self._codes: list[int] = []
        self._crashes = 0
        self._stopping = 0
        self._provenance = Provenance(plan.folder, os.environ)
        self.signal = 0

    def run(self, after_start: Callable[[], None] | None = None) -> int:
        """Return the worst exit code of the workers: 0, 1 (stopped), 2, 3 or 4.

        `after_start` is called once when they are at work.
        """
        self._backend.poll()
        if self._nothing_to_do():
            if after_start is not None:
                after_start()
            self._provenance.close()
            return 0
        # Asked before the workers are there: a task must not meet a child of ours.
        self._provenance.context()
        watched = {signal.SIGCHLD, *_SIGNALS}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        gc.collect()
        gc.freeze()
        try:
            for _ in range(self._plan.workers):
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
        return max(self._codes, default=0)

    def _nothing_to_do(self) -> bool:
        known = self._backend.keys()
        keys = self._loaded.graph.keys()
        failed = any(key in self._loaded.graph for key in self._backend.failures())
        return not self._loaded.missing and not failed and all(k in known for k in keys)

    def _watch(self, watched: set[signal.Signals]) -> None:
        beat_every = self._plan.lease / BEATS_PER_LEASE
        pause = min(beat_every, 0.25 if self._plan.tick else 1.0)
        beaten = time.monotonic()
        while self._children:
            got = signal.sigtimedwait(watched, pause)
            # Stopped and continued, sigtimedwait may make up a signal out of nothing.
            if got is not None and got.si_signo in _SIGNALS:
                self._interrupt(got.si_signo)
            self._reap()
            now = time.monotonic()
            if now - beaten >= beat_every:
                beaten = now
                self._beat()
            self._enforce(now)
            if self._plan.tick is not None and self._children:
                self._backend.poll()
                self._plan.tick(self._backend)

    # workers

    def _start(self) -> None:
        worker, desk = worker_name(), Desk()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            job = _Job(self._source, self._loaded, self._plan, self._provenance)
            _work(job, worker, desk)
        self._children[pid] = _Child(pid, worker, desk)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                del self._children[pid]
                self._bury(child, os.waitstatus_to_exitcode(status))

    def _bury(self, child: _Child, code: int) -> None:
        """Settle what a worker left; start another one if it did not mean to end."""
        outcome = child.desk.outcome()
        if outcome is not None:
            self._codes.append(outcome)
            if outcome in (EXIT_JUGFILE, EXIT_STORE):
                self._stop_all()
            return
        running = child.desk.running()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        key = running[0] if running else None
        if self._stopping:
            self._backend.expel(child.worker, Cause.RELEASED)
        elif child.overdue and key is not None:
            self._record_timeout(child.worker, key)
            self._backend.expel(child.worker, Cause.RELEASED)
        else:
            self._backend.expel(child.worker, Cause.KILLED, running=key, about=how)
        self._backend.leave(child.worker)
        if self._stopping:
            return
        self._crashes = 0 if running else self._crashes + 1
        what = f"while it ran {self._describe(key)}" if key else "between two tasks"
        self._plan.say(f"a worker died of {how} {what}; starting another one")
        if self._crashes >= _CRASHES:
            self._plan.say("workers die again and again before they run anything")
            self._codes.append(1)
            return
        self._start()

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
        name = graph[key].name if key in graph else ""
        batch = Batch()
        message = "did not stop at its timeout, so its worker was killed"
        failure = Failure("timeout", "Timeout", message, "")
        batch.add(key, failure, (name, ""), ("", time.time(), 0.0, 0.0, 0))
        body = batch.encode({"host": os.uname().nodename, "pid": os.getpid()})
        rows = bytes(batch.rows)
        self._backend.publish(batch.keys, rows, body, since=held[0].token)

    def _beat(self) -> None:
        for child in self._children.values():
            if not process_stopped(child.pid):
                about = identify(child.pid, self._plan.lease, os.getpid())
                with suppress(BackendError):  # the worker itself will meet it too
                    self._backend.beat(child.worker, about)

    # ending

    def _interrupt(self, signo: int) -> None:
        self.signal = signo
        gentle = signo == signal.SIGINT and not self._stopping
        self._stopping += 1
        self._stop_all()
        if gentle:
            self._plan.say(
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
            child.desk.stop()

    def _enforce(self, now: float) -> None:
        """Kill workers that had to end, or whose task should have ended, by now."""
        for child in self._children.values():
            running = child.desk.running()
            deadline = running[1] if running else 0.0
            if deadline and now > deadline + TIMEOUT_GRACE and not child.overdue:
                child.overdue = True
                child.killed_at = now
            if child.killed_at and now >= child.killed_at:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)


def _work(job: _Job, worker: str, desk: Desk) -> None:
    """Be a worker; never returns."""
    plan = job.plan
    code = 0
    try:
        desk.finish(_work_to_end(job, worker, desk))
    except StopNow:
        desk.finish(Outcome.STOPPED)
    except BackendError as error:
        plan.say(str(error))
        desk.finish(EXIT_STORE)
    except TaskgraphError as error:
        plan.say(str(error))
        desk.finish(EXIT_JUGFILE)
    except BaseException:  # noqa: BLE001 - the last place to tell what happened
        plan.say(traceback.format_exc())
        code = 70
    finally:
        with suppress(Exception):
            sys.stdout.flush()
        os._exit(code)


def _work_to_end(job: _Job, worker: str, desk: Desk) -> int:
    plan = job.plan
    backend = job.loaded.results.backend
    backend.worker = worker
    about = identify(os.getpid(), plan.lease, os.getppid())
    announced = False

    def announce() -> None:
        nonlocal announced
        if not announced:
            backend.beat(worker, about)
            announced = True

    capture = Capture(plan.echo)
    _set_signals(desk)
    try:
        return int(
            Worker(
                job.source,
                job.loaded,
                plan.options,
                provenance=job.provenance.context,
                desk=desk,
                output=capture.take,
                announce=announce,
            ).run()
        )
    finally:
        capture.close()


def _set_signals(desk: Desk) -> None:
    """End at once, but properly, when told to; leave Ctrl-C to the supervisor."""

    def stop(_signal: int, _frame: object) -> None:
        desk.stop()
        if desk.running() is not None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise StopNow

    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU):
        signal.signal(number, stop)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
