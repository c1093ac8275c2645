"""A journal in the memory of one process: for tests, notebooks and as the model."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from itertools import count
from math import nan
from typing import TYPE_CHECKING

from backends.errors import DamagedError, OpenError
from backends.interface import Bytes, Member
from backends.reading import to_be_replaced
from backends.segment import LINK_AT, void_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


def open_log(url: str, *, create: bool) -> MemoryLog:  # noqa: ARG001 - always a new one
    """Return an empty log.

    Raises
    ------
    OpenError
        The URL names one: none could be found by its name.
    """
    if url not in ("memory:", "memory://"):
        raise OpenError(
            f"{url!r}: a store in memory has no name; write memory:// "
            f"(./{url} if a directory is called that)"
        )
    return MemoryLog()


@dataclass(slots=True)
class Room:
    """What all `MemoryLog` of one store share."""

    frames: list[bytes] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    members: dict[str, tuple[Mapping[str, object], int, float]] = field(
        default_factory=dict
    )
    changed: threading.Condition = field(default_factory=threading.Condition)


class MemoryLog:
    """A `Log` whose users share a `Room`."""

    shared = False
    latency = 0.0
    lasting = True
    block_size = 1000

    def __init__(self, room: Room | None = None, url: str = "memory://") -> None:
        self.room = room or Room()
        self.url = url
        self.blobs = MemoryBlobs(self.room)
        self.documents = MemoryDocuments(self.room)
        self.members = MemoryMembers(self.room)
        self.space = MemorySpace(self.room)
        self._staged: dict[str, bytes] = {}
        self._names = count()

    def make(self) -> None:
        pass

    def again(self) -> MemoryLog:
        return MemoryLog(self.room, self.url)

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        frames = self.room.frames
        if position >= len(frames):
            return None
        frame = frames[position]
        return frame[:limit], len(frame)

    def merged(self, position: int) -> None:
        """Return None: one frame is as near as many."""

    def unnoticed(self) -> Iterable[tuple[str, str, int | None]]:
        return ()

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:  # noqa: ARG002 - nothing in memory outlives the process
        name = str(next(self._names))
        self._staged[name] = b"".join(frame)
        return name

    def append(self, position: int, staged: str, link: bytes = b"") -> bool:
        frame = self._staged[staged]
        if link:
            frame = frame[:LINK_AT] + link + frame[LINK_AT + len(link) :]
        with self.room.changed:
            if position != len(self.room.frames):
                return False
            self.room.frames.append(frame)
            self.room.changed.notify_all()
        return True

    def retract(self, position: int, staged: str) -> None:
        pass  # nothing that came before is ever gone

    def unstage(self, staged: str) -> None:
        self._staged.pop(staged, None)

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int],
        end: int = 0,  # noqa: ARG002 - nothing that was read is ever gone
    ) -> int:
        kept = {position: frame(position) for position in sizes}
        start = block * self.block_size
        freed = 0
        with self.room.changed:
            for position in range(start, start + self.block_size):
                left = kept.get(position) or void_frame(gone.get(position, 0))
                freed += len(self.room.frames[position]) - len(left)
                self.room.frames[position] = left
        return freed

    def refresh(self) -> None:
        pass

    def after(self, position: int) -> int | None:
        return position if position < len(self.room.frames) else None

    def wait(self, position: int, seconds: float) -> None:
        with self.room.changed:
            self.room.changed.wait_for(
                lambda: len(self.room.frames) > position, timeout=seconds
            )

    def replace(self, position: int, frame: bytes, own: int = 0) -> bool:
        if not to_be_replaced(self, position, own):
            return False
        with self.room.changed:
            self.room.frames[position] = frame
        return True

    def close(self) -> None:
        pass


class MemoryBlobs:
    """The `Blobs` of a room."""

    def __init__(self, room: Room) -> None:
        self._blobs = room.blobs

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        self._blobs[name] = data = b"".join(chunks)
        return len(data)

    def open(self, name: str) -> memoryview:
        try:
            return memoryview(bytearray(self._blobs[name]))
        except KeyError:
            raise DamagedError(f"blob {name}", "it is gone") from None

    def all(self) -> Iterable[tuple[str, int]]:
        return [(name, len(data)) for name, data in self._blobs.items()]

    def age(self, name: str) -> float:  # noqa: ARG002 - no clock, no orphans
        return 0.0

    def trash(self, name: str) -> None:
        self._blobs.pop(name, None)


class MemoryDocuments:
    """The `Documents` of a room."""

    def __init__(self, room: Room) -> None:
        self._documents = room.documents

    def put(self, name: str, data: bytes) -> None:
        self._documents[name] = data

    def get(self, name: str) -> bytes | None:
        return self._documents.get(name)

    def names(self) -> list[str]:
        return sorted(self._documents)


class MemoryMembers:
    """The `Members` of a room."""

    def __init__(self, room: Room) -> None:
        self._members = room.members

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        _, beats, _ = self._members.get(worker, (identity, 0, 0.0))
        self._members[worker] = dict(identity), beats + 1, time.monotonic()

    def names(self) -> set[str]:
        return set(self._members)

    def some(self, workers: Iterable[str]) -> list[Member]:
        wanted = set(workers)
        return [
            replace(member, age=nan) for member in self.all() if member.worker in wanted
        ]

    def all(self) -> list[Member]:
        now = time.monotonic()
        return [
            Member(worker, identity, float(beats), now - last)
            for worker, (identity, beats, last) in list(self._members.items())
        ]

    def leave(self, worker: str) -> None:
        self._members.pop(worker, None)


class MemorySpace:
    """The `Space` of a room: nothing is staged for long, nor is there a trash."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def now(self) -> float:
        return time.time()

    def open_to_all(self) -> bool:
        return False

    def size(self) -> int:
        return sum(map(len, [*self._room.frames, *self._room.blobs.values()]))

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:  # noqa: ARG002 - there are none
        return []

    def empty_trash(self, older_than: float) -> int:  # noqa: ARG002 - what is trashed here is gone at once
        return 0
