"""Machines without a batch system: this one, or others by ssh."""

from __future__ import annotations

import os
import shlex
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taskgraph.clusters.orders import Element, shell_values
from taskgraph.clusters.programs import ClusterError, ask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from taskgraph.clusters.orders import Order

SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20")
_HERE = "here"
_QUIETLY = "</dev/null >/dev/null 2>&1"
_START = "sed 's/.*) //' /proc/%s/stat 2>/dev/null | cut -d' ' -f20"
_LIVES = f'[ "$({_START})" = %s ]'


class Machines:
    """Processes that go on when the terminal is closed, started on each machine.

    Their folder, with the script and what they tell, has to be seen by all of them.
    """

    template = "machines.sh"
    requeues = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = "ssh" if name == "ssh" else "processes"

    def is_here(self) -> bool:
        """Return False: it has to be asked for."""
        return False

    def values(self, order: Order, place: Path) -> dict[str, str]:
        """Return what is put into the template.

        Raises
        ------
        ClusterError
            Directives are given, and nobody would read them.
        """
        if order.directives:
            raise ClusterError(
                f"--{self.name} has no batch system that takes directives"
            )
        return shell_values(order, place, [])

    def submit(self, order: Order, script: Path) -> str:
        """Start the processes, in turn on each machine; return the machines.

        Raises
        ------
        ClusterError
            One of the machines cannot be reached or does not see the script; none is
            started anywhere then.
        """
        for host in dict.fromkeys(order.hosts):
            _reach(host, script)
        for turn, host in enumerate(order.hosts or ("",)):
            step = max(1, len(order.hosts))
            numbers = [str(n) for n in range(turn + 1, order.count + 1, step)]
            place = shlex.quote(str(script.parent))
            one = f"setsid bash {shlex.quote(str(script))} $n {_QUIETLY}"
            if numbers:  # each is known before it is started
                noted = f": >{place}/process.$n"
                _on(host, f"for n in {' '.join(numbers)}; do {noted}; {one} & done")
        return ",".join(order.hosts) or _HERE

    def elements(self, job: str, place: Path) -> list[Element]:
        """Return the processes that go on."""
        ended = {int(path.suffix[1:]) for path in place.glob("ended.*")}
        by_host = defaultdict(list)
        found = []
        for number, told in _processes(place).items():
            if number in ended:
                continue
            if told is None:
                found.append(Element(number, "waiting"))
            else:
                by_host[_host_of(job, number, told)].append((number, told))
        for host, those in by_host.items():
            alive = _alive(host, those)
            found += [
                Element(n, "running", told.host) for n, told in those if n in alive
            ]
        return sorted(found, key=lambda element: element.number)

    def cancel(self, job: str, place: Path, number: int | None) -> None:
        """End the processes, or one of them, as a batch system would: by SIGTERM."""
        known = _processes(place)
        for element in self.elements(job, place):
            told = known.get(element.number)
            if told is not None and number in (None, element.number):
                gone = f"! {told.lives}"  # since it was looked for, or just now
                _on(
                    _host_of(job, element.number, told),
                    f"{gone} || kill -TERM {told.pid} || {gone}",
                )


@dataclass(frozen=True, slots=True)
class _Process:
    """What an element has written down of its worker."""

    host: str
    pid: str
    since: str

    @property
    def lives(self) -> str:
        """A test for a shell on its host, whether it goes on and is the same one."""
        return _LIVES % (self.pid, self.since)


def _host_of(job: str, number: int, told: _Process) -> str:
    """Return how the machine is reached on which an element was started."""
    if job == _HERE:
        return "" if told.host == os.uname().nodename else told.host
    hosts = job.split(",")
    return hosts[(number - 1) % len(hosts)]


def _reach(host: str, script: Path) -> None:
    """Refuse a machine that cannot be reached, or does not see the script."""
    try:
        _on(host, f"test -r {shlex.quote(str(script))} && echo seen")
    except ClusterError as error:
        why = str(error)
        if "ended with code 1" in why:
            why = f"it does not see {script.parent}, which has to be shared"
        raise ClusterError(f"nothing is started: {host}: {why}") from error


def _on(host: str, line: str) -> str:
    """Run a line of shell on a machine, this one if it has no name."""
    if not host:
        return ask(["bash", "-c", line])
    return ask([*SSH, host, f"bash -c {shlex.quote(line)}"])  # whatever shell is there


def _processes(place: Path) -> dict[int, _Process | None]:
    """Return what elements have written down; None for one that has not yet."""
    found: dict[int, _Process | None] = {}
    for path in place.glob("process.*"):
        parts = path.read_text().split()
        found[int(path.suffix[1:])] = _Process(*parts) if len(parts) == 3 else None
    return found


def _alive(host: str, those: Sequence[tuple[int, _Process]]) -> set[int]:
    """Return which of some elements of a machine go on."""
    lines = [f"{told.lives} && echo {number}" for number, told in those]
    return {int(number) for number in _on(host, "; ".join([*lines, "true"])).split()}
