"""A journal in a directory, shared by all machines that mount it.

::

    format.json                 kind and version of this layout
    log/000012/345              segment 12345
    log/000011.pack             block 11, merged: segments 11000 to 11999
    blobs/ab/abcd...-0.npy      large values
    workers/<worker>            who; its modification time is the heartbeat
    documents/<name>            snapshots; the last one written stays
    tmp/                        private to their writer until they are linked or renamed
    trash/<time>-<name>         what was removed, for a while

The protocol needs one atomic step: ``link`` a finished private file to the next
position, which refuses to replace and so has one winner, on NFS too. No flock, no
fcntl, no rename onto a name that two writers could want, no comparison of clocks.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import struct
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import DamagedError, FormatError, OpenError, UnavailableError
from backends.interface import Bytes, Kind, Member, Segment
from backends.segment import encode_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FORMAT = "taskgraph store"
VERSION = 1
_BLOCK = 1000
_PACK_ENTRY = struct.Struct("<QQ")
_REFUSED = {errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
_REMOTE = (
    "nfs",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "cifs",
    "smb",
    "9p",
    "fuse",
    "afs",
)
_VOID = b"".join(encode_frame(Segment(Kind.VOID, "", 0.0)))


class FileLog:
    """A `Log` in the directory `root`."""

    shared = True
    block_size = _BLOCK

    def __init__(self, root: Path, *, create: bool = True) -> None:
        self.url = str(root)
        self._root = root
        self._staged = 0
        self._packs: dict[int, dict[int, tuple[int, int]]] = {}
        self._pid = 0
        self._private = ""
        with _explained(f"open the store {root}"):
            self._open(create=create)
        self.latency = 0.5 if _is_remote(root) else 0.02

    def _open(self, *, create: bool) -> None:
        path = self._root / "format.json"
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            if not create:
                raise OpenError(
                    f"there is no store at {self._root}; `tg execute` makes one"
                ) from None
            if self._root.is_dir() and any(self._root.iterdir()) and not path.exists():
                self._refuse_foreign()
            for name in ("log", "blobs", "workers", "documents", "tmp", "trash"):
                (self._root / name).mkdir(parents=True, exist_ok=True)
            about = {"format": FORMAT, "version": VERSION}
            staged = self.stage([json.dumps(about).encode()], durable=True)
            _put_if_absent(staged, str(path))
            self.unstage(staged)
            text = path.read_bytes()
        except NotADirectoryError:
            raise OpenError(f"{self._root} is not a directory") from None
        _check_format(text, self._root)

    def _refuse_foreign(self) -> None:
        """Refuse a directory of somebody else; another worker may be making ours."""
        names = {entry.name for entry in self._root.iterdir()}
        ours = {"log", "blobs", "workers", "documents", "tmp", "trash", "format.json"}
        if names - ours:
            raise OpenError(
                f"{self._root} holds other files and no store; choose an empty or a "
                "new directory with --store"
            )

    # the journal

    def read(self, position: int, limit: int | None = None) -> tuple[bytes, int] | None:
        path = self._path(position)
        for attempt in range(3):
            try:
                return _read_file(path, limit)
            except FileNotFoundError:
                if os.path.isdir(os.path.dirname(path)):
                    return None
                return self._read_packed(position, limit)
            except OSError as error:
                # ESTALE: the file was replaced on the server; open it again.
                if error.errno == errno.ESTALE and attempt < 2:
                    continue
                if error.errno == errno.EIO:
                    raise DamagedError(path, "the disk cannot read it") from error
                raise _explain(error, f"read {path}") from error
        return None

    def refresh(self) -> None:
        # NFS keeps "no such file" for up to a minute; opening the directory asks anew.
        pass

    def stage(self, frame: Sequence[Bytes], *, durable: bool) -> str:
        if self._pid != os.getpid():  # forked: what we write needs other names
            self._pid = os.getpid()
            self._private = f"{self._pid:x}-{os.urandom(6).hex()}"
        self._staged += 1
        path = f"{self.url}/tmp/{self._private}-{self._staged}"
        with _explained(f"write to the store {self._root}"):
            try:
                _write_file(path, frame, durable=durable)
            except OSError:
                with suppress(OSError):
                    os.unlink(path)
                raise
        return path

    def append(self, position: int, staged: str) -> bool:
        path = self._path(position)
        with _explained(f"write to the store {self._root}"):
            try:
                return _put_if_absent(staged, path)
            except FileNotFoundError:
                if position % _BLOCK or self._packed(position // _BLOCK) is not None:
                    # Somebody merged the block in which we wanted to append: it was
                    # complete, so there is more to read first.
                    return False
                os.makedirs(os.path.dirname(path), exist_ok=True)
                return _put_if_absent(staged, path)

    def unstage(self, staged: str) -> None:
        with suppress(OSError):
            os.unlink(staged)

    def wait(self, position: int, seconds: float) -> None:
        path = self._path(position)
        directory = os.path.dirname(path)
        end = time.monotonic() + seconds
        delay = 0.001
        while True:
            _revalidate(directory)
            if os.path.exists(path):
                return
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, delay))
            delay = min(delay * 1.5, self.latency)

    def _path(self, position: int) -> str:
        block, place = divmod(position, _BLOCK)
        return f"{self.url}/log/{block:06d}/{place:03d}"

    # merged blocks

    def merge(self, block: int, frames: Mapping[int, bytes]) -> int:
        directory = self._root / "log" / f"{block:06d}"
        pack = self._root / "log" / f"{block:06d}.pack"
        positions = sorted(frames)
        table = b"".join(_PACK_ENTRY.pack(p, len(frames[p])) for p in positions)
        chunks = [struct.pack("<Q", len(positions)), table]
        chunks += [frames[p] for p in positions]
        new = sum(map(len, chunks))
        with _explained(f"merge segments in {self._root}"):
            old = pack.stat().st_size if pack.exists() else 0
            if directory.is_dir():
                old += sum(entry.stat().st_size for entry in os.scandir(directory))
            elif old <= new:
                return 0
            staged = self.stage(chunks, durable=True)
            # Two mergers write the same or an equivalent pack: either may stay.
            os.replace(staged, pack)
            self._packs.pop(block, None)
            if directory.is_dir():
                self._to_trash(directory)
        return old - new

    def _packed(self, block: int) -> dict[int, tuple[int, int]] | None:
        if block not in self._packs:
            path = f"{self.url}/log/{block:06d}.pack"
            try:
                with open(path, "rb") as file:
                    (count,) = struct.unpack("<Q", file.read(8))
                    table = file.read(count * _PACK_ENTRY.size)
                    offset = 8 + len(table)
            except FileNotFoundError:
                return None
            except (OSError, struct.error) as error:
                raise DamagedError(path, str(error)) from error
            places = {}
            for position, size in _PACK_ENTRY.iter_unpack(table):
                places[position] = offset, size
                offset += size
            self._packs[block] = places
        return self._packs[block]

    def _read_packed(
        self, position: int, limit: int | None
    ) -> tuple[bytes, int] | None:
        block = position // _BLOCK
        places = self._packed(block)
        if places is None:
            return None
        if position not in places:
            return _VOID, len(_VOID)
        offset, size = places[position]
        path = f"{self.url}/log/{block:06d}.pack"
        with _explained(f"read {path}"), open(path, "rb") as file:
            file.seek(offset)
            return file.read(size if limit is None else min(size, limit)), size

    # blobs

    def write_blob(self, name: str, chunks: Iterable[Bytes]) -> int:
        path = self._root / "blobs" / name
        staged = self.stage(list(chunks), durable=True)
        with _explained(f"write to the store {self._root}"):
            size = os.stat(staged).st_size
            try:
                os.rename(staged, path)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.rename(staged, path)
        return size

    def open_blob(self, name: str) -> memoryview:
        path = f"{self.url}/blobs/{name}"
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            raise DamagedError(f"blob {name} of {self.url}", "it is gone") from None
        except OSError as error:
            raise _explain(error, f"read {path}") from error
        try:
            if os.fstat(descriptor).st_size == 0:
                return memoryview(b"")
            # A private mapping: a task may change its input in place, nobody sees it.
            return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY))
        finally:
            os.close(descriptor)

    def blobs(self) -> Iterator[tuple[str, int]]:
        root = self._root / "blobs"
        for shard in sorted(os.scandir(root), key=lambda entry: entry.name):
            for entry in os.scandir(shard.path):
                yield f"{shard.name}/{entry.name}", entry.stat().st_size

    def trash_blob(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._to_trash(self._root / "blobs" / name)

    # documents and members

    def put_document(self, name: str, data: bytes) -> None:
        staged = self.stage([data], durable=False)
        with _explained(f"write to the store {self._root}"):
            os.replace(staged, self._root / "documents" / name)

    def get_document(self, name: str) -> bytes | None:
        try:
            return (self._root / "documents" / name).read_bytes()
        except FileNotFoundError:
            return None

    def documents(self) -> list[str]:
        try:
            return sorted(os.listdir(self._root / "documents"))
        except FileNotFoundError:
            return []

    def beat(self, worker: str, about: Mapping[str, object]) -> None:
        path = self._root / "workers" / worker
        with _explained(f"write to the store {self._root}"):
            try:
                os.utime(path)  # the server's clock stamps it
            except FileNotFoundError:
                staged = self.stage([json.dumps(dict(about)).encode()], durable=False)
                os.replace(staged, path)

    def members(self) -> list[Member]:
        found = []
        now = self._now()
        try:
            names = os.listdir(self._root / "workers")
        except FileNotFoundError:
            return []
        for name in names:
            try:
                # open and fstat: a plain stat may answer from a cache.
                with open(self._root / "workers" / name, "rb") as file:
                    stamp = os.fstat(file.fileno()).st_mtime
                    about = json.loads(file.read() or b"{}")
            except (FileNotFoundError, json.JSONDecodeError):
                continue
            found.append(Member(name, about, stamp, max(0.0, now - stamp)))
        return found

    def leave(self, worker: str) -> None:
        with suppress(OSError):
            os.unlink(self._root / "workers" / worker)

    def _now(self) -> float:
        """Return the time by the clock that stamps the heartbeats."""
        try:
            staged = self.stage([b""], durable=False)
        except UnavailableError:
            return time.time()
        stamp = os.stat(staged).st_mtime
        self.unstage(staged)
        return stamp

    # room

    def empty_trash(self, older_than: float) -> int:
        limit = time.time() - older_than
        freed = 0
        for entry in os.scandir(self._root / "trash"):
            with suppress(ValueError):
                if float(entry.name.split("-", 1)[0]) <= limit:
                    freed += _remove_tree(entry)
        return freed

    def size(self) -> int:
        return sum(
            os.lstat(Path(folder) / name).st_size
            for folder, _, names in os.walk(self._root)
            for name in names
        )

    def close(self) -> None:
        self._packs.clear()

    def _to_trash(self, path: Path) -> None:
        mark = os.urandom(3).hex()
        target = self._root / "trash" / f"{time.time():.0f}-{mark}-{path.name}"
        os.rename(path, target)


def _check_format(text: bytes, root: Path) -> None:
    try:
        about = json.loads(text)
        version = about["version"] if about["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError):
        version = None
    if version is None:
        raise FormatError(f"{root} is not a taskgraph store; choose another --store")
    if version > VERSION:
        raise FormatError(
            f"{root} has format {version}, this taskgraph reads format {VERSION}; "
            "install a newer taskgraph-segkit or choose another --store"
        )
    if version < VERSION:
        raise FormatError(
            f"{root} has format {version}, this taskgraph reads format {VERSION}; "
            "use the release that wrote it or compute anew with another --store"
        )


def _put_if_absent(staged: str, path: str) -> bool:
    """Give a finished file its public name unless somebody has it; say if we did."""
    try:
        os.link(staged, path)
    except FileExistsError:
        # Our own earlier link whose reply was lost?
        return os.stat(staged).st_nlink > 1
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        return _put_directory_if_absent(staged, path)
    return True


def _put_directory_if_absent(staged: str, path: str) -> bool:
    """Do the same where hard links are refused.

    Renaming a directory onto a directory that is not empty, or onto a file, is
    refused everywhere; so the public name becomes a directory that holds the file.
    """
    private = staged + ".d"
    os.mkdir(private)
    os.rename(staged, f"{private}/segment")
    try:
        os.rename(private, path)
    except OSError as error:
        os.rename(f"{private}/segment", staged)
        os.rmdir(private)
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            return False
        raise
    return True


def _read_file(path: str, limit: int | None) -> tuple[bytes, int]:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        _revalidate(os.path.dirname(path))
        descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        wanted = size if limit is None else min(size, limit)
        data = os.read(descriptor, wanted)
        while len(data) < wanted and (more := os.read(descriptor, wanted - len(data))):
            data += more
        return data, size
    except IsADirectoryError:
        return _read_file(f"{path}/segment", limit)
    finally:
        os.close(descriptor)


def _write_file(path: str, chunks: Sequence[Bytes], *, durable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(path, flags, 0o666)
    try:
        for chunk in chunks:
            view = memoryview(chunk).cast("B") if len(chunk) else memoryview(b"")
            while view:
                view = view[os.write(descriptor, view[: 1 << 30]) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _revalidate(directory: str) -> None:
    """Make the client of a network file system ask for the directory anew."""
    with suppress(OSError):
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY))


def _remove_tree(entry: os.DirEntry[str]) -> int:
    size = 0
    if entry.is_dir(follow_symlinks=False):
        for child in os.scandir(entry.path):
            size += _remove_tree(child)
        os.rmdir(entry.path)
    else:
        size = entry.stat(follow_symlinks=False).st_size
        os.unlink(entry.path)
    return size


def _is_remote(root: Path) -> bool:
    """Return whether other hosts may see the directory later than this one."""
    best, kind = "", ""
    path = str(root.resolve())
    try:
        mounts = Path("/proc/self/mounts").read_text()
    except OSError:
        return False
    for line in mounts.splitlines():
        _, place, name, *_ = line.split(" ")
        prefix = place.rstrip("/") + "/"
        if (path + "/").startswith(prefix) and len(prefix) >= len(best):
            best, kind = prefix, name
    return kind.startswith(_REMOTE)


@contextmanager
def _explained(deed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _explain(error, deed) from error


def _explain(error: OSError, deed: str) -> UnavailableError:
    advice = {
        errno.ENOSPC: "the disk or its inodes are full; free some and start again",
        errno.EDQUOT: "your quota is used up; free some and start again",
        errno.EROFS: "the file system is read-only; choose another --store",
        errno.EACCES: "permission denied; ask its owner or choose another --store",
        errno.EPERM: "permission denied; ask its owner or choose another --store",
        errno.EIO: "input/output error; look at the disk, then start again",
    }
    reason = advice.get(error.errno or 0, error.strerror or str(error))
    return UnavailableError(f"cannot {deed}: {reason}")
