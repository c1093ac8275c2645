"""Names that files will get, each reserved for one content, so that none is lost.

What lies at a reserved name is replaced only if this store's tasks wrote it, or the
user said so. It is looked at once more just before it is replaced.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from segkit.io.elsewhere.address import is_address
from segkit.io.elsewhere.constructing import Construction
from segkit.names import known_as

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from segkit.io.image import Image
    from taskgraph import Results

Mark: TypeAlias = tuple[int, int]
ABSENT: Mark = (-1, 0)
_STORE = 6
"""Letters that tell stores apart; those of their contents follow."""
_WHOSE = "is of somebody else or of another store (each pipeline file has its own)"
_SAVING = (
    "segkit.workflows.save_image",
    "segkit.workflows.save_overlay",
    "segkit.workflows.save_table",
    "segkit.workflows.finish_file",
    "segkit.workflows.finish_elsewhere",
)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Reserved:
    """A name that a file will get.

    Attributes
    ----------
    path : str
        Where it will be.
    before : tuple of int
        The mark of what lay there, which may be replaced. Another mark later means
        that somebody else's file lies there, or that a worker wrote ours and died
        before it could say so.
    overwrite : bool
        Whatever lies there may be replaced.
    store : str
        What the store is known by, and the content: each has its own construction.
    node : int
        The inode of what is under construction, which it keeps when it is named.
    expected : tuple of int
        The mark that an image elsewhere will have.
    """

    path: str
    before: Mark
    overwrite: bool = False
    store: str = ""
    node: int = 0
    expected: Mark = ABSENT

    @property
    def partial(self) -> Path:
        """Where the image lies until it is finished: another for each `store`."""
        path = Path(self.path)
        return path.with_name(
            ".".join(filter(None, (path.name, self.store, "partial")))
        )

    @property
    def overtaken(self) -> Iterator[Path]:
        """What the same store has begun there of other content."""
        path = Path(self.path)
        of_store = re.escape(f"{path.name}.{self.store[:_STORE]}")
        own = re.compile(rf"{of_store}\w*\.partial")
        for found in path.parent.iterdir() if self.store else ():
            if own.fullmatch(found.name) and found != self.partial:
                yield found

    @property
    def construction(self) -> Construction | None:
        """Where an image elsewhere is written; None of a file here."""
        if not is_address(self.path):
            return None
        own = self.store or "tasks"
        return Construction.at(self.path, own, own[:_STORE])

    @property
    def untouched(self) -> bool:
        """Whether what lies there now may be replaced."""
        now = mark_of(file_of(self.path))
        return self.overwrite or now in (ABSENT, self.before)


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class Saved:
    """A file that was written.

    Attributes
    ----------
    path : str
        Where.
    mark : tuple of int
        Size and modification time (ns) of it, or of a folder's metadata.
    """

    path: str
    mark: Mark

    @staticmethod
    def at(path: str | Path, of: str = "") -> Saved:
        """Return the record of a file that is there now, and of which image it is."""
        mark = mark_of(path)
        return SavedOf(str(path), mark, of) if of else Saved(str(path), mark)

    def __fspath__(self) -> str:
        return self.path

    @property
    def there(self) -> bool:
        """Whether the file is there, as it was written."""
        return mark_of(self.path) == self.mark


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SavedOf(Saved):
    """A file that was written of one image.

    Attributes
    ----------
    of : str
        Where the image lies.
    """

    of: str


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SavedElsewhere:
    """An image that was written at an address; `tg` looks for no file of it.

    Attributes
    ----------
    path : str
        Its address.
    mark : tuple of int
        Of what makes it an image.
    """

    path: str
    mark: Mark

    @property
    def there(self) -> bool:
        """Whether the image is there, as it was written."""
        return mark_of(self.path) == self.mark


@known_as("segkit.names")
@dataclass(frozen=True, slots=True)
class SavedElsewhereOf(SavedElsewhere):
    """An image that was written at an address, of one image.

    Attributes
    ----------
    of : str
        Where that lies.
    """

    of: str


@dataclass(frozen=True, slots=True)
class _Writing:
    """Of which image something was written, and by which task."""

    of: str
    key: bytes


def file_of(path: str) -> Path:
    """Return the file of a path that may name something inside it by ``::``."""
    return Path(path if is_address(path) else path.partition("::")[0])


def is_there(path: str) -> bool:
    """Say whether there is a file; what lies elsewhere is not looked for."""
    return not is_address(path) and file_of(path).exists()


def mark_of(path: str | Path) -> Mark:
    """Return size and modification time of what is there, or that nothing is.

    Elsewhere there are no times: it is size and digest of what makes it an image.
    """
    if is_address(path):
        return Construction.at(path).mark()
    where = path = Path(path)
    for name in ("zarr.json", ".zattrs"):
        if (path / name).is_file():
            where = path / name
            break
    try:
        found = where.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    return (0 if where.is_dir() else found.st_size, found.st_mtime_ns)


def place_of(image: Image) -> str:
    """Return where an image lies, or the first of its files; empty of an array."""
    path = next(iter(image.files), image.path)
    if is_address(path):
        return path
    return str(Path(path).resolve()) if is_there(path) else ""


def known_by(results: Results | None) -> str:
    """Return a few letters of which store results lie in; none if in none."""
    if results is None:
        return ""
    url = results.backend.url
    where = url if "://" in url else f"{platform.node()}:{Path(url).resolve()}"
    return blake2b(where.encode(), digest_size=6).hexdigest()


def marks_of_ours(results: Results, path: str) -> frozenset[Mark]:
    """Return the marks of all files that this store's tasks wrote at a path.

    Or wrote elsewhere by that name, where they are no more: a folder that is moved
    takes its files along, as they are.
    """
    marks, where = _marks_at(results, path)
    own = marks.get(where, {})
    if mark_of(where) in own:
        return frozenset(own)
    moved = [found for where, found in marks.items() if not is_there(where)]
    return frozenset({*own}.union(*moved))


def require_no_other(results: Results, path: str, of: str) -> None:
    """Raise `FileExistsError` if a path holds what tasks made of another image.

    One that is there no more was moved: what was made of it may be replaced.

    Parameters
    ----------
    results : Results
        Of the tasks.
    path : str
        What is to be written.
    of : str
        Where the image lies that it is to be made of; empty if of several.
    """
    if not of:
        return
    marks, where = _marks_at(results, path)
    found = marks.get(where, {}).get(mark_of(where))
    other = found.of if found is not None else ""
    if other not in ("", of) and (is_address(other) or is_there(other)):
        choose = "address" if is_address(path) else "folder (-o, out=)"
        raise FileExistsError(
            f"{path}: holds what was made of {other}; choose another {choose}, or say"
            " overwrite=True (segkit run --overwrite)"
        )


def is_of(results: Results, path: str, key: bytes) -> bool:
    """Say whether what lies at a path is what a task wrote, and no later one.

    Files have a time, so that their marks tell; images elsewhere of the same metadata
    have one mark.
    """
    if not is_address(path):
        return True
    marks, where = _marks_at(results, path)
    found = marks.get(where, {}).get(mark_of(where))
    return found is None or found.key == key


def _marks_at(
    results: Results, path: str
) -> tuple[Mapping[str, Mapping[Mark, _Writing]], str]:
    """Return the marks of all that is named as a path is, and what lies at that."""
    results.backend.poll()
    file = file_of(path)
    marks = _marks_of_ours(results, len(results.backend.keys())).get(file.name, {})
    return marks, path if is_address(path) else str(file)


@lru_cache(maxsize=1)
def _marks_of_ours(
    results: Results,
    count: int,  # noqa: ARG001 - looked at anew when there are more
) -> Mapping[str, Mapping[str, Mapping[Mark, _Writing]]]:
    """Return by name, then by path, the marks of files, and what was written last."""
    marks: dict[str, dict[str, dict[Mark, _Writing]]] = {}
    for key, record in results.records(iter(results.backend.keys())):
        if record.name in _SAVING and record.failure is None:
            saved: Saved | SavedElsewhere = results.decode(record.payload, key)
            of_name = marks.setdefault(file_of(saved.path).name, {})
            of = saved.of if isinstance(saved, SavedOf | SavedElsewhereOf) else ""
            of_name.setdefault(saved.path, {})[saved.mark] = _Writing(of, key)
    return marks


def reserve(
    path: str,
    overwrite: bool,
    attempt: int,  # noqa: ARG001 - part of the key
    content: str = "",
    ours: frozenset[Mark] = frozenset(),
    store: str = "",
) -> Reserved:
    """Check that a file may be written, before anything is computed for it.

    Parameters
    ----------
    path : str
        Where.
    overwrite : bool
        Replace whatever lies there.
    attempt : int
        How many reservations for the same content there were before.
    content : str
        What will be written: other content wants another reservation.
    ours : frozenset of tuple of int
        The marks of files that the store's tasks wrote there, which may be replaced;
        no part of the key.
    store : str
        What the store is known by; no part of the key either.

    Raises
    ------
    FileExistsError
        If something lies there and is not to be replaced, or a folder that holds
        what segkit did not write, or HDF5 that holds other datasets.
    OSError
        If nothing can be written there.
    """
    from segkit.io.hdf5 import HDF5_SUFFIXES, require_only
    from segkit.io.publishing import make_folder
    from segkit.io.replacing import require_free

    file = file_of(path)
    before = mark_of(file)
    if content and store:
        store = store[:_STORE] + content[: len(store) - _STORE]
    if is_address(path):
        if before != ABSENT and before not in ours and not overwrite:
            raise in_the_way(path, changed=bool(ours))
        Construction.at(path).require_free(overwrite=True)
        return Reserved(path, before, overwrite, store)
    if before == ABSENT:
        make_folder(file.parent)
    if before != ABSENT and before not in ours and not overwrite:
        raise in_the_way(path, changed=bool(ours))
    require_free(file, overwrite=True)
    if before not in ours and file.suffix.lower() in HDF5_SUFFIXES:
        require_only(file, path.partition("::")[2])
    return Reserved(path, before, overwrite, store)


def in_the_way(path: str | Path, *, changed: bool = False) -> FileExistsError:
    """Return the error of a file that must not be replaced."""
    whose = "was changed since segkit wrote it" if changed else _WHOSE
    return FileExistsError(
        f"{path}: exists already, and {whose}; choose another name or folder (-o), or"
        " say overwrite=True (segkit run --overwrite)"
    )
