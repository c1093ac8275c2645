"""A jugfile tried by a test: run in a store of its own, then asked what came of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskgraph.api import run
from taskgraph.context import open_store
from taskgraph.errors import UsageError
from taskgraph.execution.at_once import run_at_once
from taskgraph.interactive.invalidating import invalidate
from taskgraph.names import known_as
from taskgraph.report import report_of
from taskgraph.tasks.graph import selector
from taskgraph.tasks.jugfile import Jugfile
from taskgraph.tasks.values import value

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from taskgraph.report import FailedTask
    from taskgraph.tasks.jugfile import Loaded
    from taskgraph.tasks.task import Task


@known_as("taskgraph.testing")
class Trial:
    """A jugfile that a test runs, in a new store in memory unless another is given.

    A function of the jugfile is called by its name alone, ``count``; one of another
    module with that, ``work.count``.

    Parameters
    ----------
    jugfile : path
        The script. It is read at each run, so a test may write it anew in between;
        modules that it imports stay as they were imported first.
    *arguments : str
        What it finds in ``sys.argv``.
    store : str, path, Backend or Results, optional
        Where results go, if the jugfile does not choose another store.
    workers : int, optional
        Processes that run the tasks, which a store in memory does not allow; 0 for
        this one.

    Attributes
    ----------
    results : Results
        What is in the store.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> folder = TemporaryDirectory()
    >>> script = Path(folder.name, "squares.py")
    >>> _ = script.write_text('''
    ... from taskgraph import TaskGenerator
    ... @TaskGenerator
    ... def square(x):
    ...     return x * x
    ... squares = [square(x) for x in range(3)]
    ... ''')
    >>> trial = Trial(script)
    >>> trial.run()
    {'square': 3}
    >>> trial.run(), trial.values("square")
    ({}, [0, 1, 4])
    >>> trial.invalidate("square"), trial.counts["square"]["open"]
    (3, 3)
    >>> folder.cleanup()
    """

    def __init__(
        self,
        jugfile: str | os.PathLike[str],
        *arguments: str,
        store: Any = "memory://",
        workers: int = 0,
    ) -> None:
        self._path = Path(jugfile)
        self._jugfile = Jugfile(self._path, arguments, run_at_once)
        self._first, self._workers = open_store(store), workers
        self._given: dict[str, Any] = {"store": self._first, "arguments": arguments}
        self._loaded: Loaded | None = None
        self.results = self._first

    def run(self, *, check: bool = True) -> dict[str, int]:
        """Run what has no result; return how many tasks were run, by function.

        Parameters
        ----------
        check : bool, optional
            Raise if something failed.

        Raises
        ------
        TasksFailedError
            Tasks failed, or wait for one that failed.
        JugfileError
            The jugfile raised, or there is none.
        """
        self._known()
        before = self._places()
        try:
            run(self._path, workers=self._workers, check=check, **self._given)
        finally:
            self._loaded = None
        after = self._places()
        ran = [
            task
            for task in self._known().graph.tasks
            if task.key in after and after[task.key] != before.get(task.key)
        ]
        return dict(Counter(map(self._name, ran)))

    def value(self, name: str) -> Any:
        """Return the result of a function's only task.

        Raises
        ------
        UsageError
            It has none, or several: see `values`.
        NoResultError
            It has no result yet, or it failed.
        """
        found = self._named(name)
        if len(found) != 1:
            raise UsageError(f"{name} has {len(found)} tasks; values() has them all")
        return value(found[0])

    def values(self, name: str) -> list[Any]:
        """Return the results of a function, as its calls were written down.

        Raises
        ------
        UsageError
            There is no such function.
        NoResultError
            One has no result yet, or it failed.
        """
        found: list[Any] = value(self._named(name))
        return found

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many tasks are done, failed, blocked and open, by function."""
        loaded = self._known()
        names = {task.name: self._name(task) for task in loaded.graph.tasks}
        return {names[name]: each for name, each in report_of(loaded).counts.items()}

    @property
    def errors(self) -> list[FailedTask]:
        """Why tasks failed, as they were written down."""
        return report_of(self._known()).errors

    def invalidate(self, name: str | Iterable[str]) -> int:
        """Forget results of functions, and all that was made of them; return how many.

        Raises
        ------
        UsageError
            There is no such function.
        """
        return invalidate(self._path, name=name, **self._given)

    def _known(self) -> Loaded:
        """Return what the jugfile said after the last run, or says now."""
        if self._loaded is None:
            self._loaded = self._jugfile.load(self._first)
            self.results = self._loaded.results
        self.results.backend.poll()
        return self._loaded

    def _places(self) -> dict[bytes, Any]:
        """Return where in the store each record is: another place is another run."""
        backend = self.results.backend
        backend.poll()
        places = {key: backend.find(key) for key in set(backend.keys())}
        return {key: (at.position, at.row) for key, at in places.items() if at}

    def _name(self, task: Task) -> str:
        module, _, name = task.name.partition(".")
        own = module == self._jugfile.path.stem.replace(".", "_")
        return name if own else task.name

    def _named(self, name: str) -> list[Task]:
        tasks, matches = self._known().graph.tasks, selector([name])
        found = [task for task in tasks if matches(task.name)]
        if not found:
            known = ", ".join(sorted(set(map(self._name, tasks)))) or "none"
            raise UsageError(f"no task is of {name!r}; the functions are {known}")
        return found
