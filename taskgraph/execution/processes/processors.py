"""How many processors a worker may keep busy: its share of the machine.

The environment variable ``TG_CPUS`` says so to the code of tasks, and to the programs
that they start: libraries that run threads of their own (segkit is one) start no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.errors import UsageError
from taskgraph.execution.pace import processors

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "TG_CPUS"
# How many processes mpiexec has started on this machine, as it tells them.
_NEIGHBOURS = ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS")


def share(workers: int, environment: Mapping[str, str]) -> int:
    """Return how many processors each of some workers of one process may keep busy.

    All that the process may run on, or as many as ``TG_CPUS`` says, by the number of
    workers, and by that of the processes that `mpiexec` started beside it; at least 1.

    Raises
    ------
    UsageError
        If ``TG_CPUS`` is no number from 1 on.

    Examples
    --------
    >>> share(2, {"TG_CPUS": "9"}), share(4, {"TG_CPUS": "2"})
    (4, 1)
    """
    said = environment.get(VARIABLE)
    if said:
        if not said.isdecimal() or int(said) < 1:
            raise UsageError(
                f"{VARIABLE} is {said!r}, but must be a number of processors, 1 or more"
            )
        return max(1, int(said) // workers)
    return max(1, processors() // (workers * _neighbours(environment)))


def _neighbours(environment: Mapping[str, str]) -> int:
    for name in _NEIGHBOURS:
        number = environment.get(name, "")
        if number.isdecimal() and int(number) > 0:
            return int(number)
    return 1
