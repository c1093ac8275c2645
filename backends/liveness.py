"""Who is alive: judged by processes on this machine, by heartbeats elsewhere.

A heartbeat says nothing by its age: clocks differ, caches lie. An observer notes when,
by its own monotonic clock, a heartbeat last *changed*; a worker whose heartbeat has not
changed for a lease is taken for dead. On the same machine the process table knows
sooner, but only what it says for certain counts:

* It is the same machine if nothing tells it from ours: its name, its boot, its space of
  process numbers, its network devices. Containers may share a name and cloned machines
  a boot; what cannot be known is never the same.
* A process is gone if the system knows no such number, or another process has it. That
  ``/proc`` does not show one of another user (``hidepid``) says nothing.
* A process that is there and not frozen is alive, whatever its heartbeat: it is renewed
  by a supervisor, which may be frozen.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from backends.interface import Backend, Member

DEFAULT_LEASE = 120.0
BEATS_PER_LEASE = 6
_ENDED, _FROZEN = "ZX", "Tt"
"""States of processes, as ``/proc`` has them."""
_PROCESSES = 1 << 31


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
        **_machine(),
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
            alive = False if member is None else alive_here(member.identity)
            if member is None or alive is False:
                dead.add(worker)
                continue
            beat, since = self._changed.get(worker, (None, now))
            if alive or beat != member.beat:
                self._changed[worker] = member.beat, now
            elif now - since >= lease_of(member.identity):
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
    alive = alive_here(member.identity)
    return member.age >= lease_of(member.identity) if alive is None else not alive


def left_behind(backend: Backend) -> set[str]:
    """Return the workers that seem dead and left something: locks, or who they were.

    One that ends returns its locks and signs off before its process is gone. So what
    the dead left is looked for once more: then, they have not ended in between.
    """
    members = {member.worker: member for member in backend.members.all()}
    workers = members.keys() | set(backend.holders().values())
    dead = {worker for worker in workers if seems_dead(members.get(worker))}
    if not dead:
        return dead
    backend.refresh()
    signed_on = {member.worker for member in backend.members.some(dead)}
    return dead & (signed_on | set(backend.holders().values()))


def alive_here(identity: Mapping[str, object]) -> bool | None:
    """Return whether a worker is alive, None if only its heartbeat can tell.

    While the supervisor of one that is gone lives, it is for that one to say so: it
    knows the cause.
    """
    here = _machine()
    if any(mine is None or identity.get(what) != mine for what, mine in here.items()):
        return None
    alive = _lives(identity.get("pid"), identity.get("started"))
    match identity.get("supervisor"):
        case [pid, started] if alive is False and _lives(pid, started) is not False:
            return None
    return alive


def _lives(pid: object, started: object) -> bool | None:
    """Return whether a process is there, None if it is frozen or nobody tells us."""
    if not isinstance(pid, int) or not 0 < pid < _PROCESSES:
        return None
    state, since = _state(pid)
    if not state:
        return None if _exists(pid) else False
    if state in _ENDED or since != started:
        return False
    return None if state in _FROZEN else True


def _process(pid: int) -> list[int | None]:
    return [pid, process_start(pid)]


def process_start(pid: int) -> int | None:
    """Return when a process started, in ticks since boot; None if nobody tells us."""
    return _state(pid)[1]


def process_stopped(pid: int) -> bool:
    """Return whether a process is frozen by a signal."""
    state, _ = _state(pid)
    return bool(state) and state in _FROZEN


def _state(pid: int) -> tuple[str, int | None]:
    """Return the letter of a process's state and its start; empty if not shown."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "", None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def _exists(pid: int) -> bool:
    """Return whether there is such a process, of whomever: the kernel hides none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def lease_of(identity: Mapping[str, object]) -> float:
    """Return after how many seconds without a heartbeat a worker counts as dead."""
    lease = identity.get("lease")
    return lease if isinstance(lease, int | float) and lease > 0 else DEFAULT_LEASE


@cache
def _machine() -> dict[str, object]:
    """Return what tells this machine, and its space of processes, from all others."""
    boot = space = None
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with suppress(OSError):
        space = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - one number
    name = os.uname().nodename
    return {"host": name, "boot": boot, "space": space, "devices": _devices()}


def _devices() -> str:
    """Return the addresses of the network devices, of real ones if there are any."""
    found = {}
    with suppress(OSError):
        for device in Path("/sys/class/net").iterdir():
            with suppress(OSError):
                address = (device / "address").read_text().strip()
                if address.strip("0:"):
                    found[address] = (device / "device").exists()
    real = [address for address in found if found[address]]
    return " ".join(sorted(real or found))
