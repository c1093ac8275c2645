"""Loading jugfiles: as often as they have barriers, as many as there are stores."""

from __future__ import annotations

import gc
import os
import sys
import types
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.errors import OpenError
from taskgraph.errors import BarrierError, JugfileError, TaskgraphError, UsageError
from taskgraph.graph import Graph
from taskgraph.names import known_as
from taskgraph.recording import (
    Recording,
    current_recording,
    is_recording,
    recorded_in,
    set_recording,
)
from taskgraph.values import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgraph.results import Results


_IS_FOLDER = "{} is a directory, no jugfile; give the path of your script"
_LATE = "set_jugdir() must come before the first task of a jugfile"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a jugfile has said so far.

    Attributes
    ----------
    graph : Graph
        The tasks that were written down.
    space : dict
        The jugfile's names.
    results : Results
        The store; a jugfile may have chosen another one with `set_jugdir`.
    missing : tuple of bytes
        Keys that have to get results before the jugfile says more; empty if it was
        read to its end.
    """

    graph: Graph
    space: dict[str, Any]
    results: Results
    missing: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Jugfile:
    """A script that writes down tasks.

    Attributes
    ----------
    path : Path
        Of the script; absolute.
    arguments : sequence of str
        What it finds in ``sys.argv`` after its own name.
    shown : str
        Its path as it was given, for people.
    start : Path
        The working directory in which it begins, whenever it is loaded.
    """

    path: Path
    arguments: Sequence[str] = ()
    shown: str = field(init=False)
    start: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", str(self.path))
        object.__setattr__(self, "start", Path.cwd())
        object.__setattr__(self, "path", self.path.absolute())

    def load(self, results: Results) -> Loaded:
        """Run the script up to its end, or to a barrier that it cannot pass yet.

        It runs as a module of its own name, which stays in ``sys.modules``: so what it
        defines can be pickled, even if a barrier stopped it.

        Raises
        ------
        JugfileError
            There is no such file, or it raised.
        """
        code = self.compiled()
        name = self.path.stem
        module = types.ModuleType(name)
        module.__file__ = str(self.path.resolve())
        sys.modules[name] = module
        missing: tuple[bytes, ...] = ()
        recording = Recording(results, whole=True)
        with recorded_in(recording), self._surroundings(), _few_collections():
            try:
                exec(code, module.__dict__)
            except BarrierError as barrier:
                missing = barrier.missing
            except TaskgraphError as error:
                raise JugfileError(f"{self._place(error)}: {error}") from error
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                what = f"{type(error).__name__}: {error}"
                raise JugfileError(f"{self._place(error)}: {what}") from error
        chosen = recording.results or results
        return Loaded(Graph(recording.tasks), vars(module), chosen, missing)

    def compiled(self) -> types.CodeType:
        """Read and compile the script, without running it.

        Raises
        ------
        JugfileError
            There is no such file, or Python does not understand it.
        """
        source = self._source()
        try:
            return compile(source, self.shown, "exec")
        except SyntaxError as error:
            what = f"{type(error).__name__}: {error.msg}"
            line = (error.text or "").strip()
            what += f", in: {line}" if line else ""
            raise JugfileError(f"{self._place(error)}: {what}") from error
        except (ValueError, RecursionError, MemoryError) as error:
            what = f"{type(error).__name__}: {error}"
            raise JugfileError(f"{self.shown}: {what}") from error

    def _source(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            raise JugfileError(
                f"there is no jugfile {self.shown}; give the path of your script"
            ) from None
        except IsADirectoryError:
            raise JugfileError(_IS_FOLDER.format(self.shown)) from None
        except OSError as error:
            raise JugfileError(f"cannot read {self.shown}: {error.strerror}") from error

    def _place(self, error: BaseException) -> str:
        """Return file and line of the jugfile where it went wrong."""
        if isinstance(error, SyntaxError) and error.filename == self.shown:
            return f"{self.shown}:{error.lineno}"
        line = None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.shown:
                line = trace.tb_lineno
            trace = trace.tb_next
        return self.shown if line is None else f"{self.shown}:{line}"

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Let the script see its own arguments and import its neighbours."""
        folder = str(self.path.resolve().parent)
        argv, sys.argv = sys.argv, [self.shown, *self.arguments]
        with suppress(OSError):
            os.chdir(self.start)  # read again, it may go to the same folder again
        if folder not in sys.path:
            sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.argv = argv


@contextmanager
def _few_collections() -> Iterator[None]:
    """Keep the garbage collector from walking a million new tasks again and again."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 200_000), 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


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
        Only these are waited for, not everything so far.

    Raises
    ------
    BarrierError
        It has no result yet.
    """
    recording = _active("bvalue()")
    encoder = recording.encoder
    encoder.tasks = []
    encoder.item(item)
    wanted, encoder.tasks = encoder.tasks, []
    missing = [task.key for task in wanted if not task.can_load()]
    if missing:
        raise BarrierError(tuple(dict.fromkeys(missing)))
    return value(item)


@known_as("taskgraph")
def CachedFunction(f: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 - jug's name
    """Call a function now, unless the store has the result already; return it.

    Raises
    ------
    NoResultError
        An argument is a task without a result.
    """
    from taskgraph.task import Task

    task = Task(f, *args, **kwargs)
    recording = task.recording
    if recording.tasks and recording.tasks[-1] is task:
        recording.tasks.pop()
    return task.run()


@known_as("taskgraph")
def is_jug_running() -> bool:
    """Return whether this code runs as a jugfile or in a task, not on its own."""
    return is_recording()


@known_as("taskgraph")
def set_jugdir(store: Any = None) -> Results:
    """Choose the store for the tasks written down from now on; return it.

    Parameters
    ----------
    store : str, path, Backend or Results, optional
        A directory or URL, or a store that is open; ``jugdata`` by default.

    Raises
    ------
    UsageError
        The jugfile has tasks already: their results would be elsewhere.
    """
    recording = current_recording()
    late = recording is not None and recording.whole and bool(recording.tasks)
    try:
        results = open_results("jugdata" if store is None else store, create=not late)
    except OpenError:
        if late:
            raise UsageError(_LATE) from None
        raise
    if recording is None:
        set_recording(Recording(results))
        return results
    known = recording.results
    if known is not None and known.backend.url == results.backend.url:
        return known  # read again after a barrier
    if late:
        raise UsageError(_LATE)
    recording.results = results
    return results


@known_as("taskgraph")
def init(
    jugfile: str | os.PathLike[str] = "jugfile.py",
    jugdir: Any = None,
    on_error: str = "exit",
    store: Any = None,
) -> tuple[Results, dict[str, Any]]:
    """Load a jugfile into this process, for a notebook or a script.

    Parameters
    ----------
    jugfile : path
        The script.
    jugdir, store : str, path or open store, optional
        Where the results are; ``jugdata`` by default. `store` counts if both are given.
    on_error : {'exit', 'propagate'}
        Whether an error in the jugfile is printed and ends the process.

    Returns
    -------
    store : Results
        Where the results are.
    jugspace : dict
        The jugfile's names. ``__jug__hasbarrier__`` is among them if a barrier
        stopped it.
    """
    if on_error not in ("exit", "propagate"):
        raise UsageError(f"on_error is 'exit' or 'propagate', not {on_error!r}")
    results = open_results(store or jugdir or "jugdata")
    try:
        loaded = Jugfile(Path(jugfile)).load(results)
    except JugfileError as error:
        if on_error == "propagate":
            raise
        raise SystemExit(str(error)) from error
    if loaded.missing:
        loaded.space["__jug__hasbarrier__"] = True
    set_recording(Recording(loaded.results))
    return loaded.results, loaded.space


def open_results(store: Any, *, create: bool = True) -> Results:
    """Return the results behind a URL, a path, an open backend or themselves.

    Raises
    ------
    UsageError
        It is something else.
    """
    from backends.opening import open_backend
    from taskgraph.results import Results
    from taskgraph.running import run_at_once

    if isinstance(store, Results):
        return store
    if isinstance(store, str | os.PathLike):
        return Results(open_backend(store, create=create), run_at_once)
    if not hasattr(store, "claim"):
        raise UsageError(
            f"a store is a directory, a URL or an open store, not {store!r:.60}"
        )
    return Results(store, run_at_once)


def default_store(jugfile: Path) -> str:
    """Return where the results of a jugfile go if nothing else is said.

    It begins in a way that no URL does, whatever the jugfile is called.

    Raises
    ------
    JugfileError
        It is a directory, by its path.

    Examples
    --------
    >>> default_store(Path("some/work.py"))
    './some/work.tgdata'
    """
    if not jugfile.name:
        raise JugfileError(_IS_FOLDER.format(jugfile))
    return os.path.join(".", jugfile.with_suffix(".tgdata"))  # noqa: PTH118 - pathlib drops it


def _active(what: str) -> Recording:
    recording = current_recording()
    if recording is None:
        raise UsageError(f"{what} works in a jugfile, or after taskgraph.set_jugdir()")
    return recording


def _results(recording: Recording) -> Results:
    if recording.results is None:
        raise UsageError("no store to look in; call taskgraph.set_jugdir() first")
    return recording.results
