"""Which submissions and which of their jobs a command is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from taskgraph.clusters.orders import Element
    from taskgraph.clusters.submissions import Submission

_MEANT = re.compile(r"(\d+)(?:\.(\d+))?")


def meant(jugfile: Path, word: str | None) -> tuple[list[Submission], int | None]:
    """Return the submissions that a word means, and which of its jobs if it says.

    Parameters
    ----------
    jugfile : Path
        For what they were submitted.
    word : str or None
        ``3`` for the third submission, ``3.7`` for its seventh job; all by default.

    Raises
    ------
    UsageError
        There is no such submission or job.
    """
    from taskgraph.clusters.submissions import submissions_of

    known = submissions_of(jugfile)
    if word is None:
        return known, None
    match = _MEANT.fullmatch(word)
    if match is None:
        raise UsageError(
            f"{word!r}: give a submission, as 3, or one of its jobs, as 3.7"
        )
    found = [one for one in known if one.number == int(match[1])]
    if not found:
        numbers = ", ".join(str(one.number) for one in known)
        there = f"there is {numbers}" if known else "nothing was submitted"
        raise UsageError(f"there is no submission {match[1]} for {jugfile}; {there}")
    if match[2] is None:
        return found, None
    number = int(match[2])
    if not 1 <= number <= found[0].count:
        raise UsageError(f"submission {match[1]} has the jobs 1 to {found[0].count}")
    return found, number


def elements_of(submission: Submission) -> list[Element]:
    """Return the jobs of a submission that have not ended, as the system says."""
    from taskgraph.clusters.systems import SYSTEMS

    system = SYSTEMS.get(submission.system)
    if system is None:
        raise UsageError(f"{submission.place}: there is no {submission.system!r} here")
    return system.elements(submission.job, submission.place)
