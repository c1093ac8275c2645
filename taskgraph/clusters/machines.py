"""Machines without a batch system: this one, or others by ssh."""

from __future__ import annotations

import os
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING

from taskgraph.clusters.orders import Element, shell_values
from taskgraph.clusters.programs import ClusterError, ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from taskgraph.clusters.orders import Order

_SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20")
_QUIETLY = "</dev/null >/dev/null 2>&1"
_START = "sed 's/.*) //' /proc/%s/stat 2>/dev/null | cut -d' ' -f20"
_LIVES = f'[ "$({_START})" = %s ]'


class Machines:
    """Processes that go on when the terminal is closed, started on each machine.

    Their folder, with the script and what they tell, has to be seen by all of them.
    """

    title, template = "ssh", "machines.sh"
    requeues = False

    def __init__(self, name: str) -> None:
        self.name = name

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
        for place, host in enumerate(order.hosts or ("",)):
            step = max(1, len(order.hosts))
            numbers = [str(n) for n in range(place + 1, order.count + 1, step)]
            one = f"setsid bash {shlex.quote(str(script))} $n {_QUIETLY}"
            if numbers:
                _on(host, f"for n in {' '.join(numbers)}; do {one} & done")
        return ",".join(order.hosts) or "here"

    def elements(self, job: str, place: Path) -> list[Element]:
        """Return the processes that go on."""
        del job
        known = _processes(place)
        ended = {int(path.suffix[1:]) for path in place.glob("ended.*")}
        by_host = defaultdict(list)
        for number, (host, pid, since) in known.items():
            if number not in ended:
                by_host[host].append((number, pid, since))
        found = []
        for host, those in by_host.items():
            found += [
                Element(number, "running", host) for number in _alive(host, those)
            ]
        return sorted(found, key=lambda element: element.number)

    def cancel(self, job: str, place: Path, number: int | None) -> None:
        """End the processes, or one of them, as a batch system would: by SIGTERM."""
        known = _processes(place)
        for element in self.elements(job, place):
            if number in (None, element.number):
                host, pid, since = known[element.number]
                _on(host, f"{_LIVES % (pid, since)} && kill -TERM {pid}")


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
    if host in ("", os.uname().nodename):
        return ask(["bash", "-c", line])
    return ask([*_SSH, host, f"bash -c {shlex.quote(line)}"])  # whatever shell is there


def _processes(place: Path) -> dict[int, tuple[str, str, str]]:
    """Return host, process and moment of start, as each element wrote them down."""
    found = {}
    for path in place.glob("process.*"):
        parts = path.read_text().split()
        if len(parts) == 3:
            found[int(path.suffix[1:])] = (parts[0], parts[1], parts[2])
    return found


def _alive(host: str, those: Sequence[tuple[int, str, str]]) -> Iterable[int]:
    """Return which of some processes of a machine go on."""
    lines = [
        f"{_LIVES % (pid, since)} && echo {number}" for number, pid, since in those
    ]
    return [int(number) for number in _on(host, "; ".join([*lines, "true"])).split()]
