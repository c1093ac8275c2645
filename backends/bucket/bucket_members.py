"""Workers in a bucket: an object each, written anew as a heartbeat.

Who a worker is, its object says by its name: so one listing tells everything of all of
them. What of a heartbeat changes is the mark that the service gives to what was
written; it is compared with itself only.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

from xxhash import xxh3_64_intdigest

from backends.bucket.layout import WORKERS, read_name, told_by_name
from backends.errors import DamagedError
from backends.interface import Member
from backends.names import is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from backends.bucket.client import Client, Found
    from backends.bucket.place import Place


class BucketMembers:
    """The `Members` of a store in a bucket.

    Parameters
    ----------
    client : Client
        Makes the requests.
    place : Place
        Where the store is.
    fresh : float
        Seconds for which a look at all is as good as another one. Workers look many
        times more often than heartbeats come.
    """

    def __init__(self, client: Client, place: Place, fresh: float) -> None:
        self._client = client
        self._place = place
        self._fresh = fresh
        self._seen: dict[str, Found] = {}
        self._seen_at = -1e9

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        self._place.make()
        name = f"{self._folder(worker)}/{told_by_name(identity)}"
        self._client.put(name, os.urandom(8))  # or its mark would be the same again

    @property
    def machines(self) -> int:
        """How many machines they were on at the last look, by their names."""
        return len({worker.rsplit("-", 2)[0] for worker in self._seen})

    def names(self) -> set[str]:
        return set(self._look())

    def some(self, workers: Iterable[str]) -> list[Member]:
        wanted, seen = list(workers), self._look()
        if any(worker not in seen for worker in wanted):  # it may have joined since
            seen = self._look(anew=True)
        return [_member(seen[worker]) for worker in wanted if worker in seen]

    def all(self) -> list[Member]:
        seen = self._look(anew=True)
        now = self._place.now() if seen else 0.0
        return [
            replace(_member(found), age=max(0.0, now - found.time))
            for found in seen.values()
        ]

    def leave(self, worker: str) -> None:
        found = self._client.listed(self._folder(worker))
        self._client.delete(one.name for one in found)
        self._seen.pop(worker, None)

    def _look(self, *, anew: bool = False) -> dict[str, Found]:
        """Return the last heartbeat of each worker, by name."""
        now = time.monotonic()
        if anew or now - self._seen_at >= self._fresh:
            self._seen = {}
            age = 0.0 if anew else self._fresh
            listed = self._client.listed(WORKERS, age=age)
            for found in sorted(listed, key=lambda one: one.time):
                if is_name(_worker(found)):
                    self._seen[_worker(found)] = found
            self._seen_at = now
        return self._seen

    def _folder(self, worker: str) -> str:
        if not is_name(worker):
            what = f"{self._client.url}/{WORKERS}"
            raise DamagedError(what, f"{worker!r} is no worker's name")
        return f"{WORKERS}/{worker}"


def _worker(found: Found) -> str:
    return found.name.split("/")[1]


def _member(found: Found) -> Member:
    about = read_name(found.name.rpartition("/")[2])
    beat = float(xxh3_64_intdigest(found.mark.encode()))
    return Member(_worker(found), about, beat, nan)
