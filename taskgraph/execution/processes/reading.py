"""A worker reads the jugfile itself: what it tells its supervisor of it."""

from __future__ import annotations

import io
import os
import sys
from collections import defaultdict
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from backends.interface import KEY_SIZE, Key
from backends.liveness import worker_identity
from taskgraph.errors import UsageError
from taskgraph.execution.at_once import run_at_once
from taskgraph.execution.output import DescriptorCopy, flush_streams
from taskgraph.upkeep import snapshot
from taskgraph.upkeep.growing import have_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from backends.interface import Backend
    from taskgraph.execution.processes.letters import Letters
    from taskgraph.results.results import Results
    from taskgraph.tasks.jugfile import Loaded, Pause
    from taskgraph.tasks.task import Task, TaskGenerator
    from taskgraph.upkeep.growing import Growing
    from taskgraph.upkeep.snapshot import Snapshot

_HALF = 1 << 64
_AT_ONCE = 100_000
Digests = dict[str, list[int]]
"""For each function: how many tasks, and a number that says which."""


class Script(Protocol):
    """A jugfile that each worker reads for itself."""

    def read(
        self,
        results: Results,
        run_at_once: Callable[[Results, Task], Any] | None,
        pause: Pause | None = None,
    ) -> Loaded:
        """Write its tasks down; what it wants at once is run by `run_at_once`.

        It may stand at barriers meanwhile, and call `pause`; see `GraphSource`.
        """

    def growing(self) -> Growing:
        """Return what takes snapshots of the graph, without its arguments."""

    def last(self, backend: Backend) -> Snapshot | None:
        """Return the graph that was kept last, if a store tells that quickly."""


@dataclass(slots=True)
class Reader:
    """Reads a jugfile in a worker; each time the supervisor is told what it says.

    Attributes
    ----------
    script : Script
        The jugfile.
    letters : Letters
        To the supervisor.
    first : bool
        Whether it is the one that shows what the script prints, and prepares the run.
    prepare : callable
        What the first one does when it has read; may refuse to run.
    whole : bool
        Whether the supervisor wants to know the graph, and not only to compare it.
    lease : float
        Seconds without a heartbeat after which others take over what it locks.
    also : sequence of str
        Other stores, which may have the results of what is run at once.
    last : Snapshot, optional
        The graph that was kept last in the store: if this one is the same, no more is
        told of it.
    known : Snapshot, optional
        The graph that the supervisor knows: likewise, where that is to compare it.
    """

    script: Script
    letters: Letters
    first: bool
    prepare: Callable[[Loaded], None]
    whole: bool
    lease: float
    also: Sequence[str] = ()
    last: Snapshot | None = None
    known: Snapshot | None = None

    def begin(self, results: Results) -> Loaded:
        """Read it for the first time in this worker.

        Raises
        ------
        JugfileError
            It raised.
        UsageError
            It is not to be run in this way.
        """
        with nullcontext() if self.first else _silent(), _no_input():
            loaded = self._read(results)
        self.letters.send("store", loaded.results.backend.url)
        if self.first:
            self.prepare(loaded)
        if self.whole:
            if not (loaded.results is results and self._tell_same(loaded)):
                self._tell(loaded, self.script.growing())
        elif self._is_known(loaded):
            self.letters.send("known", None)
        elif not any(map(_is_compound, loaded.graph.generators)):
            names = (task.generator.name for task in loaded.graph.tasks)
            digests = digests_of(zip(names, loaded.graph, strict=True))
            self.letters.send("digests", (digests, b"".join(loaded.missing)))
        return loaded

    def load(self, results: Results, pause: Pause | None = None) -> Loaded:
        """Read it again, because results let it say more."""
        growing = self.script.growing()

        def tell_and_pause(loaded: Loaded) -> bool:
            self._tell(loaded, growing)
            assert pause is not None
            return pause(loaded)

        loaded = self._read(results, tell_and_pause if pause else None)
        self._tell(loaded, growing)
        return loaded

    def _read(self, results: Results, pause: Pause | None = None) -> Loaded:
        at_once = partial(run_at_once, member=self._member, also=self.also)
        return self.script.read(results, at_once, pause)

    def _is_known(self, loaded: Loaded) -> bool:
        """Return whether a graph has the tasks of the one that is known, in order."""
        known, missing = self.known, b"".join(loaded.missing)
        if known is None or missing != known.missing:
            return False
        return have_keys(loaded.graph, known.keys)

    def _tell_same(self, loaded: Loaded) -> bool:
        """Tell that the graph is the one that was kept last; return whether it is."""
        told = loaded.graph, loaded.missing, loaded.inputs
        same = self.last and self.script.growing().is_as(self.last, *told)
        if same:
            self.letters.send("same", None)
        return bool(same)

    def _tell(self, loaded: Loaded, growing: Growing) -> None:
        """Tell what is new in a graph, and what it is that this comes after."""
        before = growing.size, growing.check
        for piece in growing.pieces(loaded.graph, loaded.missing, loaded.inputs):
            self.letters.send("piece", snapshot.encode(piece))
        self.letters.send("more", before)

    @contextmanager
    def _member(self, backend: Backend) -> Iterator[None]:
        """Be a member of a store, whose heartbeat the supervisor renews."""
        if backend.worker in backend.members.names():  # it has run tasks, and will
            yield
            return
        about = worker_identity(os.getpid(), self.lease, os.getppid())
        backend.members.beat(backend.worker, about)
        self.letters.send("joined", (backend.url, backend.worker))
        try:
            yield
        finally:
            self.letters.send("left", None)
            backend.members.leave(backend.worker)


def _is_compound(generator: TaskGenerator) -> bool:
    """Return whether what a worker reads depends on what is done when it reads."""
    return hasattr(generator.function, "__taskgraph_compound__")


def digests_of(named: Iterable[tuple[str, Key]]) -> Digests:
    """Return what tells whether two graphs have the same tasks, whatever their order.

    Examples
    --------
    >>> one = digests_of([("f", b"a" * 20), ("f", b"b" * 20), ("g", b"c" * 20)])
    >>> one == digests_of([("g", b"c" * 20), ("f", b"b" * 20), ("f", b"a" * 20)])
    True
    >>> other = digests_of([("f", b"a" * 20), ("f", b"x" * 20), ("g", b"c" * 20)])
    >>> [name for name in one if one[name] != other[name]]
    ['f']
    """
    of_each: defaultdict[str, list[Key]] = defaultdict(list)
    for name, key in named:
        of_each[name].append(key)
    return {name: [len(keys), _sum_of(keys)] for name, keys in of_each.items()}


def _sum_of(keys: list[Key]) -> int:
    """Return the sum of the beginnings of keys, which does not depend on their order.

    By words, since a number made of each key would take several times as long, and some
    keys at a time, since their join takes 80 bytes of memory for each.
    """
    total, step = 0, KEY_SIZE // 4
    for first in range(0, len(keys), _AT_ONCE):
        words = memoryview(b"".join(keys[first : first + _AT_ONCE])).cast("I")
        total += sum(words[::step]) + (sum(words[1::step]) << 32)
    return total % _HALF


@contextmanager
def _silent() -> Iterator[None]:
    """Drop what the block prints: the first reader prints the same."""
    flush_streams()
    before = DescriptorCopy(1), DescriptorCopy(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        flush_streams()
        for number, kept in enumerate(before, start=1):
            kept.copy_to(number)
            kept.close()


@contextmanager
def _no_input() -> Iterator[None]:
    """Refuse that a jugfile reads standard input: each worker would get some of it."""
    before, sys.stdin = sys.stdin, _NoInput()
    try:
        yield
    finally:
        sys.stdin = before


class _NoInput(io.TextIOBase):
    """Standard input that says why it cannot be read."""

    def fileno(self) -> int:
        return 0

    def read(self, _size: int | None = -1, /) -> NoReturn:
        self._refuse()

    def readline(self, _size: int = -1, /) -> NoReturn:  # type: ignore[override] # never returns
        self._refuse()

    @property
    def buffer(self) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UsageError(
            "each worker reads the jugfile, and standard input can be read only once; "
            "give the name of a file after --, or read the jugfile once by --preload"
        )
