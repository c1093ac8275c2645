"""Which failures a command is about: those of a jugfile's tasks, by function."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from backends.errors import DamagedError
from taskgraph.cli.function_names import require_names
from taskgraph.cli.graphs import load_snapshot
from taskgraph.cli.printing import counted
from taskgraph.cli.sentences import note
from taskgraph.cli.words.keys import short_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from taskgraph.records import Record
    from taskgraph.results.results import Results

Failed: TypeAlias = "tuple[bytes, Record]"
"""The key and the record of a task that failed."""


def chosen_failures(
    results: Results,
    jugfile: Path,
    names: Sequence[str],
    patterns: Sequence[str],
    arguments: Sequence[str] = (),
) -> list[Failed]:
    """Return the failures of the jugfile's tasks, of some functions if any are given.

    They are those of the jugfile as it last ran; with any arguments if none are given.
    All failures in the store count if it never ran with that, which is told, as it is
    if there are none; with the arguments that it never ran with there are none.

    Raises
    ------
    UsageError
        The jugfile has no function of such a name.
    """
    backend = results.backend
    failed = set(backend.failures())
    snapshot = load_snapshot(backend, jugfile, arguments)
    if snapshot is None:
        ran = f" with {' '.join(arguments)}" if arguments else ""
        note(f"{jugfile} has not run{ran} with the store {backend.url}")
        if arguments:
            return []
        return _of_functions(_records(results, failed), names, patterns)
    own = failed.intersection(snapshot.split())
    _note_foreign(len(failed) - len(own), jugfile)
    found = _records(results, own)
    known = {*snapshot.names, *(record.name for _, record in found)}
    complete = snapshot.complete
    require_names(known, names, patterns, jugfile=jugfile, complete=complete)
    chosen = _of_functions(found, names, patterns)
    if not chosen:
        note("no task has failed" + (" of that name" if names or patterns else ""))
    return chosen


def _records(results: Results, failed: Iterable[bytes]) -> list[Failed]:
    """Return the records of failures; tell which are damaged."""
    found: list[Failed] = []
    for key in sorted(failed):
        try:
            record = results.record(key)
        except DamagedError as error:
            note(f"{short_key(key)} failed, and why is lost: {error.what} is damaged")
            continue
        if record is not None:
            found.append((key, record))
    return found


def _note_foreign(foreign: int, jugfile: Path) -> None:
    if foreign:
        aside = counted(foreign, "failure")
        note(f"{aside} of tasks that {jugfile} does not have now left aside")


def _of_functions(
    found: Iterable[Failed], names: Sequence[str], patterns: Sequence[str]
) -> list[Failed]:
    """Return those of some functions; all of them if none is named."""
    from taskgraph.tasks.graph import selector

    if not (names or patterns):
        return list(found)
    matches = selector(names, patterns)
    return [(key, record) for key, record in found if matches(record.name)]
