"""Who watches a run: sees what tasks print and how far it is, and is told the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend
    from taskgraph.upkeep.snapshot import Snapshot


def _nobody(*_what: object) -> None:
    """Tell it to nobody."""


@frozen
class Observer:
    """What a supervisor calls while it is at work.

    Attributes
    ----------
    echo : int, optional
        Descriptor that gets what tasks print.
    tick : callable, optional
        Called now and then with the backend, to show progress.
    note : callable
        Tells the user something in one sentence.
    started : callable
        Called once, when the workers are at work, or nothing is left for them.
    learned : callable
        Called with the graph that workers have read, and its store, when they have;
        and whether the store keeps it already.
    """

    echo: int | None = None
    tick: Callable[[Backend], None] | None = None
    note: Callable[[str], None] = _nobody
    started: Callable[[], None] = _nobody
    learned: Callable[[Snapshot, Backend, bool], None] = _nobody


UNOBSERVED = Observer()
"""Nobody watches."""
