"""Who is alive: judged by processes on this host, by heartbeats elsewhere.

A heartbeat says nothing by its age: clocks differ, caches lie. An observer notes when,
by its own monotonic clock, a heartbeat last *changed*; a worker whose heartbeat has not
changed for a lease is taken for dead. On the same host the process table knows sooner.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from backends.interface import Member

DEFAULT_LEASE = 120.0
BEATS_PER_LEASE = 6


def worker_identity(
    pid: int, lease: float, supervisor: int | None = None
) -> dict[str, object]:
    """Return what a worker says of itself, so that others can tell if it lives.

    Parameters
    ----------
    pid : int
        Its process.
    lease : float
        Seconds without a heartbeat after which it counts as dead.
    supervisor : int, optional
        The process that watches over it and knows best what it died of.
    """
    watched = {} if supervisor is None else {"supervisor": _process(supervisor)}
    return watched | {
        "host": os.uname().nodename,
        "boot": _boot(),
        "space": _process_space(),
        "pid": pid,
        "started": process_start(pid),
        "lease": lease,
    }


class Watch:
    """Judges members of a store, seen again and again.

    Parameters
    ----------
    clock : callable, optional
        Monotonic seconds.

    Examples
    --------
    >>> from backends.interface import Member
    >>> seconds = iter([0.0, 50.0, 130.0])
    >>> watch = Watch(lambda: next(seconds))
    >>> member = Member("w", {"host": "elsewhere", "lease": 120}, beat=1.0, age=0.0)
    >>> [watch.dead([member], {"w"}) for _ in range(3)]
    [set(), set(), {'w'}]
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed: dict[str, tuple[float, float]] = {}

    def dead(self, members: Iterable[Member], wanted: Iterable[str]) -> set[str]:
        """Return those of `wanted` that are dead: gone, or silent for a lease."""
        now = self._clock()
        known = {member.worker: member for member in members}
        dead = set()
        for worker in wanted:
            member = known.get(worker)
            if member is None or process_gone(member.identity):
                dead.add(worker)
                continue
            beat, since = self._changed.get(worker, (None, now))
            if beat != member.beat:
                self._changed[worker] = member.beat, now
            elif now - since >= _lease(member.identity):
                dead.add(worker)
        return dead


def seems_dead(member: Member | None) -> bool:
    """Return whether a worker is dead as far as a single look can tell.

    Unlike `Watch`, it goes by the age of the heartbeat: for people to read, not to act
    on without them.

    Examples
    --------
    >>> from backends.interface import Member
    >>> seems_dead(Member("w", {"host": "elsewhere", "lease": 120}, beat=1.0, age=60.0))
    False
    >>> seems_dead(None)
    True
    """
    if member is None:
        return True
    return process_gone(member.identity) or member.age >= _lease(member.identity)


def process_gone(identity: Mapping[str, object]) -> bool:
    """Return whether a worker ran on this host and its process is no more.

    While its supervisor lives, it is for that one to say so: it knows the cause.
    """
    if identity.get("boot") != _boot() or identity.get("space") != _process_space():
        return False
    supervisor = identity.get("supervisor")
    if isinstance(supervisor, list) and _process(int(supervisor[0])) == supervisor:
        return False
    pid = identity.get("pid")
    return isinstance(pid, int) and process_start(pid) != identity.get("started")


def _process(pid: int) -> list[int]:
    return [pid, process_start(pid)]


def process_start(pid: int) -> int:
    """Return when a process started, in ticks since boot; 0 if there is none.

    A zombie is none.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])


def process_stopped(pid: int) -> bool:
    """Return whether a process is frozen by a signal."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] in "Tt"


def _lease(identity: Mapping[str, object]) -> float:
    lease = identity.get("lease")
    return float(lease) if isinstance(lease, int | float) else DEFAULT_LEASE


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return os.uname().nodename


def _process_space() -> int:
    with suppress(OSError):
        return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - one number
    return 0
