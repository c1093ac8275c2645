"""All batch systems, and which of them is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from taskgraph.clusters.grid_engine import GridEngine
from taskgraph.clusters.kubernetes import Kubernetes
from taskgraph.clusters.lsf import Lsf
from taskgraph.clusters.machines import Machines
from taskgraph.clusters.pbs import Pbs
from taskgraph.clusters.programs import ClusterError
from taskgraph.clusters.slurm import Slurm

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.clusters.orders import Element, Order


class System(Protocol):
    """What starts many jobs.

    Attributes
    ----------
    name, title : str
        For options and files; for people.
    template : str
        The name of its job script's template.
    requeues : bool
        Whether its jobs are started again if work is left.
    """

    name: str
    title: str
    template: str
    requeues: bool

    def is_here(self) -> bool:
        """Return whether it can be taken without being asked for."""

    def values(self, order: Order, place: Path) -> dict[str, str]:
        """Return what is put into the template.

        Raises
        ------
        ClusterError
            The order is nothing for this system.
        """

    def submit(self, order: Order, script: Path) -> str:
        """Submit a script that lies in the submission's folder; return the job's name.

        Raises
        ------
        ClusterError
            It is refused, and nothing runs.
        """

    def elements(self, job: str, place: Path) -> list[Element]:
        """Return the jobs of an array that have not ended.

        Raises
        ------
        ClusterError
            The system does not answer.
        """

    def cancel(self, job: str, place: Path, number: int | None) -> None:
        """End the jobs of an array, or one of them.

        Raises
        ------
        ClusterError
            The system refuses.
        """


_ALL: tuple[System, ...] = (
    *(Slurm(), Lsf(), GridEngine(), Pbs(), Kubernetes()),
    *(Machines("ssh"), Machines("local")),
)
SYSTEMS = {system.name: system for system in _ALL}
"""By their names, in the order in which they are looked for."""


def system_here() -> System:
    """Return the batch system of this machine.

    Raises
    ------
    ClusterError
        There is none.
    """
    for system in SYSTEMS.values():
        if system.is_here():
            return system
    raise ClusterError(
        "there is no batch system on this machine (no sbatch, bsub or qsub); go where "
        "there is one, or start workers by --ssh HOST,HOST or --local"
    )
