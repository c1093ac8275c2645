"""A store examined: what its place says, what processes measure in it, what that means.

All that is written is in a scratch store, which the place's `Probe` makes beside.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from backends.errors import BackendError
from backends.interface import Finding, Level
from backends.opening import open_probe
from taskgraph.clusters.machines import SSH
from taskgraph.doctor import judging
from taskgraph.doctor.meeting import Meeting, partner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backends.interface import Probe
    from taskgraph.doctor.capacity import Costs

_HERE = 3
"""Other processes of this machine."""
_START, _MEETING = 8.0, 120.0
"""Seconds in which others begin to take part, and in which they are started by hand."""
_ALONE, _TOGETHER, _MOST = 1.0, 2.0, 80
_RACE, _ROUNDS, _STEP = 3.0, 50, 0.02
_HOPS, _HOP_SECONDS = 12, 8.0
_BEATS = 1.2, 5.0
_LATE = 10.0
"""Seconds that others have to tell what they saw, besides what it takes."""
_ENDING = 3.0
_WHOLE = 17.0
"""Seconds in which everything is done that is done together."""
_COMMON = "doctor-meeting"
_MODULE = "taskgraph.doctor.partner"


@dataclass(slots=True)
class Examination:
    """What was found."""

    url: str
    hosts: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    costs: Costs | None = None
    """What appends and reading cost; None if that could not be measured."""
    assumed: str = ""

    @property
    def level(self) -> Level:
        """The worst of all findings."""
        return max((found.level for found in self.findings), default=Level.FINE)


def examine(store: str, *, peers: Sequence[str] = (), meet: int = 0) -> Examination:
    """Find out what a store is good for.

    Parameters
    ----------
    store : str
        Its URL; it need not be there.
    peers : sequence of str
        Hosts that take part, reached by ssh, where this program is at the same place.
    meet : int
        How many others to wait for who call this with the same numbers elsewhere. One
        of them finds out; for the others there are no findings.

    Returns
    -------
    Examination
        What was found.

    Raises
    ------
    BackendError
        The URL makes no sense, or nobody answers there.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/letter.txt", "w") as letter:
    ...         print("of somebody else", file=letter)
    ...     found = examine(folder)
    >>> found.level.name, found.findings[0].measured
    ('UNFIT', 'cannot be opened')
    """
    probe = open_probe(store)
    name = _COMMON if meet else f"doctor-{os.urandom(6).hex()}"
    try:
        found = Examination(probe.url, [os.uname().nodename])
        found.findings += probe.facts()
        if found.level is Level.UNFIT:
            return found
        try:
            meeting = Meeting(probe.make_scratch(name))
            try:
                leads = not meet or _is_first(meeting)
                if leads:
                    _lead(found, probe, meeting, name, peers, meet)
            finally:
                meeting.close()
                if leads:
                    probe.remove_scratch(name)
        except BackendError as error:
            judged = Finding("use", "it failed", str(error), "", Level.UNFIT)
            found.findings.append(judged)
            return found
        if not leads:
            partner(store, name, 2 * _MEETING)
            return Examination(probe.url)
        return found
    finally:
        probe.close()


def _is_first(meeting: Meeting) -> bool:
    """Return whether we are the first of those who meet."""
    place, position = meeting.place, 0
    while (writer := place.writer(position)) == "doctor":
        position += 1
    return not writer and place.append(position)


def _lead(
    found: Examination,
    probe: Probe,
    meeting: Meeting,
    name: str,
    peers: Sequence[str],
    meet: int,
) -> None:
    """Let others come, and do everything with them."""
    commands = [[sys.executable, "-m", _MODULE, found.url, name]] * _HERE
    commands += [[*SSH, host, shlex.join(commands[0])] for host in peers]
    meeting.join()
    with _started(commands) as started:

        def coming() -> int:
            return meet + sum(one.poll() is None for one, _ in started)

        came = meeting.gather(coming, _MEETING if meet else _START)
        if not came or coming() < len(commands) + meet:
            asked = [f"process {n + 1} here" for n in range(_HERE)] + list(peers)
            said = [_said(one) for one in started]
            found.findings += judging.absent(asked, said, meet, len(meeting.hosts) - 1)
        found.hosts = sorted(set(meeting.hosts.values()))
        meeting.end_at = time.monotonic() + _WHOLE
        try:
            _together(found, probe, meeting, name)
        finally:
            meeting.end()
    found.findings += probe.measures(name)


def _together(found: Examination, probe: Probe, meeting: Meeting, name: str) -> None:
    """Do one experiment after the other."""
    names, do, findings = list(meeting.hosts), meeting.do, found.findings
    who = [meeting.name, *(one for one in names if one != meeting.name)]
    place = meeting.place

    told: dict[str, Any] = do("clock", who, patience=_LATE)
    findings += judging.clocks(told, meeting.hosts)
    who = [one for one in who if one in told]
    far = [one for one in who if meeting.hosts[one] != meeting.hosts[meeting.name]]
    two = [meeting.name, *(far or who[1:])][:2]
    alone = do("work", who[:1], patience=_LATE, at=0, seconds=_ALONE, most=_MOST)
    mine = alone[meeting.name]
    if "error" in mine:
        findings.append(Finding("use", "it failed", mine["error"], "", Level.UNFIT))
        return
    step = max(_STEP, 4 * mine["append"])
    plan = {"first": _end(meeting), "rounds": max(5, min(_ROUNDS, int(_RACE / step)))}
    at = place.now() + 0.5 + 4 * place.log.latency
    limit = plan["rounds"] * step + _LATE
    told = do("race", who, patience=limit, at=at, step=step, **plan)
    seen = do("winners", list(told), patience=_LATE, **plan)
    findings.append(judging.races(told, seen, plan["rounds"], meeting.hosts))
    if len(two) == 2:
        limit = _HOP_SECONDS + _LATE
        plan = {"first": _end(meeting), "rounds": _HOPS}
        told = do("hops", two, patience=limit, seconds=_HOP_SECONDS, **plan)
        findings.append(judging.hops(told, bool(far)))
        seconds = min(_BEATS[1], max(_BEATS[0], 16 * place.log.latency))
        pause = max(0.02, place.log.latency / 2)
        told = do("beats", two, patience=_LATE, seconds=seconds, pause=pause)
        findings += judging.heartbeats(told[meeting.name])
    at = place.now() + 0.3 + 4 * place.log.latency
    limit = _TOGETHER + _LATE
    told = do("work", who, patience=limit, at=at, seconds=_TOGETHER, most=_MOST)
    told = {one: each for one, each in told.items() if "error" not in each}
    service, latency = probe.service(name), place.log.latency
    found.assumed = service.assumed
    joined = _joined(meeting, (far or who)[-1])
    found.costs = judging.costs(mine, told, joined, service, latency)
    findings.append(judging.appends(mine, found.costs, len(who)))


def _joined(meeting: Meeting, who: str) -> dict[str, dict[str, Any]]:
    """Let one read everything anew, or do it ourselves if that one takes too long."""
    told = meeting.do("join", [who], patience=_LATE)
    return told or meeting.do("join", [meeting.name], patience=_LATE)


def _end(meeting: Meeting) -> int:
    """Return the first position that nobody has."""
    backend = meeting.place.backend
    backend.poll()
    return backend.position


@contextmanager
def _started(commands: Sequence[Sequence[str]]) -> Iterator[list[_Process]]:
    """Run some programs while the block runs; those are ended that go on after it."""
    running: list[_Process] = []
    try:
        for command in commands:
            said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
            running.append((process, said))
        yield running
    finally:
        end = time.monotonic() + _ENDING
        for process, said in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
            process.kill()
            process.wait()
            said.close()


_Process = tuple[subprocess.Popen[bytes], IO[bytes]]


def _said(one: _Process) -> str | None:
    """Return what a program said before it ended; None if it goes on."""
    process, file = one
    if process.poll() is None:
        return None
    file.seek(0)
    text = file.read().decode(errors="replace").strip()
    return text[-500:] or f"it ended with code {process.returncode}"
