"""A log as it is in a directory, in memory, with an operation of anybody in between.

Blocks are directories of names, or packs, or for a moment both; names of a merged
block that are not in its pack read as VOID; a maker of a late name finds no directory.
Each process has a log of its own on the `Disk` that all share.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING

from backends.errors import DamagedError, UnavailableError
from backends.interface import Bytes, Kind, Member, Segment
from backends.segment import LINK_AT, VOID_FRAME, check_of, decode_head, void_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from random import Random

    from .scheduler import Process, Scheduler


class Disk:
    """What all processes share.

    Attributes
    ----------
    folders : dict
        The names of each block that is not merged: frames by position.
    packs : dict
        Merged blocks: frames by position.
    appended : callable
        Is told of each frame that got a name, and where.
    """

    def __init__(
        self, scheduler: Scheduler, block_size: int, appended: Callable[..., None]
    ) -> None:
        self.scheduler = scheduler
        self.block_size = block_size
        self.appended = appended
        self.folders: dict[int, dict[int, bytes]] = {}
        self.packs: dict[int, dict[int, bytes]] = {}
        self.documents: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.processes: dict[str, Process] = {}
        self.left: dict[str, float] = {}
        self.trash: list[tuple[float, dict[int, bytes]]] = []

    def end(self) -> int:
        """Return the position after the last name."""
        last = [position for folder in self.folders.values() for position in folder]
        packed = [(block + 1) * self.block_size for block in self.packs]
        return max([*(at + 1 for at in last), *packed], default=0)

    def rewind(self, names: int) -> int:
        """Let the last names vanish, but none that was merged; return how many did."""
        gone = 0
        merged = max(self.packs, default=-1)
        for block in sorted(self.folders, reverse=True):
            if block <= merged:
                break
            folder = self.folders[block]
            for position in sorted(folder, reverse=True):
                if gone < names:
                    del folder[position]
                    gone += 1
        return gone

    def spoil(self, rng: Random) -> tuple[int, bytes] | None:
        """Flip a bit of a segment; return where, and the frame as it was."""
        homes = [*self.folders.values(), *self.packs.values()]
        places = [(home, at) for home in homes for at in home if home[at] != VOID_FRAME]
        if not places:
            return None
        home, at = rng.choice(places)
        frame = home[at]
        spoilt = bytearray(frame)
        spoilt[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
        home[at] = bytes(spoilt)
        return at, frame


class SimulatedLog:
    """A `Log` of one process."""

    shared = True
    latency = 0.02
    lasting = False
    url = "simulation"

    def __init__(self, disk: Disk, process: Process) -> None:
        self.disk = disk
        self.process = process
        self.block_size = disk.block_size
        self.blobs = SimulatedBlobs(self)
        self.documents = SimulatedDocuments(self)
        self.members = SimulatedMembers(self)
        self.space = SimulatedSpace(self)
        self._staged: dict[str, bytes] = {}
        self._names = count()
        self._known_packs: set[int] = set()

    def step(self, what: str, *, pause: bool = False) -> None:
        self.disk.scheduler.step(what, pause=pause)
        if self.process.unavailable:
            self.process.unavailable = False
            raise UnavailableError(f"cannot {what}: Input/output error")

    def make(self) -> None:
        self.step("make")

    def again(self) -> SimulatedLog:
        return SimulatedLog(self.disk, self.process)

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        self._read(f"segment {position}")
        found = self._find(position)
        return None if found is None else (found[:limit], len(found))

    def _read(self, what: str) -> None:
        self.step(f"read {what}")
        if self.process.failing_reads:
            self.process.failing_reads -= 1
            self.disk.scheduler.note(f"EIO at {what}")
            raise UnavailableError(f"cannot read {what}: input/output error")

    def merged(self, position: int) -> list[tuple[int, Segment | DamagedError]] | None:
        block, place = divmod(position, self.block_size)
        if place and block not in self._known_packs:
            return None
        self._read(f"pack of block {block}")
        pack = self.disk.packs.get(block)
        if pack is None:
            return None
        self._known_packs.add(block)
        left = [(at, _head(pack[at])) for at in sorted(pack) if at >= position]
        return [one for one in left if getattr(one[1], "kind", None) != Kind.VOID]

    def _find(self, position: int) -> bytes | None:
        disk = self.disk
        block, place = divmod(position, self.block_size)
        if block not in self._known_packs and (place or block not in disk.packs):
            found = disk.folders.get(block, {}).get(position)
            if found is not None:
                return found
        pack = disk.packs.get(block)
        if pack is None:
            return None
        self._known_packs.add(block)
        return pack.get(position, VOID_FRAME)

    def unnoticed(self) -> list[tuple[str, str, int | None]]:
        return []

    def refresh(self) -> None:
        pass

    def after(self, position: int) -> int | None:
        self.step(f"look beyond {position}")
        first, size, disk = position // self.block_size, self.block_size, self.disk
        found = [max(position, b * size) for b in disk.packs if b >= first]
        for folder in disk.folders.values():
            found += [at for at in folder if at >= position]
        return min(found, default=None)

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:
        name = str(next(self._names))
        self._staged[name] = b"".join(frame)
        self.step("stage")
        return name

    def append(self, position: int, staged: str, link: bytes = b"") -> bool:
        self.step(f"append at {position}", pause=True)
        frame = self._staged[staged]
        frame = frame[:LINK_AT] + link + frame[LINK_AT + len(link) :]
        done = self._link(position, frame)
        self.step(f"appended at {position}" if done else "too late", pause=True)
        return done

    def _link(self, position: int, frame: bytes) -> bool:
        disk = self.disk
        block, place = divmod(position, self.block_size)
        folder = disk.folders.get(block)
        if folder is None:
            if block in disk.packs:
                return False
            if place:
                raise UnavailableError(f"cannot write segment {position}: no folder")
            folder = disk.folders[block] = {}
        if position in folder:
            return False
        folder[position] = frame
        disk.scheduler.grown(position + 1)
        disk.appended(position, frame)
        return True

    def retract(self, position: int, staged: str) -> None:
        self.step(f"retract {position}", pause=True)
        folder = self.disk.folders.get(position // self.block_size, {})
        if check_of(folder.get(position, VOID_FRAME)) == check_of(self._staged[staged]):
            del folder[position]
            self.disk.scheduler.end = self.disk.end()

    def unstage(self, staged: str) -> None:
        self._staged.pop(staged, None)

    def merge(
        self,
        block: int,
        sizes: Mapping[int, int],
        frame: Callable[[int], bytes],
        gone: Mapping[int, int],
        end: int = 0,
    ) -> int:
        disk = self.disk
        self.step(f"merge block {block}", pause=True)
        pack = {at: void_frame(check) for at, check in gone.items()}
        pack |= {position: frame(position) for position in sizes}
        if block not in disk.folders and block in disk.packs:
            old = sum(map(len, disk.packs[block].values()))
            if old <= sum(map(len, pack.values())):
                return 0
        self.step(f"pack of block {block} staged", pause=True)
        if not self._ends_with(block, end):
            return 0
        disk.packs[block] = pack
        self.step(f"pack of block {block} in place", pause=True)
        if block in disk.folders and not self._ends_with(block, end):
            del disk.packs[block]
            return 0
        former = disk.folders.pop(block, None)
        if former is not None:
            disk.trash.append((disk.scheduler.now, former))
        self.step(f"block {block} merged: {sorted(sizes)}")
        return 1

    def _ends_with(self, block: int, end: int) -> bool:
        if not end:
            return True
        pack = self.disk.packs.get(block, {})
        last = (block + 1) * self.block_size - 1
        found = self.disk.folders.get(block, pack).get(last)
        return found is not None and _check(found) == end

    def replace(self, position: int, frame: bytes, own: int = 0) -> bool:
        self.step(f"replace {position}", pause=True)
        block = position // self.block_size
        if block in self.disk.packs:
            return False
        folder = self.disk.folders.setdefault(block, {})
        if _check(folder.get(position, VOID_FRAME)) not in {0, own}:
            return False
        if position in folder:
            former = {position: folder[position]}
            self.disk.trash.append((self.disk.scheduler.now, former))
        folder[position] = frame
        return True

    def wait(self, position: int, seconds: float) -> None:
        self.disk.scheduler.note(f"wait for {position}")
        self.disk.scheduler.sleep(seconds, position=position)

    def close(self) -> None:
        pass


def _check(frame: bytes) -> int:
    """Return what `check_at` does."""
    head = _head(frame)
    void = isinstance(head, Segment) and head.kind is Kind.VOID
    return head.check if void else check_of(frame)


@lru_cache(1 << 12)
def _head(frame: bytes) -> Segment | DamagedError:
    """Return the segment of a frame that many read, without its body, or its damage."""
    try:
        return decode_head(frame, "a segment of a pack")
    except DamagedError as error:
        return error


class SimulatedMembers:
    """The `Members`: a process beats for as long as it goes on, by itself."""

    def __init__(self, log: SimulatedLog) -> None:
        self._log = log

    def beat(self, worker: str, identity: Mapping[str, object]) -> None:
        self._log.step("join")
        process, disk = self._log.process, self._log.disk
        process.joined = process.beaten = disk.scheduler.now
        process.identity = dict(identity)
        disk.processes[worker] = process
        disk.left.pop(worker, None)

    def names(self) -> set[str]:
        return {member.worker for member in self.all()}

    def some(self, workers: Iterable[str]) -> list[Member]:
        wanted = set(workers)
        return [member for member in self.all() if member.worker in wanted]

    def all(self) -> list[Member]:
        self._log.step("look at members")
        disk = self._log.disk
        found = []
        for worker, process in disk.processes.items():
            beat = process.last_beat()
            # A heartbeat makes the file again that somebody removed.
            if beat > disk.left.get(worker, -1.0):
                age = disk.scheduler.now - beat
                found.append(Member(worker, process.identity, beat, age))
        return found

    def leave(self, worker: str) -> None:
        self._log.step(f"sign off {worker}")
        disk = self._log.disk
        disk.left[worker] = disk.scheduler.now
        if worker == self._log.process.name:
            self._log.process.last_beat()
            self._log.process.joined = None


class SimulatedDocuments:
    """The `Documents`."""

    def __init__(self, log: SimulatedLog) -> None:
        self._log = log

    def put(self, name: str, data: bytes) -> None:
        self._log.step(f"put {name}")
        self._log.disk.documents[name] = data

    def get(self, name: str) -> bytes | None:
        self._log.step(f"get {name}")
        return self._log.disk.documents.get(name)

    def names(self) -> list[str]:
        self._log.step("list documents")
        return sorted(self._log.disk.documents)


class SimulatedBlobs:
    """The `Blobs`; results of the simulation are small, so there are none."""

    def __init__(self, log: SimulatedLog) -> None:
        self._blobs = log.disk.blobs

    def write(self, name: str, chunks: Iterable[Bytes]) -> int:
        self._blobs[name] = data = b"".join(chunks)
        return len(data)

    def open(self, name: str) -> memoryview:
        return memoryview(self._blobs[name])

    def all(self) -> Iterable[tuple[str, int]]:
        return [(name, len(data)) for name, data in self._blobs.items()]

    def age(self, name: str) -> float:
        return 0.0

    def trash(self, name: str) -> None:
        self._blobs.pop(name, None)


class SimulatedSpace:
    """The `Space`."""

    def __init__(self, log: SimulatedLog) -> None:
        self._log = log

    def now(self) -> float:
        return self._log.disk.scheduler.now

    def size(self) -> int:
        return 0

    def leftovers(self, older_than: float, *, remove: bool = False) -> list[str]:
        return []

    def empty_trash(self, older_than: float) -> int:
        disk = self._log.disk
        before = disk.scheduler.now - older_than
        kept = [(when, what) for when, what in disk.trash if when > before]
        freed, disk.trash = len(disk.trash) - len(kept), kept
        return freed
