"""`invalidate` and `undo`: results forgotten from Python, and brought back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from backends.warning import warn
from taskgraph.context import open_store
from taskgraph.errors import UsageError
from taskgraph.interactive.sources import looked_at, source_of, tasks_of
from taskgraph.names import known_as
from taskgraph.tasks.graph import selector
from taskgraph.tasks.refusals import refuse_in_task
from taskgraph.upkeep import undoing
from taskgraph.upkeep.code.acceptance import Accepted, take_back, undoable
from taskgraph.upkeep.code.changed_code import changes
from taskgraph.upkeep.code.looked_into import looked_into
from taskgraph.upkeep.forgetting import chosen_inside, forget_tasks
from taskgraph.upkeep.invalidation import INVALIDATION
from taskgraph.upkeep.jugfile_store import chosen_store
from taskgraph.upkeep.kept_jugfile import KeptJugfile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from backends.interface import Discarded
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task


@known_as("taskgraph")
def invalidate(
    what: str | os.PathLike[str] | Task | Iterable[Task],
    *,
    name: str | Iterable[str] = (),
    changed: bool = False,
    store: Any = None,
    arguments: Sequence[str] = (),
) -> int:
    """Forget results and failures, and all that was made of them; return how many.

    `undo` takes it back.

    Parameters
    ----------
    what : path, Task or iterable of Task
        The tasks to be forgotten; or a jugfile, which is read.
    name : str or iterable of str, optional
        Instead of these tasks those among them, and among all that they need, that are
        of functions of such a name, as ``count`` or ``work.count``, or a glob. A
        jugfile has to be given some, or `changed`.
    changed : bool, optional
        Only results that were made by other code than their functions have now, and
        were not accepted; among all that these tasks need, too.
    store, arguments
        As `run` takes them.

    Raises
    ------
    TaskInsideTaskError
        A task called it for the store that its own result goes to.
    UsageError
        There is no function of such a name, or none is given for a jugfile.

    Examples
    --------
    >>> from taskgraph import Task, TaskGenerator, invalidate, run, status
    >>> first = Task(divmod, 7, 2)
    >>> tasks = [first, Task(sum, first), Task(divmod, 9, 2)]
    >>> _ = run(tasks)
    >>> invalidate(first)
    2
    >>> status(tasks).done
    1
    >>> _ = run(tasks)
    >>> invalidate(tasks[1], name="divmod")
    2
    """
    loaded = looked_at(what, store, arguments)
    refuse_in_task("invalidate()", loaded.results.backend)
    if changed:
        loaded.results.backend.poll()
        loaded = looked_into(loaded)
        found = changes(loaded, selected(loaded, name))
        keys = [key for change in found for key in change.keys]
        return forget_tasks(loaded, keys, f"{INVALIDATION} --changed")
    names = [name] if isinstance(name, str) else list(name)
    whole = isinstance(what, str | os.PathLike)
    tasks = loaded.graph.tasks if whole or names else tasks_of(what)
    if whole and not names:
        raise UsageError("say what to forget of a jugfile: invalidate(path, name=...)")
    matches = selector(names) if names else bool
    loaded.results.backend.poll()
    chosen = [task.key for task in tasks if matches(task.name)]
    chosen += chosen_inside(loaded.results, loaded.graph, matches) if names else []
    if names and not chosen:
        known = ", ".join(sorted({task.name for task in tasks}))
        raise UsageError(f"no task is of {', '.join(names)}; the functions are {known}")
    reason = f"{INVALIDATION} {' '.join(names) or 'from Python'}"
    return forget_tasks(loaded, chosen, reason)


def selected(loaded: Loaded, name: str | Iterable[str]) -> Callable[[str], bool] | None:
    """Return a test of the names of functions; None if none is given.

    Raises
    ------
    UsageError
        No function has such a name.
    """
    names = [name] if isinstance(name, str) and name else list(name)
    if not names:
        return None
    matches = selector(names)
    known = sorted({generator.name for generator in loaded.graph.generators})
    if not any(map(matches, known)):
        there = ", ".join(known)
        raise UsageError(f"no task is of {', '.join(names)}; the functions are {there}")
    return matches


@known_as("taskgraph")
def undo(
    what: str | os.PathLike[str] | Task | Iterable[Task],
    *,
    store: Any = None,
    number: int | str | None = None,
) -> int:
    """Take an invalidation, acceptance, retry or cleanup back; of how many results.

    After an invalidation, what was computed anew since is forgotten in their place,
    with all that was made of it: a warning tells of that, and of results that cannot
    come back, as what they were made of is another one now. Results whose acceptance is
    taken back (see `accept`, `verify`) are told of as by other code again.

    Parameters
    ----------
    what : path, Task or iterable of Task
        A jugfile or tasks: whatever went last in their store, theirs or not.
    store : str, path, Backend or Results, optional
        As `run` takes it.
    number : int or str, optional
        Which one, instead of the last: as `tg undo --list` has it.

    Returns
    -------
    int
        How many results came back, or count as by other code again.

    Raises
    ------
    TaskInsideTaskError
        A task called it for the store that its own result goes to.
    UsageError
        There is nothing of that number to undo.

    Examples
    --------
    >>> from taskgraph import Task, invalidate, run, undo
    >>> task = Task(divmod, 7, 2)
    >>> _ = run(task)
    >>> invalidate(task), undo(task), undo(task)
    (1, 1, 0)
    """
    source, results, _ = source_of(what, store)
    if isinstance(source, KeptJugfile):
        url = chosen_store(results.backend, source.jugfile.path)
        results = open_store(url) if url else results
    refuse_in_task("undo()", results.backend)
    results.backend.poll()
    wanted = None if number is None else str(number)
    every: list[Discarded | Accepted] = [
        *results.backend.discards(),
        *undoable(results.backend),
    ]
    found = [one for one in every if wanted in (None, str(one.position))]
    if number is not None and not found:
        raise UsageError(f"nothing to undo has the number {number}")
    if not found:
        return 0
    last = max(found, key=lambda one: one.time)
    if isinstance(last, Accepted):
        take_back(results.backend, last.position)
        return last.results
    return _bring_back(results, last)


def _bring_back(results: Results, chosen: Discarded) -> int:
    """Undo a discard; warn of what went for it, or did not come; return how many."""
    done = undoing.undo(results, chosen)
    back = len(done.back)
    if done.gone:
        warn(
            f"newer results are forgotten in their place: {len(done.gone)}; "
            f"undo(..., number={results.backend.position - 1}) would bring those back"
        )
    lost = len(chosen.keys) - back
    if lost and chosen.reason.startswith(INVALIDATION):
        warn(
            f"{lost} of {len(chosen.keys)} results did not come back: what they "
            "were made of is not what is stored now; undo a later invalidation first"
        )
    return back
