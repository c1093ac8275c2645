"""What a task has written gets its name when it has succeeded, and is recorded so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskgraph.errors import TaskgraphError
from taskgraph.execution.writing.needed import NotRunError
from taskgraph.tasks.outputs import noted_path, payload_of
from taskgraph.upkeep.gone_files import names_ever_written

if TYPE_CHECKING:
    from taskgraph.files.attempt import Attempt
    from taskgraph.files.declared import Output
    from taskgraph.results.results import Results
    from taskgraph.tasks.task import Task


class OvertakenError(NotRunError):
    """Another worker runs a task, or has run it, whose lock this one has lost."""


class Renaming:
    """How an attempt at a task's outputs ends: they are renamed, and noted.

    It looks last whether the task has a record by now. Another worker may still come in
    between: then the one whose record is refused looks at the files once more.

    Parameters
    ----------
    attempt : Attempt
        Where they were written.
    results : Results
        Where the record will be.
    key : bytes
        Of the task.
    """

    def __init__(self, attempt: Attempt, results: Results, key: bytes) -> None:
        self._attempt, self._results = attempt, results
        self._before = results.backend.find(key)

    def __call__(self, task: Task, returned: object) -> bytes:
        """Rename what was written; return the payload that names it.

        Raises
        ------
        OvertakenError
            Another worker has run the task, or runs it.
        UsageError
            Something is missing, or in the way.
        """
        attempt = self._attempt
        try:
            attempt.require_nothing_else(returned)
            written = attempt.written()
            self._refuse_if_overtaken(task)
            attempt.rename(self._replaceable)
        except (OSError, TaskgraphError):
            if attempt.overtaken:
                raise OvertakenError(task.name) from None
            raise
        return payload_of(self._results, task, written)

    def _replaceable(self, output: Output) -> set[bytes]:
        path = noted_path(output, self._results)
        return names_ever_written(self._results, path)

    def _refuse_if_overtaken(self, task: Task) -> None:
        backend = self._results.backend
        backend.refresh()
        found = backend.find(task.key)
        if self._attempt.overtaken or found not in (None, self._before):
            raise OvertakenError(task.name)
