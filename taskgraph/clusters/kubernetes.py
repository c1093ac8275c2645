"""Kubernetes: an Indexed Job, whose pods are the workers."""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING, Any

from taskgraph.clusters.orders import Element
from taskgraph.clusters.programs import ClusterError, ask

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.clusters.orders import Order

_INDEX = "batch.kubernetes.io/job-completion-index"
_STATES = {"Pending": "waiting", "Running": "running"}
_ENDED = {"Succeeded", "Failed"}


class Kubernetes:
    """It needs an image with this package, and claims of volumes that pods share."""

    name, title, template = "k8s", "Kubernetes", "kubernetes.json"
    requeues = True

    def is_here(self) -> bool:
        """Return False: that ``kubectl`` is there says nothing; it has to be named."""
        return False

    def values(self, order: Order, place: Path) -> dict[str, str]:  # noqa: ARG002 - pods do not see it
        """Return what is put into the template.

        Raises
        ------
        ClusterError
            There is no image.
        """
        if not order.image:
            raise ClusterError("--k8s needs --image, with this package in it")
        claims = {path: f"volume-{n}" for n, path in enumerate(order.volumes)}
        values: dict[str, Any] = {
            "name": order.name,
            "count": order.count,
            "seconds": None if order.seconds is None else ceil(order.seconds),
            "image": order.image,
            "folder": str(order.folder),
            "command": [word.replace("$", "$$") for word in order.command],  # or $(X)
            "cpus": str(order.cpus),
            "mounts": [{"name": n, "mountPath": path} for path, n in claims.items()],
            "volumes": [
                {
                    "name": claims[path],
                    "persistentVolumeClaim": {"claimName": claim},
                }
                for path, claim in order.volumes.items()
            ],
        }
        return {word: json.dumps(value) for word, value in values.items()}

    def submit(self, order: Order, script: Path) -> str:
        """Make the job, and the secret with its variables; return its name."""
        try:
            job = json.loads(script.read_text())
        except ValueError as error:
            raise ClusterError(f"the manifest is no JSON: {error}") from error
        items = [job]
        if order.environ:
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": order.name},
                "stringData": dict(order.environ),
            }
            items.insert(0, secret)
        made = {"apiVersion": "v1", "kind": "List", "items": items}
        ask(["kubectl", "create", "-f", "-"], given=json.dumps(made))
        return str(job["metadata"]["name"])

    def elements(self, job: str, place: Path) -> list[Element]:  # noqa: ARG002 - others need it
        """Return the pods of a job that have not ended."""
        return parsed(
            ask(["kubectl", "get", "pods", "-l", f"job-name={job}", "-o", "json"])
        )

    def cancel(self, job: str, place: Path, number: int | None) -> None:  # noqa: ARG002 - as above
        """Delete a job, its pods and its secret."""
        if number is not None:
            raise ClusterError("Kubernetes ends all pods of a job or none")
        names = [f"job/{job}", f"secret/{job}"]
        ask(["kubectl", "delete", "--ignore-not-found", "--wait=false", *names])


def parsed(said: str) -> list[Element]:
    """Return the pods that ``kubectl get pods -o json`` lists and that have not ended.

    Examples
    --------
    >>> parsed('{"items": [{"metadata": {"annotations": '
    ...        '{"batch.kubernetes.io/job-completion-index": "0"}}, '
    ...        '"spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}]}')
    [Element(number=1, state='running', host='n1')]
    """
    found = []
    for pod in json.loads(said).get("items", []):
        phase = pod.get("status", {}).get("phase", "")
        index = pod.get("metadata", {}).get("annotations", {}).get(_INDEX)
        if phase not in _ENDED and index is not None:
            host = pod.get("spec", {}).get("nodeName", "")
            found.append(Element(int(index) + 1, _STATES.get(phase, phase), host))
    return found
