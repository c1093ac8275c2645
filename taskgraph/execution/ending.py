"""What ends a run before all is done: its time, a number of tasks, or the user's word.

A worker takes no task that would probably take longer than is left. When the time is
over, what runs is abandoned and its lock given back, soon enough before the batch
system would kill it. Who wants all workers of a store to end leaves a note in it.
"""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import BackendError
from backends.interface.frozen import frozen
from taskgraph.execution.writing.needed import NotRunError
from taskgraph.exit_codes import ExitCode
from taskgraph.loaded import loaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend, Key
    from taskgraph.execution.options import RunOptions, WorkerOptions
    from taskgraph.execution.shared_page import NoPage, Page, SharedPage
    from taskgraph.tasks.jugfile import Loaded

STOP_DOCUMENT = "stop"
STOP_FILE = "__jug_please_stop_running.txt"
"""Lets the workers end of a run that was started in its folder, as jug's do."""
HOOKS = "taskgraph.hooks.workers"
"""The module of functions that jugfiles register; it is there only if one has."""
CAUTION = 1.5
"""How much longer a task may take than those of its function took so far."""
_MARGIN = 15.0
"""Seconds before the end in which workers publish, give locks back and end."""
_SHARE = 0.25
"""The margin is no more of the time than that, if there is little."""
_LOOK_EVERY = 5.0
_LATENCIES = 50
"""A look takes no more of the time than one part in so many."""


class EndedByHookError(NotRunError):
    """A hook of the jugfile has ended the worker before a task began."""


@frozen
class StopNote:
    """The note in a store that lets its workers end, and new ones not begin.

    Attributes
    ----------
    now : bool
        Abandon what runs, instead of letting it end.
    who : str
        User and host that left it.
    at : float
        When, in seconds since 1970.
    """

    now: bool
    who: str
    at: float


def leave_note(backend: Backend, note: StopNote | None) -> None:
    """Leave a note in a store, or take it away."""
    data = b"" if note is None else json.dumps(asdict(note)).encode()
    backend.documents.put(STOP_DOCUMENT, data)


def read_note(backend: Backend) -> StopNote | None:
    """Return the note in a store, if there is one; a damaged one counts as none.

    Examples
    --------
    >>> from backends.opening import open_backend
    >>> backend = open_backend("memory://")
    >>> leave_note(backend, StopNote(True, "ann@host", 17.0))
    >>> read_note(backend)
    StopNote(now=True, who='ann@host', at=17.0)
    """
    with suppress(BackendError, ValueError, TypeError, KeyError):
        data = backend.documents.get(STOP_DOCUMENT)
        if data:
            found = json.loads(data)
            return StopNote(bool(found["now"]), str(found["who"]), float(found["at"]))
    return None


def until_of(options: WorkerOptions, now: float | None = None) -> float:
    """Return the last moment of workers that begin now, by the monotonic clock.

    It is some seconds before their time is over, when they may be killed.

    Examples
    --------
    >>> from taskgraph.execution.options import WorkerOptions
    >>> until_of(WorkerOptions(max_time=3600.0), now=100.0)
    3685.0
    >>> until_of(WorkerOptions(max_time=20.0), now=100.0)
    115.0
    """
    seconds = options.max_time
    if seconds is None:
        return math.inf
    begun = time.monotonic() if now is None else now
    return begun + seconds - min(_MARGIN, _SHARE * seconds)


@frozen
class Early:
    """Why a run ends before all is done, and whether what runs is abandoned."""

    why: str
    at_once: bool
    time_over: bool = False


class Ending:
    """Says when a run has to end, because of its time or of a note in its store.

    Parameters
    ----------
    until : float
        The last moment, by the monotonic clock; infinity for none.
    """

    def __init__(self, until: float = math.inf) -> None:
        self.until = until
        self._look_at = -math.inf
        self._over = False
        self._told: StopNote | None = None
        self._file: Path | None = Path(STOP_FILE).absolute()

    def look(self, backend: Backend, now: float) -> Early | None:
        """Return why the run has to end, None if it may go on; tell it once."""
        if now >= self.until and not self._over:
            self._over = True
            return Early("the time of this run is over", at_once=True, time_over=True)
        if now < self._look_at:
            return None
        self._look_at = now + max(_LOOK_EVERY, _LATENCIES * backend.latency)
        if self._file is not None and self._file.exists():
            path, self._file = self._file, None
            return Early(f"there is {path}", at_once=False)
        note = read_note(backend)
        if note is None or note == self._told:
            return None
        self._told = note
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(note.at))
        why = f"stopped by {note.who} at {when}; `tg stop --off` lets workers start"
        return Early(why, at_once=note.now)


class LimitedPage:
    """A page whose worker keeps to its limits, and tells whether it ran any task.

    Parameters
    ----------
    page : SharedPage or NoPage
        The one that it is.
    most : int, optional
        How many tasks the worker may take.
    until : float
        The last moment, by the monotonic clock; infinity for none.
    """

    def __init__(
        self,
        page: SharedPage | NoPage,
        most: int | None = None,
        until: float = math.inf,
    ) -> None:
        self._page = page
        self._left = math.inf if most is None else most
        self._until = until
        self._full = False
        self.running, self.rest = page.running, page.rest
        self.note_taken, self.note_made = page.note_taken, page.note_made
        self.share = page.share

    def expect(self, seconds: float | None) -> None:
        """Take no new task if one would probably take longer than is left."""
        if seconds and time.monotonic() + seconds * CAUTION > self._until:
            self._full = True

    def note_limit(self, *, progress: bool = False) -> None:
        """Note that a limit ends the worker, and whether it has run any task."""
        self._page.note_limit(progress=progress)

    def begin(self, key: Key, deadline: float) -> None:
        """Note what runs now, and count it."""
        self._left -= 1
        self._page.begin(key, deadline)

    def end(self) -> None:
        """Note that nothing runs, and that something was run to its end."""
        self._page.end()
        self._page.note_progress()

    @property
    def stopping(self) -> bool:
        """Whether no new task is wanted, or may be taken."""
        full = self._full or self._left <= 0
        if full or time.monotonic() >= self._until:
            self._page.note_limit()
            return True
        return self._page.stopping


def limited(page: SharedPage | NoPage, options: RunOptions, until: float) -> Page:
    """Return the page for a worker: if it has limits, one that keeps to them."""
    most = options.per_worker.max_tasks
    if most is None and math.isinf(until) and not options.requeue:
        return page
    return LimitedPage(page, most, until)


def run_told(read: Loaded, run: Callable[[], ExitCode]) -> ExitCode:
    """Run a worker; tell the hooks of its jugfile, if any, how it begins and ends.

    Parameters
    ----------
    read : Loaded
        The graph as the worker has read it.
    run : callable
        Works until nothing is left, or the worker has to end.
    """
    hooks = loaded(HOOKS)
    if hooks is not None:
        hooks.begin(read)
    code = run()
    hooks = loaded(HOOKS)  # which the jugfile may have imported meanwhile
    if hooks is not None and code == ExitCode.DONE:
        hooks.end()
    return code


def author() -> str:
    """Return who leaves a note: user and host."""
    import getpass

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{os.uname().nodename}"
