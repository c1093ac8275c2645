"""What processes do: a worker works, a command does what lies behind that of `tg`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.errors import BackendError, DamagedError
from taskgraph.execution.background_flush import BackgroundFlush
from taskgraph.execution.options import WorkerOptions
from taskgraph.execution.shared_page import NoPage
from taskgraph.execution.worker import Worker
from taskgraph.exit_codes import ExitCode
from taskgraph.results.failures import discard_failures
from taskgraph.tasks.graph import closure_of, selector
from taskgraph.upkeep.checking import check, repair
from taskgraph.upkeep.collection import empty, expired, unneeded
from taskgraph.upkeep.invalidation import (
    CLEANUP,
    INVALIDATION,
    RETRY,
    forget,
    losses,
    matching,
    with_dependants,
)
from taskgraph.upkeep.kept_jugfile import KeptJugfile
from taskgraph.upkeep.snapshot import load_all
from taskgraph.upkeep.undoing import undo as undo_discard

from .scheduler import NEVER, KilledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskgraph.results.results import Results

    from .schedule import Schedule
    from .scheduler import Process

LEASE = 6.0
PATIENCE = 0.5


def work(schedule: Schedule, process: Process) -> None:
    """Be a worker until nothing more can come."""
    results = schedule.open(process)
    backend = results.backend
    joined = False

    def join() -> None:
        nonlocal joined
        if not joined:
            about = {"host": process.name, "boot": "simulated", "lease": LEASE}
            about["resources"] = str(schedule.pool.offered)
            backend.members.beat(process.name, about)
            joined = True

    source, page = KeptJugfile(schedule.source), NoPage()
    page.share = process.share = schedule.pool.share()
    worker = ObservedWorker(
        source,
        source.load(results),
        WorkerOptions(resources=schedule.pool.offered),
        provenance=dict,
        page=page,
        join=join,
        clock=process,
        background=lambda *deeds: SimulatedFlush(schedule, process, *deeds),
    )
    code = worker.run()
    schedule.scheduler.note(f"ends with {code!r}")
    if code != ExitCode.DONE:
        schedule.scheduler.fail(f"{process.name} ended with {code!r}")
    if worker.lacking:
        numbers = sorted(schedule.truth.numbers[key] for key in worker.lacking)
        schedule.scheduler.fail(f"{process.name} ended, and left undone: {numbers}")


class ObservedWorker(Worker):
    """A worker that notes what it knew to be undone when it decided to end."""

    lacking = frozenset()

    def _leave(self) -> None:
        backend, graph = self._backend, self._loaded.graph
        lacking = {key for key in graph if backend.find(key) is None}
        self.lacking = lacking - closure_of(backend.failures(), graph.dependants())
        super()._leave()


class SimulatedFlush(BackgroundFlush):
    """What is published and locked while a task runs, from a second stack."""

    def __init__(
        self,
        schedule: Schedule,
        process: Process,
        flush: Callable[[], None],
        provide: Callable[[], None],
    ) -> None:
        self._scheduler, self._rng = schedule.scheduler, schedule.rng
        self._process = process
        self._flush, self._provide = flush, provide
        self._stack = None
        self._mine = self._asked = self._ended = self.torn = False
        self._error = None

    def __exit__(self, *exception: object) -> None:
        self._ended = True
        if self._stack is not None:
            self._stack.wake = self._scheduler.now

    def start(self) -> None:
        if self._stack is None:
            name = f"{self._process.name}+"
            self._stack = self._scheduler.start(self._process, self._watch, name)
            self._stack.wake = NEVER

    def ask(self) -> bool:
        self._asked = self._stack is not None and not self._asked
        return self._asked

    def hand_over(self) -> None:
        self._mine = False
        if self._stack is not None:
            soon = self._rng.random() * 0.01 if self._asked else PATIENCE
            self._stack.wake = self._scheduler.now + soon

    def take_back(self) -> None:
        while self._mine:
            self._scheduler.sleep(0.001)
        if self._stack is not None:
            self._stack.wake = NEVER
        if self._error is not None:
            raise self._error

    def _watch(self) -> None:
        while not self._ended:
            self._mine = True
            asked, self._asked = self._asked, False
            try:
                (self._provide if asked else self._flush)()
            except KilledError:
                return
            except BackendError:
                self.torn = True
            except BaseException as error:  # noqa: BLE001 - raised in the worker
                self._error = error
            finally:
                self._mine = False
            if not self._ended:
                self._scheduler.sleep(PATIENCE if asked else NEVER)


# commands: what each does behind its options and tables


def invalidate(schedule: Schedule, process: Process) -> None:
    results = _opened(schedule, process)
    backend, rng = results.backend, schedule.rng
    known = load_all(backend)
    if not known:
        return
    chosen = set(matching(known[0], selector([rng.choice(["leaf", "middle", "top"])])))
    if rng.random() < 0.5:
        chosen = {rng.choice(known[0].split())}
    keys = with_dependants(chosen, known)
    losses(results, keys)
    forget(results, keys, known, reason=f"{INVALIDATION} some")


def undo(schedule: Schedule, process: Process) -> None:
    results = _opened(schedule, process)
    found = results.backend.discards()
    if not found:
        return
    chosen = found[-1] if schedule.rng.random() < 0.7 else schedule.rng.choice(found)
    undo_discard(results, chosen)


def retry(schedule: Schedule, process: Process) -> None:
    results = _opened(schedule, process)
    failed = sorted(results.backend.failures())
    found = list(results.records(iter(failed)))
    if found:
        keys = [key for key, _ in found]
        discard_failures(results.backend, keys, reason=RETRY)


def cleanup(schedule: Schedule, process: Process) -> None:
    results = _opened(schedule, process)
    backend = results.backend
    if schedule.rng.random() < 0.5:
        age = schedule.rng.choice([0.0, 5.0])
        empty(results, expired(backend.discards(), backend.space.now() - age))
        backend.space.empty_trash(age)
        return
    current = schedule.partial_snapshot()
    found = unneeded(backend.keys(), current, ())
    losses(results, found.keys, sizes=True)
    if found.keys:
        forget(results, found.keys, [current], reason=CLEANUP)


def fsck(schedule: Schedule, process: Process) -> None:
    results = _opened(schedule, process)
    repair(results, list(check(results)))


def _opened(schedule: Schedule, process: Process) -> Results:
    results = schedule.open(process)
    results.backend.poll()
    return results


COMMANDS = {
    "invalidate": invalidate,
    "undo": undo,
    "retry": retry,
    "cleanup": cleanup,
    "fsck": fsck,
}


def body_of(
    schedule: Schedule, process: Process, deed: Callable[[Schedule, Process], None]
) -> Callable[[], None]:
    """Return a deed as what a process does from its first step to its last."""

    def body() -> None:
        scheduler = schedule.scheduler
        try:
            deed(schedule, process)
        except KilledError:
            return
        except BackendError as error:
            scheduler.note(f"ends: {error}")
            damaged = isinstance(error, DamagedError) and deed is not work
            if not (process.hurt or schedule.truth.lost or damaged):
                scheduler.fail(f"{process.name} ended without cause: {error!r}")
        except Exception:  # noqa: BLE001 - whatever it is, it is a fault
            import traceback

            scheduler.fail(f"{process.name} broke down: {traceback.format_exc()}")
        finally:
            if process.alive:
                process.last_beat()
                process.joined = None  # its heart stops, signed off or not
                process.ended = True
                schedule.buried(process)

    return body
