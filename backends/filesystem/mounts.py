"""Which file system a directory is on, and what its kind and options mean. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.interface import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ESCAPE = re.compile(r"\\([0-7]{3})")
_WHAT = "file system"
_UNKNOWN = {"lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "smbfs", "9p", "afs"}
_NO_LINKS = {"vfat", "msdos", "exfat", "fuse.exfat"}
_MEMORY = {"tmpfs", "ramfs"}
_PEER = "measure it with `--peer HOST` from a second machine before you rely on it"


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: its kind, where it is mounted, and its options."""

    kind: str
    place: str
    options: Mapping[str, str]


def mount_of(path: str, table: str) -> Mount:
    """Return the mount that a path is on.

    Parameters
    ----------
    path : str
        A real path, without links.
    table : str
        What ``/proc/self/mountinfo`` says.

    Examples
    --------
    >>> table = "36 35 0:5 / /data rw,relatime - nfs4 srv:/x rw,vers=4.2,soft"
    >>> mount_of("/data/store", table).kind
    'nfs4'
    >>> mount_of("/home", table).kind
    ''
    """
    best = Mount("", "", {})
    for line in table.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(rest) < 3:
            continue
        place = _ESCAPE.sub(lambda found: chr(int(found[1], 8)), fields[4])
        prefix = place.rstrip("/") + "/"
        if (path + "/").startswith(prefix) and len(place) >= len(best.place):
            words = f"{fields[5]},{rest[2]}".split(",")
            pairs = (word.partition("=") for word in words)
            options = {name: value for name, _, value in pairs}
            best = Mount(rest[0], place, options)
    return best


def judged(mount: Mount) -> Iterator[Finding]:
    """Yield what the kind of a file system and its options mean for a store.

    Examples
    --------
    >>> [found.level.name for found in judged(Mount("ext4", "/", {}))]
    ['FINE']
    >>> [found.advice for found in judged(Mount("overlay", "/", {}))]
    ['mount a volume, and put the store there']
    """
    kind = mount.kind
    measured = f"{kind or 'not known'}, mounted at {mount.place or '?'}"
    if kind.startswith("nfs"):
        version = mount.options.get("vers", "?")
        meaning = "all hosts that mount it may have workers; both v3 and v4 are tested"
        yield Finding(_WHAT, f"NFS {version}, mounted at {mount.place}", meaning)
        yield from _of_nfs(mount.options)
        return
    meaning, advice = "a local one: workers of this machine only", ""
    if kind == "overlay":
        meaning = "the layer of a container: what is in it ends with the container"
        advice = "mount a volume, and put the store there"
    elif kind in _MEMORY:
        meaning = "memory of this machine: what is in it ends when it is switched off"
        advice = "put the store on a disk if results are to be kept"
    elif kind in _NO_LINKS:
        meaning = "it has no hard links, and its time stamps have steps of 2 s"
        advice = "take a file system of Linux (ext4, xfs) if workers are many"
    elif kind.startswith("fuse") or kind in _UNKNOWN:
        meaning = (
            "not among those that we have measured; some of its kind show a new file "
            "to other hosts late, or let two writers win"
        )
        advice = _PEER
    level = Level.WARNING if advice else Level.FINE
    yield Finding(_WHAT, measured, meaning, advice, level)


def _of_nfs(options: Mapping[str, str]) -> Iterator[Finding]:
    if "soft" in options or "softerr" in options:
        yield Finding(
            "NFS option soft",
            "soft",
            "a server that is slow for a while looks like a broken disk: workers end",
            "mount it with hard, the default",
            Level.WARNING,
        )
    times = [f"{k}={v}" for k, v in options.items() if k.startswith("ac") and v == "0"]
    slow = [word for word in ("noac", "sync") if word in options]
    slow += ["lookupcache=none"] if options.get("lookupcache") == "none" else []
    if slow + times:
        yield Finding(
            "NFS caches",
            ", ".join(slow + times),
            "each look asks the server; stores need no such option, since they ask it "
            "themselves where it counts",
            "leave these options out, which saves most of the requests",
            Level.WARNING,
        )
    locks = "nolock" if "nolock" in options else options.get("local_lock", "none")
    if locks != "none":
        meaning = "locks of files are not seen by other hosts; stores use none"
        yield Finding("NFS locks", f"local_lock={locks}", meaning)
