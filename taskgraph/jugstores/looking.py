"""A jugfile that is read as if what jug has were in its store already."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

from backends.errors import DamagedError
from backends.interface import Where
from taskgraph.errors import JugfileError, NoResultError, UnhashableError
from taskgraph.jugstores.digests import JugDigests
from taskgraph.results.results import Results
from taskgraph.tasks.recording import Recording, current_recording
from taskgraph.upkeep.code.looked_into import stands_alone, tasks_inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from backends.interface import Backend, Key
    from taskgraph.jugstores.opening import JugStore
    from taskgraph.tasks.jugfile import Jugfile, Loaded
    from taskgraph.tasks.task import Task


class Looking(Results):
    """The results of a store, and those that jug has for the tasks that ask for them.

    Nothing is written. What is in both is that of the store.

    Parameters
    ----------
    own : Results
        Of the store.
    jug : JugStore
        Where jug has results.

    Attributes
    ----------
    digests : JugDigests
        Those of the tasks that were met so far.
    damaged : dict
        What was asked for and cannot be read, and why, by digest.
    at_once : list of Task
        What the jugfile ran at once, and jug has.
    """

    def __init__(self, own: Results, jug: JugStore) -> None:
        super().__init__(cast("Backend", _Seen(own.backend, self._has_in_jug)))
        self.own = own
        self.jug = jug
        self.digests = JugDigests(jug.has)
        self.damaged: dict[str, str] = {}
        self.at_once: list[Task] = []
        self._tasks: dict[Key, dict[Task, None]] = {}
        self._recording: Recording[Task] | None = None
        self._walked = 0

    def load(self, key: Key, name: str = "the task") -> Any:
        """Return the result of `key`."""
        where = self.own.backend.find(key)
        digest = self._digest(key) if where is None else None
        return self.own.load(key, name) if digest is None else self.read(digest)

    def read(self, digest: str) -> Any:
        """Return what jug has by a digest; note it if it cannot be read.

        Raises
        ------
        DamagedError
            It cannot.
        """
        try:
            return self.jug.load(digest)
        except DamagedError as error:
            self.damaged[digest] = f"{error.what}: {error.why}"
            raise

    def has_in_jug(self, digest: str) -> bool:
        """Return whether jug has a result that can be read, as far as is known."""
        return digest not in self.damaged and self.jug.has(digest)

    def digest_of(self, task: Task) -> str | None:
        """Return by which digest jug has the result of a task, None if it has none."""
        try:
            digest = self.digests.of(task)
        except UnhashableError:
            return None
        return digest if self.has_in_jug(digest) else None

    def run_at_once(self, _results: Results, task: Task, **_options: Any) -> Any:
        """Return the result of a task that a jugfile asks for at once.

        Raises
        ------
        NoResultError
            Jug has none.
        """
        digest = self.digest_of(task)
        if digest is None:
            raise NoResultError(
                f"{task.name} is run while the jugfile is read, and jug has no result "
                "of it"
            )
        self.at_once.append(task)
        return self.read(digest)

    def _has_in_jug(self, key: Key) -> bool:
        return self._digest(key) is not None

    def _digest(self, key: Key) -> str | None:
        self._learn()
        found = map(self.digest_of, self._tasks.get(key, ()))
        return next((digest for digest in found if digest is not None), None)

    def _learn(self) -> None:
        """Take in what was written down since.

        The newest task may be a compound, which is taken out again to be put behind
        those inside it.
        """
        recording = current_recording()
        if recording is None:
            return
        if recording is not self._recording:
            self._recording, self._walked = recording, 0
        tasks = recording.tasks
        for task in tasks[self._walked :]:
            self._tasks.setdefault(task.key, {})[task] = None
        self._walked = max(len(tasks) - 1, 0)


class _Seen:
    """A backend in which also those results are found that jug has."""

    def __init__(self, backend: Backend, more: Callable[[Key], bool]) -> None:
        self._backend = backend
        self._more = more

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def find(self, key: Key) -> Where | None:
        where = self._backend.find(key)
        if where is None or where.failure:
            found = self._more(key)  # also of a failure: a compound is not yet changed
            return Where(-1, -1, failure=False) if found and where is None else where
        return where


def read_jugfile(
    jugfile: Jugfile, results: Results, jug: JugStore
) -> tuple[Loaded, Looking]:
    """Return what a jugfile says with all that jug has, and that.

    It is read again as often as more can be known by that.

    Raises
    ------
    JugfileError
        It raised.
    """
    looking = Looking(results, jug)
    while True:
        damaged = len(looking.damaged)
        try:
            loaded = jugfile.load(looking, run_at_once=looking.run_at_once)
        except JugfileError:
            if jug.refresh() or len(looking.damaged) > damaged:
                continue  # it met what cannot be read, and goes as far as it can
            raise
        if not isinstance(loaded.results, Looking):  # the jugfile chose another store
            looking = Looking(loaded.results, jug)
        elif not jug.refresh() and len(looking.damaged) == damaged:
            return loaded, looking


def written_down(loaded: Loaded, looking: Looking) -> dict[Key, list[Task]]:
    """Return all tasks that jug may have results of, by key, in order.

    Also those that are one task here and several there, those that ran at once, and
    those inside of compound tasks of which jug has results.
    """
    graph = loaded.graph.tasks
    recordings = dict.fromkeys(task.recording for task in graph)
    twice = [task for recording in recordings for task in recording.tasks]
    left = deque(dict.fromkeys([*graph, *twice, *looking.at_once]))
    found: dict[Task, None] = {}
    while left:
        task = left.popleft()
        if task in found:
            continue
        found[task] = None
        if stands_alone(task):
            inside = tasks_inside(task, looking, looking.run_at_once)
            left.extend(each for each in inside if looking.digest_of(each))
    by_key: dict[Key, list[Task]] = {}
    for task in found:
        by_key.setdefault(task.key, []).append(task)
    return by_key
