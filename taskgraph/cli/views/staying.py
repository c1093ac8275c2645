"""`tg status --watch`: a view that stays until nothing is left to run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from taskgraph.cli.printing import say, shows_views
from taskgraph.cli.views.rendering import Layout
from taskgraph.upkeep.snapshot import load
from taskgraph.watching.looks import Look

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend
    from taskgraph.upkeep.snapshot import Snapshot
    from taskgraph.watching.view import View

_EVERY, _LINES_EVERY = 1.0, 10.0
_GRAPH_EVERY = 10.0
_SHARE = 20
_COLUMNS = 200
"""Letters of a plain line, which nothing cuts."""


def watched(backend: Backend, snapshot: Snapshot) -> int:
    """Show how a run goes until nothing is left, or the user has seen enough.

    On a terminal that is a view; elsewhere a line with the totals now and then.
    """
    if not shows_views(sys.stdout):
        _follow(backend, snapshot, _say_totals, _LINES_EVERY)
        return 0
    from taskgraph.cli.views.live import Foot

    foot = Foot(whole=True)
    foot.start()
    try:
        _follow(backend, snapshot, foot.show, _EVERY)
    finally:
        foot.stop()
    return 0


def _follow(
    backend: Backend,
    snapshot: Snapshot,
    show: Callable[[View], None],
    every: float,
) -> None:
    look, read = Look(backend), time.monotonic()
    while True:
        began = time.monotonic()
        backend.poll()
        if began - read > _GRAPH_EVERY:
            known = load(backend, Path(snapshot.jugfile), snapshot.arguments)
            snapshot, read = known or snapshot, began
        view = look(snapshot)
        show(view)
        if view.over:
            return
        time.sleep(max(every, _SHARE * (time.monotonic() - began)))


def _say_totals(view: View) -> None:
    (line, _), *_ = Layout().lines(view, _COLUMNS, 1)
    say(line)
