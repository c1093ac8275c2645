"""The store of this process: chosen, opened, and asked from scripts and notebooks."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import OpenError
from taskgraph.errors import JugfileError, UsageError
from taskgraph.names import known_as
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.recording import (
    Recording,
    current_recording,
    is_running,
    recorded_in,
    set_recording,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from taskgraph.results.results import Results

_LATE = "set_jugdir() must come before the first task of a jugfile"


@known_as("taskgraph")
def CachedFunction(f: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - jug's name
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
    return task.run_once()


@known_as("taskgraph")
def is_jug_running() -> bool:
    """Return whether this code runs as a jugfile or in a task, not on its own.

    A script or notebook that has chosen a store runs on its own all the same.
    """
    return is_running()


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
        results = open_store("jugdata" if store is None else store, create=not late)
    except OpenError:
        if late:
            raise UsageError(_LATE) from None
        raise
    if recording is None:
        recording = Recording[Any]()
        set_recording(recording)
    known = recording.results
    if known is not None and known.backend.url == results.backend.url:
        return known  # read again after a barrier
    if late:
        raise UsageError(_LATE)
    if known is None:  # it is of a notebook, not of a jugfile that somebody reads
        from taskgraph.execution.at_once import run_at_once

        recording.run_at_once = run_at_once
    recording.results = results
    return results


@known_as("taskgraph")
@contextmanager
def in_store(store: Any = "memory://") -> Iterator[Results]:
    """Let tasks that are written down in the block go to a store, one in memory.

    A test, or a notebook that tries something: `value`, `bvalue`, `barrier` and
    `CachedFunction` look there, too. What was written down keeps its store afterwards.

    Parameters
    ----------
    store : str, path, Backend or Results, optional
        A directory or URL, or a store that is open.

    Raises
    ------
    UsageError
        A jugfile is read, whose tasks have one store, or a task is running.

    Examples
    --------
    >>> from taskgraph import Task, in_store, run, value
    >>> with in_store() as results:
    ...     task = Task(divmod, 7, 2)
    ...     _ = run(task)
    >>> value(task), results.has(task.key)
    ((3, 1), True)
    """
    from taskgraph.execution.at_once import run_at_once

    if is_running():
        raise UsageError(
            "in_store() is for notebooks, scripts and tests: all tasks of a jugfile go "
            "to one store, which set_jugdir() chooses"
        )
    results = open_store(store)
    with recorded_in(Recording[Any](results, run_at_once)):
        yield results


@known_as("taskgraph")
def init(
    jugfile: str | os.PathLike[str] = "jugfile.py",
    jugdir: Any = None,
    on_error: str = "exit",
    store: Any = None,
    *,
    also: Iterable[str] = (),
) -> tuple[Results, dict[str, Any]]:
    """Load a jugfile into this process, for a notebook, a script or another jugfile.

    In a notebook or a script, tasks that are written down afterwards go to its store;
    a jugfile keeps its own.

    Parameters
    ----------
    jugfile : path
        The script.
    jugdir, store : str, path or open store, optional
        Where the results are; ``jugdata`` by default. `store` counts if both are given.
    on_error : {'exit', 'propagate'}
        Whether an error in the jugfile is printed and ends the process.
    also : iterable of str, optional
        Other stores: what `run` would take from there is taken, and nothing is run.

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
    from taskgraph.execution.at_once import run_at_once, take_all

    others = tuple(map(os.fspath, also))
    at_once = partial(run_at_once, also=others)
    results = open_store(store or jugdir or "jugdata")
    source = Jugfile(Path(jugfile), run_at_once=at_once)
    try:
        loaded = source.load(results)
        while others and take_all(loaded, others) and loaded.missing:
            loaded = source.load(results)
    except JugfileError as error:
        if on_error == "propagate":
            raise
        raise SystemExit(str(error)) from error
    if loaded.missing:
        loaded.space["__jug__hasbarrier__"] = True
    recording = current_recording()
    if recording is None or not recording.whole:  # a jugfile's own stays
        set_recording(Recording(loaded.results, at_once))
    return loaded.results, loaded.space


@known_as("taskgraph")
def open_store(store: Any, *, create: bool = True) -> Results:
    """Open a store and return the results in it.

    Parameters
    ----------
    store : str, path, Backend or Results
        A directory or URL, or a store that is open.
    create : bool, optional
        Whether a store that does not exist may be made, once something is written.

    Returns
    -------
    Results
        What tasks returned, by key; as it is if it was one already.

    Raises
    ------
    UsageError
        It is something else.
    NoStoreError
        There is none at that place, and `create` forbids to make one.

    Examples
    --------
    >>> from taskgraph import Task, open_store, run
    >>> results = open_store("memory://")
    >>> task = Task(divmod, 7, 2)
    >>> results.has(task.key), run(task, store=results).done, results.load(task.key)
    (False, 1, (3, 1))
    """
    from backends.opening import open_backend
    from taskgraph.results.results import Results

    if isinstance(store, Results):
        return store
    if isinstance(store, str | os.PathLike):
        return Results(open_backend(store, create=create))
    if not hasattr(store, "claim"):
        raise UsageError(
            f"a store is a directory, a URL or an open store, not {store!r:.60}"
        )
    return Results(store)
