"""Grid Engine, of Sun, Son of, Univa and Altair."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from taskgraph.clusters.orders import Element, shell_values
from taskgraph.clusters.programs import ask
from taskgraph.durations import clock_text

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.clusters.orders import Order


class GridEngine:
    """Its time limits are asked for as h_rt; how cores are, each site decides."""

    name, title, template = "sge", "Grid Engine", "sge.sh"
    requeues = True

    def is_here(self) -> bool:
        """Return whether its programs are on this machine."""
        here = shutil.which("qsub") is not None
        return here and ("SGE_ROOT" in os.environ or shutil.which("qconf") is not None)

    def values(self, order: Order, place: Path) -> dict[str, str]:
        """Return what is put into the template."""
        lines = (
            [] if order.seconds is None else [f"-l h_rt={clock_text(order.seconds)}"]
        )
        lines += order.directives
        return shell_values(order, place, [f"#$ {line}" for line in lines])

    def submit(self, order: Order, script: Path) -> str:  # noqa: ARG002 - the script says it
        """Submit a script; return the number of the array."""
        said = ask(["qsub", "-terse", script.name], folder=script.parent)
        return said.splitlines()[-1].partition(".")[0]

    def elements(self, job: str, place: Path) -> list[Element]:  # noqa: ARG002 - others need it
        """Return the jobs of an array that have not ended."""
        return parsed(ask(["qstat", "-xml", "-g", "d"]), job)

    def cancel(self, job: str, place: Path, number: int | None) -> None:  # noqa: ARG002 - as above
        """End the jobs of an array, or one of them."""
        ask(["qdel", job] if number is None else ["qdel", job, "-t", str(number)])


def parsed(said: str, job: str) -> list[Element]:
    """Return the jobs of an array that ``qstat -xml -g d`` lists.

    Examples
    --------
    >>> parsed(
    ...     "<job_info><job_list><JB_job_number>7</JB_job_number><state>r</state>"
    ...     "<queue_name>main.q@g1</queue_name><tasks>3</tasks></job_list></job_info>",
    ...     "7",
    ... )
    [Element(number=3, state='running', host='g1')]
    """
    found = []
    for entry in ElementTree.fromstring(said).iter("job_list"):
        number = entry.findtext("tasks", "")
        if entry.findtext("JB_job_number") == job and number.isdecimal():
            host = (entry.findtext("queue_name") or "").partition("@")[2]
            found.append(Element(int(number), _word(entry.findtext("state", "")), host))
    return found


def _word(state: str) -> str:
    """Return what letters mean: r for running, t for starting, w, and E for error."""
    if "E" in state:
        return "error"
    return "waiting" if "w" in state else "running"
