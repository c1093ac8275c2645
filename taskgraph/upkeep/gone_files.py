"""Files that tasks wrote and that are gone: their tasks are to run again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.errors import NoResultError
from taskgraph.results.lineage import made_of
from taskgraph.results.written import gone, paths_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from backends.interface import Key
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded

_NAMED = 3


def files_of(results: Results, keys: Iterable[Key]) -> Iterator[tuple[Key, str]]:
    """Yield the files that tasks have written, with the key of each one's task.

    Those of tasks that are not done, or whose results cannot be read, are left out.
    """
    failures = results.backend.failures()
    for key in keys:
        if results.backend.find(key) is None or key in failures:
            continue
        with suppress(NoResultError, DamagedError):  # told when somebody needs it
            for path in paths_in(results.load(key)):
                yield key, path


def forget_gone(loaded: Loaded, select: Callable[[str], bool] | None = None) -> str:
    """Forget the results of tasks whose files are gone, and what was made of them.

    A result that came meanwhile, from another worker, stays: its files are there.

    Parameters
    ----------
    loaded : Loaded
        The graph, and its results.
    select : callable, optional
        Says of a function's name whether its tasks are to be run now; all by default.

    Returns
    -------
    str
        What to tell; empty if nothing is gone.
    """
    results = loaded.results
    backend = results.backend
    wanted = [
        task.key
        for task in loaded.graph.tasks
        if task.generator.files and (select is None or select(task.name))
    ]
    if not wanted:
        return ""
    backend.poll()
    lost = [(key, path) for key, path in files_of(results, wanted) if gone(path)]
    if not lost:
        return ""
    before = {key: backend.find(key) for key, _ in lost}

    def still_lost() -> set[Key]:
        same = [key for key, where in before.items() if backend.find(key) == where]
        return made_of(results, same)

    backend.discard((), reason="gone: files of tasks", more=still_lost)
    return _told(list(dict.fromkeys(path for _, path in lost)))


def _told(paths: list[str]) -> str:
    named = ", ".join(paths[:_NAMED])
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    what, are = ("a file", "is") if len(paths) == 1 else (f"{len(paths)} files", "are")
    return f"{what} that tasks wrote {are} gone and made again: {named}{more}"
