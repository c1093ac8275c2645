"""A jugfile's results in one file, to be kept or attached to a paper.

It is a zip archive that any program opens: ``README.txt``, the jugfile, a list of where
each result comes from (``provenance.jsonl``), and under ``store/`` the results: a store
as it is in a directory.
"""

from __future__ import annotations

import errno
import json
import os
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from taskgraph.errors import UsageError
from taskgraph.fingerprints.parts import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backends.interface import Key
    from taskgraph.records import Record
    from taskgraph.results.results import Results

SUFFIX = ".tg.zip"
_STORE = "store"
_NO_BUNDLE = (
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
    ValueError,
    EOFError,
)
"""What reading an archive raises that somebody else has made, or has changed."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
_README = """\
Results of {jugfile}, computed with taskgraph.

{jugfile} is the script; provenance.jsonl has a line for each result: function, call,
when and where it ran, how long, with which versions and of which commit. Files that the
script imports or reads, and those that it writes, are not in here.

    tg unbundle {bundle}               puts the results into {store}
    tg value {jugfile} FUNCTION        then prints one

`store` is such a store itself: unpacked with any other program, it can be given with
`--store store` as well. Whoever loads a result trusts the one who stored it: results
that are no plain values are pickled, and a pickle can run code.
"""


def require_replaceable(bundle: Path, jugfile: Path) -> None:
    """Refuse to write a bundle over a file that is none.

    Raises
    ------
    UsageError
        It is the jugfile, or anything else that `write` did not write.
    """
    if not os.path.lexists(bundle):
        return
    if bundle.exists() and jugfile.exists() and bundle.samefile(jugfile):
        raise UsageError(f"{bundle} is the script itself; give another file with -o")
    if not _is_bundle(bundle):
        raise UsageError(
            f"{bundle} is there and no bundle, so it is not overwritten; "
            "give another file with -o, or remove it first"
        )


def _is_bundle(path: Path) -> bool:
    """Return whether a file is a zip archive with what `write` puts into one."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    inside = any(name.startswith(f"{_STORE}/") for name in names)
    return inside and {"README.txt", "provenance.jsonl"} <= {*names}


def write(folder: Path, results: Results, jugfile: Path, bundle: Path) -> None:
    """Write a bundle of a store in a folder; it appears whole or not at all.

    Parameters
    ----------
    folder : Path
        Where the store is.
    results : Results
        Its results.
    jugfile : Path
        The script that they are of.
    bundle : Path
        The archive.

    Raises
    ------
    OSError
        It cannot be written.
    UsageError
        Another file is there, see `require_replaceable`.
    """
    aside = bundle.with_name(f".{bundle.name}.{os.getpid()}")
    store = bundle.name.removesuffix(SUFFIX).removesuffix(".zip") + ".tgdata"
    about = _README.format(jugfile=jugfile.name, bundle=bundle.name, store=store)
    try:
        with zipfile.ZipFile(aside, "w", strict_timestamps=False) as archive:
            archive.writestr("README.txt", about)
            archive.write(jugfile, jugfile.name)
            with archive.open("provenance.jsonl", "w", force_zip64=True) as file:
                for key, record in results.records(iter(results.keys())):
                    file.write(_line(key, record))
            for path in sorted(folder.rglob("*")):
                inside = PurePosixPath(_STORE, path.relative_to(folder).as_posix())
                archive.write(path, str(inside))
        require_replaceable(bundle, jugfile)
        aside.replace(bundle)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def unpacked(bundle: Path) -> Iterator[Path]:
    """Unpack the store of a bundle, for as long as the block runs; give its folder.

    Raises
    ------
    UsageError
        It is no bundle, or one that `write` does not write.
    """
    with TemporaryDirectory(prefix=".unbundle-", dir=bundle.parent) as place:
        try:
            with zipfile.ZipFile(bundle) as archive:
                archive.extractall(place, _members(archive, bundle))
        except OSError as error:
            if error.errno in _FULL:
                raise
            raise UsageError(f"{bundle} is no whole bundle: {error}") from error
        except _NO_BUNDLE as error:
            raise UsageError(f"{bundle} is no whole bundle: {error}") from error
        yield Path(place, _STORE)


def _members(archive: zipfile.ZipFile, bundle: Path) -> list[zipfile.ZipInfo]:
    """Return what is of the store, if all of it is as it should be.

    Nothing is compressed, so that it cannot be larger than the archive; names stay
    below the folder.
    """
    found = [
        member for member in archive.infolist() if member.filename.startswith("store/")
    ]
    size = sum(member.file_size for member in found)
    stored = all(m.compress_type == zipfile.ZIP_STORED for m in found)
    inside = all(".." not in PurePosixPath(m.filename).parts for m in found)
    if not found or not stored or not inside or size > bundle.stat().st_size:
        raise UsageError(
            f"{bundle} is no bundle: `tg bundle` writes one, with a folder `store` "
            "that is not compressed"
        )
    return found


def _line(key: Key, record: Record) -> bytes:
    """Return what a bundle says of a record, as a line of JSON."""
    context = record.context
    about: dict[str, Any] = {
        "key": key.hex(),
        "function": record.name,
        "call": record.summary,
        "started": datetime.fromtimestamp(record.start, UTC).isoformat(),
        "seconds": record.wall,
        "cpu": record.cpu,
        "host": context.get("host", ""),
        "job": context.get("job", ""),
        "python": context.get("python", ""),
        "packages": context.get("packages", {}),
        "git": context.get("git", {}),
        "code": recorded(record.code)[0],
    }
    return json.dumps(about, default=str).encode() + b"\n"
