"""A worker: look, lock, run, publish, and again, until nothing more can come.

Rules:

1. Records are published together, but at the latest when the first of them is
   `Pace.interval` old (sooner if they make something ready and little else is), before
   a task of unknown or long duration, and before waiting. While a task runs that is
   neither long nor very short, a thread publishes, and locks what comes after it.
2. Locks are taken for as much work as takes a moment, and for a share of what is ready,
   so that others find something to do; each chooses somewhere else in what is ready.
3. A record of one's own counts at once; dependants run before it is published.
4. Nothing is assumed about others but what the store says: a lock whose holder is dead
   is taken over, a discarded result makes the frontier anew.
"""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from itertools import filterfalse
from math import inf
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError
from backends.interface import Claim
from taskgraph.description import summary
from taskgraph.errors import MissingResultError
from taskgraph.execution.background_flush import BackgroundFlush
from taskgraph.execution.choosing.choice import Choice
from taskgraph.execution.other_workers import OtherWorkers, let_go
from taskgraph.execution.pace import Pace
from taskgraph.execution.poison import given_up, poisonous, spared
from taskgraph.execution.runner import Runner
from taskgraph.execution.shared_page import NoPage, Page
from taskgraph.execution.unpublished import Unpublished
from taskgraph.execution.writing.needed import NotRunError, set_aside
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from backends.interface import Change, Key
    from taskgraph.execution.clock import Clock
    from taskgraph.execution.options import WorkerOptions
    from taskgraph.tasks.jugfile import GraphSource, Loaded
    from taskgraph.tasks.task import Task


class Worker:
    """One worker on one store.

    Parameters
    ----------
    source : GraphSource
        What to run; loaded again when results let it say more.
    loaded : Loaded
        What it says now.
    options : WorkerOptions
        What to run of it, and how.
    provenance : callable
        Returns what the records share: host, versions and so on.
    page : Page, optional
        Shared with a supervisor.
    output : callable, optional
        Returns what the last task printed.
    join : callable, optional
        Makes the worker a member of the store, and beats for it if nobody else does.
    clock : Clock
        What tells it the time.
    background : callable
        Makes what publishes while a task takes long, see `BackgroundFlush`.
    """

    def __init__(
        self,
        source: GraphSource,
        loaded: Loaded,
        options: WorkerOptions,
        *,
        provenance: Callable[[], Mapping[str, Any]],
        page: Page | None = None,
        output: Callable[[], str] = str,
        join: Callable[[], None] | None = None,
        clock: Clock = time,
        background: Callable[..., BackgroundFlush] = BackgroundFlush,
    ) -> None:
        self._source, self._options, self._provenance = source, options, provenance
        self._page: Page = page or NoPage()
        self._output, self._join = output, join or (lambda: None)
        self._clock, self._loaded, self._looked = clock, loaded, False
        self._results, self._backend = loaded.results, loaded.results.backend
        self._pace = Pace(self._backend.latency, self._backend.worker)
        self._others = OtherWorkers(self._backend, clock.monotonic)
        self._choice = Choice(options, self._page.share, clock.monotonic)
        self._done, self.failed = Unpublished(), 0
        self._following, self._running, self._standing = 0.0, b"", False
        self._now, self._batch = 0.0, lambda: self._done.batch
        self._queue: deque[tuple[Key, int]] = deque()
        debug, give_back = options.debug, partial(self._give_back, flush=True)
        self._runner = Runner(self._results, debug=debug, clock=clock, hooked=True)
        watch = self._background = background(give_back, self._provide)
        self._runner.before, self._runner.after = watch.hand_over, watch.take_back
        self._runner.retries_on = self._choice.retries_on
        self._start_over()

    def run(self) -> ExitCode:
        """Work until nothing more can come.

        Raises
        ------
        BackendError
            The store failed; what could be published was.
        JugfileError
            The jugfile raised when it was read again after a barrier.
        """
        with self._background:
            try:
                return self._work() or ExitCode.DONE
            finally:
                self._runner.unwatched()
                self._leave()

    def describe(self, key: Key) -> str:
        """Return the name of a task and its arguments."""
        task = self._loaded.graph[key]
        return f"{task.name}\0{summary(task.args, task.kwargs)}"

    def _work(self) -> ExitCode | None:
        """Work until nothing more can come; None if a jugfile that stands may go on."""
        idle = 0.0
        while True:
            self._learn(() if self._looked else self._backend.poll())
            if self._has_enough():
                return ExitCode.NOT_DONE
            self._queue.extend(self._lock())
            if self._queue:
                idle = 0.0
                self._run()
                continue
            self._give_back()
            self._flush()
            missing = self._loaded.missing
            if missing and self._frontier.finished_all(missing):
                if self._standing:
                    return None
                code = self._read_on()
                if code not in {None, ExitCode.DONE}:  # what is known now may be more
                    return code
                idle = 0.0
                continue
            if self._frontier.exhausted(more=bool(missing)):
                return ExitCode.DONE
            if self._others.expel_dead():
                self._output()  # what was said of it is no task's
                continue
            waited = self._wait()
            idle = idle + waited if waited else 0.0
            code = self._choice.given_up(self._frontier, self._others, idle)
            if code is not None:
                return code

    def _has_enough(self) -> bool:
        """Return whether no new task is to be begun."""
        if self._runner.ended:
            self._page.note_limit(progress=self._runner.progress)
            return True
        return self._page.stopping or (self._options.fail_fast and bool(self.failed))

    def _wait(self) -> float:
        """Wait for news; return for how long it was in vain, 0 if there was any."""
        began = self._clock.monotonic()
        rest, latency = self._pace.rest, self._backend.latency
        if rest < (patience := self._choice.patience(self._frontier, latency)):
            self._backend.wait(patience)  # a rest ends in a look, too
        self._page.rest(rest, self._clock)
        news = self._learn(self._backend.poll()) or self._pace.others
        return 0.0 if news else self._clock.monotonic() - began

    def _start_over(self) -> None:
        """Make the frontier from what the store knows now."""
        self._flush()
        self._backend.poll()
        self._looked = True
        self._frontier = self._choice.frontier(self._loaded)
        self._runner.use(self._loaded.graph.codes)

    def _learn(self, changes: Sequence[Change]) -> bool:
        """Bring the frontier up to date with what became known; return if it was."""
        self._looked = True  # whoever appended or waited has read what there was
        if any(change.discarded for change in changes):
            self._start_over()
            return True
        for change in changes:
            self._frontier.finish(change.results)
            self._frontier.fail(change.failures)
        return bool(changes)

    def _read_on(self) -> ExitCode | None:
        """Read the jugfile beyond a barrier; return how it ended if it stood there."""
        self._code: ExitCode | None = None
        self._loaded = self._source.load(self._results, self._pause)
        self._output()  # what it printed is no task's
        if self._code is None:
            self._runner.begin_anew()
            self._start_over()
        return self._code

    def _pause(self, loaded: Loaded) -> bool:
        """Work while the jugfile stands at a barrier; return whether it can go on."""
        self._output()
        self._runner.begin_anew(watch=True)
        before, self._loaded = self._loaded, loaded
        if loaded.graph is before.graph:
            self._frontier.grow(self._backend.keys(), self._backend.failures())
        else:
            self._start_over()
        self._standing, self._looked = True, False
        self._code = self._work()
        self._standing = False
        return self._code is None and not self._runner.spoiled

    def _lock(self) -> list[tuple[Key, int]]:
        """Lock some of what is ready; return it with the token of its lock."""
        backend, pace, attempts = self._backend, self._pace, 0
        pace.others, pace.crowd = self._others.count(), self._others.crowd
        self._learn(backend.changes())  # it may have freed locks, and read on
        while True:
            at = self._frontier, self._loaded.graph, self._running
            budget = self._choice.budget(pace, backend, *at, attempts)
            attempts += 1
            expected = partial(self._expected, backend.suspects())
            wanted = self._frontier.take(expected, budget)
            if not wanted:
                return []
            self._join()
            seen, began = backend.position, self._clock.monotonic()
            claim = backend.claim(wanted)
            pace.locked(self._clock.monotonic() - began)
            self._frontier.put_back(filterfalse(set(claim.keys).__contains__, wanted))
            # On the way to its end the journal may have said anything: a result, or a
            # discard that voids what is in the batch and what the keys need.
            self._learn(backend.changes())
            if (claim := self._not_elsewhere(claim)).keys:
                return self._without_poison(claim)
            if backend.position == seen:  # what is wanted cannot be had: ask no more
                self._start_over()
                return []

    def _expected(self, suspects: Container[Key], task: Task) -> float | None:
        """Return how long a task will probably take; None if nobody knows."""
        known = task.key not in suspects
        seconds = self._pace.seconds.get(task.generator.name) if known else None
        self._page.expect(seconds)
        return self._choice.expected(task, seconds, self._frontier.unfinished)

    def _not_elsewhere(self, claim: Claim) -> Claim:
        """Take results from other stores, if there are; return what is to be run."""
        if not (known := self._choice.elsewhere(claim.keys)):
            return claim
        self._flush()
        self._page.note_taken(self._choice.take(known, claim))
        self._learn(self._backend.changes())
        lacking = [key for key in known if self._backend.find(key) is None]
        self._frontier.finish(set(known).difference(lacking))
        self._hand_back(lacking)
        return Claim(claim.token, [key for key in claim.keys if key not in known])

    def _without_poison(self, claim: Claim) -> list[tuple[Key, int]]:
        """Record tasks that kill their workers as failed, instead of running them."""
        graph, causes = self._loaded.graph, self._runner.retries_on
        if deadly := poisonous(claim.keys, self._backend, graph, causes):
            self._flush()
            self._done = given_up(graph, deadly, claim.token, self._clock.time())
            self._frontier.fail(deadly)
            self.failed += len(deadly)
            self._flush()
        return spared(claim, deadly)

    def _run(self) -> None:
        tasks, seconds = self._loaded.graph.by_key, self._pace.seconds
        watch, self._now = self._background, self._clock.monotonic()
        watch.patience = self._pace.interval
        if len(self._queue) > 1:
            watch.start()
        while self._queue and not self._has_enough():
            key, token = self._queue.popleft()
            task = tasks[key]
            if self._frontier.lacks(key):
                self._hand_back([key])  # what it needs has failed or gone
                continue
            self._following = following = seconds.get(task.generator.name, inf)
            age = self._now - (done := self._done).oldest
            if done.frees or not self._queue or age + following >= watch.patience:
                self._look_ahead(following)
            self._running = key
            self._run_one(task, token)
            self._running, self._looked = b"", False
            if watch.torn:
                self._gather()
        self._give_back()
        self._look_ahead(0.0)

    def _give_back(self, *, flush: bool = False) -> None:
        """Let others have what is locked and was not begun, and first what is done."""
        if flush:
            self._flush()
        waiting = [key for key, _ in self._queue]
        self._queue.clear()
        self._hand_back(waiting)
        self._choice.keep(self._loaded.graph, self._running)

    def _hand_back(self, keys: Sequence[Key]) -> None:
        if keys:
            self._backend.release(keys)
            self._frontier.put_back(keys)

    def _look_ahead(self, following: float) -> None:
        """Publish what is due, and lock more, before or while the next task runs."""
        self._following = following
        due = self._due()
        aside = (due or not self._queue) and self._pace.aside(following)
        if not (aside and self._background.ask()) and due:
            self._flush()

    def _due(self) -> bool:
        """Return whether what was run would be too old after the following task."""
        done, age = self._done, self._clock.monotonic() - self._done.oldest
        held = len(self._backend.holders()) if done.frees else 0
        wanted = done.frees and self._pace.scarce(self._frontier.free(held))
        return bool(done) and self._pace.due(age, self._following, wanted=wanted)

    def _run_one(self, task: Task, token: int) -> None:
        key, generator = task.key, task.generator
        limit, now = generator.timeout, self._clock.monotonic
        self._page.begin(key, now() + limit if limit else 0.0)
        try:
            seconds = self._runner.run(task, self._batch, self._output)
        except (MissingResultError, NotRunError) as error:
            self._page.end()
            set_aside(self._results, error)
            self._backend.release([key])
            self._start_over()
            return
        except BackendError:
            self._page.end()
            raise
        # What else is raised ends the worker; the page says what it was running.
        self._page.end()
        self._pace.learn(generator.name, seconds)
        self._now = (began := self._runner.began) + seconds
        if failed := self._runner.failed:
            self.failed += 1
            self._frontier.fail([key])
        frees = not failed and self._frontier.finish_one(key)
        self._done.ran(began, token, frees=frees)

    def _flush(self) -> None:
        """Publish what has been run; what is refused counts as not run."""
        if not (done := self._done):
            return
        began = self._clock.monotonic()
        whole = done.publish(self._results, self._provenance())
        self._done = Unpublished()
        self._pace.published(self._clock.monotonic() - began)
        self._background.patience = self._pace.interval
        if whole:
            self._page.note_made(len(done))
            self._learn(self._backend.changes())
        else:
            self._backend.release(done.batch.keys)
            self._start_over()

    def _provide(self) -> None:
        """While a short task runs: publish what is due, lock what comes after it."""
        if self._due():
            self._flush()
        if not (self._queue or self._page.stopping):
            self._queue.extend(self._lock())

    def _gather(self) -> None:
        """Do anew, now that no task runs, what could not be done while one did."""
        self._background.torn = False
        self._flush()
        self._queue.clear()
        let_go(self._backend)
        self._start_over()

    def _leave(self) -> None:
        """Leave nothing behind: publish, release, and sign off.

        Only a task that ended this worker stays locked, for the supervisor to judge.
        """
        backend, running = self._backend, self._page.running()
        try:
            self._flush()
            let_go(backend, running[:1] if running else ())
        finally:
            if not running:
                backend.members.leave(backend.worker)
