"""A storm: workers at a store, and who strikes them."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from backends.errors import UnavailableError
from taskgraph.chaos.with_limit import Command, send

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from backends.interface import Backend, Key, Member

_PAUSE = (0.1, 1.0)
"""Seconds between two strikes, at least and at most."""
_BEYOND = 1.5
"""For how many leases somebody is frozen."""
_LOOK = 0.05
_ENDING = 60.0
"""Seconds that workers have to end when the storm is over; they need some."""
_PEOPLE = 0.4
"""How much of what is done is done by people, and not to workers."""


_TO_WORKERS = ("group killed", "worker frozen", "worker killed")


@dataclass(slots=True)
class Struck:
    """What a storm did.

    Attributes
    ----------
    deeds : Counter
        How often each kind of strike was.
    recoveries : list of float
        For each worker that was killed with locks: seconds until they were free.
    blind : float
        For how many seconds at most nobody looked whether locks were free, since the
        store did not answer: by so much a recovery may be shorter than it seems.
    hung : list of (str, str)
        Commands that did not end, by what they are called, and where they stood.
    """

    deeds: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    blind: float = 0.0
    hung: list[tuple[str, str]] = field(default_factory=list)

    @property
    def workers(self) -> int:
        """How often workers were killed or frozen."""
        return sum(self.deeds[deed] for deed in _TO_WORKERS)


@dataclass(frozen=True, slots=True)
class Programs:
    """Command lines of what a storm starts.

    Attributes
    ----------
    execute : sequence of str
        Starts a group of workers.
    meanwhile : mapping
        What people do meanwhile, by what it is called; it gives workers work.
    folder : Path
        Where all are started.
    limit : float
        Seconds after which one of `meanwhile` hangs.
    """

    execute: Sequence[str]
    meanwhile: Mapping[str, Sequence[str]]
    folder: Path
    limit: float


class Storm:
    """Groups of workers, started anew when they end, until the storm does.

    Parameters
    ----------
    programs : Programs
        What is started.
    groups : int
        How many groups of workers there are at a time.
    backend : Backend
        The store that they work with.
    lease : float
        Seconds after which a silent worker counts as dead.
    rng : random.Random
        Chooses who is struck, and how.
    said : file
        Where to everything goes that they print.
    """

    def __init__(
        self,
        programs: Programs,
        groups: int,
        backend: Backend,
        lease: float,
        rng: random.Random,
        said: IO[bytes],
    ) -> None:
        self.struck = Struck()
        self._programs = programs
        self._count = groups
        self._backend = backend
        self._lease = lease
        self._rng = rng
        self._said = said
        self._groups: list[Command] = []
        self._acting: Command | None = None
        self._frozen: list[tuple[float, int]] = []
        self._awaited: dict[Key, tuple[str, float]] = {}
        how = self._kill_group, self._freeze_worker, self._kill_worker
        self._strikes = dict(zip(_TO_WORKERS, how, strict=True))

    def rage(self, seconds: float, told: Callable[[Struck], object]) -> None:
        """Strike for so many seconds; then all that is frozen goes on.

        Whoever is interrupted leaves nobody behind.
        """
        end = time.monotonic() + seconds
        strike_at = time.monotonic() + 1.0
        try:
            while time.monotonic() < end:
                self._keep_up()
                self._hear()
                if time.monotonic() >= strike_at:
                    self._strike()
                    strike_at = time.monotonic() + self._rng.uniform(*_PAUSE)
                    told(self.struck)
                time.sleep(_LOOK)
                self._watch()
            self._watch_to_the_end()
        finally:
            self._end()

    def _strike(self) -> None:
        """Strike somebody, or do what people do, which gives workers work."""
        strike = self._rng.choice(sorted(self._strikes))
        deed = self._rng.choice(sorted(self._programs.meanwhile))
        if self._rng.random() >= _PEOPLE and self._strikes[strike]():
            self.struck.deeds[strike] += 1
        elif self._acting is None:
            self._acting = self._start(deed, self._programs.meanwhile[deed])

    def _hear(self) -> None:
        """See whether what people do is done; what takes too long hangs."""
        if self._acting is None:
            return
        code = self._acting.code()
        if code is None and self._acting.age < self._programs.limit:
            return
        self._finish(self._acting, 0.0)
        if code == 0:  # else there was nothing to be undone, or to be retried
            self.struck.deeds[self._acting.name] += 1
        self._acting = None

    def _finish(self, command: Command, seconds: float) -> None:
        """Wait for the end of a command; one that hangs is ended, and noted."""
        code, stood = command.wait(seconds)
        if code is None:
            self.struck.hung.append((command.name, stood))

    def _keep_up(self) -> None:
        """Start groups for those that ended; let go on who was frozen long enough."""
        self._groups = [group for group in self._groups if group.code() is None]
        while len(self._groups) < self._count:
            self._groups.append(self._start("workers", self._programs.execute))
        now = time.monotonic()
        for until, pid in list(self._frozen):
            if until <= now:
                send(pid, signal.SIGCONT)
                self._frozen.remove((until, pid))

    def _start(self, name: str, argv: Sequence[str]) -> Command:
        return Command(name, argv, self._programs.folder, self._said)

    # strikes; each returns whether there was anybody to be struck

    def _kill_worker(self) -> bool:
        member = self._some_member()
        return member is not None and self._kill([member], _pid_of(member))

    def _kill_group(self) -> bool:
        if not self._groups:
            return False
        group = self._rng.choice(self._groups)
        pids = {group.pid, *_children(group.pid)}
        members = [member for member in self._members() if _pid_of(member) in pids]
        return self._kill(members, -group.pid)

    def _kill(self, members: Sequence[Member], pid: int) -> bool:
        """Kill a process, or a group of them; note what its workers had locked."""
        self._refresh()
        killed = {member.worker for member in members}
        held = {key: by for key, by in self._backend.holders().items() if by in killed}
        if not send(pid, signal.SIGKILL):
            return False
        now = time.monotonic()
        self._awaited |= {key: (by, now) for key, by in held.items()}
        return True

    def _freeze_worker(self) -> bool:
        member = self._some_member()
        if member is None or not send(_pid_of(member), signal.SIGSTOP):
            return False
        until = time.monotonic() + _BEYOND * self._lease
        self._frozen.append((until, _pid_of(member)))
        return True

    # looking

    def _members(self) -> list[Member]:
        """Return the workers that this storm started and that are alive."""
        ours = {pid for group in self._groups for pid in _children(group.pid)}
        ours |= {group.pid for group in self._groups}
        try:
            return [
                each for each in self._backend.members.all() if _pid_of(each) in ours
            ]
        except UnavailableError:
            return []

    def _some_member(self) -> Member | None:
        members = sorted(self._members(), key=lambda member: member.worker)
        return self._rng.choice(members) if members else None

    def _refresh(self) -> None:
        with suppress(UnavailableError):
            self._backend.poll()

    def _watch(self) -> None:
        """See whose locks have become free, of those that were killed."""
        if not self._awaited:
            return
        began = time.monotonic()
        self._refresh()
        holders, now = self._backend.holders(), time.monotonic()
        self.struck.blind = max(self.struck.blind, now - began)
        for key, (by, since) in list(self._awaited.items()):
            if holders.get(key) != by:
                self.struck.recoveries.append(now - since)
                del self._awaited[key]

    def _watch_to_the_end(self) -> None:
        """Wait for the last locks to become free, with workers that look for them.

        Those that do not count with the time for which they were waited for.
        """
        end = time.monotonic() + 4 * self._lease
        while self._awaited and time.monotonic() < end:
            self._keep_up()
            time.sleep(_LOOK)
            self._watch()
        now = time.monotonic()
        self.struck.recoveries += [now - since for _, since in self._awaited.values()]

    def _end(self) -> None:
        for _, pid in self._frozen:
            send(pid, signal.SIGCONT)
        for group in self._groups:
            send(-group.pid, signal.SIGTERM)
        for group in self._groups:
            self._finish(group, _ENDING)
        if self._acting is not None:
            self._finish(
                self._acting, max(0.0, self._programs.limit - self._acting.age)
            )


def _pid_of(member: Member) -> int:
    """Return the process of a worker of this machine; 0 of others."""
    pid, host = member.identity.get("pid"), member.identity.get("host")
    return pid if isinstance(pid, int) and host == os.uname().nodename else 0


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
            return [int(child) for child in file.read().split()]
    except OSError:
        return []
