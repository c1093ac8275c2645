"""Functions that have other code now than when their results were made."""

from __future__ import annotations

import platform
import shlex
from itertools import chain
from typing import TYPE_CHECKING

from backends.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from taskgraph.records import Record
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task, TaskGenerator


def told_changes(loaded: Loaded, *, from_python: bool = False) -> str:
    """Return what to tell of functions with results that were made by other code.

    Empty if there are none. Results are kept until the user says otherwise: a change
    may be one of style. How he says so is a command, or a call for whoever runs tasks
    `from_python`.
    """
    loaded.results.backend.poll()
    names = changed(loaded)
    if not names:
        return ""
    have, those = ("has", "it") if len(names) == 1 else ("have", "them")
    options = " ".join(f"--name {shlex.quote(name)}" for name in names)
    how = f"`tg invalidate {options}`"
    if from_python:
        how = f"`taskgraph.invalidate(..., name={names})`, of the same tasks,"
    return (
        f"{', '.join(names)} {have} changed since results of {those} were made, which "
        f"are kept; {how} forgets these"
    )


def changed(loaded: Loaded) -> list[str]:
    """Return the names of functions of which a result was made by other code.

    Of each function only the first and the last task with a result are looked at: a
    graph may have a million.
    """
    from taskgraph.results.provenance import code_fingerprint

    results = loaded.results
    if not results.backend.keys():
        return []
    tasks = loaded.graph.tasks
    ends = chain(_first(tasks, results), _first(reversed(tasks), results))
    found = set()
    for generator, record in ends:
        if _comparable(record) and record.code != code_fingerprint(generator.function):
            found.add(generator.name)
    return sorted(found)


def _first(
    tasks: Iterable[Task], results: Results
) -> Iterable[tuple[TaskGenerator, Record]]:
    """Yield the record of the first task with a result of each function."""
    seen: set[TaskGenerator] = set()
    failures, known = results.backend.failures(), results.backend.keys()
    for task in tasks:
        generator = task.generator
        if generator in seen or task.key not in known or task.key in failures:
            continue
        seen.add(generator)
        try:
            record = results.record(task.key)
        except DamagedError:  # told when somebody needs it
            continue
        if record is not None:
            yield generator, record


def _comparable(record: Record) -> bool:
    """Return whether the code is Python's, and that of this version."""
    mine = platform.python_version_tuple()[:2]
    theirs = tuple(str(record.context.get("python")).split(".")[:2])
    return bool(record.code) and theirs == mine
