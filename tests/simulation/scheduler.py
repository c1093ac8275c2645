"""Processes that take turns: each has stacks of its own, and one runs at a time.

Whoever makes a step (an operation on the log, a piece of a task's function) may be
paused there, for as long as whoever chooses likes. Time is virtual: it passes a little
with each step, and jumps when everybody waits.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

import greenlet

from backends.warning import warnings_told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NEVER = math.inf
STILL = 1500
"""Steps that a process may make while neither the journal grows nor it waits."""
_BURSTS = (1, 1, 1, 1, 2, 2, 3, 4, 6, 10, 20, 50)


class KilledError(BaseException):
    """The process is dead: it unwinds, and can do nothing more to anybody."""


class Process:
    """A process on a machine, with its clocks and its heartbeat.

    Attributes
    ----------
    frozen_until : float
        When it goes on; it does not beat until then either.
    silent_until : float
        When its heart beats again, though it works on meanwhile.
    """

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.scheduler = scheduler
        self.name = name
        self.began = scheduler.end
        self.alive = True
        self.frozen_until = self.silent_until = 0.0
        self.failing_reads = 0
        self.unavailable = False
        self.still = 0
        self.joined: float | None = None
        self.beat_every = 1.0
        self.beaten = 0.0
        self.wall_offset = 0.0

    def time(self) -> float:
        """Return what the machine's clock on the wall says."""
        return 1e9 + self.scheduler.now + self.wall_offset

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return 1.0 + self.scheduler.now

    def last_beat(self) -> float:
        """Return when its heart last beat, as of now."""
        now = self.scheduler.now
        if self.joined is not None and self.alive and self.frozen_until <= now:
            since = max(self.joined, self.frozen_until, self.silent_until)
            if since <= now:
                beats = int((now - since) / self.beat_every)
                self.beaten = max(self.beaten, since + beats * self.beat_every)
        return self.beaten


class Actor(greenlet.greenlet):
    """One stack of a process: its main thread, or one beside it."""

    def __init__(
        self, process: Process, body: Callable[[], None], name: str = ""
    ) -> None:
        super().__init__(body, process.scheduler.hub)
        self.process = process
        self.name = name or process.name
        self.burst = 0
        self.wake = 0.0
        self.position = -1

    def ready(self, now: float, end: int) -> bool:
        """Return whether it can make a step."""
        if self.process.frozen_until > now:
            return False
        return self.wake <= now or -1 < self.position < end


class Scheduler:
    """Lets actors take turns until all have ended or something is broken.

    Attributes
    ----------
    now : float
        Virtual seconds since the beginning.
    broken : str or None
        The invariant that does not hold any more.
    trace : list of str or None
        What happened, step by step, if somebody wants to know.
    """

    def __init__(self, rng: Random, *, tick: float, traced: bool) -> None:
        self.rng = rng
        self.hub = greenlet.getcurrent()
        self.now = 0.0
        self.steps = 0
        self.end = 0
        self.tick = tick
        self.broken: str | None = None
        self.trace: list[str] | None = [] if traced else None
        self.actors: list[Actor] = []

    def start(
        self, process: Process, body: Callable[[], None], name: str = ""
    ) -> Actor:
        """Let a new stack take part."""

        def told() -> None:
            with warnings_told(lambda sentence: self.note(f"warns: {sentence}")):
                body()

        actor = Actor(process, told, name)
        self.actors.append(actor)
        return actor

    def note(self, what: str) -> None:
        """Write down what happens, if somebody wants to know."""
        if self.trace is not None:
            who = getattr(greenlet.getcurrent(), "name", "-")
            self.trace.append(f"{self.steps:5d} {self.now:9.3f}s {who:12s} {what}")

    def fail(self, invariant: str) -> None:
        """Say that an invariant is broken; nobody makes another step."""
        if self.broken is None:
            self.broken = invariant
            self.note(f"BROKEN: {invariant}")

    # what actors call

    def step(self, what: str, *, pause: bool = False) -> None:
        """Make a step: somebody else may act before it is done."""
        actor = greenlet.getcurrent()
        if not isinstance(actor, Actor):
            return  # who only looks at how it ended
        process = actor.process
        self.steps += 1
        self.now += self.tick
        process.still += 1
        if process.still > STILL + 8 * self.end:
            self.fail(f"{actor.name} turns without progress, now at: {what}")
        if self.trace is not None:
            self.note(what)
        actor.burst -= 1
        if actor.burst <= 0 or pause or self.broken:
            actor.wake = self.now
            self.hub.switch()
        if not process.alive:
            raise KilledError

    def sleep(self, seconds: float, *, position: int = -1) -> None:
        """Wait for some time, or until the journal has something at a position."""
        actor = greenlet.getcurrent()
        if not isinstance(actor, Actor):
            return
        self.steps += 1
        actor.process.still = 0
        actor.wake = self.now + seconds
        actor.position = position
        self.hub.switch()
        actor.position = -1
        if not actor.process.alive:
            raise KilledError

    def grown(self, end: int) -> None:
        """Take in that the journal has grown: who waits for that wakes."""
        self.end = max(self.end, end)
        for actor in self.actors:
            actor.process.still = 0

    # what the hub does

    def turn(self) -> bool:
        """Let somebody act; return whether there was anybody who ever will."""
        now, end = self.now, self.end
        ready = [actor for actor in self.actors if actor.ready(now, end)]
        if not ready:
            later = min(
                (max(a.wake, a.process.frozen_until) for a in self.actors),
                default=NEVER,
            )
            if later == NEVER:
                return False
            self.now = max(now, later)
            return True
        actor = ready[int(self.rng.random() * len(ready))]
        actor.burst = _BURSTS[int(self.rng.random() * len(_BURSTS))]
        actor.switch()
        if actor.dead:
            self.actors.remove(actor)
        return True

    def kill(self, process: Process) -> None:
        """End a process where it stands; what it had begun stays as it is."""
        process.last_beat()
        process.alive = False
        gone = [actor for actor in self.actors if actor.process is process]
        self.actors = [a for a in self.actors if a.process is not process]
        process.corpses = gone  # collected later: a stack that goes away unwinds

    def unwind(self, processes: list[Process]) -> None:
        """Let go of all stacks that are left."""
        stacks = list(self.actors)
        for process in processes:
            process.alive = False
            stacks += getattr(process, "corpses", [])
        for actor in stacks:
            actor.parent = greenlet.getcurrent()
            if actor:
                with suppress(KilledError):
                    actor.throw(KilledError)
