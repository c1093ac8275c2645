"""OpenPBS and PBS Professional."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from taskgraph.clusters.orders import Element, shell_values
from taskgraph.clusters.programs import ClusterError, ask
from taskgraph.durations import clock_text

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.clusters.orders import Order

_STATES = {
    "Q": "waiting",
    "H": "waiting",
    "W": "waiting",
    "R": "running",
    "E": "running",
}
_ENDED = {"X", "F"}


class Pbs:
    """Arrays of one job are refused by it; users may not queue a job again."""

    name, title, template = "pbs", "PBS", "pbs.sh"
    requeues = True

    def is_here(self) -> bool:
        """Return whether its programs are on this machine."""
        return shutil.which("qsub") is not None and shutil.which("qconf") is None

    def values(self, order: Order, place: Path) -> dict[str, str]:
        """Return what is put into the template."""
        lines = [f"-l select=1:ncpus={order.cpus}"]
        if order.seconds is not None:
            lines.append(f"-l walltime={clock_text(order.seconds)}")
        lines += order.directives
        return shell_values(order, place, [f"#PBS {line}" for line in lines])

    def submit(self, order: Order, script: Path) -> str:
        """Submit a script; return the name of the array."""
        array = ["-J", f"1-{order.count}"] if order.count > 1 else []
        return ask(["qsub", *array, script.name], folder=script.parent)

    def elements(self, job: str, place: Path) -> list[Element]:
        """Return the jobs of an array, and of those submitted again, that go on."""
        found = []
        names, asked = [job], 0
        while asked < len(names):
            try:
                said = ask(["qstat", "-t", "-f", "-F", "json", names[asked]])
                found += parsed(said)
            except ClusterError as error:
                if "Unknown Job" not in str(error) and "has finished" not in str(error):
                    raise
            asked += 1
            names = [job, *_again(place)]  # one that has ended may have begun another
        return found

    def cancel(self, job: str, place: Path, number: int | None) -> None:
        """End the jobs of an array, or one of them."""
        if number is not None:
            ask(["qdel", job.replace("[]", f"[{number}]")])
            return
        for name in (job, *_again(place)):
            try:
                ask(["qdel", name])
            except ClusterError as error:
                if "Unknown Job" not in str(error) and "has finished" not in str(error):
                    raise


def _again(place: Path) -> list[str]:
    """Return the names of jobs that were submitted again by those of a submission."""
    kept = place / "again"
    return kept.read_text().split() if kept.exists() else []


def parsed(said: str) -> list[Element]:
    """Return the jobs that ``qstat -t -f -F json`` lists, but the array as such.

    Examples
    --------
    >>> parsed('{"Jobs": {"7[].s": {"job_state": "B", "array": "True"}, "7[3].s": '
    ...        '{"job_state": "R", "array_index": "3", "exec_host": "n1/0"}}}')
    [Element(number=3, state='running', host='n1')]
    """
    found = []
    for about in json.loads(said).get("Jobs", {}).values():
        state = about.get("job_state", "")
        if about.get("array") == "True" or state in _ENDED:
            continue
        again = about.get("Variable_List", {}).get("TG_ELEMENT")
        number = int(about.get("array_index") or again or 1)
        host = str(about.get("exec_host", "")).partition("/")[0]
        found.append(Element(number, _STATES.get(state, state), host))
    return found
