"""Progress of a run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from taskgraph.cli.options import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backends.interface import Backend
    from taskgraph.api import Report
    from taskgraph.jugfile import Loaded

_LINE_EVERY = 10.0


class Display(Protocol):
    """Shows how a run goes."""

    echo: int | None
    tick: Callable[[Backend], None] | None

    def say(self, sentence: str) -> None:
        """Tell something in one sentence."""

    def summary(self, report: Report) -> Sequence[str]:
        """Return what to say at the end."""


@contextmanager
def progress(loaded: Loaded, *, quiet: bool) -> Iterator[Display]:
    """Show progress while the block runs."""
    if quiet:
        yield _Quiet()
    elif sys.stderr.isatty():
        with _bars(loaded) as bars:
            yield bars
    else:
        yield _Lines(loaded)


class _Quiet:
    echo: int | None = None
    tick: Callable[[Backend], None] | None = None

    def say(self, sentence: str) -> None:
        note(sentence)

    def summary(self, report: Report) -> Sequence[str]:
        if not report.failed:
            return []
        return [f"{report.failed} failed, {report.blocked} blocked; see `tg errors`"]


class _Lines(_Quiet):
    """A line now and then."""

    def __init__(self, loaded: Loaded) -> None:
        self._count = _Counter(loaded)
        self._began = time.monotonic()
        self._said = self._began
        self.tick = self._tick

    def _tick(self, backend: Backend) -> None:
        now = time.monotonic()
        if now - self._said < _LINE_EVERY:
            return
        self._said = now
        done, total = self._count.totals(backend)
        note(f"{done} of {total} tasks done after {now - self._began:.0f} s")

    def summary(self, report: Report) -> Sequence[str]:
        parts = [f"{report.done} done"]
        parts += [f"{report.failed} failed"] if report.failed else []
        parts += [f"{report.blocked} blocked"] if report.blocked else []
        parts += [f"{report.open} open"] if report.open else []
        seconds = time.monotonic() - self._began
        lines = [f"{', '.join(parts)} after {seconds:.1f} s"]
        if report.failed:
            lines.append(
                "`tg errors` shows why; mend it, then `tg retry` and run again"
            )
        return lines


class _Counter:
    """Counts what is done, by function."""

    def __init__(self, loaded: Loaded) -> None:
        self.of_key = {key: loaded.graph[key].name for key in loaded.graph}
        self.total: dict[str, int] = {}
        for name in self.of_key.values():
            self.total[name] = self.total.get(name, 0) + 1

    def totals(self, backend: Backend) -> tuple[int, int]:
        known = set(backend.keys())
        return len(known.intersection(self.of_key)), len(self.of_key)

    def done(self, backend: Backend) -> dict[str, int]:
        done = dict.fromkeys(self.total, 0)
        for key in set(backend.keys()).intersection(self.of_key):
            done[self.of_key[key]] += 1
        return done


@contextmanager
def _bars(loaded: Loaded) -> Iterator[Display]:
    """Show a bar per function with rate and time left; what tasks print goes above."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        refresh_per_second=4,
    )
    reader, writer = os.pipe()
    with bars, os.fdopen(reader, "r", errors="replace") as lines:
        above = threading.Thread(
            target=_print_above, args=(lines, console), daemon=True
        )
        above.start()
        yield _Bars(loaded, bars, writer)
        os.close(writer)
        above.join()


class _Bars(_Lines):
    def __init__(self, loaded: Loaded, bars: Any, echo: int) -> None:
        super().__init__(loaded)
        self.echo = echo
        self._bars = bars
        self._ids = {
            name: bars.add_task(name.rpartition(".")[2], total=total, rate="")
            for name, total in self._count.total.items()
        }
        self._first: dict[str, int] = {}

    def _tick(self, backend: Backend) -> None:
        seconds = max(1e-3, time.monotonic() - self._began)
        for name, done in self._count.done(backend).items():
            first = self._first.setdefault(name, done)
            rate = (done - first) / seconds
            self._bars.update(self._ids[name], completed=done, rate=f"{rate:.1f}/s")

    def say(self, sentence: str) -> None:
        self._bars.console.print(f"tg: {sentence}", markup=False, highlight=False)


def _print_above(lines: Any, console: Any) -> None:
    for line in lines:
        console.print(line.rstrip("\n"), markup=False, highlight=False)
