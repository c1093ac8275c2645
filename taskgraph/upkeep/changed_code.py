"""Functions that have other code now than when their results were made."""

from __future__ import annotations

import platform
import shlex
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

from backends.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task, TaskGenerator


def told_changes(loaded: Loaded, *, from_python: bool = False) -> str:
    """Return what to tell of functions with results that were made by other code.

    Empty if there are none. Results are kept until the user says otherwise: a change
    may be one of style. How he says so is a command, or a call for whoever runs tasks
    `from_python`.
    """
    loaded.results.backend.refresh()
    names = changed(loaded)
    if not names:
        return ""
    have, those = ("has", "it") if len(names) == 1 else ("have", "them")
    options = " ".join(f"--name {shlex.quote(name)}" for name in names)
    how = f"`tg invalidate {options}`"
    if from_python:
        how = f"`taskgraph.invalidate(..., name={names})`, of the same tasks,"
    shared = "://" in loaded.results.backend.url  # others may call theirs the same
    other = "; if they are another project's, take another store" if shared else ""
    return (
        f"{', '.join(names)} {have} changed since results of {those} were made, which "
        f"are kept; {how} forgets these{other}"
    )


def changed(loaded: Loaded) -> list[str]:
    """Return the names of functions of which a result was made by other code.

    Of each function only the first and the last task with a result are looked at: a
    graph may have a million.
    """
    from taskgraph.results.provenance import code_fingerprint

    results = loaded.results
    if not results.backend.position:
        return []
    graph = loaded.graph
    tasks, many = graph.tasks, len(graph.generators)
    both = [graph.runs(), graph.runs(backwards=True)]
    ends = chain(*[_first(runs, tasks, results, many) for runs in both])
    found = set()
    for generator, (code, context) in ends:
        same = code_fingerprint(generator.function) == code
        if not same and _comparable(code, context):
            found.add(generator.name)
    return sorted(found)


def _first(
    runs: Iterable[tuple[TaskGenerator, range]],
    tasks: Sequence[Task],
    results: Results,
    many: int,
) -> Iterable[tuple[TaskGenerator, tuple[str, Mapping[str, Any]]]]:
    """Yield the code of the first task with a result of each of `many` functions."""
    seen: set[TaskGenerator] = set()
    find = results.backend.find
    for generator, places in runs:
        if generator in seen:
            continue
        for task in map(tasks.__getitem__, places):
            where = find(task.key)
            if where is not None and not where.failure:
                seen.add(generator)
                with suppress(DamagedError):  # told when somebody needs it
                    yield generator, results.code(task.key)
                break
        if len(seen) == many:
            return


def _comparable(code: str, context: Mapping[str, Any]) -> bool:
    """Return whether the code is Python's, and that of this version."""
    mine = platform.python_version_tuple()[:2]
    theirs = tuple(str(context.get("python")).split(".")[:2])
    return bool(code) and theirs == mine
