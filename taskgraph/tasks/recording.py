"""Where tasks are noted as they are written down: one recording for each jugfile."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from taskgraph.errors import NoResultError, UsageError
from taskgraph.identity.functions import same_function, variant_of
from taskgraph.identity.hashing import Encoder
from taskgraph.tasks.outputs import give_name
from taskgraph.tasks.running_task import RunningTask
from taskgraph.told_store import told_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from taskgraph.results.results import Results

T = TypeVar("T")


class Called(Protocol):
    """A function whose calls are written down, as far as a recording has to know."""

    function: Callable[..., Any]
    """The function itself."""
    name: str
    """What its results are known by."""
    named_by_hand: bool
    """Whether that name was given, and so is believed."""
    prefix: bytes
    """The part of the key that stands for it."""


class Recording(Generic[T]):
    """The tasks of one jugfile (or notebook), in the order they were written down.

    Attributes
    ----------
    tasks : list
        May name the same key more than once.
    results : Results or None
        Where `value` looks for them.
    run_at_once : callable or None
        Runs one of them here and now and returns its result, if that is allowed here.
    keyless : dict of lists, or None
        Those whose keys nobody has asked for, by generator; None if each has one.
    hasty : int
        How often in a row a key was asked for when few waited for theirs.
    whole, script : bool, str
        Whether it is of one jugfile, from its beginning; and that one's path.
    functions : dict
        What was called so far, by the part of the key that stands for it.
    outputs : dict
        What tasks declare to write, by their keys; only of those that do.
    asked_in_vain : set of bytes
        Keys whose results were asked for when there were none.
    settled : tuple of int
        How many of the tasks have results for sure, as long as the store's `forgot_at`
        is the other number.
    stops : list of tuple
        Barriers that ended it, in any thread: waiting for which keys, after which task.
    wait : callable or None
        Lets the jugfile stand at a barrier until tasks with these keys have results;
        returns whether it may go on from there.
    """

    def __init__(
        self,
        results: Results | None = None,
        run_at_once: Callable[..., Any] | None = None,
        *,
        whole: bool = False,
    ) -> None:
        self.tasks: list[T] = []
        self.keyless: defaultdict[Called, list[T]] | None = defaultdict(list)
        self.results, self.run_at_once = results, run_at_once
        self.whole, self.script = whole, ""
        self.encoder = Encoder(renaming=not whole)
        self.functions: dict[bytes, Callable[..., Any]] = {}
        self.outputs: dict[bytes, tuple[Any, ...]] = {}
        self.asked_in_vain: set[bytes] = set()
        self.hasty, self.settled = 0, (0, 0)
        self.wait: Callable[[tuple[bytes, ...]], bool] | None = None
        self.stops: list[tuple[tuple[bytes, ...], int]] = []
        self._of_threads: dict[int, Recording[T]] = {}
        self._needed: tuple[tuple[T, ...], tuple[T, ...]] = (), ()

    def each_once(self, tasks: list[T]) -> tuple[T, ...]:
        """Return each of these tasks once: in the tuple of the last call, if it can be.

        So whatever is worked out of what tasks need is worked out once for many.
        """
        listed, last = self._needed
        if len(tasks) != len(listed) or tuple(tasks) != listed:  # none is touched
            listed = last = tuple(tasks)
            if tasks != self.tasks[-len(tasks) :]:  # mostly they are the newest
                last = tuple(dict.fromkeys(tasks))
            self._needed = listed, last
        return last

    def let_go(self) -> None:
        """Forget all tasks: they and it are a circle, which takes long to find."""
        self.tasks.clear()
        self.keyless, self._needed = defaultdict(list), ((), ())
        self.encoder.row = None

    def cut(self) -> tuple[bytes, ...]:
        """Forget what came after the first barrier that stopped it; return its keys.

        A script may catch what is raised there, or go on in other threads. What it
        writes down then is a guess: a new reading will know more.
        """
        if not self.stops:
            return ()
        keys, count = self.stops[0]
        del self.tasks[count:]
        return keys

    def of_thread(self) -> Recording[T]:
        """Return what the tasks join that this thread writes down.

        They are those of this recording; but two threads must not encode at once.
        """
        number = threading.get_ident()
        found = self._of_threads.get(number)
        if found is None:
            found = Recording(self.results, self.run_at_once, whole=self.whole)
            found.tasks, found.functions = self.tasks, self.functions
            found.encoder.files, found.outputs = self.encoder.files, self.outputs
            found.asked_in_vain, found.stops = self.asked_in_vain, self.stops
            self._of_threads[number] = found
        return found

    def context(self) -> Recording[T]:
        """Return the recording that knows a store: this one, or the active one."""
        return self if self.results is not None else current_recording() or self

    def require_results(self) -> Results:
        """Return where the results of its tasks are.

        Raises
        ------
        UsageError
            Neither it nor the active recording knows a store.
        """
        results = self.context().results
        if results is None:
            raise UsageError(
                "no store to look in; ask the very tasks that taskgraph.run(..., "
                "store=...) was given, or call set_jugdir(directory), in this thread"
            )
        return results.here()

    def has(self, key: bytes) -> bool:
        """Return whether a task has a result; note it if not."""
        known = self.require_results().has(key)
        if not known:
            self.asked_in_vain.add(key)
        return known

    def load(self, key: bytes, name: str) -> Any:
        """Return the result of a task; note it if there is none.

        Raises
        ------
        NoResultError
            It has none yet, or it failed.
        """
        known = self.results
        results = self.require_results() if known is None else known.here()
        try:
            return results.load(key, name)
        except NoResultError:
            self.asked_in_vain.add(key)
            raise

    def register(self, called: Called) -> None:
        """Note which function a name stands for.

        In a notebook a function may be defined anew: its results keep their name.

        Raises
        ------
        UsageError
            The name stands for another one, so that their results would be mixed up.
        """
        f, name = called.function, called.name
        if not called.named_by_hand and (original := variant_of(f)):
            raise UsageError(
                f"a function made of {original} has its name, and so its results; "
                f"decorate {original} itself, or give name="
            )
        known = self.functions.setdefault(called.prefix, f)
        anew = not (self.whole or called.named_by_hand or "<locals>" in name)
        if not anew and not same_function(known, f):
            raise UsageError(
                f"{name} names two functions whose results would be mixed up; rename "
                "one, give it name= (or version=), or make what differs an argument"
            )
        self.functions[called.prefix] = f

    def rename(self, task: Any, name: str) -> None:
        """Let a task have another name, and so another key, as `TaskGenerator` does.

        Raises
        ------
        UsageError
            Another task that was written down since needs it, by the key that it had;
            or it is a compound, whose key is not that of its arguments.
        """
        old = task.generator
        later: list[Any] = self.tasks[::-1]
        since = later[: later.index(task)] if task in later else later
        compound = hasattr(old.function, "__taskgraph_compound__")
        if compound or any(task in other.needs for other in since):
            raise UsageError(
                f"{task.name} is known by its name already, and cannot be called "
                f"{name} any more; say so right after a task is written down, or write "
                f"TaskGenerator(f, name={name!r})"
            )
        kept = ("version", "retries", "retries_on", "timeout", "resources", "code")
        given = {what: getattr(old, what) for what in kept}
        given["files"] = old.files and not old.declares
        new = type(old)(old.f, name=name, ignore=tuple(old.ignore), **given)
        self.register(new)
        give_name(task, new)


class _Process:
    """What goes on in the whole process: threads begin with an empty context.

    Attributes
    ----------
    recording : Recording, RunningTask or None
        Of the jugfile that is being read, or of the task that runs.
    before : set of Thread
        Those that were there when a jugfile began to be read.
    late : set of Thread
        Those that a jugfile started and that were still there when it had been read.
    """

    def __init__(self) -> None:
        self.recording: Any = None
        self.before: set[threading.Thread] = set()
        self.late: WeakSet[threading.Thread] = WeakSet()


strays = count()  # the next number: of tasks that nobody may run
current: ContextVar[Recording[Any] | None] = ContextVar("recording", default=None)
_process = _Process()


def recording_elsewhere() -> Recording[Any]:
    """Return what new tasks join in a context that knows none: one for nobody, mostly.

    In a thread of a jugfile it is the jugfile's, in one of a task none.

    Raises
    ------
    UsageError
        The jugfile that started this thread was read to its end.
    """
    found: Any = _process.recording
    if isinstance(found, Recording):
        return found.of_thread()
    if found is not None:
        return found  # type: ignore[no-any-return] # it stands where one would be
    if threading.current_thread() in _process.late:
        raise UsageError(
            "a thread writes a task down after its jugfile was read to the end, so "
            "that nobody would run it; wait for the thread with join()"
        )
    next(strays)
    return Recording()


def current_recording() -> Recording[Any] | None:
    """Return the recording that new tasks join, if there is one."""
    recording = current.get() or _process.recording
    if recording is None and (store := told_store()) is not None:
        return _of_parent(store)
    return recording if isinstance(recording, Recording) else None


def _of_parent(url: str) -> Recording[Any]:
    """Return a recording that knows the store of the worker that started this."""
    from backends.opening import open_backend
    from taskgraph.results.results import Results

    recording = Recording[Any](Results(open_backend(url, create=False)))
    current.set(recording)
    return recording


def is_recording() -> bool:
    """Return whether a jugfile is being read or a task is running."""
    return (current.get() or _process.recording) is not None


def is_running() -> bool:
    """Return whether this code is of a jugfile that is read, or of a running task.

    In a process that a task started, too; not in a notebook that has chosen a store.
    """
    recording = current.get() or _process.recording
    if recording is None:
        return told_store() is not None
    return not isinstance(recording, Recording) or recording.whole


def running_task() -> RunningTask | None:
    """Return of which running task this code is, if it is of one.

    Code in a thread that a task started is not known to be: it may be anybody's.
    """
    running: Any = current.get()
    return running if isinstance(running, RunningTask) else None


def in_task(store: str = "") -> str:
    """Return of whose running task this code is, for a store if given; "" if none's."""
    running: Any = current.get() or _process.recording
    runs = isinstance(running, RunningTask) and store in ("", running.store)
    return running.name if runs else ""


def set_recording(recording: Recording[Any] | None) -> None:
    """Let new tasks join `recording` from now on."""
    current.set(recording)


@contextmanager
def recorded_in(recording: Recording[T]) -> Iterator[Recording[T]]:
    """Let tasks that are written down in the block join `recording`.

    If it is of a whole jugfile, also those of threads that the block starts.

    Examples
    --------
    >>> from taskgraph import Task
    >>> with recorded_in(Recording()) as recording:
    ...     task = Task(divmod, 7, 2)
    >>> recording.tasks == [task]
    True
    """
    token, before = current.set(recording), _process.recording
    if recording.whole:
        _process.before = set(threading.enumerate())
        _process.recording = recording
    try:
        yield recording
    finally:
        current.reset(token)
        if recording.whole:
            _process.recording = before
            _process.late.update(set(threading.enumerate()) - _process.before)


@contextmanager
def set_aside() -> Iterator[None]:
    """Let it be in the block as if the jugfile had been read: tasks may run."""
    aside, _process.recording = _process.recording, None
    late = set(threading.enumerate()) - _process.before
    _process.late.update(late)
    try:
        yield
    finally:
        _process.late.difference_update(late)
        _process.recording = aside


def mark_running(task: Any, store: str, *, alone: bool) -> object:
    """Refuse new tasks, of all threads if it is `alone`, until `unmark_running`."""
    running, outer = RunningTask(task, store), _process.recording
    token = current.set(running)  # type: ignore[arg-type] # refuses to be one
    if alone:
        _process.recording = running
    return token, outer, alone


def unmark_running(token: Any) -> None:
    """Allow new tasks again."""
    before, outer, alone = token
    if alone:
        _process.recording = outer
    current.reset(before)
