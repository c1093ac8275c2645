"""Tables of tasks: their arguments, what came out, and how far they are."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.context import open_store
from taskgraph.displays.cells import free_name, spread
from taskgraph.errors import UsageError
from taskgraph.identity.functions import function_name
from taskgraph.names import known_as
from taskgraph.sweeps.arguments import argument_columns
from taskgraph.sweeps.conditions import Condition
from taskgraph.sweeps.known_results import DAMAGED, Read, states_of_tasks
from taskgraph.sweeps.tables import Table
from taskgraph.tasks.graph import selector
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.recording import current_recording
from taskgraph.tasks.task import Task, TaskGenerator
from taskgraph.upkeep.jugfile_store import default_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from taskgraph.results.results import Results


@known_as("taskgraph")
def table(
    function: str | Callable[..., Any] | TaskGenerator | Iterable[Task],
    what: str | os.PathLike[str] | Iterable[Task] | None = None,
    *,
    store: Any = None,
) -> Table:
    """Return the calls of a function as a table: arguments, results, states.

    There is a row for each task, in the order in which they were written down, and

    - a column for each parameter, defaults filled in;
    - columns of what came out: for a number or text one of the function's name; for
      dicts, dataclasses, named tuples and short tuples one for each field, in fields
      of fields too (``scores.dice``, ``count[0]``); arrays by type and shape;
    - ``state``: done, failed, running, blocked (by one that failed), waiting, or
      damaged; and ``error``, if there are any.

    A name belongs to the argument first, then to the state and the error: a field of
    the result with the same name is called ``result.NAME``, a state ``task.state``.

    Parameters
    ----------
    function : str, function or iterable of Task
        A name, as ``count``, ``work.count`` or a glob; the function; or tasks
        themselves, as a `Sweep`.
    what : path or iterable of Task, optional
        A jugfile, which is read; or tasks. By default those that were written down
        here so far, after `set_jugdir`, or by the jugfile that is being read.
    store : str, path, Backend or Results, optional
        Where the results are: by default where those of the jugfile or tasks go.

    Raises
    ------
    UsageError
        There is no such function, or it is not known of which tasks.

    Examples
    --------
    >>> from taskgraph import Task, run, table
    >>> tasks = [Task(divmod, 7, 2), Task(divmod, 9, 4)]
    >>> _ = run(tasks)
    >>> table(divmod, tasks).columns
    {'x': [7, 9], 'y': [2, 4], 'divmod[0]': [3, 2], 'divmod[1]': [1, 1],
     'state': ['done', 'done']}
    """
    if isinstance(function, str) or callable(function):
        tasks, results = _tasks_of(what, store)
        chosen = tasks_named(_name_of(function), tasks)
    elif what is None:
        chosen, results = _tasks_of(function, store)
    else:
        raise UsageError("give tasks alone, or a function and then its tasks")
    return tabulate(chosen, results)


def tasks_named(name: str, tasks: Sequence[Task]) -> list[Task]:
    """Return those tasks that are of functions of a name.

    Raises
    ------
    UsageError
        None is.
    """
    matches = selector([name])
    known = dict.fromkeys(task.name for task in tasks)
    wanted = {each for each in known if matches(each)}
    if not wanted:
        short = {each.rpartition(".")[2]: each for each in known}
        near = difflib.get_close_matches(name, short, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        there = ", ".join(known) or "none: no task is written down"
        raise UsageError(
            f"no task is of a function {name!r}; {meant}the functions are {there}"
        )
    return [task for task in tasks if task.name in wanted]


def tabulate(
    tasks: Sequence[Task],
    results: Results | None,
    *,
    arguments: Mapping[str, list[Any]] | None = None,
    columns: Sequence[str] = (),
    where: str = "",
    sort: Sequence[str] = (),
    descending: bool = False,
) -> Table:
    """Return the table of some tasks, of some columns and rows.

    No result is loaded if only arguments and states are asked for, and only those of
    rows that remain if `where` asks for no more than these.

    Parameters
    ----------
    tasks : sequence of Task
        A row each.
    results : Results or None
        Where their results are, if anywhere.
    arguments : mapping of str to list, optional
        Columns to show instead of all parameters.
    columns : sequence of str, optional
        Which to show, in that order; all by default.
    where : str, optional
        Which rows: see `Condition`.
    sort, descending
        See `Table.sort`.
    """
    if results is not None:
        results.backend.poll()
    condition = Condition(where) if where else None
    first = dict(arguments or argument_columns(tasks))
    names = [task.name for task in tasks]
    if len(set(names)) > 1:
        first = {_own_name("function", first): names, **first}
    states = states_of_tasks(tasks, results)
    state, error = _own_name("state", first), _own_name("error", first)
    asked = {*columns, *sort, *(condition.names if condition else ())}
    known = first.keys() | {state}
    rows = list(range(len(tasks)))
    if condition is not None and set(condition.names) <= known:
        rows = condition.rows({**first, state: states})
        condition = None
    found = {name: [cells[row] for row in rows] for name, cells in first.items()}
    states = [states[row] for row in rows]
    if columns and asked <= known:
        made = Table({**found, state: states})
    else:
        whole = names[0].rpartition(".")[2] if len(set(names)) == 1 else "result"
        read = Read([tasks[row].key for row in rows], results)
        made = _with_results(found, {state: states, error: read.errors}, read, whole)
    if condition is not None:
        made = made.take(condition.rows(made.columns))
    if sort:
        made = made.sort(*sort, descending=descending)
    return made.select(*columns) if columns else made


def _own_name(name: str, taken: Iterable[str]) -> str:
    """Return what a column of ours is called beside arguments."""
    return name if name not in taken else free_name(f"task.{name}", taken)


def _with_results(
    first: Mapping[str, list[Any]],
    ours: Mapping[str, list[Any]],
    read: Read,
    whole: str,
) -> Table:
    """Return arguments, results, and then our columns: states, and errors if any.

    Results whose names are taken are told from the others.
    """
    found, (state, error) = dict(first), ours
    for name, cells in spread(read.values, whole).items():
        taken = {*found, *ours}
        free = name if name not in taken else f"result.{name}"
        found[free_name(free, taken)] = cells
    found[state] = [
        DAMAGED if row in read.damaged else known
        for row, known in enumerate(ours[state])
    ]
    if any(read.errors):
        found[error] = ours[error]
    return Table(found, len(read.damaged))


def _name_of(function: Any) -> str:
    if isinstance(function, str):
        return function
    named = getattr(function, "name", None)
    return named if isinstance(named, str) else function_name(function)


def _tasks_of(what: Any, store: Any) -> tuple[list[Task], Results | None]:
    """Return tasks, and where their results are."""
    if isinstance(what, str | os.PathLike):
        path = Path(what)
        loaded = Jugfile(path).load(open_store(store or default_store(path)))
        return loaded.graph.tasks, loaded.results
    if what is None:
        recording = current_recording()
        if recording is None:
            raise UsageError(
                "of which tasks? give them, or a jugfile: table(function, what)"
            )
        tasks = list({task.key: task for task in recording.tasks}.values())
    else:
        tasks = list(what)
    if bad := [task for task in tasks if not isinstance(task, Task)]:
        raise UsageError(f"a table is of tasks, not of {bad[0]!r:.60}")
    return tasks, open_store(store) if store is not None else results_of(tasks)


def results_of(tasks: Sequence[Task]) -> Results | None:
    """Return where the results of tasks are; None if they have no store yet.

    A jugfile that is being read is told later of those that were asked for in vain.
    """
    found = next(
        (r for task in tasks if (r := task.recording.context().results) is not None),
        None,
    )
    if found is not None:
        found.backend.poll()
        known, failures = found.keys(), found.backend.failures()
        for task in tasks:
            if task.key not in known or task.key in failures:
                task.recording.asked_in_vain.add(task.key)
    return found
