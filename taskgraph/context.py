"""The store of this process: chosen, opened, and asked from scripts and notebooks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import OpenError
from taskgraph.errors import JugfileError, UsageError
from taskgraph.names import known_as
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.recording import (
    Recording,
    current_recording,
    is_recording,
    set_recording,
)

if TYPE_CHECKING:
    from taskgraph.results.results import Results

_LATE = "set_jugdir() must come before the first task of a jugfile"


@known_as("taskgraph")
def CachedFunction(f: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - jug's name
    """Call a function now, unless the store has the result already; return it.

    Raises
    ------
    NoResultError
        An argument is a task without a result.
    """
    from taskgraph.tasks.task import Task

    task = Task(f, *args, **kwargs)
    recording = task.recording
    if recording.tasks and recording.tasks[-1] is task:
        recording.tasks.pop()
    return task.run()


@known_as("taskgraph")
def is_jug_running() -> bool:
    """Return whether this code runs as a jugfile or in a task, not on its own."""
    return is_recording()


@known_as("taskgraph")
def set_jugdir(store: Any = None) -> Results:
    """Choose the store for the tasks written down from now on; return it.

    Parameters
    ----------
    store : str, path, Backend or Results, optional
        A directory or URL, or a store that is open; ``jugdata`` by default.

    Raises
    ------
    UsageError
        The jugfile has tasks already: their results would be elsewhere.
    """
    recording = current_recording()
    late = recording is not None and recording.whole and bool(recording.tasks)
    try:
        results = open_results("jugdata" if store is None else store, create=not late)
    except OpenError:
        if late:
            raise UsageError(_LATE) from None
        raise
    if recording is None:
        set_recording(Recording(results))
        return results
    known = recording.results
    if known is not None and known.backend.url == results.backend.url:
        return known  # read again after a barrier
    if late:
        raise UsageError(_LATE)
    recording.results = results
    return results


@known_as("taskgraph")
def init(
    jugfile: str | os.PathLike[str] = "jugfile.py",
    jugdir: Any = None,
    on_error: str = "exit",
    store: Any = None,
) -> tuple[Results, dict[str, Any]]:
    """Load a jugfile into this process, for a notebook or a script.

    Parameters
    ----------
    jugfile : path
        The script.
    jugdir, store : str, path or open store, optional
        Where the results are; ``jugdata`` by default. `store` counts if both are given.
    on_error : {'exit', 'propagate'}
        Whether an error in the jugfile is printed and ends the process.

    Returns
    -------
    store : Results
        Where the results are.
    jugspace : dict
        The jugfile's names. ``__jug__hasbarrier__`` is among them if a barrier
        stopped it.
    """
    if on_error not in ("exit", "propagate"):
        raise UsageError(f"on_error is 'exit' or 'propagate', not {on_error!r}")
    results = open_results(store or jugdir or "jugdata")
    try:
        loaded = Jugfile(Path(jugfile)).load(results)
    except JugfileError as error:
        if on_error == "propagate":
            raise
        raise SystemExit(str(error)) from error
    if loaded.missing:
        loaded.space["__jug__hasbarrier__"] = True
    set_recording(Recording(loaded.results))
    return loaded.results, loaded.space


def open_results(store: Any, *, create: bool = True) -> Results:
    """Return the results behind a URL, a path, an open backend or themselves.

    Raises
    ------
    UsageError
        It is something else.
    """
    from backends.opening import open_backend
    from taskgraph.execution.runner import run_at_once
    from taskgraph.results.results import Results

    if isinstance(store, Results):
        return store
    if isinstance(store, str | os.PathLike):
        return Results(open_backend(store, create=create), run_at_once)
    if not hasattr(store, "claim"):
        raise UsageError(
            f"a store is a directory, a URL or an open store, not {store!r:.60}"
        )
    return Results(store, run_at_once)
