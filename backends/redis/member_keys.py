"""Workers in Redis: each has a key that lives for a lease, by the server's clock."""

from __future__ import annotations

import json
from contextlib import suppress
from math import nan
from typing import TYPE_CHECKING

from backends.errors import DamagedError, RewoundError, UnavailableError
from backends.interface import Member
from backends.liveness import lease_of
from backends.names import is_name
from backends.redis import scripts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backends.redis.room import Room

_AT_ONCE = 1000
"""Names of workers in one question."""


class MemberKeys:
    """The `Members` of a store in Redis.

    Who has not beaten for a lease is no member any more: the server says so, to all at
    the same time.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._workers = room.key("workers")
        self._joined: set[str] = set()
        self._now = 0

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
        with suppress(UnavailableError, RewoundError):  # the worker itself meets it
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
        return {name for name, _, _ in self._found("names")}

    def some(self, workers: Iterable[str]) -> list[Member]:
        wanted = list(filter(is_name, workers))
        return [
            Member(name, _identity(text), float(beat), nan)
            for at in range(0, len(wanted), _AT_ONCE)
            for name, beat, text in self._found("named", *wanted[at : at + _AT_ONCE])
        ]

    def all(self) -> list[Member]:
        return [
            Member(
                name, _identity(text), float(beat), max(0.0, (self._now - beat) / 1e6)
            )
            for name, beat, text in self._found("all")
        ]

    def _found(self, which: str, *names: str) -> Iterator[tuple[str, int, bytes]]:
        """Yield who is alive, the last heartbeat in microseconds, and who it is."""
        prefix = self._room.key("worker", "")
        now, *found = self._room.server.script(
            scripts.MEMBERS, [self._workers], prefix, which, *names
        )
        self._now = int(now)
        for worker, said in zip(found[::2], found[1::2], strict=True):
            name = worker.decode(errors="replace")
            beat, _, text = said.partition(b" ")
            if is_name(name) and (beat.isdigit() or which == "names"):
                yield name, int(beat or 0), text

    def leave(self, worker: str) -> None:
        key = self._room.key("worker", worker)
        self._joined.discard(worker)
        with suppress(UnavailableError):  # its key ends without it
            self._room.server.ask("delete", key)


def _identity(text: bytes) -> dict[str, object]:
    with suppress(ValueError, TypeError, RecursionError):  # its beat counts
        return dict(json.loads(text))
    return {}
