"""What stands where a recording would be while a task runs, and what it may ask for."""

from __future__ import annotations

from typing import Any, NoReturn

from taskgraph.errors import TaskInsideTaskError


class RunningTask:
    """Stands where a recording would be while a task runs.

    Parameters
    ----------
    task : Task
        The one that runs.
    store : str
        The URL of the store that its result goes to.
    """

    _needs: frozenset[bytes] | None = None

    def __init__(self, task: Any, store: str) -> None:
        self._task, self.store = task, store

    @property
    def name(self) -> str:
        """The name of its function."""
        name: str = self._task.generator.name
        return name

    @property
    def functions(self) -> NoReturn:
        """What was called so far: nothing may be."""
        raise TaskInsideTaskError(
            f"{self.name} called a task generator while it ran; nobody would run the "
            "new task. Call the plain function with g.f(...), or write the call down "
            "at the top level of the jugfile"
        )

    def require_needed(self, asked: Any) -> None:
        """Refuse to tell it the result of a task of its store that it does not need.

        Nothing would know that its own result was made of that. What it needs, and
        what that needs, it may load when it likes.

        Parameters
        ----------
        asked : Task
            Whose result it wants to know.

        Raises
        ------
        TaskInsideTaskError
            It does not need that one.
        """
        results = asked.recording.results
        if results is None or results.backend.url != self.store:
            return
        if self._needs is None:
            self._needs = _all_needs(self._task)
        if asked.key not in self._needs:
            raise TaskInsideTaskError(
                f"{self.name} asked for the result of {asked.name} while it ran, and "
                "was not given that task: when that result is forgotten or changed, "
                "its own would stay. Pass the task as an argument: the function gets "
                "its result"
            )


def _all_needs(task: Any) -> frozenset[bytes]:
    """Return the keys of what a task needs, of what that needs, and so on."""
    found: dict[bytes, None] = {}
    seen: set[int] = set()  # the tuples: many tasks share one
    rest = [task.needs]
    while rest:
        needs = rest.pop()
        if id(needs) in seen:
            continue
        seen.add(id(needs))
        for need in needs:
            found[need.key] = None
            if need.needs:
                rest.append(need.needs)
    return frozenset(found)
