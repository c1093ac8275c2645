"""A journal in the memory of one process: for tests, notebooks and as the model."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from backends.errors import DamagedError
from backends.interface import Bytes, Kind, Member, Segment
from backends.segment import encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


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
    block_size = 1000

    def __init__(self, room: Room | None = None, url: str = "memory://") -> None:
        self.room = room or Room()
        self.url = url
        self._staged: dict[str, bytes] = {}
        self._names = count()

    def make(self) -> None:
        pass

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        frames = self.room.frames
        if position >= len(frames):
            return None
        frame = frames[position]
        return frame[:limit], len(frame)

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:  # noqa: ARG002 - nothing in memory outlives the process
        name = str(next(self._names))
        self._staged[name] = b"".join(frame)
        return name

    def append(self, position: int, staged: str) -> bool:
        with self.room.changed:
            if position != len(self.room.frames):
                return False
            self.room.frames.append(self._staged[staged])
            self.room.changed.notify_all()
        return True

    def unstage(self, staged: str) -> None:
        self._staged.pop(staged, None)

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        *,
        drop: bool,  # noqa: ARG002 - what is merged here is gone at once
    ) -> int:
        void = b"".join(encode_frame(Segment(Kind.VOID, "", 0.0)))
        kept = {position: frame(position) for position in sizes}
        start = block * self.block_size
        freed = 0
        with self.room.changed:
            for position in range(start, start + self.block_size):
                left = kept.get(position, void)
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

    def write_blob(self, name: str, chunks: Iterable[Bytes]) -> int:
        self.room.blobs[name] = data = b"".join(chunks)
        return len(data)

    def open_blob(self, name: str) -> memoryview:
        try:
            return memoryview(bytearray(self.room.blobs[name]))
        except KeyError:
            raise DamagedError(f"blob {name}", "it is gone") from None

    def blobs(self) -> Iterable[tuple[str, int]]:
        return [(name, len(data)) for name, data in self.room.blobs.items()]

    def blob_age(self, name: str) -> float:  # noqa: ARG002 - no clock, no orphans
        return 0.0

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:  # noqa: ARG002 - nothing is staged for long
        return []

    def void(self, position: int) -> bool:
        with self.room.changed:
            void = Segment(Kind.VOID, "", 0.0)
            self.room.frames[position] = b"".join(encode_frame(void))
        return True

    def trash_blob(self, name: str) -> None:
        self.room.blobs.pop(name, None)

    def put_document(self, name: str, data: bytes) -> None:
        self.room.documents[name] = data

    def get_document(self, name: str) -> bytes | None:
        return self.room.documents.get(name)

    def documents(self) -> list[str]:
        return sorted(self.room.documents)

    def beat(self, worker: str, about: Mapping[str, object]) -> None:
        _, beats, _ = self.room.members.get(worker, (about, 0, 0.0))
        self.room.members[worker] = dict(about), beats + 1, time.monotonic()

    def members(self) -> list[Member]:
        now = time.monotonic()
        return [
            Member(worker, about, float(beats), now - last)
            for worker, (about, beats, last) in list(self.room.members.items())
        ]

    def leave(self, worker: str) -> None:
        self.room.members.pop(worker, None)

    def empty_trash(self, older_than: float) -> int:  # noqa: ARG002 - what is trashed here is gone at once
        return 0

    def size(self) -> int:
        return sum(map(len, [*self.room.frames, *self.room.blobs.values()]))

    def close(self) -> None:
        pass
