"""One process that watches over the workers of one `tg execute`.

It forks the workers, renews their heartbeats (a worker in the middle of a long C call
could not), notices at once when one of them dies, says what it was running, and starts
another one. A worker and the supervisor share a page of memory: the one notes there
what it runs, the other that it should stop; what takes more room goes by letter.

Each worker reads the jugfile itself, as programs that were started one by one would:
so nothing that a script makes at its top is shared, and the supervisor, which never
runs the user's code, has one thread and nothing that a fork could spoil. Only when it
is told to run what its own process has read are the workers forks of that.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from backends.errors import BackendError
from backends.interface import Cause
from backends.liveness import BEATS_PER_LEASE, process_stopped
from backends.opening import open_backend, worker_name
from taskgraph.execution.choosing.pool import Pool
from taskgraph.execution.ending import Ending, until_of
from taskgraph.execution.observer import UNOBSERVED, Observer
from taskgraph.execution.output import flush_streams
from taskgraph.execution.poison import record_timeout
from taskgraph.execution.processes import told
from taskgraph.execution.processes.child import (
    LINGERS,
    Child,
    children_can_be_waited_for,
)
from taskgraph.execution.processes.fork_safety import require_safe
from taskgraph.execution.processes.known_graph import KnownGraph
from taskgraph.execution.processes.letters import Letters
from taskgraph.execution.processes.process_ends import flush_files
from taskgraph.execution.processes.starting import Starting
from taskgraph.execution.processes.worker_process import (
    HasRead,
    Job,
    Seat,
    ToRead,
    load_engine,
    work,
)
from taskgraph.execution.processes.worker_signals import SIGNALS, wait_for_signal
from taskgraph.execution.shared_page import Notes, SharedPage
from taskgraph.exit_codes import ExitCode
from taskgraph.results.provenance import Provenance
from taskgraph.results.results import Results

if TYPE_CHECKING:
    from backends.interface import Backend
    from taskgraph.execution.options import RunOptions
    from taskgraph.upkeep.snapshot import Snapshot

PATIENCE = 1.0
"""Seconds in which a signal that ended a worker may reach the supervisor, too."""
_CRASHES = 3


class Supervisor:
    """Keeps some workers running until there is nothing left to do.

    Attributes
    ----------
    signal : int
        The one that ended the run, 0 if none did.
    refused : str
        Why nothing was run at all, empty if it was.
    noted : Notes
        What its workers have noted.
    results : Results
        Where the results are.
    """

    def __init__(
        self,
        what: ToRead | HasRead,
        options: RunOptions,
        *,
        folder: str = ".",
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._what, self._options = what, options
        self._observer, self._folder = observer, folder
        self._starting = Starting(options.workers, reads=isinstance(what, ToRead))
        self._pool = Pool(options.per_worker.resources, options.workers)
        self._children: dict[int, Child] = {}
        self._signalled: list[tuple[float, Child]] = []
        self._codes: list[ExitCode] = []
        self._said: set[str] = set()
        self._crashes, self._stopping, self._chosen = 0, 0, False
        self._ending = Ending(until_of(options.per_worker))
        if isinstance(what, HasRead):
            self.results, self._graph = what.loaded.results, KnownGraph(what.loaded)
        else:
            self.results, self._graph = what.results, KnownGraph()
        self.signal, self.refused = 0, ""
        self.noted = Notes()

    @property
    def snapshot(self) -> Snapshot | None:
        """The graph, as workers have told it."""
        return self._graph.snapshot

    @property
    def _backend(self) -> Backend:
        return self.results.backend

    def run(self) -> ExitCode:
        """Return the worst exit code of the workers.

        Raises
        ------
        UsageError
            This process has read what is to be run, and cannot be forked.
        """
        if isinstance(self._what, HasRead):
            require_safe(self._what.instead)
            gc.collect()  # what the user has left; of the engine there is hardly any
        self._backend.refresh()
        self._end_early(time.monotonic())
        if self._stopping:
            return ExitCode.NOT_DONE
        self._provenance = Provenance(self._folder, os.environ)
        if self._graph.nothing_to_do(self.results):
            self._observer.started()
            self._provenance.close()
            return ExitCode.DONE
        # Asked before the workers are there: a task must not meet a child of ours.
        self._provenance.context()
        watched = {signal.SIGCHLD, *SIGNALS}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        load_engine()
        flush_files()
        try:
            with children_can_be_waited_for():
                if self._graph:
                    self._backend.make()  # once, and not by each worker
                self._graph.last = self._what.last()
                self._start_due()
                if self._graph:
                    self._go()
                self._what.look_ahead(
                    self._graph.last
                )  # while workers read, who may never do so
                self._watch(watched)
        finally:
            for child in self._children.values():
                child.kill()
            gc.unfreeze()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return max(self._codes, default=ExitCode.DONE)

    def _go(self) -> None:
        """Let the workers run tasks: the store is there, and it is known for what."""
        self._backend.make()
        for child in self._children.values():
            child.page.go()
        self._observer.started()

    def _watch(self, watched: set[signal.Signals]) -> None:
        beat_every = self._options.lease / BEATS_PER_LEASE
        pause = min(beat_every, 0.25 if self._observer.tick else 1.0)
        beaten = time.monotonic()
        while self._children or self._signalled:
            patience = min(pause, self._starting.pause)
            if self._signalled:
                patience = min(patience, PATIENCE / 2)
            got = wait_for_signal(watched, patience)
            if got in SIGNALS:
                self._interrupt(got)
            for child in list(self._children.values()):
                self._hear(child)
            self._reap()
            self._start_due()
            now = time.monotonic()
            self._judge(now)
            self._end_early(now)
            if now - beaten >= beat_every:
                beaten = now
                self._beat()
            self._enforce(now)
            self._graph.tell(self._observer, self._backend)
            if self._observer.tick is not None and self._children and self._graph:
                if not self._graph.all_done:
                    self._backend.refresh()
                self._observer.tick(self._backend)
        self._graph.tell(self._observer, self._backend, last=True)

    def _start_due(self) -> None:
        while self._starting.is_due(self._children.values(), len(self._graph)):
            self._starting.left -= 1
            self._start()

    def _start(self) -> None:
        reads_first = any(child.seat.first for child in self._children.values())
        first = not self._graph and not reads_first
        whole = first or bool(self._graph.missing)
        page = SharedPage(self._pool.share())
        seat = Seat(worker_name(), page, Letters(), first, whole)
        if self._graph:
            self._starting.look(self._backend)
        flush_streams()
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            echo = self._observer.echo
            common = self._provenance, echo, self._ending
            known = self._graph.last, self._graph.snapshot
            work(Job(self._what, self._options, *common, *known), seat)
        child = self._children[pid] = Child(pid, seat)
        child.read = isinstance(self._what, HasRead)
        if self._graph:
            child.page.go()

    def _hear(self, child: Child) -> None:
        """Take in what a worker tells."""
        for about, content in child.told():
            if about == "why":
                child.why = content
            elif about == "joined":
                url, child.worker = content
                child.joined = self._use(url)
            elif about == "left":
                child.joined = False
            elif about == "store":
                self._use(content)
            elif about == "more":
                self._learn(*content)
            elif about == "digests":
                self._graph.note(*content)
                self._compare()

    def _use(self, url: str) -> bool:
        """Work with the store that the jugfile has chosen; return whether it may be."""
        if url == self._backend.url:
            return True
        if not self._graph and not self._chosen:
            self._chosen = True
            self.results = Results(open_backend(url), self.results.folder)
            return True
        self._refuse(told.two_stores(self._backend.url, url))
        return False

    def _learn(self, start: int, check: int, told: list[bytes] | None) -> None:
        """Take in the graph that a worker has read: the first one, or a longer one."""
        first = not self._graph
        if not self._graph.learn(start, check, told, self.results):
            return
        if first:
            self._backend.refresh()
            if self._stopping or self._graph.nothing_to_do(self.results):
                self._stop_all()
            else:
                self._go()
        self._compare()

    def _compare(self) -> None:
        """Tell the user if a worker has read other tasks than the first one."""
        if other := ", ".join(self._graph.differing()):
            self._say_once(told.difference(other))

    def _reap(self) -> None:
        for child in list(self._children.values()):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._hear(child)
                child.close()
                del self._children[pid]
                self._settle_ended(child, os.waitstatus_to_exitcode(status))

    def _judge(self, now: float) -> None:
        """Settle what workers left that a signal has ended, once it is clear why.

        Batch systems send it to all processes: then it means the run, not the worker.
        """
        signalled, self._signalled = self._signalled, []
        for ended, child in signalled:
            expected = self._stopping or child.dismissed
            if expected or now - ended >= PATIENCE:
                signo = child.page.ended_by_signal()
                self._settle_dead(child, signal.Signals(signo).name)
            else:
                self._signalled.append((ended, child))

    def _settle_ended(self, child: Child, code: int) -> None:
        """Settle what a worker left; start another one if it did not mean to end."""
        self.noted.add(child.page)
        outcome = child.page.outcome()
        if outcome == ExitCode.NOT_DONE and child.page.ended_by_signal():
            self._signalled.append((time.monotonic(), child))
            return
        if outcome is not None:
            child.leave(self._backend.members)
            self._codes.append(outcome)
            done = outcome == ExitCode.DONE
            self._starting.end(self._children.values(), done=done)
            if outcome == ExitCode.USAGE and not self._graph:
                self._refuse(child.why)
                return
            self._say_once(child.why)
            if outcome in (ExitCode.USAGE, ExitCode.STORE_FAILED):
                self._stop_all()
            return
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self._settle_dead(child, how)

    def _settle_dead(self, child: Child, how: str) -> None:
        """Free what a worker held that died, note what it ran, and start another."""
        running = child.page.running()
        key = running[0] if running else None
        cut = self._graph.cut_file(self.results, key) if key and how == "SIGBUS" else ""
        if child.overdue and key is not None and not self._stopping:
            record_timeout(self._backend, child.worker, key, child.page.about())
        if self._stopping or child.overdue or child.dismissed or cut:
            self._backend.expel(child.worker, Cause.RELEASED)
        else:
            self._backend.expel(child.worker, Cause.KILLED, running=key)
        self._backend.members.leave(child.worker)
        if self._stopping or child.dismissed:
            return
        self._crashes = 0 if running else self._crashes + 1
        self._say_once(child.why)
        ran = self._graph.describe(key) if key else ""
        self._observer.note(told.death(child, how, ran, cut))
        if self._crashes >= _CRASHES:
            self._observer.note("workers die again and again before they run anything")
            self._codes.append(ExitCode.NOT_DONE)
            self._starting.left = 0
            if not self._graph:  # the others wait for whoever reads first
                self._stop_all()
            return
        self._start()

    def _say_once(self, why: str) -> None:
        """Tell the user something, once if several workers say the same."""
        if why and why not in self._said:
            self._said.add(why)
            self._observer.note(why)

    def _beat(self) -> None:
        with suppress(BackendError):  # workers meet it, too; one of them is waited for
            for child in self._children.values():
                known = child.joined or bool(self._graph)
                if known and not process_stopped(child.pid):
                    about = self._options.identity(child.pid, os.getpid())
                    child.beat(self._backend.members, about)

    def _refuse(self, why: str) -> None:
        """End before anything was run, or as soon as may be."""
        self.refused = self.refused or why
        self._codes.append(ExitCode.USAGE)
        self._stop_all()

    def _interrupt(self, signo: int) -> None:
        self.signal = signo
        alone = os.isatty(2) or not self._provenance.context()["job"]
        gentle = signo == signal.SIGINT and alone and not self._stopping
        self._stopping += 1
        self._stop_all()
        if gentle and bool(self._graph):
            self._observer.note(told.STOPPING)
            return
        for child in self._children.values():
            child.end()

    def _end_early(self, now: float) -> None:
        """End if the time is over, or if somebody wants it."""
        early = self._ending.look(self._backend, now)
        if early is None:
            return
        self._say_once(early.why)
        self.noted.limited |= early.time_over
        self._stop_all()
        for child in self._children.values():
            if early.at_once:
                child.end()

    def _stop_all(self) -> None:
        self._stopping = max(self._stopping, 1)
        self._starting.left = 0
        for child in self._children.values():
            child.page.stop()
            if not child.read:
                child.end()

    def _enforce(self, now: float) -> None:
        """Kill workers that had to end, or whose task should have ended, by now."""
        for child in self._children.values():
            if child.is_due(now):
                self._say_once(LINGERS if child.page.outcome() is not None else "")
                child.kill()
