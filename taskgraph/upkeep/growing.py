"""Snapshots taken of a graph, whole or in pieces: what a worker tells of it."""

from __future__ import annotations

import time
import zlib
from array import array
from dataclasses import replace
from itertools import compress, count, islice
from operator import attrgetter, is_
from typing import TYPE_CHECKING

from taskgraph.calls.kept import Calls
from taskgraph.calls.packing import calls_of, signature_of
from taskgraph.identity.call_keys import KEY_SIZE
from taskgraph.upkeep.asking import asking_of
from taskgraph.upkeep.jugfile_store import stamp_of
from taskgraph.upkeep.snapshot import Snapshot, decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from taskgraph.identity.input_files import InputFiles
    from taskgraph.tasks.graph import Graph
    from taskgraph.tasks.task import Task, TaskGenerator

_KEY, _NEEDS = attrgetter("key"), attrgetter("needs")
_MOST = 100_000
"""Tasks in a piece: those of a large graph take memory while they are told."""
_FEW = 1000


class Growing:
    """Takes snapshots of a graph that grows, each of what is new in it.

    Parameters
    ----------
    jugfile : Path
        What it is read from.
    arguments : sequence of str
        What that is given on the command line.

    Attributes
    ----------
    size : int
        How many tasks were taken.
    check : int
        The CRC-32 of their keys.
    """

    def __init__(self, jugfile: Path, arguments: Sequence[str] = ()) -> None:
        self._jugfile = jugfile
        self._arguments = tuple(arguments)
        self._names: dict[str, int] = {}
        self._functions: dict[TaskGenerator, int] = {}
        self._signatures: dict[str, bytes] = {}
        self._places: _Places = _Places()
        self.size, self.check = 0, zlib.crc32(b"")

    def pieces(
        self,
        graph: Graph,
        missing: Sequence[bytes] = (),
        inputs: InputFiles | None = None,
        *,
        most: int = _MOST,
    ) -> Iterator[Snapshot]:
        """Yield the tasks that are new, some at a time; at least one piece.

        What they need is counted from the beginning of the graph.

        Parameters
        ----------
        graph : Graph
            The same as before, or longer.
        missing : sequence of bytes
            Keys that a barrier waits for.
        inputs : InputFiles, optional
            What the jugfile has read; the last piece tells it.
        most : int
            Tasks in a piece.
        """
        start = self.size
        new = graph.last(len(graph) - start) if start else graph.tasks
        keys = map(_KEY, new) if start else iter(graph)
        functions = self._functions_of(graph)
        self._places.extend(new)
        for first in range(0, len(new) or 1, most):
            some = slice(first, first + most)
            told = b"".join(list(islice(keys, most)))
            read = inputs if first + most >= len(new) else None
            tasks = new[some]
            columns = told, functions[some], *self._needed(tasks)
            self.size += len(tasks)
            self.check = zlib.crc32(told, self.check)
            calls = calls_of(tasks, columns[2])
            yield self._taken(columns, calls, b"".join(missing), read)

    def is_as(
        self,
        last: Snapshot,
        graph: Graph,
        missing: Sequence[bytes] = (),
        inputs: InputFiles | None = None,
    ) -> bool:
        """Return whether a graph of which nothing was taken is as the last one was.

        What its tasks need follows from their keys, and is not looked at once more.
        """
        if self.size or not have_keys(graph, last.keys):
            return False
        columns = last.keys, self._functions_of(graph), last.counts, last.needs
        tasks, calls = graph.tasks, Calls()
        for first in range(0, len(tasks), _MOST):
            some = slice(first, first + _MOST)
            calls += calls_of(tasks[some], last.counts[some])
        return last.says(self._taken(columns, calls, b"".join(missing), inputs))

    def _functions_of(self, graph: Graph) -> array[int]:
        """Return the numbers of the functions of those tasks that were not taken."""
        for generator in graph.generators:
            place = self._names.setdefault(generator.name, len(self._names))
            self._functions[generator] = place
            if generator.name not in self._signatures:
                self._signatures[generator.name] = signature_of(generator).encode()
        functions = array("I")
        for generator, places in graph.runs(self.size):
            functions += array("I", [self._functions[generator]]) * len(places)
        return functions

    def _needed(self, tasks: Sequence[Task]) -> tuple[array[int], array[int]]:
        """Return how many tasks each of these needs, and where they are."""
        needs, numbers = array("I"), array("I")
        counts = array("I", bytes(needs.itemsize * len(tasks)))
        last: object = ()
        for place in compress(count(), map(_NEEDS, tasks)):
            needed = tasks[place].needs
            if needed is not last:
                last = needed
                numbers = self._places.of(needed, self.size + place)
            counts[place] = len(numbers)
            needs.extend(numbers)
        return counts, needs

    def _taken(
        self,
        columns: tuple[bytes, array[int], array[int], array[int]],
        calls: Calls,
        missing: bytes,
        inputs: InputFiles | None,
    ) -> Snapshot:
        keys, functions, counts, needs = columns
        return Snapshot(
            jugfile=str(self._jugfile.resolve()),
            arguments=self._arguments,
            stamp=stamp_of(self._jugfile),
            time=time.time(),
            missing=missing,
            names=list(self._names),
            functions=functions,
            keys=keys,
            counts=counts,
            needs=needs,
            writing=tuple(one.name for one in self._functions if one.files),
            inputs=dict(inputs or {}),
            calls=calls,
            signatures=tuple(self._signatures.values()),
            asking=asking_of(self._functions),
        )


def have_keys(graph: Graph, keys: bytes) -> bool:
    """Return whether the tasks of a graph have these keys, in order.

    Few are joined at a time, as a join takes 80 bytes of memory for each: so they are
    the same memory each time.
    """
    rest, step = iter(graph), _FEW * KEY_SIZE
    return len(graph) * KEY_SIZE == len(keys) and all(
        b"".join(islice(rest, _FEW)) == keys[first : first + step]
        for first in range(0, len(keys), step)
    )


class _Places:
    """Where tasks are in their graph.

    A task mostly needs what is as far before it as what the last one needed, or what
    comes next: as long as that is so, no table of all is made.
    """

    def __init__(self) -> None:
        self._tasks: Sequence[Task] = ()
        self._table: dict[bytes, int] = {}
        self._last, self._from = array("I"), 0

    def extend(self, new: Sequence[Task]) -> None:
        """Take in the tasks that a graph has got since."""
        if self._tasks:
            self._list(self._tasks)
            self._tasks = ()
        if self._table:
            self._list(new)
        else:
            self._tasks = new

    def _list(self, tasks: Sequence[Task]) -> None:
        keys = map(_KEY, tasks)
        self._table.update(zip(keys, count(len(self._table)), strict=False))

    def of(self, needs: Sequence[Task], place: int) -> array[int]:
        """Return where the tasks are that the one at a place needs."""
        found = self._guessed(needs, place - self._from) if self._tasks else None
        if found is None:
            self.extend(())
            table = self._table
            found = array("I", [table[need.key] for need in needs])
        self._last, self._from = found, place
        return found

    def _guessed(self, needs: Sequence[Task], step: int) -> array[int] | None:
        """Return where they are, if it is where they are expected."""
        tasks, last, found = self._tasks, self._last, array("I")
        start = last[0] + step if last else 0
        part = tasks[start : start + len(needs)]
        if len(part) == len(needs) and all(map(is_, needs, part)):
            return array("I", range(start, start + len(needs)))
        guess = -1
        for number, need in enumerate(needs):
            guess = last[number] + step if number < len(last) else guess + 1
            if guess >= len(tasks) or tasks[guess] is not need:
                return None
            found.append(guess)
        return found


def joined(pieces: list[bytes]) -> Snapshot | None:
    """Return encoded pieces as one; None if another version wrote one of them.

    They are taken out of the list, because all of a large graph take much memory.
    """
    keys, calls, one = [], Calls(), None
    functions, counts, needs = array("I"), array("I"), array("I")
    while pieces:
        one = decode(pieces.pop(0))
        if one is None:
            return None
        keys.append(one.keys)
        functions.extend(one.functions)
        counts.extend(one.counts)
        needs.extend(one.needs)
        calls += one.calls
    if one is None:
        return None
    return replace(
        one,
        keys=b"".join(keys),
        functions=functions,
        counts=counts,
        needs=needs,
        calls=calls,
    )


def take(
    graph: Graph,
    jugfile: Path,
    *,
    arguments: Sequence[str] = (),
    missing: Sequence[bytes] = (),
    inputs: InputFiles | None = None,
) -> Snapshot:
    """Return the snapshot of a graph; `missing` is what a barrier waits for."""
    growing = Growing(jugfile, arguments)
    (taken,) = growing.pieces(graph, missing, inputs, most=len(graph) or 1)
    return taken
