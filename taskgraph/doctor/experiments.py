"""What processes of one or more machines do together in a scratch store.

Each experiment is a function of a place and of what was planned, the same for all who
take part, and returns what one of them has seen, as JSON can say it.
"""

from __future__ import annotations

import os
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from backends.errors import BackendError
from backends.interface import Kind, Row, Segment
from backends.opening import open_backend, open_log
from backends.reading import look
from backends.segment import encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from backends.interface import Backend
    from backends.log import Log

_LOOKS = 5
_SAME = 1.0
"""Seconds by which one clock may seem to differ: stamps of some stores have steps."""
_WAKING = 0.002
_BODY = b"r" * 2000
_RESULT = bytes([Row.RESULT])
_BEAT = 0.1


class Place:
    """A scratch store as one process sees it.

    Parameters
    ----------
    url : str
        Of the store, which is there.
    name : str
        Of the process: unique, and a worker's.
    """

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.log: Log = open_log(url, create=False)
        self.backend: Backend = open_backend(url, create=False, worker=name)
        self._offset = 0.0

    def clock(self) -> tuple[float, float]:
        """Return by how much the store's clock is ahead of ours, and how exactly."""
        found = []
        for _ in range(_LOOKS):
            began = time.time()
            stamp = self.log.space.now()
            ended = time.time()
            found.append((ended - began, stamp - (began + ended) / 2))
        took, offset = min(found)
        self._offset = 0.0 if abs(offset) < _SAME + took else offset
        return offset, took / 2

    def now(self) -> float:
        """Return seconds since the epoch that all who take part agree upon."""
        return time.time() + self._offset

    def wait_until(self, moment: float) -> None:
        """Return at a moment, as `now` tells it, or at once."""
        while (left := moment - self.now()) > 0:
            if left > _WAKING:  # sleeping alone, one wakes too late to meet others
                time.sleep(min(left - _WAKING, 0.5))

    def append(self, position: int) -> bool:
        """Append something that does nothing; return whether we were first."""
        frame = encode_frame(Segment(Kind.RELEASE, self.name, 0.0))
        staged = self.log.stage(frame, durable=False)
        try:
            return self.log.append(position, staged)
        finally:
            self.log.unstage(staged)

    def writer(self, position: int) -> str:
        """Return who appended what is at a position; empty if nothing is there."""
        found = look(self.log, position)
        return "" if found is None else found[0].worker

    def close(self) -> None:
        """Let go of files and connections."""
        self.log.close()
        self.backend.close()


def clock(place: Place, _: Mapping[str, Any]) -> dict[str, Any]:
    """Compare our clock with the store's."""
    offset, exact = place.clock()
    return {"offset": offset, "exact": exact}


def race(place: Place, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Try to be first at one position after another, at the same moments as all."""
    won, spans = [], []
    for number in range(plan["rounds"]):
        place.wait_until(plan["at"] + number * plan["step"])
        began = place.now()
        if place.append(plan["first"] + number):
            won.append(number)
        spans.append((began, place.now()))
    return {"won": won, "spans": spans}


def winners(place: Place, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Look who was first at each position."""
    place.log.refresh()
    first = plan["first"]
    return {"seen": [place.writer(first + k) for k in range(plan["rounds"])]}


def hops(place: Place, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Append in turns with another one, as soon as what that one appended is seen.

    Returns the seconds from each of our appends to when the answer to it was seen.
    """
    turn = plan["who"].index(place.name)
    end, appended = time.monotonic() + plan["seconds"], 0.0
    took: list[float] = []
    for number in range(plan["rounds"]):
        position = plan["first"] + number
        if number % 2 == turn:
            place.append(position)
            appended = time.monotonic()
            continue
        while not place.writer(position):
            left = end - time.monotonic()
            if left <= 0:
                return {"took": took}
            place.log.wait(position, left)
            place.log.refresh()
        if appended:
            took.append(time.monotonic() - appended)
    return {"took": took}


def beats(place: Place, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Beat for a while, or look how old the heartbeats of another one get."""
    watched, end = plan["who"][1], time.monotonic() + plan["seconds"]
    members = place.log.members
    if place.name == watched:
        while time.monotonic() < end:
            members.beat(place.name, {"lease": 60})
            time.sleep(_BEAT)
        return {}
    known, since = None, time.monotonic()
    gaps: list[float] = []
    while time.monotonic() < end:
        found = members.some([watched])
        now = time.monotonic()
        if found and found[0].beat != known:
            gaps += [now - since] if known is not None else []
            known, since = found[0].beat, now
        time.sleep(plan["pause"])
    return {"oldest": max([*gaps, time.monotonic() - since]), "seen": len(gaps)}


def work(place: Place, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Lock and publish as fast as it goes, one result at a time."""
    backend = place.backend
    backend.poll()
    place.wait_until(plan["at"])
    claims: list[float] = []
    publishes: list[float] = []
    began, before = time.monotonic(), backend.position
    while time.monotonic() - began < plan["seconds"] and len(claims) < plan["most"]:
        key = os.urandom(20)
        start = time.perf_counter()
        claim = backend.claim([key])
        middle = time.perf_counter()
        backend.publish([key], _RESULT, _BODY, since=claim.token)
        claims.append(middle - start)
        publishes.append(time.perf_counter() - middle)
        backend.changes()
    appends = 2 * len(claims)
    return {
        "appends": appends,
        "seconds": time.monotonic() - began,
        "append": (median(claims) + median(publishes)) / 2 if claims else 0.0,
        "read": backend.position - before - appends,
    }


def join(place: Place, _: Mapping[str, Any]) -> dict[str, Any]:
    """Read everything anew, as who joins does."""
    backend = open_backend(place.url, create=False, worker=place.name)
    cpu, began = time.process_time(), time.perf_counter()
    backend.poll()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    found = {"segments": backend.position, "seconds": seconds, "cpu": cpu}
    backend.close()
    return found


EXPERIMENTS: dict[str, Callable[[Place, Mapping[str, Any]], dict[str, Any]]] = {
    "clock": clock,
    "race": race,
    "winners": winners,
    "hops": hops,
    "beats": beats,
    "work": work,
    "join": join,
}


def experiment(place: Place, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is planned; what the store refuses is told."""
    try:
        return EXPERIMENTS[plan["what"]](place, plan)
    except BackendError as error:
        return {"error": str(error)}
