"""Names that the user gives, and functions that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.cli.printing import one_line
from taskgraph.cli.sentences import note
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def require_names(
    known: Iterable[str],
    names: Sequence[str],
    patterns: Sequence[str],
    *,
    jugfile: Path,
    complete: bool,
) -> None:
    """Refuse a name or pattern that no function has.

    As long as a barrier hides tasks, the function may be among these: then the user is
    only told.

    Raises
    ------
    UsageError
        The jugfile was read to its end, and there is none.
    """
    from taskgraph.tasks.graph import selector

    there = sorted(set(known))
    tests = [(name, selector([name])) for name in names]
    tests += [(pattern, selector((), [pattern])) for pattern in patterns]
    absent = [text for text, matches in tests if not any(map(matches, there))]
    if not absent:
        return
    what = " or ".join(map(repr, absent))
    listed = ", ".join(map(one_line, there)) or "none"
    if complete:
        raise UsageError(f"no function of that name: {what}; there are {listed}")
    note(
        f"no function of that name yet: {what}; there are {listed}, and more may "
        f"appear behind a barrier of {jugfile}"
    )
