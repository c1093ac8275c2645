"""Where tasks are noted as they are written down: one recording for each jugfile."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from taskgraph.errors import TaskInsideTaskError
from taskgraph.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskgraph.results import Results
    from taskgraph.task import Task


class Recording:
    """The tasks of one jugfile (or notebook), in the order they were written down.

    Attributes
    ----------
    tasks : list of Task
        May name the same key more than once.
    results : Results or None
        Where `value` looks for them.
    whole : bool
        Whether it is of one jugfile, from its beginning.
    """

    def __init__(self, results: Results | None = None, *, whole: bool = False) -> None:
        self.tasks: list[Task] = []
        self.results = results
        self.whole = whole
        self.encoder = Encoder()


class _Running:
    """Stands where a recording would be while a task runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def encoder(self) -> NoReturn:
        raise TaskInsideTaskError(
            f"{self.name} called a task generator while it ran; nobody would run the "
            "new task. Call the plain function with g.f(...), or write the call down "
            "at the top level of the jugfile"
        )


current: ContextVar[Recording | None] = ContextVar("recording", default=None)


def current_recording() -> Recording | None:
    """Return the recording that new tasks join, if there is one."""
    recording = current.get()
    return recording if isinstance(recording, Recording) else None


def is_recording() -> bool:
    """Return whether a jugfile is being read or a task is running."""
    return current.get() is not None


def set_recording(recording: Recording | None) -> None:
    """Let new tasks join `recording` from now on."""
    current.set(recording)


@contextmanager
def recorded_in(recording: Recording) -> Iterator[Recording]:
    """Let tasks that are written down in the block join `recording`.

    Examples
    --------
    >>> from taskgraph import Task
    >>> with recorded_in(Recording()) as recording:
    ...     task = Task(divmod, 7, 2)
    >>> recording.tasks == [task]
    True
    """
    token = current.set(recording)
    try:
        yield recording
    finally:
        current.reset(token)


def mark_running(name: str) -> object:
    """Refuse new tasks until `unmark_running`; return what that one needs."""
    return current.set(_Running(name))  # type: ignore[arg-type] # refuses to be one


def unmark_running(token: Any) -> None:
    """Allow new tasks again."""
    current.reset(token)
