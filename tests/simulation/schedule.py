"""One schedule: processes, an adversary, and how it ends; all of it from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from backends.errors import BackendError
from backends.store import JournalStore
from backends.warning import warnings_told
from taskgraph.execution.choosing.pool import Pool
from taskgraph.resources import NOTHING
from taskgraph.results.results import Results
from taskgraph.tasks import recording
from taskgraph.tasks.graph import Graph
from taskgraph.upkeep.growing import take

from .calls import OFFERED, Plan, PlanSource, RaisedError
from .deeds import COMMANDS, LEASE, body_of, work
from .scheduler import Process, Scheduler
from .simulated_log import Disk, SimulatedLog
from .truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from taskgraph.upkeep.snapshot import Snapshot

FAULTS = ("kill", "freeze", "silence", "delay", "eio", "unavailable", "clock")
_MOST_STEPS = 15_000
_PLACES = 20
"""More than there are workers in any schedule."""
_MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a schedule ended: what was broken if anything was, and what it took."""

    seed: int
    broken: str | None
    steps: int
    runs: int
    segments: int
    plan: Sequence[str]
    trace: Sequence[str]


def planned_deeds(seed: int) -> list[tuple[int, str]]:
    """Return what the adversary will do, and at which steps.

    Each schedule is without some kinds of faults and of commands, as chance will have
    it: what is rare where everything happens is then found by itself.
    """
    rng = Random(f"plan {seed}")
    horizon = rng.choice([300, 600, 1200])
    what = ["invalidate"] * rng.choice([1, 1, 2, 3])
    for command in ("undo", "retry", "cleanup", "fsck"):
        what += [command] * rng.choice([0, 0, 1, 2])
    what += ["work"] * rng.choice([0, 1, 2])
    for fault in FAULTS:
        if rng.random() < 0.3:
            what += [fault] * rng.choice([1, 1, 2, 3])
    for disaster in ("rewind", "spoil"):
        if rng.random() < 0.1:
            what.append(disaster)
    return sorted((rng.randrange(20, horizon), each) for each in what)


class Schedule:
    """A store with its processes, and an adversary who chooses who goes on.

    Parameters
    ----------
    seed : int
        From which all follows.
    dropped : collection of int
        Places in its plan of what the adversary is not to do.
    traced : bool
        Whether each step is written down.
    """

    def __init__(
        self, seed: int, *, dropped: Container[int] = (), traced: bool = False
    ) -> None:
        self.seed = seed
        self.rng = rng = Random(seed)
        tick = rng.choice([0.0002, 0.001, 0.001, 0.005, 0.02])
        self.scheduler = Scheduler(rng, tick=tick, traced=traced)
        plan = Plan.of(rng, asking=Random(f"asking {seed}").random() < 0.3)
        offered = OFFERED if plan.asking else NOTHING
        self.pool = Pool(offered, _PLACES, lambda: self.scheduler.now)
        self.using: dict[Process, int] = {}
        self.source = PlanSource(plan)
        tasks = plan.tasks(None, len(plan.needs))
        self._tasks = tasks
        numbers = {task.key: number for number, task in enumerate(tasks)}
        self.truth = Truth(self.scheduler, plan, numbers)
        self.disk = Disk(self.scheduler, rng.choice([8, 10]), self.truth.appended)
        self.processes: list[Process] = []
        self.raising = rng.choice([0.0, 0.0, 0.05, 0.15])
        self.slow = rng.choice([0.05, 0.2, 0.5])
        planned = enumerate(planned_deeds(seed))
        self.plan = [each for place, each in planned if place not in dropped]

    # what processes ask for

    def open(self, process: Process) -> Results:
        """Return the store as a process opens it."""
        log = SimulatedLog(self.disk, process)
        return Results(JournalStore(log, process.name, clock=process.time))

    def partial_snapshot(self) -> Snapshot:
        """Return the snapshot of a jugfile from which some of the last tasks went."""
        tasks = self._tasks
        end = self.rng.randint(len(tasks) // 3, len(tasks) - 1)
        return take(Graph(tasks[:end]), self.source.path)

    def perform(
        self, process: Process, number: int, values: Sequence[tuple[int, int]]
    ) -> tuple[int, int]:
        """Run a task's function: some waiting, then a new value, or it raises."""
        rng, scheduler = self.rng, self.scheduler
        run = self.truth.begin(number, values, process)
        self._use(process, self._asked(number))
        scheduler.note(f"run {run} of task {number} with {list(values)}")
        for _ in range(rng.choice([1, 1, 2, 3])):
            long = rng.random() < self.slow
            scheduler.sleep(rng.choice([0.3, 0.8, 3.0]) if long else rng.random() / 50)
        self._use(process, 0)
        if rng.random() < self.raising:
            self.truth.runs[run].raised = True
            raise RaisedError(str(run))
        return number, run

    def _asked(self, number: int) -> int:
        """Return how much a task asks for of what there is twice."""
        plan = self.truth.plan
        return plan.functions[number] if plan.asking else 0

    def _use(self, process: Process, amount: int) -> None:
        """Note what a process uses now; all together never use more than there is."""
        self.using[process] = amount
        if sum(self.using.values()) > sum(x.value for x in OFFERED.amounts):
            self.scheduler.fail(f"{process.name} uses more than is left")

    def buried(self, dead: Process) -> None:
        """Take back what a process had of the resources, as its supervisor does."""
        self.using.pop(dead, None)
        if dead.share is not None:
            dead.share.close()

    def process(self, name: str, deed: Callable[[Schedule, Process], None]) -> Process:
        """Start a process that does something."""
        process = Process(self.scheduler, f"{name}{len(self.processes)}")
        process.beat_every = LEASE / 6
        process.runs = self
        process.wall_offset = self.rng.choice([0.0, 0.0, -1e8, 3.0, 86400.0])
        process.hurt = process.ended = False
        process.share = None
        self.processes.append(process)
        self.scheduler.start(process, body_of(self, process, deed))
        self.scheduler.note(f"{process.name} starts")
        return process

    # what the adversary does

    def _happen(self, what: str) -> None:
        if what == "work":
            self.process("w", work)
        elif what in COMMANDS:
            self.process(what, COMMANDS[what])
        elif what in ("rewind", "spoil"):
            getattr(self, f"_{what}")()
        else:
            alive = [p for p in self.processes if p.alive and not p.ended]
            if alive:
                victim = self.rng.choice(alive)
                self.scheduler.note(f"ADVERSARY: {what} {victim.name}")
                getattr(self, f"_{what}")(victim)

    def _kill(self, victim: Process) -> None:
        self.scheduler.kill(victim)
        self.buried(victim)

    def _freeze(self, victim: Process) -> None:
        victim.last_beat()
        seconds = self.rng.choice([0.5, LEASE * 1.2, LEASE * 3])
        victim.frozen_until = self.scheduler.now + seconds

    def _silence(self, victim: Process) -> None:
        victim.last_beat()
        victim.silent_until = self.scheduler.now + LEASE * 2

    def _delay(self, victim: Process) -> None:
        seconds = self.rng.choice([0.1, 1.0, 5.0])
        for actor in self.scheduler.actors:
            if actor.process is victim and actor.wake <= self.scheduler.now:
                actor.wake = self.scheduler.now + seconds

    def _eio(self, victim: Process) -> None:
        victim.hurt = True
        victim.failing_reads += self.rng.choice([1, 1, 2, 3])

    def _unavailable(self, victim: Process) -> None:
        victim.hurt = victim.unavailable = True

    def _clock(self, victim: Process) -> None:
        victim.wall_offset += self.rng.choice([-1e6, -1.0, 10.0, 1e6])

    def _rewind(self) -> None:
        gone = self.disk.rewind(self.rng.randint(1, 12))
        self.scheduler.note(f"ADVERSARY: the last {gone} names vanish")
        if gone:
            self.truth.rewound()
            self.scheduler.end = self.disk.end()

    def _spoil(self) -> None:
        spoilt = self.disk.spoil(self.rng)
        if spoilt is not None:
            self.scheduler.note(f"ADVERSARY: segment {spoilt[0]} is damaged")
            self.truth.spoilt(spoilt[1])

    # from the beginning to the end

    def run(self) -> Outcome:
        """Let it happen; return how it ended."""
        scheduler = self.scheduler
        for _ in range(self.rng.choice([3, 3, 4])):
            self.process("w", work)
        plan = list(self.plan)
        while not scheduler.broken:
            acted = scheduler.turn()
            if plan and (scheduler.steps >= plan[0][0] or not acted):
                self._happen(plan.pop(0)[1])
            elif not acted:
                break
            self._bound()
        self._last_worker()
        scheduler.unwind(self.processes)
        # Each worker thinks that the process is its own, and they ended in any order.
        recording._process.recording = None
        return Outcome(
            self.seed,
            scheduler.broken,
            scheduler.steps,
            len(self.truth.runs),
            len(self.truth.segments),
            [f"{step} {what}" for step, what in self.plan],
            scheduler.trace or (),
        )

    def _last_worker(self) -> None:
        """Let a last worker finish what is left, undisturbed, and read all anew."""
        scheduler = self.scheduler
        if not scheduler.broken:
            self.raising = 0.0
            self.process("last", work)
            while not scheduler.broken and scheduler.turn():
                self._bound()
        if not scheduler.broken:
            reader = self.open(Process(scheduler, "reader"))
            with warnings_told(scheduler.note):
                try:
                    self.truth.compare(reader)
                except BackendError as error:
                    scheduler.fail(f"nobody can read the store any more: {error!r}")

    def _bound(self) -> None:
        if self.scheduler.steps > _MOST_STEPS or self.scheduler.now > _MOST_SECONDS:
            self.scheduler.fail("a run does not end")
