"""Where tasks are noted as they are written down: one recording for each jugfile."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from taskgraph.errors import TaskInsideTaskError, UsageError
from taskgraph.identity.functions import same_function, variant_of
from taskgraph.identity.hashing import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taskgraph.results.results import Results
    from taskgraph.tasks.task import Task, TaskGenerator


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
    functions : dict
        What was called so far, by the part of the key that stands for it.
    """

    def __init__(self, results: Results | None = None, *, whole: bool = False) -> None:
        self.tasks: list[Task] = []
        self.results = results
        self.whole = whole
        self.encoder = Encoder()
        self.functions: dict[bytes, Callable[..., Any]] = {}

    def meet(self, generator: TaskGenerator) -> None:
        """Note which function a name stands for.

        In a notebook a function may be defined anew: its results keep their name.

        Raises
        ------
        UsageError
            The name stands for another one, so that their results would be mixed up.
        """
        f, name = generator.function, generator.name
        if not generator.named_by_hand and (original := variant_of(f)):
            raise UsageError(
                f"a function made of {original} has its name, and so its results; "
                f"decorate {original} itself, or give name="
            )
        known = self.functions.setdefault(generator.prefix, f)
        anew = not (self.whole or generator.named_by_hand or "<locals>" in name)
        if not anew and not same_function(known, f):
            raise UsageError(
                f"{name} names two functions whose results would be mixed up; rename "
                "one, give it name= (or version=), or make what differs an argument"
            )
        self.functions[generator.prefix] = f


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
