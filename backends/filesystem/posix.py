"""System calls that mean the same on every file system, NFS included.

Atomic with one winner: ``link``, ``mkdir``, renaming a directory onto a name. Nothing
here relies on ``rename`` onto a file's name, on ``flock``, or on two clocks agreeing.
A reply can get lost: whoever is refused looks whether it was his own deed.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from backends.errors import DamagedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from backends.interface import Bytes

P = ParamSpec("P")
R = TypeVar("R")
_REFUSED = {errno.EPERM, errno.EXDEV, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS}
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
_AGAIN = {errno.ESTALE, errno.EIO}
_ATTEMPTS = 4
_MANY = 1 << 20
_TICK = 0.02
"""Seconds in which a server's clock goes on, at the latest."""
_APART = 1_000_000
"""Nanoseconds between two times of a directory that all clients take for two."""
_MOMENT = 0.05
"""Seconds in which a writer removes the other name of what it has put somewhere."""
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


def put_if_absent(staged: str, path: str) -> bool:
    """Give a finished file its public name unless somebody has it; say if we did.

    Raises
    ------
    FileNotFoundError
        The directory of `path` is not there.
    """
    try:
        os.link(staged, path)
    except OSError as error:
        if _linked(staged):  # our own deed, its reply was lost
            return True
        if error.errno == errno.EEXIST:
            return False
        if error.errno not in _REFUSED:
            raise
        return _put_directory_if_absent(staged, path)
    return True


def put_noticed(staged: str, path: str) -> bool:
    """Do the same so that other clients of a network file system notice it, too.

    They believe "no such file" for as long as its directory has the time that it had
    then (NFS v3), and a server's clock stands still for up to 10 ms: of two changes in
    that time they may see the first one only, until half a minute later.
    """
    directory = os.path.dirname(path)
    before = os.stat(directory).st_mtime_ns
    done = put_if_absent(staged, path)
    if done:
        with suppress(OSError):
            found = os.stat(directory)
            if found.st_mtime_ns <= before:
                _tell_apart(directory, found.st_atime_ns, before + _APART)
    return done


def _tell_apart(directory: str, accessed: int, changed: int) -> None:
    """Give a directory another time than it had before."""
    try:
        os.utime(directory, ns=(accessed, changed))
    except PermissionError:  # it is somebody else's
        time.sleep(_TICK)
        os.utime(directory)


def appeared(path: str) -> bool:
    """Return whether a file is there, and leave it to its writer for a moment.

    Who opens a file right when its other name is removed may be asked to give back what
    the server has not told him yet that he has (a delegation of NFS v4): it asks again
    after two seconds, for which the writer waits.
    """
    try:
        names = os.stat(path).st_nlink
    except OSError:
        return False
    if names > 1:
        time.sleep(_MOMENT)
    return True


def _linked(staged: str) -> bool:
    """Return whether a staged file has a public name too, by the server's word."""
    descriptor = os.open(staged, os.O_RDONLY)  # a plain stat may answer from a cache
    try:
        return os.fstat(descriptor).st_nlink > 1
    finally:
        os.close(descriptor)


def _put_directory_if_absent(staged: str, path: str) -> bool:
    """Do the same where hard links are refused.

    Renaming a directory onto a directory that is not empty, or onto a file, is
    refused everywhere; so the public name becomes a directory that holds the file.
    """
    private = staged + ".d"
    mine = os.stat(staged).st_ino
    os.mkdir(private)
    os.rename(staged, f"{private}/segment")
    try:
        os.rename(private, path)
    except OSError as error:
        with suppress(OSError):
            if os.stat(f"{path}/segment").st_ino == mine:
                return True  # the reply was lost
        os.rename(f"{private}/segment", staged)
        os.rmdir(private)
        if error.errno in _TAKEN:
            return False
        raise
    return True


def read_file(path: str, limit: int | None = None) -> tuple[bytes, int]:
    """Return the first `limit` bytes that were put at `path` and the size of it all.

    Raises
    ------
    FileNotFoundError
        Nothing was.
    DamagedError
        It is a directory, or a link.
    OSError
        It cannot be read now.
    """
    try:
        return _read_once(path, limit)
    except FileNotFoundError:
        # NFS keeps "no such file" for up to a minute: opening the directory asks.
        if not revalidate(os.path.dirname(path)):
            raise
    return _read_once(path, limit)


def reads_again(read: Callable[P, R]) -> Callable[P, R]:
    """Have a function that opens a file and reads from it begin anew if that passes.

    ESTALE: the file was removed or replaced on the server, perhaps after it was opened.
    EIO: a soft mount's time-out looks like a broken disk, but passes. It says nothing
    of the bytes: whoever took it for a damage would not know what all others do.
    """

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(_ATTEMPTS - 1):
            try:
                return read(*args, **kwargs)
            except OSError as error:
                if error.errno not in _AGAIN:
                    raise
                time.sleep(0.05 * 3**attempt)
        return read(*args, **kwargs)

    return reading


def open_anew(path: str) -> int:
    """Return a descriptor to read from, also if the file was just replaced."""
    for _ in range(_ATTEMPTS):
        try:
            return _open(path)
        except OSError as error:
            if error.errno not in _AGAIN:
                raise
    return _open(path)


def _open(path: str) -> int:
    try:
        # A pipe would have us wait. A link may lead to nothing: then its name is taken
        # and yet nothing is there, which the writers of a journal would try for ever.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise DamagedError(path, "it is no file") from None
        if error.errno == errno.ELOOP:
            raise DamagedError(path, "it is a link to somewhere else") from None
        raise


@reads_again
def _read_once(path: str, limit: int | None) -> tuple[bytes, int]:
    descriptor = _open(path)
    try:
        found = os.fstat(descriptor)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            raise DamagedError(path, "it is no file")
        size = found.st_size
        return read_exactly(
            descriptor, size if limit is None else min(size, limit)
        ), size
    except IsADirectoryError:
        with suppress(FileNotFoundError, NotADirectoryError):
            return _read_once(f"{path}/segment", limit)
        raise DamagedError(path, "it is a directory") from None
    finally:
        os.close(descriptor)


def read_exactly(descriptor: int, wanted: int) -> bytes:
    """Return `wanted` bytes from where a descriptor stands, fewer at the end."""
    data = os.read(descriptor, wanted)
    while len(data) < wanted and (more := os.read(descriptor, wanted - len(data))):
        data += more
    return data


def read_at(descriptor: int, wanted: int, offset: int) -> bytes:
    """Return `wanted` bytes from an offset of a file on, fewer at its end."""
    if wanted > _MANY:  # what a damaged file says of itself may be more than there is
        wanted = min(wanted, max(0, os.fstat(descriptor).st_size - offset))
    data = os.pread(descriptor, wanted, offset)
    while len(data) < wanted and (
        more := os.pread(descriptor, wanted - len(data), offset + len(data))
    ):
        data += more
    return data


def create_file(path: str) -> int:
    """Return a descriptor of a new file; others may do with it as the umask says."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)


def write_file(
    descriptor: int, path: str, chunks: Iterable[Bytes], *, durable: bool
) -> None:
    """Write a new file, whole or not at all; with `durable`, through to the disk."""
    try:
        try:
            for chunk in chunks:
                view = memoryview(chunk).cast("B") if len(chunk) else memoryview(b"")
                while view:
                    view = view[os.write(descriptor, view[: 1 << 30]) :]
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def overwrite(path: str, place: int, data: bytes) -> None:
    """Write over a few bytes of a file that nobody else looks at yet."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, data, place)
    finally:
        os.close(descriptor)


def revalidate(directory: str) -> bool:
    """Make a network file system's client ask for a directory; say if it is there."""
    try:
        os.close(os.open(directory, os.O_RDONLY | os.O_DIRECTORY))
    except OSError:
        return False
    return True


def remove_tree(entry: os.DirEntry[str]) -> int:
    """Remove a file or a folder; return its bytes. Others may do so too."""
    size = 0
    with suppress(FileNotFoundError):
        if entry.is_dir(follow_symlinks=False):
            for child in os.scandir(entry.path):
                size += remove_tree(child)
            os.rmdir(entry.path)
        else:
            size = entry.stat(follow_symlinks=False).st_size
            os.unlink(entry.path)
    return size


def bytes_in(path: str) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 if there is none."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(f"{folder}/{name}").st_size
    if not os.path.isdir(path):
        with suppress(FileNotFoundError):
            total = os.lstat(path).st_size
    return total


def numbers_in(folder: str, digits: int, ending: str = "") -> set[int]:
    """Return the numbers that files or folders in a folder have as their names.

    Names that are not as we write them, with so many digits at least, are not ours: a
    copy called ``0331`` must not count as the 331st of all.
    """
    try:
        names = [name.removesuffix(ending) for name in os.listdir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return set()
    found = {name: int(name) for name in names if name.isdecimal()}
    return {number for name, number in found.items() if name == f"{number:0{digits}d}"}


def is_remote(root: Path) -> bool:
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
def explained(deed: str) -> Iterator[None]:
    """Turn errors of system calls into one sentence that says what to do."""
    try:
        yield
    except OSError as error:
        raise explain(error, deed) from error


def explain(error: OSError, deed: str) -> UnavailableError:
    """Return the error to raise for a system call's."""
    advice = {
        errno.ENOSPC: "the disk or its inodes are full; free some and start again",
        errno.EDQUOT: "your quota is used up; free some and start again",
        errno.EROFS: "the file system is read-only; choose another --store",
        errno.EACCES: "permission denied; ask its owner or choose another --store",
        errno.EPERM: "permission denied; ask its owner or choose another --store",
        errno.EIO: (
            "input/output error; look at the disk, then start again (if it stays, move "
            "that file away and run `tg fsck --repair`)"
        ),
        errno.ENOENT: "it was removed meanwhile; start again",
        errno.EMFILE: "too many files are open; close some, or raise `ulimit -n`",
    }
    reason = advice.get(error.errno or 0, error.strerror or str(error))
    return UnavailableError(f"cannot {deed}: {reason}")
