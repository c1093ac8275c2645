"""How programs of this project end: the codes that scripts and batch systems see."""

from __future__ import annotations

from enum import IntEnum

from taskgraph.names import known_as


@known_as("taskgraph")
class ExitCode(IntEnum):
    """What the code says with which a command, or a worker, ends.

    Of two workers the larger one counts. A run that a signal ended has the code of
    `by_signal`.

    Examples
    --------
    >>> ExitCode.GAVE_UP == 3
    True
    """

    DONE = 0
    """All is done, or there was nothing to do, to take or to show."""
    NOT_DONE = 1
    """Tasks failed or are blocked, or the run was stopped before all was done."""
    USAGE = 2
    """The command line, the jugfile or the pipeline makes no sense."""
    GAVE_UP = 3
    """Others hold the last tasks, and waiting for them was in vain."""
    STORE_FAILED = 4
    """The store failed, or the output cannot be written."""
    LEFT = 5
    """Work is left because the time of the run was over, it had its share of tasks, or
    no worker has the resources that tasks ask for:
    who starts it again goes on from there."""
    BUG = 70
    """Something went wrong that nobody foresaw; the ``EX_SOFTWARE`` of sysexits."""
    NO_READER = 141
    """The reader of the output has gone: the code of a program that SIGPIPE ended."""


def by_signal(signo: int) -> int:
    """Return the code of what a signal ended, as shells have it.

    Examples
    --------
    >>> by_signal(2)
    130
    """
    return 128 + signo
