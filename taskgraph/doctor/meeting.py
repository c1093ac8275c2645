"""Processes that meet in a scratch store: one plans, all do it, all tell what they saw.

They know nothing of each other but what is in the store, as workers do. If that does
not let them meet, workers would not either.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError, UnavailableError
from backends.opening import open_probe, worker_name
from taskgraph.doctor.experiments import Place, experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_JOINED, _PLAN, _TOLD = "joined", "plan", "told"
_END = "end"
_SILENCE = 60.0
"""Seconds after which who plans is taken for dead."""
_PAUSES = 0.01, 0.2


class Meeting:
    """A meeting as one of those who take part sees it.

    Parameters
    ----------
    url : str
        Of the scratch store.

    Attributes
    ----------
    name : str
        Ours.
    hosts : dict
        The machines of all who are here, by their names.
    end_at : float
        When it is to be over, by the monotonic clock.
    """

    def __init__(self, url: str) -> None:
        self.place = Place(url, worker_name())
        self.name = self.place.name
        self.hosts: dict[str, str] = {}
        self.end_at = inf
        self._documents = self.place.log.documents
        self._number = 0

    def join(self) -> None:
        """Let the others know that we are here."""
        self._say(f"{_JOINED}-{self.name}", {"host": os.uname().nodename})

    def gather(self, count: Callable[[], int], seconds: float) -> bool:
        """Wait until as many others are here as can come; return whether they are."""
        end = time.monotonic() + seconds
        while True:
            for document in self._documents.names():
                kind, _, name = document.partition("-")
                if kind == _JOINED and name not in self.hosts:
                    about = self._heard(document)
                    if about is not None:
                        self.hosts[name] = str(about["host"])
            if len(self.hosts.keys() - {self.name}) >= count():
                return True
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSES[1] / 4)

    def do(
        self, what: str, who: Sequence[str], *, patience: float, **plan: Any
    ) -> dict[str, dict[str, Any]]:
        """Let some do an experiment; return what those tell who answer in time.

        After the moment `end_at`, nobody is waited for any longer than a second.
        """
        number, self._number = self._number, self._number + 1
        whole = {"what": what, "who": list(who), **plan}
        self._say(f"{_PLAN}-{number}", whole)
        told = {}
        if self.name in who:
            told[self.name] = experiment(self.place, whole)
        end = min(time.monotonic() + patience, max(self.end_at, time.monotonic() + 1))
        for name in who:
            if name != self.name:
                left = max(0.1, end - time.monotonic())
                found = self._hear(f"{_TOLD}-{number}-{name}", left)
                told |= {} if found is None else {name: found}
        return told

    def end(self) -> None:
        """Let all go."""
        with suppress(BackendError):
            self._say(f"{_PLAN}-{self._number}", {"what": _END, "who": []})

    def take_part(self, patience: float) -> bool:
        """Do what is planned until it is over; False if nobody plans any more.

        The first plan has to come within the seconds of `patience`.
        """
        for number in range(1 << 16):
            limit = _SILENCE if number else patience
            plan = self._hear(f"{_PLAN}-{number}", limit)
            if plan is None:
                return False
            if plan["what"] == _END:
                return True
            if self.name in plan["who"]:
                found = experiment(self.place, plan)
                self._say(f"{_TOLD}-{number}-{self.name}", found)
        return False

    def close(self) -> None:
        """Let go of the store."""
        self.place.close()

    def _say(self, document: str, about: Mapping[str, Any]) -> None:
        self._documents.put(document, json.dumps(about).encode())

    def _heard(self, document: str) -> dict[str, Any] | None:
        text = self._documents.get(document)
        return dict(json.loads(text)) if text else None

    def _hear(self, document: str, seconds: float) -> dict[str, Any] | None:
        """Return what a document says, as soon as there is one."""
        end, pause = time.monotonic() + seconds, _PAUSES[0]
        while time.monotonic() < end:
            if (found := self._heard(document)) is not None:
                return found
            time.sleep(pause)
            pause = min(_PAUSES[1], 1.2 * pause + self.place.log.latency / 100)
        return None


def partner(store: str, name: str, patience: float = _SILENCE) -> None:
    """Take part in what another process plans in a scratch store.

    If that one is gone, what it has made is removed.

    Raises
    ------
    UnavailableError
        Nobody planned anything any more.
    """
    probe = open_probe(store)
    try:
        meeting = Meeting(probe.make_scratch(name))
        over = False
        try:
            meeting.join()
            over = meeting.take_part(patience)
        finally:
            meeting.close()
            if not over:
                probe.remove_scratch(name)
        if not over:
            raise UnavailableError(
                f"{store}: who began to examine it is gone; start again"
            )
    finally:
        probe.close()
