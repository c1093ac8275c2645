"""`tg wait`: return when everything is done, or nothing more can be."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import click

from taskgraph.cli.arguments import also_option, jugfile_argument
from taskgraph.cli.graphs import load_snapshot, snapshot_now, status_now
from taskgraph.cli.printing import counted
from taskgraph.cli.sentences import note
from taskgraph.cli.stores import open_store_of
from taskgraph.cli.words.jugfiles import require_jugfile
from taskgraph.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.upkeep.snapshot import Snapshot
    from taskgraph.upkeep.status import Status

_LOOK = 1.0
_LOOK_ELSEWHERE = 10.0
"""Seconds from one look into other stores to the next, each of which opens them."""
_NO_STORE = 0.2


@click.command("wait")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option(
    "--timeout", type=float, metavar="SECONDS", help="Give up after so long (exit 3)."
)
@also_option
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    timeout: float | None,
    also: tuple[str, ...],
    quiet: bool,
) -> int:
    """Return when every task of JUGFILE has a result.

    Somebody else has to run `tg execute`, now or later. Tasks that appear behind
    barriers are waited for, too, and files of tasks that are gone or changed.

    \b
    Exit code: 0 all done, 1 what is left failed or is blocked, 3 timed out.
    """  # noqa: D301 - click ends paragraphs with \b
    require_jugfile(jugfile)
    if timeout is not None and not timeout >= 0:  # nor nan
        raise click.UsageError("--timeout takes seconds, 0 or more")
    patience = math.inf if timeout is None else timeout
    deadline = time.monotonic() + patience
    watched = _Watched(jugfile, store, arguments, also)
    while True:
        status = watched.look()
        left = deadline - time.monotonic()
        ended = _ended(status)
        if ended is None and left <= 0:
            why = f"gave up waiting: {_rest(status)} after {patience:g} s"
            ended = ExitCode.GAVE_UP, why
        if ended is None:
            watched.pause(min(_LOOK, left))
            continue
        code, why = ended
        if why and not quiet:
            note(why)
        return code


def _ended(status: Status | None) -> tuple[ExitCode, str] | None:
    """Return the exit code and what there is to tell; None while more may be done."""
    if status is not None and status.finished:
        return ExitCode.DONE, ""
    if status is not None and status.hopeless:
        failed, blocked = status.total("failed"), status.total("blocked")
        return ExitCode.NOT_DONE, f"{failed} failed, {blocked} blocked; see `tg errors`"
    return None


def _rest(status: Status | None) -> str:
    if status is None:
        return "it has not run yet"
    rest = status.tasks - status.total("done")
    more = "" if status.complete else " and what a barrier hides"
    return f"{counted(rest, 'task')}{more} not done"


class _Watched:
    """A jugfile in a store that may not exist yet."""

    def __init__(
        self,
        jugfile: Path,
        store: str | None,
        arguments: tuple[str, ...],
        also: tuple[str, ...],
    ) -> None:
        self._jugfile = jugfile
        self._also, self._also_at = also, 0.0
        self._store = store
        self._arguments = arguments
        self._backend: Backend | None = None
        self._own: Snapshot | None = None

    def look(self) -> Status | None:
        """Return how far it is now; None if it never ran."""
        from backends.errors import NoStoreError
        from taskgraph.upkeep.status import status_in

        if self._backend is None:
            try:
                self._backend = open_store_of(self._jugfile, self._store)
            except NoStoreError:
                return None
        backend = self._backend
        backend.poll()
        snapshot = self._snapshot(backend)
        if snapshot is None:
            self._backend = None  # the jugfile may be about to choose another store
            return None
        status = status_in(snapshot, backend)
        elsewhere = self._also and time.monotonic() >= self._also_at
        if not (status.finished or elsewhere):
            return status
        status = status_now(snapshot, backend, also=self._also)[0]
        self._also_at = time.monotonic() + _LOOK_ELSEWHERE
        return status

    def _snapshot(self, backend: Backend) -> Snapshot | None:
        """Return the graph as whoever runs it saw it last; if it is old, as it is."""
        snapshot = load_snapshot(backend, self._jugfile, self._arguments)
        if snapshot is None or not snapshot.outdated(self._jugfile):
            return snapshot
        own = self._own
        if (
            own is None
            or own.outdated(self._jugfile)
            or (own.missing and set(own.awaited()) <= set(backend.keys()))
        ):
            self._own = snapshot_now(backend, self._jugfile, self._arguments)
        return self._own

    def pause(self, seconds: float) -> None:
        """Wait for news."""
        if self._backend is None:
            time.sleep(min(seconds, _NO_STORE))
        else:
            self._backend.wait(seconds)
