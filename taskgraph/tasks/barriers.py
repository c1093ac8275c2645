"""Where a jugfile stops until results are known: `barrier` and `bvalue`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taskgraph.errors import BarrierError, UsageError
from taskgraph.names import known_as
from taskgraph.tasks.recording import Recording, current_recording
from taskgraph.tasks.values import tasks_in, value

if TYPE_CHECKING:
    from taskgraph.results.results import Results


@known_as("taskgraph")
def barrier() -> None:
    """Stop reading the jugfile here until every task so far has a result.

    Raises
    ------
    BarrierError
        They have not; the engine reads the jugfile again when they have.
    """
    recording = _active("barrier()")
    results = _results(recording)
    results.backend.poll()
    backend = results.backend
    missing = []
    for task in recording.tasks:
        where = backend.find(task.key)
        if (where is None or where.failure) and task.key not in results.pending:
            missing.append(task.key)
    if missing:
        raise BarrierError(tuple(dict.fromkeys(missing)))


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
    _active("bvalue()")
    missing = dict.fromkeys(task.key for task in tasks_in(item) if not task.can_load())
    if missing:
        raise BarrierError(tuple(missing))
    return value(item)


def _active(what: str) -> Recording[Any]:
    recording = current_recording()
    if recording is None:
        raise UsageError(f"{what} works in a jugfile, or after taskgraph.set_jugdir()")
    return recording


def _results(recording: Recording[Any]) -> Results:
    if recording.results is None:
        raise UsageError("no store to look in; call taskgraph.set_jugdir() first")
    return recording.results
