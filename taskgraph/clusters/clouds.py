"""Batch services of clouds: manifests of arrays, for their own programs to submit."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from taskgraph.clusters.programs import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from taskgraph.clusters.orders import Order

_MEBIBYTES_PER_CPU = 2048
_MOUNTED = "/mnt/disks/volume"
"""Where Google Batch mounts buckets in a machine; containers see them elsewhere."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A service that is given a manifest, which is shown and never submitted here.

    Attributes
    ----------
    name, title : str
        For options; for people.
    template : str
        The name of its manifest's template.
    most : int, optional
        How many jobs an array may have.
    least_seconds : int
        The shortest time limit of a job.
    own : callable
        Returns what only its template has, of an order.
    requeues : bool
        Whether its jobs are started again if work is left.
    """

    name: str
    title: str
    template: str
    most: int | None
    least_seconds: int
    own: Callable[[Order], dict[str, Any]]
    requeues: bool = True

    def values(self, order: Order) -> dict[str, str]:
        """Return what is put into the template, as JSON.

        Raises
        ------
        ClusterError
            The order is nothing for this service.
        """
        if not order.image:
            raise ClusterError(f"--{self.name} needs --image, with this package in it")
        if order.directives:
            raise ClusterError(f"--{self.name} has no directives; take --template")
        if self.most is not None and order.count > self.most:
            raise ClusterError(f"{self.title} has arrays of {self.most:,} jobs at most")
        if order.seconds is not None and order.seconds < self.least_seconds:
            raise ClusterError(
                f"{self.title} has time limits of {self.least_seconds} s or more"
            )
        values = {
            "name": order.name,
            "count": order.count,
            "image": order.image,
            "shell": _shell(order),
            **self.own(order),
        }
        return {word: json.dumps(value) for word, value in values.items()}

    def manifest(self, filled: str) -> str:
        """Return a filled template without what is null, and with each of its tasks.

        Raises
        ------
        ClusterError
            It is no JSON.
        """
        try:
            found = json.loads(filled)
        except ValueError as error:
            raise ClusterError(f"the manifest is no JSON: {error}") from error
        return json.dumps(_each_task(_without_null(found)), indent=2)


def _aws(order: Order) -> dict[str, Any]:
    if not order.queue:
        raise ClusterError("--aws needs --queue, a job queue")
    volumes = [(f"volume-{n}", *one) for n, one in enumerate(order.volumes.items())]
    return {
        "queue": order.queue,
        "array": {"size": order.count} if order.count > 1 else None,
        "seconds": _seconds(order),
        "cpus": str(order.cpus),
        "memory": str(_MEBIBYTES_PER_CPU * order.cpus),
        "environment": _named(order.environ, "value") or None,
        "secrets": _named(order.secrets, "valueFrom") or None,
        "volumes": [
            {"name": name, "efsVolumeConfiguration": {"fileSystemId": system}}
            for name, _, system in volumes
        ]
        or None,
        "mounts": [
            {"sourceVolume": name, "containerPath": path} for name, path, _ in volumes
        ]
        or None,
    }


def _google(order: Order) -> dict[str, Any]:
    if order.queue:
        raise ClusterError("--gcp has no queues: `gcloud` is told the location")
    volumes = [(f"{_MOUNTED}-{n}", *one) for n, one in enumerate(order.volumes.items())]
    seconds = _seconds(order)
    return {
        "seconds": None if seconds is None else f"{seconds}s",
        "cpus": str(1000 * order.cpus),
        "memory": str(_MEBIBYTES_PER_CPU * order.cpus),
        "environment": dict(order.environ) or None,
        "secrets": dict(order.secrets) or None,
        "volumes": [
            {"gcs": {"remotePath": bucket}, "mountPath": place}
            for place, _, bucket in volumes
        ]
        or None,
        "mounts": [f"{place}:{path}" for place, path, _ in volumes] or None,
    }


def _azure(order: Order) -> dict[str, Any]:
    if not order.queue:
        raise ClusterError("--azure needs --queue, a pool")
    if order.volumes:
        raise ClusterError("--azure has no --volume: its pools mount what nodes see")
    if order.secrets:
        raise ClusterError("--azure has no --secret: give its pool an identity")
    seconds = _seconds(order)
    return {
        "queue": order.queue,
        "line": f"/bin/sh -c {shlex.quote(_shell(order))}",
        "seconds": None if seconds is None else f"PT{seconds}S",
        "cpus": order.cpus,
        "environment": _named(order.environ, "value") or None,
    }


def _shell(order: Order) -> str:
    folder = shlex.quote(str(order.folder))
    return f"cd {folder} && exec {shlex.join(order.command)}"


def _seconds(order: Order) -> int | None:
    return None if order.seconds is None else ceil(order.seconds)


def _named(values: Mapping[str, str], what: str) -> list[dict[str, str]]:
    return [{"name": name, what: value} for name, value in values.items()]


def _each_task(found: Any) -> Any:
    """Write out tasks that are given as one and a number: Azure has no arrays."""
    tasks = found.get("tasks") if isinstance(found, dict) else None
    if not isinstance(tasks, dict):
        return found
    each, count = tasks["each"], tasks["count"]
    numbers = range(1, count + 1)
    return {**found, "tasks": [{**each, "id": f"{each['id']}-{n}"} for n in numbers]}


def _without_null(found: Any) -> Any:
    if isinstance(found, dict):
        return {n: _without_null(v) for n, v in found.items() if v is not None}
    return [*map(_without_null, found)] if isinstance(found, list) else found


CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud("aws", "AWS Batch", "aws_batch.json", 10_000, 60, _aws),
        Cloud("azure", "Azure Batch", "azure_batch.json", None, 1, _azure),
        Cloud("gcp", "Google Batch", "google_batch.json", 100_000, 1, _google),
    )
}
"""By the names of their options."""
