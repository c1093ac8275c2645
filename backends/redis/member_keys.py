"""Workers in Redis: each has a key that lives for a lease, by the server's clock."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING

from backends.errors import DamagedError, UnavailableError
from backends.interface import Member
from backends.liveness import lease_of
from backends.names import is_name
from backends.redis import scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backends.redis.room import Room


class MemberKeys:
    """The `Members` of a store in Redis.

    Who has not beaten for a lease is no member any more: the server says so, to all at
    the same time.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._workers = room.key("workers")
        self._joined: set[str] = set()

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        if not is_name(worker):
            raise DamagedError(
                f"workers of {self._room.url}", f"{worker!r} is no worker's name"
            )
        if worker not in self._joined:
            self._beat(worker, identity, patient=True)
            self._joined.add(worker)
            return
        # While a server is away, who beats for others has more to do than to wait.
        with suppress(UnavailableError):
            self._beat(worker, identity, patient=False)

    def _beat(
        self, worker: str, identity: Mapping[str, object], *, patient: bool
    ) -> None:
        self._room.make()
        self._room.script(
            scripts.BEAT,
            [self._room.key("worker", worker), self._workers],
            *(worker, int(1000 * lease_of(identity)), json.dumps(dict(identity))),
            patient=patient,
        )

    def names(self) -> set[str]:
        return {member.worker for member in self._found()}

    def some(self, workers: Iterable[str]) -> list[Member]:
        wanted = set(workers)
        return [
            replace(member, age=nan)
            for member in self._found()
            if member.worker in wanted
        ]

    def all(self) -> list[Member]:
        return list(self._found())

    def _found(self) -> Iterator[Member]:
        prefix = self._room.key("worker", "")
        now, *found = self._room.server.script(scripts.MEMBERS, [self._workers], prefix)
        for worker, said in zip(found[::2], found[1::2], strict=True):
            name = worker.decode(errors="replace")
            if is_name(name):
                beat, _, text = said.partition(b" ")
                age = max(0.0, (int(now) - int(beat)) / 1e6)
                yield Member(name, _identity(text), float(beat), age)

    def leave(self, worker: str) -> None:
        key = self._room.key("worker", worker)
        self._joined.discard(worker)
        with suppress(UnavailableError):  # its key ends without it
            self._room.server.ask("delete", key)


def _identity(text: bytes) -> dict[str, object]:
    with suppress(ValueError, TypeError, RecursionError):  # its beat counts
        return dict(json.loads(text))
    return {}
