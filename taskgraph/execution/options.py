"""What is to be run, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backends.liveness import DEFAULT_LEASE
from taskgraph.names import known_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend


@known_as("taskgraph")
@dataclass(frozen=True, slots=True)
class Options:
    """What a worker is told.

    Attributes
    ----------
    select : callable, optional
        Says of a function's name whether its tasks may be run here.
    fail_fast : bool
        Start no new task after a failure.
    debug : bool
        Let exceptions of tasks through.
    max_wait : float
        Seconds to wait for others while no other worker is alive.
    """

    select: Callable[[str], bool] | None = None
    fail_fast: bool = False
    debug: bool = False
    max_wait: float = 1800.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a supervisor is told.

    Attributes
    ----------
    workers : int
        How many workers to keep running.
    options : Options
        For each of them.
    lease : float
        Seconds without a heartbeat after which others take over the locks.
    folder : str
        Whose git commit is recorded.
    echo : int, optional
        Descriptor that gets what tasks print.
    tick : callable, optional
        Called now and then with the backend, to show progress.
    say : callable
        Tells the user something in one sentence.
    """

    workers: int = 1
    options: Options = field(default_factory=Options)
    lease: float = DEFAULT_LEASE
    folder: str = "."
    echo: int | None = None
    tick: Callable[[Backend], None] | None = None
    say: Callable[[str], None] = lambda _: None
