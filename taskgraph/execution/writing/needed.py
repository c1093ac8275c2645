"""Files that a task needs from others: looked at before it runs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from taskgraph.errors import TaskgraphError, UsageError
from taskgraph.results.lineage import discard_damaged
from taskgraph.upkeep.gone_files import first_lost

if TYPE_CHECKING:
    from taskgraph.results.results import Results
    from taskgraph.tasks.task import Task

_OFTEN = 2
"""How often a file is made again that was gone or changed when it was needed."""


class NotRunError(TaskgraphError):
    """Nothing is to be recorded of a task: it was not run, or in vain."""


class DamagedResultError(NotRunError):
    """What a task needs was stored and is damaged now.

    Attributes
    ----------
    key : bytes
        Whose result it is.
    error : DamagedError
        What is wrong with it.
    """

    def __init__(self, key: bytes, error: DamagedError) -> None:
        super().__init__(str(error))
        self.key = key
        self.error = error


def set_aside(results: Results, error: Exception) -> None:
    """Forget the result that is damaged, if that is why a task was not run."""
    if isinstance(error, DamagedResultError):
        discard_damaged(results, error.key, error.error)


class NeededFiles:
    """Looks whether files that results name are as they were written."""

    def __init__(self) -> None:
        self._needs: tuple[Task, ...] = ()
        self._written: list[Task] = []
        self._lost: Counter[bytes] = Counter()

    def require(self, task: Task) -> None:
        """Look at the files of all that a task needs.

        Raises
        ------
        DamagedResultError
            One is gone or changed: its task is to be run again first.
        UsageError
            It was run again more than once, and the file is not what it was again.
        """
        if task.needs is not self._needs:
            self._needs = task.needs
            self._written = [need for need in task.needs if need.generator.files]
        for need in self._written:
            path = first_lost(need.recording.require_results(), need.key)
            if not path:
                continue
            self._lost[need.key] += 1
            if self._lost[need.key] > _OFTEN:
                raise UsageError(
                    f"{path}: is gone or changed each time after {need.name} has "
                    "written it, so what reads it cannot run; does another task or "
                    "program write there?"
                )
            error = DamagedError(path, f"gone or changed: {path}")
            raise DamagedResultError(need.key, error)
