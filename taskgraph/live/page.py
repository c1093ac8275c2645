"""The live page of a jugfile: what is followed, and what its routes are given."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from taskgraph.live.calls import CallTexts, Search
from taskgraph.live.following import Following
from taskgraph.live.state import (
    counts_of,
    ended_of,
    is_finished,
    left_of,
    told_of,
    workers_of,
)
from taskgraph.live.values import NotShownError, ValueProcess
from taskgraph.pages import Latest
from taskgraph.watching.at_work import first_locked, worker_rows
from taskgraph.watching.rates import Rates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.live.history import History
    from taskgraph.live.tasks import Tasks
    from taskgraph.results.results import Results

_OFTEN, _SELDOM = 1.0, 10.0
"""Seconds between two looks while somebody watches, and while nobody does."""
_RATHER = 9
"""A look that takes long is followed by so many times as long without one: all pages
together take a tenth of a core by that, and another one by what they ask for."""
_SEARCHES = 8


class LivePage:
    """What pages of one jugfile share: one look at the store for all that are open.

    Parameters
    ----------
    open_store : callable
        Returns the store, up to date; None if the jugfile has not run yet.
    jugfile : Path
        The script.
    arguments : sequence of str, optional
        As what it ran; any by default.
    act : callable, optional
        Does what is asked by words of the command line, ``["retry"]``, and returns its
        exit code and what it said; None if nothing may be changed.
    address : str, optional
        Of the store, as it was given: with a password, which its URL does not show.
    sentence : callable, optional
        Returns a sentence whose commands can be typed as they stand.
    """

    def __init__(
        self,
        open_store: Callable[[], Backend | None],
        jugfile: Path,
        arguments: Sequence[str] | None = None,
        *,
        act: Callable[[list[str]], tuple[int, str, str]] | None = None,
        address: str | None = None,
        sentence: Callable[[str], str] = str,
    ) -> None:
        self.following = Following(open_store, jugfile, arguments)
        self.latest, self._rates = Latest(), Rates()
        self.act, self.sentence, self._address = act, sentence, address
        self._ended, self._wanted = threading.Event(), threading.Event()
        self._seen = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._values: dict[bool, ValueProcess] = {}
        self._texts: tuple[Tasks, CallTexts] | None = None
        self._searches: OrderedDict[str, Search] = OrderedDict()

    def start(self) -> None:
        """Look again and again in a thread; see `looked_at`."""
        self._thread.start()

    def looked_at(self) -> None:
        """Wait until the store was looked at once."""
        self._seen.wait()

    def close(self) -> None:
        """End: streams, thread, processes."""
        self.latest.close()
        self._ended.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()
        for values in self._values.values():
            values.close()
        self.following.close()

    def look(self) -> None:
        """Look at the store, and let pages know."""
        self.following.look()
        with self.following.lock:
            if self.following.tasks is not None:
                self._rates.add(time.monotonic(), ended_of(self.following.tasks))
            self.latest.publish(json.dumps(self.state(), allow_nan=False))
        self._seen.set()

    def look_soon(self) -> None:
        """Let the thread look as soon as it may: somebody came."""
        self._wanted.set()

    def _follow(self) -> None:
        self.look()  # it takes longest, and what it left out comes soon
        busy = 0.0
        while True:
            watched = self.latest.watchers > 0
            pause = _OFTEN if watched or self.following.reading else _SELDOM
            self._ended.wait(_RATHER * busy)
            self._wanted.wait(max(0.0, pause - _RATHER * busy))
            self._wanted.clear()
            if self._ended.is_set():
                return
            began = time.thread_time()
            self.look()
            busy = time.thread_time() - began

    def state(self) -> dict[str, Any]:
        """Return what a page shows all the time."""
        follows = self.following
        plain: dict[str, Any] = {
            "jugfile": follows.jugfile.name,
            "trouble": self.sentence(follows.trouble),
            "acts": self.act is not None,
            "forgot": follows.forgot,
        }
        if follows.tasks is None or follows.history is None:
            return plain | {"functions": None}
        tasks, history = follows.tasks, follows.history
        texts = self.texts(tasks)
        first = {who: lock.key for who, lock in first_locked(follows.locks).items()}
        calls = {
            key: self.call(tasks, texts, tasks.place[key])
            for key in first.values()
            if key in tasks.place
        }
        rows = worker_rows(follows.members, follows.locks, follows.dead, calls)
        return plain | {
            "functions": counts_of(tasks),
            "complete": tasks.snapshot.complete,
            "finished": is_finished(tasks),
            "arguments": list(tasks.snapshot.arguments),
            "rate": self._rates.total(),
            "left": left_of(tasks, history.timeline, len(follows.alive)),
            "workers": workers_of(rows, first),
            "at_work": len(follows.alive),
            "reading": follows.reading,
            "notes": [self.sentence(note) for note in told_of(follows)],
        }

    def graph(self) -> tuple[Tasks, History]:
        """Return the graph and its times.

        Raises
        ------
        LookupError
            There is none yet.
        """
        tasks, history = self.following.tasks, self.following.history
        if tasks is None or history is None:
            raise LookupError(self.sentence(self.following.trouble))
        return tasks, history

    def results(self) -> Results:
        """Return the results of the store.

        Raises
        ------
        LookupError
            There is no store, or it cannot be read now.
        """
        results = self.following.results
        if results is None:
            raise LookupError(self.sentence(self.following.trouble))
        return results

    def values(self, *, plain: bool) -> ValueProcess:
        """Return what loads values, for all pages: plain ones, or by pickle.

        Plain ones do not wait for a value that is at its own `__repr__` for a minute.
        """
        tasks, _ = self.graph()
        if plain not in self._values:
            url = self._address or self.results().backend.url
            path = str(self.following.jugfile.resolve())
            made = ValueProcess(url, path, tasks.snapshot.arguments)
            self._values.setdefault(plain, made)  # two pages may ask at once
        return self._values[plain]

    def open(self, key: bytes, payload: bytes, *, plain: bool) -> dict[str, Any]:
        """Load a value; return what it is shown as."""
        about = self.values(plain=plain).open(key, payload)
        if (not plain) in self._values:
            self._values[not plain].forget(key)  # what it was before it ran again
        return about

    def shown(self, key: bytes) -> ValueProcess:
        """Return what has loaded a value.

        Raises
        ------
        NotShownError
            Nobody has asked for it yet.
        """
        for values in list(self._values.values()):
            if values.has(key):
                return values
        raise NotShownError("this value is not loaded; ask for it first")

    def texts(self, tasks: Tasks) -> CallTexts:
        """Return the arguments of a graph's tasks as text."""
        if self._texts is None or self._texts[0] is not tasks:
            self._texts = tasks, CallTexts(tasks)
        return self._texts[1]

    def call(self, tasks: Tasks, texts: CallTexts, place: int) -> str:
        """Return a call as short text."""
        name = tasks.snapshot.names[int(tasks.functions[place])]
        return f"{name.rpartition('.')[2]}({texts[place]})"

    def search(self, text: str) -> Search:
        """Return a search, as far as it has come; the last few are kept."""
        tasks, _ = self.graph()
        found = self._searches.get(text)
        if found is None or found.tasks is not tasks:
            found = self._searches[text] = Search(tasks, text)
        self._searches.move_to_end(text)
        while len(self._searches) > _SEARCHES:
            self._searches.popitem(last=False)
        return found
