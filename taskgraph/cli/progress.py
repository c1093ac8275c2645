"""Progress of a run: a view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from taskgraph.cli.printing import counted, harmless, shows_views
from taskgraph.cli.sentences import note, told_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from backends.interface import Backend
    from taskgraph.cli.views.live import Foot
    from taskgraph.report import Report
    from taskgraph.upkeep.snapshot import Snapshot
    from taskgraph.watching.looks import Look

_LINE_EVERY = 10.0
_NAMED = 3
"""Workers that a line names."""
_PIPE_SIZE = 1 << 20
_SHARE = 20
"""One part in so many of the time may go into showing it."""


class Display(Protocol):
    """Shows how a run goes."""

    echo: int | None
    tick: Callable[[Backend], None] | None

    def note(self, sentence: str) -> None:
        """Tell something in one sentence."""

    def know(
        self, names: Callable[[], Mapping[bytes, str]], snapshot: Callable[[], Snapshot]
    ) -> None:
        """Learn of the tasks: what function each is of, and the graph, if asked."""

    def end(self, backend: Backend) -> None:
        """Show how it is at the end."""

    def summary(self, report: Report, made: int) -> Sequence[str]:
        """Return what to say at the end of a run that made so many of the results."""


@contextmanager
def progress(*, quiet: bool) -> Iterator[Display]:
    """Show progress while the block runs."""
    count = _Counter()
    if quiet:
        yield _Quiet()
    elif shows_views(sys.stderr):
        with _view(count) as view:
            yield view
    else:
        yield _Lines(count)


class _Quiet:
    echo: int | None = None
    tick: Callable[[Backend], None] | None = None

    def note(self, sentence: str) -> None:
        note(sentence)

    def know(
        self, names: Callable[[], Mapping[bytes, str]], snapshot: Callable[[], Snapshot]
    ) -> None:
        pass

    def end(self, backend: Backend) -> None:
        pass

    def summary(self, report: Report, made: int) -> Sequence[str]:  # noqa: ARG002
        if not report.failed:
            return []
        return [f"{report.failed} failed, {report.blocked} blocked; see `tg errors`"]


class _Lines(_Quiet):
    """A line now and then."""

    every = _LINE_EVERY

    def __init__(self, count: _Counter) -> None:
        self._count = count
        self._began = time.monotonic()
        self._next = self._began + self.every
        self._shown = 0
        self.tick = self._tick

    def know(
        self,
        names: Callable[[], Mapping[bytes, str]],
        snapshot: Callable[[], Snapshot],  # noqa: ARG002 - for a view
    ) -> None:
        self._count.know(names)
        self._shown = 0

    def _tick(self, backend: Backend) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._show(backend, now - self._began)
        after = time.monotonic()
        # Counting a million tasks takes its time, which workers could use better.
        self._next = after + max(self.every, _SHARE * (after - now))

    def _show(self, backend: Backend, seconds: float) -> None:
        done, failed = self._count.done(backend)
        total = self._count.total.total()
        more = f", {sum(failed.values())} failed" if failed else ""
        fewer, self._shown = self._shown - sum(done.values()), sum(done.values())
        more += f" ({fewer} or more invalidated meanwhile)" if fewer > 0 else ""
        parts = f"{self._shown} of {counted(total, 'task')} done{more}"
        left = self._count.time_left(backend, done, failed)
        told = f"{parts} after {seconds:.0f} s" + (f"; left: {left}" if left else "")
        note(told + (self._count.at_work(backend) if fewer == 0 else ""))

    def summary(self, report: Report, made: int) -> Sequence[str]:
        parts = [f"{report.done} done"]
        parts += [f"{report.failed} failed"] if report.failed else []
        parts += [f"{report.blocked} blocked"] if report.blocked else []
        parts += [f"{report.open} open"] if report.open else []
        seconds = time.monotonic() - self._began
        all_new = made >= report.done + report.failed
        ours = "" if all_new else f", {made or 'none'} of them by this command"
        lines = [f"{', '.join(parts)} after {seconds:.1f} s{ours}"]
        if report.failed:
            lines.append(
                "`tg errors` shows why; mend it and run again, which tries once more "
                "what raised an exception or returned what cannot be stored; "
                "`tg retry` lets all of it run again"
            )
        return lines


class _Counter:
    """Counts what is done, by function."""

    def __init__(self) -> None:
        self._names: Callable[[], Mapping[bytes, str]] = dict
        self._known: Mapping[bytes, str] | None = None

    def know(self, names: Callable[[], Mapping[bytes, str]]) -> None:
        """Learn of the tasks; a million of them are named when somebody asks."""
        self._names, self._known = names, None

    @property
    def _name_of(self) -> Mapping[bytes, str]:
        if self._known is None:
            self._known = self._names()
        return self._known

    @property
    def total(self) -> Counter[str]:
        """How many tasks there are, by function."""
        return Counter(self._name_of.values())

    def done(self, backend: Backend) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """Return how many tasks have a result, and how many failed."""
        name_of, failures = self._name_of, backend.failures()
        if backend.holds(b"".join(name_of)):
            return self.total, {}
        known = name_of.keys() & backend.keys()
        failed = Counter(name_of[key] for key in known if key in failures)
        return Counter(map(name_of.__getitem__, known)) - failed, failed

    def at_work(self, backend: Backend) -> str:
        """Return who is at work on which of the tasks: what a run may wait for."""
        from backends.liveness import left_behind
        from taskgraph.watching.at_work import worker_rows

        locks = [lock for lock in backend.locks() if lock.key in self._name_of]
        dead, members = left_behind(backend), backend.members.all()
        rows = worker_rows(members, locks, dead, self._name_of)
        told = [
            f"{row.call} by {f'{row.host}:{row.pid}' if row.host else row.worker}"
            + ("" if row.alive else ", which seems dead")
            for row in rows
            if row.tasks
        ]
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        return f"; at work: {', '.join(told[:_NAMED])}{more}" if told else ""

    def time_left(
        self, backend: Backend, done: Mapping[str, int], failed: Mapping[str, int]
    ) -> str:
        """Return how long the rest takes, by the records so far."""
        from taskgraph.cli.costs import rest_text

        left = self.total
        left.subtract(done)
        left.subtract(failed)
        return rest_text(+left, backend, self._name_of.items())


@contextmanager
def _view(count: _Counter) -> Iterator[Display]:
    """Show how it goes at the foot of the terminal; what tasks print goes above."""
    from taskgraph.cli.views.live import Foot

    foot = Foot()
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with suppress(AttributeError, OSError):  # room for what comes between two looks
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    shown = _View(count, foot, reader, writer)
    try:
        yield shown
    finally:
        os.close(writer)
        shown.pass_on()
        os.close(reader)
        foot.stop()


class _View(_Lines):
    every = 0.25

    def __init__(self, count: _Counter, foot: Foot, reader: int, echo: int) -> None:
        super().__init__(count)
        self.echo = echo
        self._foot = foot
        self._reader = reader
        self._begun = b""
        self._look: Look | None = None
        self._graph: Callable[[], Snapshot] | Snapshot | None = None

    def know(
        self, names: Callable[[], Mapping[bytes, str]], snapshot: Callable[[], Snapshot]
    ) -> None:
        super().know(names, snapshot)
        self._graph = snapshot
        self._foot.start()  # not before: the jugfile may print while it is read

    def _tick(self, backend: Backend) -> None:
        self.pass_on()
        super()._tick(backend)

    def pass_on(self) -> None:
        """Print above the view what tasks have printed."""
        with suppress(BlockingIOError):
            while piece := os.read(self._reader, _PIPE_SIZE):
                *lines, self._begun = (self._begun + piece).split(b"\n")
                for line in lines:
                    self._foot.above(line.decode(errors="replace"))
                self._foot.refresh()
            if self._begun:
                self._foot.above(self._begun.decode(errors="replace"))

    def _show(self, backend: Backend, seconds: float) -> None:  # noqa: ARG002 - as lines do
        from taskgraph.watching.looks import Look

        if self._look is None:
            self._look = Look(backend)
        if callable(self._graph):
            self._graph = self._graph()
        if self._graph is not None:
            self._foot.show(self._look(self._graph))

    def end(self, backend: Backend) -> None:
        self._show(backend, time.monotonic() - self._began)

    def note(self, sentence: str) -> None:
        self._foot.above(harmless(told_line(sentence)))
