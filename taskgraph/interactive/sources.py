"""What `run` and its like are given: a jugfile or tasks, and where results are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.context import open_store
from taskgraph.errors import UsageError
from taskgraph.execution.at_once import run_at_once
from taskgraph.loaded import main_script
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.jugfile import Jugfile, Loaded
from taskgraph.tasks.recording import Recording
from taskgraph.tasks.task import Task
from taskgraph.tasks.tasklet import Tasklet
from taskgraph.upkeep.jugfile_store import default_store
from taskgraph.upkeep.kept_jugfile import KeptJugfile

if TYPE_CHECKING:
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import GraphSource


_MEMORY = "memory://"
_MAIN = "__main__"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A source that has said everything."""

    tasks: list[Task]

    def load(self, results: Results, _pause: object = None) -> Loaded:
        """Return their graph; see `GraphSource`."""
        graph = Graph(self.tasks)
        together = Recording[Task]()
        for task in (*self.tasks, *graph.tasks):
            for one in (task, *task.needs):  # of equal calls the graph has one
                recording = one.recording
                recording.results, recording.run_at_once = results, run_at_once
            if together.functions.get(task.generator.prefix) is not task.f:
                together.register(task.generator)
        return Loaded(graph, {}, results)


def source_of(
    what: Any, store: Any, arguments: Sequence[str] = ()
) -> tuple[GraphSource, Results, Path]:
    """Return where the tasks come from, where results go, and whose commit counts."""
    if isinstance(what, str | os.PathLike) and os.fspath(what):
        path = Path(what)
        results = open_store(store or default_store(path))
        jugfile = Jugfile(path, tuple(arguments), run_at_once)
        return KeptJugfile(jugfile), results, path.resolve().parent
    if arguments:
        raise UsageError("arguments are for a jugfile; tasks have theirs already")
    source = Fixed(tasks_of(what))
    return source, open_store(store or _store_of(source.tasks)), Path.cwd()


def tasks_of(what: Any) -> list[Task]:
    """Return the tasks that are given, or what they are views of.

    Raises
    ------
    UsageError
        It is something else.
    """
    single = isinstance(what, Task | Tasklet | str | bytes)
    if single or not isinstance(what, Iterable):
        what = [what]  # refused below if it is no task
    tasks: list[Task] = []
    for item in what:
        if isinstance(item, Task):
            tasks.append(item)
        elif isinstance(item, Tasklet):
            tasks += item.dependencies()
        else:
            raise UsageError(
                f"run() takes the path of a jugfile, or tasks, not {item!r:.60}; give "
                "the path of your script, or what Task() or a TaskGenerator returned"
            )
    return tasks


def _store_of(tasks: list[Task]) -> Any:
    """Return the store that tasks were written down with, else one in memory."""
    for task in tasks:
        if task.recording.results is not None:
            return task.recording.results
    return _MEMORY


def told_unkept(tasks: Sequence[Task], store: Any, workers: int) -> str:
    """Return what to tell of tasks whose results are nowhere but in this process.

    Empty if the user has said that, or if it is a notebook or a test that runs them
    itself: these look at results where they have run.
    """
    if store or _store_of(list(tasks)) != _MEMORY:
        return ""
    script = main_script()
    of_script = any(getattr(task.f, "__module__", "") == _MAIN for task in tasks)
    if workers <= 1 and not (script and of_script):
        return ""
    alone = ", which therefore runs the tasks itself" if workers > 1 else ""
    stem = Path(script or "results").stem
    return (
        f"results are kept in the memory of this process alone{alone}, and are gone "
        f'when it ends: run(..., store="{stem}.tgdata") keeps them in a folder'
    )


def looked_at(what: Any, store: Any, arguments: Sequence[str]) -> Loaded:
    """Return what is known of a jugfile or of tasks; nothing is written."""
    source, results, _ = source_of(what, store, arguments)
    reads = source.jugfile if isinstance(source, KeptJugfile) else source
    return reads.load(results)
