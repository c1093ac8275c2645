"""Loading jugfiles, as often as they have barriers."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from backends.garbage import few_collections, give_back_memory
from backends.interface.frozen import frozen
from taskgraph.errors import BarrierError, JugfileError, TaskgraphError
from taskgraph.files.places import counted_from
from taskgraph.identity.input_files import note_paths
from taskgraph.tasks.graph import Graph
from taskgraph.tasks.outputs import refuse_clashes
from taskgraph.tasks.recording import Recording, recorded_in
from taskgraph.tasks.refusals import advice
from taskgraph.tasks.scripts.script_module import (
    circle,
    find_neighbours,
    hiding,
    module_name,
    modules_beside,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taskgraph.identity.input_files import InputFiles
    from taskgraph.results.results import Results
    from taskgraph.tasks.scripts.standing import Stand
    from taskgraph.tasks.task import Task

_MANY = 200_000
"""Tasks after which memory is given back: what their keys were made of is no more."""


@frozen
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
    inputs : dict
        Files that the tasks' arguments name by content, and modules beside the jugfile
        that it imports, as they were.

    Raises
    ------
    UsageError
        Two of the tasks declare one output.
    """

    graph: Graph
    space: dict[str, Any]
    results: Results
    missing: tuple[bytes, ...] = ()
    inputs: InputFiles = field(default_factory=dict)

    def __post_init__(self) -> None:
        refuse_clashes(self.graph)


Pause = Callable[[Loaded], bool]
"""Runs tasks while a jugfile stands at a barrier; returns whether it may go on."""


class GraphSource(Protocol):
    """Where a graph comes from: a jugfile, or tasks at hand."""

    def load(self, results: Results, pause: Pause | None = None, /) -> Loaded:
        """Return what is known of the graph now.

        A jugfile may stand at a barrier meanwhile, and call `pause` with what it has
        said till then, in a graph that grows each time.
        """


@frozen
class Jugfile:
    """A script that writes down tasks.

    Attributes
    ----------
    path : Path
        Of the script; absolute.
    arguments : sequence of str
        What it finds in ``sys.argv`` after its own name.
    run_at_once : callable, optional
        Runs a task here and now that the script wants so, see `Task.run`; nothing is
        run while it is only read.
    shown : str
        Its path as it was given, for people.
    start : Path
        The working directory in which it begins, whenever it is loaded.
    """

    path: Path
    arguments: Sequence[str] = ()
    run_at_once: Callable[..., Any] | None = None
    shown: str = field(init=False)
    start: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", str(self.path))
        object.__setattr__(self, "start", Path.cwd())
        object.__setattr__(self, "path", self.path.absolute())

    def load(
        self,
        results: Results,
        pause: Pause | None = None,
        *,
        run_at_once: Callable[..., Any] | None = None,
    ) -> Loaded:
        """Run the script up to its end, or to a barrier that it cannot pass yet.

        It runs as a module of its own name, which stays in ``sys.modules``: so what it
        defines can be pickled, even if a barrier stopped it. `run_at_once` stands in
        for the one of the same name that it has. With `pause` the script stands at
        barriers, where nothing tells against it, and goes on from there.

        Raises
        ------
        JugfileError
            There is no such file, or it raised.
        """
        stamp = self._stamp()
        code = self.compiled()
        name = module_name(self.path, self.shown)
        module = types.ModuleType(name)
        module.__file__ = str(self.path.resolve())
        sys.modules[name] = module
        run_at_once = run_at_once or self.run_at_once
        recording: Recording[Task] = Recording(results, run_at_once, whole=True)
        recording.script = module.__file__
        said = _Said(recording, module, str(self.path.resolve().parent))
        stand = None if pause is None else self._stand(said, code, pause, stamp)
        with (
            recorded_in(recording),
            counted_from(said.folder),
            self._seen_by_script(),
            few_collections(),
        ):
            try:
                exec(code, module.__dict__)
            except KeyboardInterrupt:
                raise
            except BarrierError as barrier:
                recording.stops.append((barrier.missing, len(recording.tasks)))
            except BaseException as error:  # noqa: BLE001 - whatever a script raises
                if not recording.stops:  # else it is what follows of that
                    self._end(error, name)
        if stand is not None and stand.error is not None:
            raise stand.error
        return said.so_far(recording.cut())

    def _end(self, error: BaseException, name: str) -> None:
        """Raise what to say of a script that raised, unless that is its end."""
        if isinstance(error, SystemExit) and not error.code:
            return
        what = f"{error}"
        if not isinstance(error, TaskgraphError):
            more = advice(error) or circle(error, name) or hiding(error, self.path)
            what = f"{type(error).__name__}: {error}{more}"
        raise JugfileError(f"{self._place(error)}: {what}") from error

    def _stand(
        self,
        said: _Said,
        code: types.CodeType,
        pause: Pause,
        stamp: tuple[int, int] | None,
    ) -> Stand:
        """Let a script stand at its barriers, as long as its file is the same."""
        from taskgraph.tasks.scripts.standing import Stand

        def run(missing: tuple[bytes, ...]) -> bool:
            return pause(said.so_far(missing)) and self._stamp() == stamp

        stand = Stand(said.recording, said.module, code, run)
        said.recording.wait = stand.wait
        return stand

    def _stamp(self) -> tuple[int, int] | None:
        """Return what tells whether the file was changed."""
        with suppress(OSError):
            found = self.path.stat()
            return found.st_mtime_ns, found.st_size
        return None

    def compiled(self) -> types.CodeType:
        """Read and compile the script, without running it.

        Raises
        ------
        JugfileError
            There is no such file, Python does not understand it, or its name is that
            of another module.
        """
        source = self._source()
        module_name(self.path, self.shown)
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
            raise no_jugfile(self.path, self.shown) from None
        except IsADirectoryError:
            raise is_a_folder(self.shown) from None
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
    def _seen_by_script(self) -> Iterator[None]:
        """Let the script see its own arguments and import its neighbours."""
        folder = str(self.path.resolve().parent)
        argv, sys.argv = sys.argv, [self.shown, *self.arguments]
        with suppress(OSError):
            os.chdir(self.start)  # read again, it may go to the same folder again
        find_neighbours(folder, str(self.start))
        try:
            yield
        finally:
            sys.argv = argv


@dataclass(slots=True)
class _Said:
    """What one reading of a script has said so far."""

    recording: Recording[Task]
    module: types.ModuleType
    folder: str
    graph: Graph = field(default_factory=lambda: Graph(()))
    count: int = 0

    def so_far(self, missing: tuple[bytes, ...] = ()) -> Loaded:
        """Return what was written down; tasks of other recordings are run here too."""
        recording = self.recording
        assert recording.results is not None
        tasks = recording.tasks
        if len(tasks) - self.count > _MANY:
            give_back_memory()
        self.graph.extend(tasks[self.count :] if self.count else tasks)
        self.count = len(recording.tasks)
        for other in self.graph.recordings:
            if other is not recording:
                other.results = recording.results
        space, inputs = vars(self.module), recording.encoder.files
        script = str(self.module.__file__)
        beside = modules_beside(os.path.dirname(script))  # noqa: PTH120 - each time
        note_paths(inputs, [path for path in beside if path != script])
        recording.results.folder = self.folder
        return Loaded(self.graph, space, recording.results, missing, inputs)


def no_jugfile(path: Path, shown: str | Path) -> JugfileError:
    """Return what to say of a jugfile that there is not."""
    script = Path(f"{path}.py")
    named = script.is_file() and f"did you mean {shown}.py?"
    what = named or "give the path of your script"
    return JugfileError(f"there is no jugfile {shown}; {what}")


def is_a_folder(path: str | Path) -> JugfileError:
    """Return what to raise if the path of a jugfile is that of a directory."""
    return JugfileError(
        f"{path} is a directory, no jugfile; give the path of your script"
    )
