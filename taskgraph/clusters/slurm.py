"""Slurm."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from taskgraph.clusters.orders import Element, shell_values
from taskgraph.clusters.programs import ClusterError, ask
from taskgraph.durations import clock_text

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.clusters.orders import Order

_WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"}
_RUNNING = {"RUNNING", "COMPLETING", "CONFIGURING", "STAGE_OUT", "SIGNALING"}


class Slurm:
    """The workload manager of most clusters."""

    name, title, template = "slurm", "Slurm", "slurm.sh"
    requeues = True

    def is_here(self) -> bool:
        """Return whether its programs are on this machine."""
        return shutil.which("sbatch") is not None

    def values(self, order: Order, place: Path) -> dict[str, str]:
        """Return what is put into the template."""
        lines = [f"--cpus-per-task={order.cpus}"]
        if order.seconds is not None:
            lines.append(f"--time={clock_text(order.seconds)}")
        lines += order.directives
        return shell_values(order, place, [f"#SBATCH {line}" for line in lines])

    def submit(self, order: Order, script: Path) -> str:  # noqa: ARG002 - the script says it
        """Submit a script; return the number of the array."""
        said = ask(["sbatch", "--parsable", script.name], folder=script.parent)
        return said.splitlines()[-1].partition(";")[0]

    def elements(self, job: str, place: Path) -> list[Element]:  # noqa: ARG002 - others need it
        """Return the jobs of an array that have not ended."""
        try:
            said = ask(
                [
                    "squeue",
                    "--noheader",
                    "--array",
                    "--job",
                    job,
                    "--format",
                    "%K|%T|%N",
                ]
            )
        except ClusterError as error:
            if "Invalid job id" in str(error):  # it is forgotten
                return []
            raise
        return parsed(said)

    def cancel(self, job: str, place: Path, number: int | None) -> None:  # noqa: ARG002 - as above
        """End the jobs of an array, or one of them."""
        ask(["scancel", job if number is None else f"{job}_{number}"])


def parsed(said: str) -> list[Element]:
    """Return the jobs that ``squeue -r -o '%K|%T|%N'`` lists.

    Examples
    --------
    >>> parsed("1|RUNNING|n1")
    [Element(number=1, state='running', host='n1')]
    >>> parsed("2|PENDING|")
    [Element(number=2, state='waiting', host='')]
    """
    found = []
    for line in said.splitlines():
        number, state, host = line.strip().split("|")
        word = "waiting" if state in _WAITING else state.lower()
        word = "running" if state in _RUNNING else word
        if number.isdecimal():
            found.append(Element(int(number), word, host))
    return found
