"""What can go wrong in the engine; the class says whose fault it is."""

from __future__ import annotations

from taskgraph.names import known_as


@known_as("taskgraph")
class TaskgraphError(Exception):
    """Base of every error that taskgraph raises."""


@known_as("taskgraph")
class UsageError(TaskgraphError):
    """The caller asked for something that does not exist or makes no sense."""


@known_as("taskgraph")
class OptionError(UsageError, ValueError):
    """An option has a value that makes no sense."""


@known_as("taskgraph")
class UnfoundError(UsageError, RuntimeError):
    """A function is not what its name finds, so no other process can be given it."""


@known_as("taskgraph")
class JugfileError(TaskgraphError):
    """The jugfile cannot be loaded: it is missing, raises, or has a syntax error."""


@known_as("taskgraph")
class UnhashableError(TaskgraphError, TypeError):
    """An argument has no stable hash.

    Attributes
    ----------
    path : str
        Where the argument is, for example ``args[1]['cfg'].fn``.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why

    def __reduce__(self) -> tuple[type[UnhashableError], tuple[str, str]]:
        return type(self), (self.path, self.why)


@known_as("taskgraph")
class ArgumentChangedError(TaskgraphError):
    """An argument is no longer what it was when the call was written down."""


@known_as("taskgraph")
class IterationError(UsageError, NotImplementedError):
    """A task was iterated over: how many items its result has is not known yet."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} cannot be iterated over before it has run; use task[i], "
            "iteratetask(task, n), return_tuple(n), or bvalue(task) to wait for it"
        )


@known_as("taskgraph")
class TaskAsResultError(UsageError, TypeError):
    """A task was used as if it were its result."""


@known_as("taskgraph")
class TaskInsideTaskError(TaskgraphError):
    """A running task wrote down another one, or did what only those outside can do."""


@known_as("taskgraph")
class BarrierError(TaskgraphError):
    """The jugfile has to stop here until more results are known.

    Attributes
    ----------
    missing : tuple of bytes
        Keys of the tasks that it waits for.
    """

    def __init__(self, missing: tuple[bytes, ...] = ()) -> None:
        super().__init__(f"results that the jugfile needs are missing: {len(missing)}")
        self.missing = missing

    def __reduce__(self) -> tuple[type[BarrierError], tuple[tuple[bytes, ...]]]:
        return type(self), (self.missing,)


@known_as("taskgraph")
class NoResultError(TaskgraphError, LookupError):
    """The task has no result yet, or failed."""


@known_as("taskgraph")
class MissingResultError(NoResultError):
    """The task has no result: not yet, not any more, or it failed."""


@known_as("taskgraph")
class TasksFailedError(TaskgraphError):
    """Some tasks failed, or wait for one that failed."""


@known_as("taskgraph")
class GaveUpError(TaskgraphError):
    """Other workers hold the last tasks and did not finish them in time."""
