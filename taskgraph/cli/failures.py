"""Which failures a command is about: those of a jugfile's tasks, by function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_snapshot
from taskgraph.cli.printing import counted
from taskgraph.cli.sentences import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from taskgraph.results.records import Record
    from taskgraph.results.results import Results


def chosen_failures(
    results: Results, jugfile: Path, names: Sequence[str], patterns: Sequence[str]
) -> list[tuple[bytes, Record]]:
    """Return the failures of the jugfile's tasks, of some functions if any are given.

    All failures in the store count if the jugfile never ran with it, which is told, as
    it is if there are none.

    Raises
    ------
    UsageError
        The jugfile has no function of such a name.
    """
    from taskgraph.tasks.graph import selector

    backend = results.backend
    failed = set(backend.failures())
    snapshot = load_snapshot(backend, jugfile)
    if snapshot is not None:
        foreign = failed.difference(snapshot.split())
        failed -= foreign
        if foreign:
            aside = counted(len(foreign), "failure")
            note(f"{aside} of tasks that {jugfile} does not have now left aside")
    else:
        note(f"{jugfile} has not run with the store {backend.url}; see `tg execute`")
    found = list(results.records(iter(failed)))
    if snapshot is not None:
        known = {*snapshot.names, *(record.name for _, record in found)}
        complete = snapshot.complete
        require_names(known, names, patterns, jugfile=jugfile, complete=complete)
    if names or patterns:
        matches = selector(names, patterns)
        found = [(key, record) for key, record in found if matches(record.name)]
    if snapshot is not None and not found:
        note("no task has failed" + (" of that name" if names or patterns else ""))
    return found
