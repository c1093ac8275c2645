"""What one worker of a machine was told by the store, others need not ask for again.

Nobody is told less than had he asked himself: a look (a listing, say) is for all who
asked before it began, and for those who say that an older one will do. What has a mark
is what it was. A name of the journal is never free again: who would append where
another of the machine has just done so is refused without a request. A writer may take
back what he put a moment ago (`Log.retract`), so that is for a moment only.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from backends.bucket.failures import IN_VAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = tuple[str, Any]
    """"ok" and a value, or a kind of failure and the word for it."""

_START = 1 << 16
"""Bytes of an object that are kept."""
_ROOM = 32 << 20
_LATELY = 2.0
"""Seconds for which what was seen is there still."""
_ABSENT = 0.5
"""Seconds for which what was not there is not asked for, if what was there will do."""
_LOOKS = 64
"""Looks that are kept for who can do with an older one."""
EXISTS: Answer = "exists", "there is one"


class _Seen(NamedTuple):
    """The start of an object, its size and its mark, and when it was seen."""

    data: bytes
    size: int
    mark: str
    at: float


class _Look:
    """A question to the store that several may wait for."""

    def __init__(self) -> None:
        self.begun = inf
        self.answer: Answer = "other", "nothing was said"
        self.done = threading.Event()

    def was_in_vain(self, came: float, now: float) -> bool:
        """Return whether who came then has waited for most of a try that failed."""
        waited, took = now - came, now - self.begun
        return self.answer[0] in IN_VAIN and took <= 2 * waited


class Shared:
    """Answers the requests of several workers with as few as will do.

    Parameters
    ----------
    make : callable
        Makes a request, and returns the answer to it.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        make: Callable[[str, tuple[Any, ...]], Answer],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._looks: OrderedDict[object, _Look] = OrderedDict()
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._bytes = 0

    def answer(self, what: str, *how: Any) -> Answer:
        """Return the answer to a request; see `Courier` for what these are."""
        if what in {"list", "head"}:
            *words, age = how
            return self._looked(what, tuple(words), age)
        if what == "get":
            return self._got(*how)
        if what == "append":
            return self._append(*how)
        if what in {"put", "delete"}:
            self._drop(how[0])
        return self._make(what, how)

    def _looked(self, what: str, how: tuple[Any, ...], age: float) -> Answer:
        if what == "head" and age and (seen := self._known(how[0])):
            return "ok", (seen.size, seen.mark, 0.0)
        return self._together((what, *how), age, lambda: self._make(what, how))

    def _together(
        self, key: object, age: float | None, ask: Callable[[], Answer]
    ) -> Answer:
        """Return what is answered to a look that begins now, or was begun lately.

        With None for an age, each asks by himself, one after another. But who waited
        while a service did not answer another one need not wait for as long again: in a
        crowd, all of them would.
        """
        came = self._clock()
        with self._lock:
            before = self._looks.get(key)
            if age is not None and before and self._clock() - before.begun < age:
                look = before
            else:
                look = self._looks[key] = _Look()
        if look is before:
            look.done.wait()
            return look.answer
        if before is not None:  # others who ask meanwhile have this one together
            before.done.wait()
        look.begun = self._clock()
        try:
            if before is not None and before.was_in_vain(came, look.begun):
                look.begun, look.answer = before.begun, before.answer
            else:
                look.answer = ask()
        finally:
            look.done.set()
            told = look.answer[0] in {"ok", "missing"}
            self._forget(key, look, keep=told and age is not None and 0 < age < inf)
        return look.answer

    def _forget(self, key: object, look: _Look, *, keep: bool) -> None:
        """Keep only looks that are under way, and some that others can do with."""
        with self._lock:
            if not keep and self._looks.get(key) is look:
                del self._looks[key]
            kept = [at for at, each in self._looks.items() if each.done.is_set()]
            for at in kept[:-_LOOKS]:
                del self._looks[at]

    def _got(self, name: str, limit: int | None, mark: str | None) -> Answer:
        """Return an object, or its first bytes.

        None for a mark means what is there now, an empty one what was there a moment
        ago: other machines write over objects, too.
        """
        if mark is None:
            return self._make("get", (name, limit))
        seen = self._known(name, mark)
        if seen is not None:
            enough = seen.size if limit is None else min(limit, seen.size)
            if enough <= len(seen.data):
                return "ok", (seen.data[:enough], seen.size, seen.mark)
        answer = self._together(
            ("get", name, limit, mark),
            inf if mark else _ABSENT,
            lambda: self._make("get", (name, limit)),
        )
        if mark and answer[0] == "ok" and answer[1][2] != mark:  # it was asked before
            answer = self._make("get", (name, limit))
        if answer[0] == "ok":
            self._keep(name, *answer[1])
        return answer

    def _append(self, name: str, data: bytes) -> Answer:
        """Write an object if there is none, as soon as nobody else is about to."""

        def put_it() -> Answer:
            if self._known(name):
                return EXISTS
            answer = self._make("put", (name, data, True))
            if answer[0] == "ok":
                self._keep(name, data, len(data), answer[1])
            return answer

        return self._together(("append", name), None, put_it)

    # what was seen

    def _known(self, name: str, mark: str = "") -> _Seen | None:
        """Return what was seen of an object: a moment ago, or with this mark."""
        with self._lock:
            seen = self._seen.get(name)
        if seen is None:
            return None
        same = mark == seen.mark if mark else self._clock() - seen.at < _LATELY
        return seen if same else None

    def _keep(self, name: str, data: bytes, size: int, mark: str) -> None:
        seen = _Seen(data[:_START], size, mark, self._clock())
        with self._lock:
            self._remove(name)
            self._seen[name] = seen
            self._bytes += len(seen.data)
            while self._bytes > _ROOM:
                self._remove(next(iter(self._seen)))

    def _drop(self, name: str) -> None:
        with self._lock:
            self._remove(name)

    def _remove(self, name: str) -> None:
        seen = self._seen.pop(name, None)
        self._bytes -= 0 if seen is None else len(seen.data)
