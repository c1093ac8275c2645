"""The graph as it was last loaded, kept in the store: `tg status` needs no jugfile."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgpack

from backends.interface import KEY_SIZE
from taskgraph.compression import zstd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backends.interface import Backend
    from taskgraph.graph import Graph

VERSION = 1
_NAME = "graph-{}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The tasks of a jugfile, without their arguments.

    Attributes
    ----------
    jugfile : str
        Its path.
    stamp : tuple of int
        Its modification time (ns) and size when it was loaded.
    time : float
        When it was loaded, in seconds since the epoch.
    complete : bool
        Whether it was read to its end, not only up to a barrier.
    names : sequence of str
        The functions' names.
    functions : array of int
        For each task the place of its name in `names`.
    keys : bytes
        The tasks' keys, concatenated, in order.
    counts, needs : array of int
        For each task how many it needs, and the places of these, concatenated.
    """

    jugfile: str
    stamp: tuple[int, int]
    time: float
    complete: bool
    names: Sequence[str]
    functions: array[int]
    keys: bytes
    counts: array[int]
    needs: array[int]

    def split(self) -> list[bytes]:
        """Return the keys one by one."""
        return [self.keys[i : i + KEY_SIZE] for i in range(0, len(self.keys), KEY_SIZE)]

    def name(self, place: int) -> str:
        """Return the function name of a task."""
        return self.names[self.functions[place]]

    def dependants(self) -> dict[bytes, list[bytes]]:
        """Return for each key that is needed the keys of the tasks that need it."""
        keys = self.split()
        found: dict[bytes, list[bytes]] = {}
        for place, needs in enumerate(self.needs_of()):
            for need in needs:
                found.setdefault(keys[need], []).append(keys[place])
        return found

    def needs_of(self) -> list[array[int]]:
        """Return for each task the places of the tasks that it needs."""
        start, found = 0, []
        for count in self.counts:
            found.append(self.needs[start : start + count])
            start += count
        return found

    def outdated(self) -> bool:
        """Return whether the jugfile is another one now."""
        return _stamp(Path(self.jugfile)) not in (self.stamp, (0, 0))


def take(graph: Graph, jugfile: Path, *, complete: bool) -> Snapshot:
    """Return the snapshot of a graph."""
    places: dict[str, int] = {}
    functions, counts, needs = array("I"), array("I"), array("I")
    where: dict[bytes, int] = {}
    for place, task in enumerate(graph.tasks):
        where[task.key] = place
        name = task.generator.name
        functions.append(places.setdefault(name, len(places)))
        counts.append(len(task.needs))
        if task.needs:
            needs.extend([where[need.key] for need in task.needs])
    return Snapshot(
        str(jugfile.absolute()),
        _stamp(jugfile),
        time.time(),
        complete,
        list(places),
        functions,
        b"".join(graph.keys()),
        counts,
        needs,
    )


def save(snapshot: Snapshot, backend: Backend) -> None:
    """Keep a snapshot as the one of its jugfile."""
    plain = (
        VERSION,
        snapshot.jugfile,
        snapshot.stamp,
        snapshot.time,
        snapshot.complete,
        list(snapshot.names),
        snapshot.functions.tobytes(),
        snapshot.keys,
        snapshot.counts.tobytes(),
        snapshot.needs.tobytes(),
    )
    data = zstd.compress(msgpack.packb(plain), 1)
    backend.put_document(_NAME.format(Path(snapshot.jugfile).stem), data)


def load(backend: Backend, jugfile: Path) -> Snapshot | None:
    """Return the last snapshot of a jugfile, None if there is none that can be read."""
    data = backend.get_document(_NAME.format(jugfile.stem))
    if data is None:
        return None
    try:
        version, path, stamp, when, complete, names, *arrays = msgpack.unpackb(
            zstd.decompress(data)
        )
    except (zstd.ZstdError, ValueError):
        return None
    if version != VERSION:
        return None
    functions, keys, counts, needs = arrays
    return Snapshot(
        path,
        (stamp[0], stamp[1]),
        when,
        complete,
        names,
        array("I", functions),
        keys,
        array("I", counts),
        array("I", needs),
    )


def _stamp(jugfile: Path) -> tuple[int, int]:
    try:
        found = jugfile.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
