"""What `tg shell` offers: the names of a jugfile, and its tasks and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.cli.graphs import load_graph
from taskgraph.cli.printing import counted, print_table, say
from taskgraph.cli.words.keys import find_keys
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from backends.interface import Backend
    from taskgraph.tasks.task import Task

STATES = ("done", "failed", "blocked", "open")
_NAMES = ("value", "tasks", "status", "errors", "invalidate", "undo", "reload")


class Console:
    """The functions of `tg shell`, on one jugfile and its store.

    Parameters
    ----------
    jugfile : Path
        Is read.
    backend : Backend
        Where its results are, if it does not choose another store.
    arguments : sequence of str
        What it finds in ``sys.argv``.

    Attributes
    ----------
    space : dict
        What is to be found by name: the functions, and what the jugfile has.
    """

    def __init__(
        self, jugfile: Path, backend: Backend, arguments: Sequence[str]
    ) -> None:
        self._jugfile, self._backend, self._arguments = jugfile, backend, arguments
        self.space: dict[str, Any] = {}
        self._read()

    def _read(self) -> None:
        from taskgraph.execution.at_once import run_at_once
        from taskgraph.tasks.recording import Recording, set_recording

        self._loaded = load_graph(self._backend, self._jugfile, self._arguments)
        self._results = self._loaded.results
        set_recording(Recording(self._results, run_at_once))
        theirs = {
            name: found
            for name, found in self._loaded.space.items()
            if not name.startswith("__") and not _is_ours(name, found)
        }
        ours = {name: getattr(self, name) for name in _NAMES}
        self.space |= {**ours, **theirs, "tg": self, "__name__": "__main__"}
        self._hidden = sorted(ours.keys() & theirs.keys())

    def banner(self) -> str:
        """Return what there is, in a few lines."""
        names = [f"tg.{n}" if n in self._hidden else n for n in _NAMES]
        graph = self._loaded.graph
        where = f"results in {self._results.backend.url}"
        lines = [f"{self._jugfile}: {counted(len(graph), 'task')}, {where}"]
        if self._loaded.missing:
            lines.append("it stops at a barrier: what comes after is not known yet")
        return "\n".join([*lines, f"{', '.join(names)}; help(tg.value) says more"])

    def value(self, what: Any) -> Any:
        """Return the result of a task; of the name of a function that has many, a list.

        Parameters
        ----------
        what : Task, str or container
            A task, the name of a function, the first digits of a key, or a container
            of tasks.

        Raises
        ------
        NoResultError
            It has none yet, or it failed.
        """
        from taskgraph.tasks.values import value

        self._results.backend.refresh()
        if not isinstance(what, str):
            return value(what)
        found = self._named(what)
        return value(found[0] if len(found) == 1 else found)

    def tasks(self, state: str | None = None, name: str | None = None) -> list[Task]:
        """Return tasks as they were written down: of a state, of a function.

        Parameters
        ----------
        state : {'done', 'failed', 'blocked', 'open'}, optional
            Blocked tasks wait for one that failed; open ones are none of the others.
        name : str, optional
            A function's name, a glob, or the first digits of a key.
        """
        if state is not None and state not in STATES:
            raise UsageError(f"a state is one of {', '.join(STATES)}, not {state!r}")
        found = list(self._loaded.graph.tasks) if name is None else self._named(name)
        if state is None:
            return found
        states = self._report().states
        return [task for task in found if states[task.key] == state]

    def status(self) -> None:
        """Print how many tasks there are of each state, by function."""
        counts = self._report().counts
        rows = [(*(each[s] for s in STATES), name) for name, each in counts.items()]
        total = (*(sum(row[i] for row in rows) for i in range(len(STATES))), "all")
        print_table((*STATES, "task"), rows, total=total)

    def errors(self, name: str | None = None) -> None:
        """Print why tasks failed, of a function if one is named."""
        wanted = None if name is None else {task.key for task in self._named(name)}
        for failed in self._report().errors:
            if wanted is None or failed.key in wanted:
                say(str(failed))

    def invalidate(
        self,
        what: Any = None,
        *,
        name: str | Iterable[str] = (),
        changed: bool = False,
    ) -> int:
        """Forget results, and all that was made of them; return how many.

        Parameters
        ----------
        what : Task, str or iterable of Task, optional
            As `value` takes it; by default all tasks, of which `name` or `changed` says
            which are meant.
        name, changed
            As `taskgraph.invalidate` takes them.
        """
        from taskgraph.interactive.invalidating import invalidate

        if what is None and not (name or changed):
            raise UsageError("say what to forget: invalidate('count'), or a task")
        found = self._named(what) if isinstance(what, str) else what
        found = self._loaded.graph.tasks if what is None else found
        return invalidate(found, name=name, changed=changed, store=self._results)

    def undo(self, number: int | str | None = None) -> int:
        """Take the last invalidation, acceptance, retry or cleanup back.

        Or that of a number, as `tg undo --list` has it. Return of how many results.
        """
        from taskgraph.interactive.invalidating import undo

        return undo(self._loaded.graph.tasks, store=self._results, number=number)

    def reload(self) -> None:
        """Read the jugfile again, which may have changed; its names are new ones."""
        self._read()
        say(self.banner())

    def _named(self, text: str) -> list[Task]:
        graph = self._loaded.graph
        names = {task.key: task.name for task in graph.tasks}
        return [graph[key] for key in find_keys(text, names, names)]

    def _report(self) -> Any:
        from taskgraph.report import report_of

        return report_of(self._loaded)


def _is_ours(name: str, found: Any) -> bool:
    """Return whether a jugfile has a name of ours because it has imported that."""
    return name in _NAMES and getattr(found, "__module__", "").startswith("taskgraph")
