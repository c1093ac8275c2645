"""Where a jugfile stops until results are known: `barrier` and `bvalue`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.errors import BarrierError, UsageError
from taskgraph.names import known_as
from taskgraph.tasks.recording import Recording, current_recording, in_task
from taskgraph.tasks.refusals import IN_A_TASK
from taskgraph.tasks.values import tasks_in, value

if TYPE_CHECKING:
    from taskgraph.results.results import Results


@known_as("taskgraph")
def barrier() -> None:
    """Stop reading the jugfile here until every task so far has a result.

    Raises
    ------
    BarrierError
        They have not; the engine goes on from here, or reads the jugfile again, when
        they have. Who catches it guesses: what is written down after that is not run.
    """
    recording = _active("barrier()")
    results = _results(recording)
    while missing := _without_result(recording, results):
        _wait(recording, missing)


@known_as("taskgraph")
def bvalue(item: Any) -> Any:
    """Return the value of a task, or stop reading the jugfile until there is one.

    Parameters
    ----------
    item : Task, Tasklet or container of them
        Only these are waited for, not everything so far. What else is in a container
        comes back as it is.

    Raises
    ------
    BarrierError
        It has no result yet.
    """
    recording = _active("bvalue()")
    while missing := [task.key for task in tasks_in(item) if not _has_result(task)]:
        _wait(recording, missing)
    return value(item)


def _without_result(recording: Recording[Any], results: Results) -> list[bytes]:
    """Return the keys of tasks so far that have no result; of those not asked before.

    Unless the store has forgotten something since.
    """
    backend = results.backend
    backend.refresh()
    if recording.settled[1] != backend.forgot_at:
        recording.settled = 0, backend.forgot_at
    missing = []
    for task in recording.tasks[recording.settled[0] :]:
        where = backend.find(task.key)
        if (where is None or where.failure) and task.key not in results.pending:
            missing.append(task.key)
    if not (missing or results.pending):
        recording.settled = len(recording.tasks), backend.forgot_at
    return missing


def _has_result(task: Any) -> bool:
    results: Results = task.recording.require_results()
    return results.has(task.key)


def _wait(recording: Recording[Any], missing: list[bytes]) -> None:
    """Stand here until the tasks have results, or let the reading end here."""
    keys = tuple(dict.fromkeys(missing))
    if recording.wait is None or not recording.wait(keys):
        recording.stops.append((keys, len(recording.tasks)))
        raise BarrierError(keys)


def _active(what: str) -> Recording[Any]:
    recording = current_recording()
    if recording is None:
        if name := in_task():
            raise UsageError(f"{name} called {what} while it ran: {IN_A_TASK}")
        raise UsageError(f"{what} works in a jugfile, or after taskgraph.set_jugdir()")
    return recording


def _results(recording: Recording[Any]) -> Results:
    if recording.results is None:
        raise UsageError(
            "no store to look in; call set_jugdir(directory), in this thread"
        )
    return recording.results
