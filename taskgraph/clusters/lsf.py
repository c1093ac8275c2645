"""IBM Spectrum LSF."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from taskgraph.clusters.orders import Element, shell_values
from taskgraph.clusters.programs import ClusterError, ask
from taskgraph.durations import minutes_text

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.clusters.orders import Order

_STATES = {
    "PEND": "waiting",
    "PSUSP": "waiting",
    "WAIT": "waiting",
    "RUN": "running",
    "USUSP": "running",
    "SSUSP": "running",
}
_ENDED = {"DONE", "EXIT"}
_JOB = re.compile(r"Job <(\d+)>")


class Lsf:
    """It takes a script from its standard input, and queues again by exit code."""

    name, title, template = "lsf", "LSF", "lsf.sh"
    requeues = True

    def is_here(self) -> bool:
        """Return whether its programs are on this machine."""
        return shutil.which("bsub") is not None

    def values(self, order: Order, place: Path) -> dict[str, str]:
        """Return what is put into the template."""
        lines = [f"-n {order.cpus}"]
        lines += ['-R "span[hosts=1]"'] if order.cpus > 1 else []
        if order.seconds is not None:
            lines.append(f"-W {minutes_text(order.seconds)}")
        lines += order.directives
        return shell_values(order, place, [f"#BSUB {line}" for line in lines])

    def submit(self, order: Order, script: Path) -> str:  # noqa: ARG002 - the script says it
        """Submit a script; return the number of the array."""
        said = ask(["bsub"], folder=script.parent, given=script.read_text())
        match = _JOB.search(said)
        if match is None:
            raise ClusterError(f"bsub did not say which job it made: {said}")
        return match[1]

    def elements(self, job: str, place: Path) -> list[Element]:  # noqa: ARG002 - others need it
        """Return the jobs of an array that have not ended."""
        form = "jobindex stat exec_host delimiter='|'"
        try:
            return parsed(ask(["bjobs", "-a", "-noheader", "-o", form, job]))
        except ClusterError as error:
            if "is not found" in str(error):
                return []
            raise

    def cancel(self, job: str, place: Path, number: int | None) -> None:  # noqa: ARG002 - as above
        """End the jobs of an array, or one of them."""
        ask(["bkill", job if number is None else f"{job}[{number}]"])


def parsed(said: str) -> list[Element]:
    """Return the jobs that ``bjobs`` lists by index, state and host.

    Examples
    --------
    >>> parsed("1|RUN|n1")
    [Element(number=1, state='running', host='n1')]
    >>> parsed("1|DONE|n1")
    []
    """
    found = []
    for line in said.splitlines():
        number, state, host = (part.strip() for part in line.split("|"))
        if state not in _ENDED and number.isdecimal():
            where = "" if host == "-" else host
            found.append(Element(int(number), _STATES.get(state, state.lower()), where))
    return found
